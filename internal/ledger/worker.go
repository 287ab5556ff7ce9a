package ledger

import (
	"net"
	"slices"
	"time"
)

const (
	// maxSpares is the number of ended connections whose windows a worker
	// keeps for those that come back.
	maxSpares = 8
	// spareLife is how long it keeps them.
	spareLife = 10 * time.Minute
	// maxRows is the number of unwritten minutes that a worker may hold. They
	// pile up only while the store fails.
	maxRows = 30
	// maxAgents is the number of user agents that are shown of a worker.
	maxAgents = 32
)

// worker is everything in memory about one worker name, or about the pool.
// All of it is guarded by Ledger.mu.
type worker struct {
	name      string
	address   string
	userAgent string // of the latest connection
	accounts  []*Account
	spares    []spare

	// What the views show. Slices in them are replaced, never changed, since
	// snapshots share them.
	totals      Totals
	best        Best
	firstSeen   time.Time
	lastSeen    time.Time // while offline
	lastShare   time.Time
	connectedAt time.Time
	session     session
	agents, ids []string
	difficulty  float64
	vardiff     float64
	pace        Pace
	ping50      float32 // ms
	ping95      float32
	marks       *ring[mark]             // latest shares
	changes     *ring[DifficultyChange] // latest difficulties

	tls    int32 // connections through TLS
	listed bool  // agents and ids are as they should be

	// What the books do not have yet.
	looked  bool // the books were asked, and totals contains what they had
	known   bool // the books have a record
	dirty   bool // is in Ledger.dirty
	unsaved Totals
	rows    []MinuteRow
	seq     uint64 // of the latest batch that it was part of
}

// session is what was counted since a worker came online.
type session struct {
	accepted uint64
	rejected uint64
	best     Best
}

// spare is the window of a connection that ended.
type spare struct {
	agent, host string
	closedAt    time.Time
	window      window
}

// connect adds an account, now.
func (w *worker) connect(a *Account, now time.Time) {
	if len(w.accounts) == 0 {
		w.session = session{}
		w.connectedAt = a.info.ConnectedAt
	}
	w.accounts = append(w.accounts, a)
	w.address, w.userAgent = a.info.Address, a.info.UserAgent
	if w.firstSeen.IsZero() {
		w.firstSeen = a.info.ConnectedAt
	}
	if a.info.TLS {
		w.tls++
	}

	a.window.since = a.info.ConnectedAt
	w.pruneSpares(now)
	host := hostOf(a.info.Remote)
	for i, s := range w.spares {
		if s.agent == a.info.UserAgent && s.host == host {
			a.window = s.window
			a.window.resume(s.closedAt, a.info.ConnectedAt)
			w.spares = slices.Delete(w.spares, i, i+1)
			break
		}
	}
	w.recallLocked(a)
	w.listed = false
}

// disconnect removes an account whose pending counts were collected.
func (w *worker) disconnect(a *Account, at time.Time) {
	i := slices.Index(w.accounts, a)
	if i < 0 {
		return
	}
	w.accounts = slices.Delete(w.accounts, i, i+1)
	w.lastSeen = at
	if a.info.TLS {
		w.tls--
	}

	w.pruneSpares(at)
	if len(w.spares) == maxSpares {
		w.spares = slices.Delete(w.spares, 0, 1)
	}
	w.spares = append(w.spares, spare{a.info.UserAgent, hostOf(a.info.Remote), at, a.window})
	w.listed = false
}

// pruneSpares forgets connections that will not come back.
func (w *worker) pruneSpares(now time.Time) {
	if len(w.spares) > 0 {
		w.spares = slices.DeleteFunc(w.spares, func(s spare) bool { return now.Sub(s.closedAt) > spareLife })
	}
	if len(w.spares) == 0 {
		w.spares = nil
	}
}

// listConnections prepares the lists that views show, if they changed. It is
// called once for each view: a name may have thousands of connections, and each
// that comes must not look at all the others.
func (w *worker) listConnections() {
	if w.listed {
		return
	}
	w.listed, w.ids, w.agents = true, nil, nil
	for _, a := range w.accounts {
		w.ids = append(w.ids, a.info.ConnectionID)
		if a.info.UserAgent != "" && len(w.agents) < maxAgents && !slices.Contains(w.agents, a.info.UserAgent) {
			w.agents = append(w.agents, a.info.UserAgent)
		}
	}
	if len(w.accounts) == 0 && w.userAgent != "" {
		w.agents = []string{w.userAgent}
	}
}

// count adds what an account, or another worker, counted. Work and rejects go
// to the totals, to the session and to what the books do not have yet.
func (w *worker) count(p *pending, height int64) (dropped uint64) {
	first, second := p.minutes[0], p.minutes[1]
	if second.Minute < first.Minute {
		first, second = second, first
	}
	for _, row := range [...]MinuteRow{first, second} {
		if row.Accepted == 0 && row.Rejected == 0 {
			continue
		}
		row.BlockHeight = height
		dropped += w.addRow(row)
		w.session.accepted += row.Accepted
		w.session.rejected += row.Rejected
		w.totals.Accepted += row.Accepted
		w.totals.Rejected += row.Rejected
		w.totals.Work += row.Work
		w.unsaved.Accepted += row.Accepted
		w.unsaved.Rejected += row.Rejected
		w.unsaved.Work += row.Work
	}

	if len(p.rejects) > 0 {
		w.totals.Rejects = slices.Clone(w.totals.Rejects)
		for _, n := range p.rejects {
			w.totals.RejectedWork += n.Work
			w.totals.Rejects = addReject(w.totals.Rejects, n)
			w.unsaved.RejectedWork += n.Work
			w.unsaved.Rejects = addReject(w.unsaved.Rejects, n)
		}
		sortRejects(w.totals.Rejects)
	}

	if p.best.beats(w.session.best) {
		w.session.best = p.best
	}
	if p.best.beats(w.best) {
		w.best = p.best
	}
	if p.lastShare.After(w.lastShare) {
		w.lastShare = p.lastShare
	}
	return dropped
}

// addRow adds a piece of a minute to the unwritten history. When there are
// too many minutes, the two oldest lose their detail: their sums stay in the
// totals.
func (w *worker) addRow(row MinuteRow) (dropped uint64) {
	for i := range w.rows {
		if w.rows[i].Minute == row.Minute {
			w.rows[i].add(row)
			return 0
		}
	}
	if len(w.rows) == maxRows {
		w.rows = slices.Delete(w.rows, 0, 1)
		dropped = 1
	}
	w.rows = append(w.rows, row)
	return dropped
}

// merge adds what the books had before this run of the ledger.
func (w *worker) merge(r *WorkerRecord) {
	w.known = true
	w.totals.Accepted += r.Totals.Accepted
	w.totals.Rejected += r.Totals.Rejected
	w.totals.Work += r.Totals.Work
	w.totals.RejectedWork += r.Totals.RejectedWork
	w.totals.Rejects = slices.Clone(w.totals.Rejects)
	for _, n := range r.Totals.Rejects {
		w.totals.Rejects = addReject(w.totals.Rejects, n)
	}
	sortRejects(w.totals.Rejects)

	if r.Best.beats(w.best) {
		w.best = r.Best
	}
	if w.pace.At.IsZero() {
		w.pace = r.Pace
		for _, a := range w.accounts {
			w.recallLocked(a)
		}
	}
	if w.firstSeen.IsZero() || (!r.FirstSeen.IsZero() && r.FirstSeen.Before(w.firstSeen)) {
		w.firstSeen = r.FirstSeen
	}
	if r.LastShare.After(w.lastShare) {
		w.lastShare = r.LastShare
	}
	if r.LastSeen.After(w.lastSeen) {
		w.lastSeen = r.LastSeen
	}
	if w.userAgent == "" {
		w.userAgent, w.listed = r.UserAgent, false
	}
	if w.address == "" {
		w.address = r.Address
	}
}

// worthSaving reports whether the worker has a place in the books. A name
// that never brought an accepted share gets none: anybody can make up names
// without end.
func (w *worker) worthSaving() bool { return w.known || w.unsaved.Accepted > 0 || w.name == PoolName }

// delta hands over what the books do not have yet.
func (w *worker) delta(now time.Time) Delta {
	d := Delta{
		Worker: w.name, Address: w.address, UserAgent: w.userAgent,
		FirstSeen: w.firstSeen, LastSeen: w.seen(now), LastShare: w.lastShare, Best: w.best, Pace: w.pace,
		Totals: w.unsaved, Rows: w.rows,
	}
	w.unsaved, w.rows = Totals{}, nil
	return d
}

// seen is when the worker was last connected.
func (w *worker) seen(now time.Time) time.Time {
	if len(w.accounts) > 0 || w.name == PoolName {
		return now
	}
	return w.lastSeen
}

// sortRejects brings a list into the order of the reject table.
func sortRejects(list []RejectCount) {
	slices.SortFunc(list, func(a, b RejectCount) int { return int(a.Reason) - int(b.Reason) })
}

// hostOf is the address without the port, which changes with each connection.
func hostOf(remote string) string {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		return remote
	}
	return host
}
