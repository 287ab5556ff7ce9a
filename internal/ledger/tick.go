package ledger

import (
	"math"
	"slices"
	"time"
)

// unwrittenFactor times Options.MaxIdle is the number of workers that may wait
// in memory, not connected, for a store that fails.
const unwrittenFactor = 10

// tick is the ledger's heartbeat: once a second it collects what the accounts
// counted, forgets who left long ago, and lets the snapshot be out of date.
func (l *Ledger) tick(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()

	l.idle = 0
	var pool estimate
	for _, w := range l.order {
		for _, a := range w.accounts {
			l.collectLocked(a, now, false)
			if e := a.window.estimate(now); e != a.estimate {
				a.estimate = e
				a.hashrate.Store(math.Float64bits(e.hashrate()))
			}
			pool = pool.plus(a.estimate)
		}
		if len(w.accounts) == 0 {
			l.idle++
			w.pruneSpares(now)
		}
	}
	l.evictLocked(now)

	// The pool has a point for every minute in which it ran, so that its
	// history tells "no shares" from "was not running".
	if minute := floorDiv(now.Unix(), 60); minute != l.minute {
		l.minute = minute
		l.books.DroppedMinutes += l.pool.addRow(MinuteRow{Minute: minute, BlockHeight: l.height.Load()})
		l.markLocked(l.pool)
	}

	l.advanceLocked(now, pool.hashrate())
}

// advanceLocked goes on with the history of the last minutes, and lets go of the
// snapshot. Who asks for the next one first makes it: while nobody looks, ten
// thousand workers are not copied every second.
func (l *Ledger) advanceLocked(now time.Time, hashrate float64) {
	point := l.step
	point.At, point.Hashrate, point.BlockHeight = wall(now), hashrate, l.height.Load()
	var added bool
	if l.recent, added = appendRecent(l.recent, point); added {
		l.step = HistoryPoint{}
	}
	l.ticked = now
	l.snapshot.Store(nil)
}

// collectLocked moves what an account counted into the books in memory. With
// end, the account counts as closed from here on. It reports whether the
// account was open before.
func (l *Ledger) collectLocked(a *Account, now time.Time, end bool) (open bool) {
	a.mu.Lock()
	if !a.pending.touched && !end {
		open = !a.pending.closed
		a.mu.Unlock()
		if open {
			a.window.add(now, 0, 0, 0)
		}
		return open
	}
	p := a.pending
	a.pending = pending{latest: p.latest, closed: p.closed || end}
	w := l.workers[a.info.Worker]
	if w != nil {
		a.pending.trail = w.follow(p.trail)
	}
	a.mu.Unlock()

	a.latest = p.latest
	if w != nil && w.keepPace(&p.latest, a.info.UserAgent) {
		l.markLocked(w)
	}
	accepted, work := p.minutes[0].Accepted+p.minutes[1].Accepted, p.minutes[0].Work+p.minutes[1].Work
	if !p.closed {
		a.window.add(now, uint32(accepted), work, p.squares)
	}
	rejected := p.minutes[0].Rejected + p.minutes[1].Rejected
	if accepted == 0 && rejected == 0 {
		return !p.closed
	}
	a.accepted.Add(accepted)
	a.rejected.Add(rejected)

	if w == nil { // it was forgotten before its last shares came
		w = l.workerLocked(a.info.Worker)
		w.follow(p.trail)
	}
	height := l.height.Load()
	l.books.DroppedMinutes += w.count(&p, height)
	l.books.DroppedMinutes += l.pool.count(&p, height)
	l.markLocked(w)
	l.markLocked(l.pool)
	l.step.add(&p)
	return !p.closed
}

// add sums up what an account counted into a point of History6m.
func (h *HistoryPoint) add(p *pending) {
	for i := range p.minutes {
		m := &p.minutes[i]
		h.Accepted += m.Accepted
		h.Rejected += m.Rejected
		h.Work += m.Work
		h.BestShare = max(h.BestShare, m.BestShare)
	}
}

// evictLocked forgets workers that left long ago, or longest ago when there
// are too many, once the books have all about them. When the store fails and
// very many wait for it, those that left first are given up.
func (l *Ledger) evictLocked(now time.Time) {
	var evicted map[*worker]bool
	evict := func(w *worker) {
		if evicted == nil {
			evicted = map[*worker]bool{}
		}
		evicted[w] = true
		delete(l.workers, w.name)
		l.idle--
	}

	deadline := now.Add(-l.opts.IdleFor)
	for _, w := range l.order {
		if len(w.accounts) == 0 && !w.lastSeen.After(deadline) && !l.unwrittenLocked(w) {
			evict(w)
		}
	}
	if l.idle > l.opts.MaxIdle {
		left := make([]*worker, 0, l.idle)
		for _, w := range l.order {
			if len(w.accounts) == 0 && !evicted[w] {
				left = append(left, w)
			}
		}
		slices.SortStableFunc(left, func(a, b *worker) int { return a.lastSeen.Compare(b.lastSeen) })
		// A tenth more than necessary, so that this is not done every second.
		for _, w := range left {
			if l.idle > l.opts.MaxIdle*9/10 && !l.unwrittenLocked(w) {
				evict(w)
			}
		}
		for _, w := range left {
			if l.idle > l.opts.MaxIdle*unwrittenFactor && !evicted[w] {
				evict(w)
				l.books.DroppedWorkers++
			}
		}
	}
	if evicted == nil {
		return
	}

	forgotten := func(w *worker) bool { return evicted[w] }
	l.order = slices.DeleteFunc(l.order, forgotten)
	l.dirty = slices.DeleteFunc(l.dirty, forgotten)
	l.unlooked = slices.DeleteFunc(l.unlooked, forgotten)
}

// unwrittenLocked reports whether the books lack something about a worker.
func (l *Ledger) unwrittenLocked(w *worker) bool {
	return w.worthSaving() && (w.dirty || w.seq > l.written.Load())
}

// publishLocked builds the snapshot of the latest tick.
func (l *Ledger) publishLocked() *Snapshot {
	now := l.ticked
	s := &Snapshot{
		At: wall(now), StartedAt: wall(l.started),
		Workers:     make([]WorkerView, 0, len(l.order)),
		Connections: l.accounts, TLSConnections: l.tls,

		Accepted: l.pool.totals.Accepted, Rejected: l.pool.totals.Rejected,
		AcceptedWork: l.pool.totals.Work, RejectedWork: l.pool.totals.RejectedWork,
		RejectedByReason: l.pool.totals.Rejects,
		LastShare:        wall(l.pool.lastShare),
		SessionAccepted:  l.pool.session.accepted, SessionRejected: l.pool.session.rejected,

		BestShares: l.best.list(),
		Blocks:     l.blocks[:min(len(l.blocks), MaxBlocks)],

		BlocksAccepted: l.blocksAccepted, BlocksRejected: l.blocksRejected,
		Height: l.height.Load(),
		Books:  l.books,
	}

	var pool estimate
	for _, w := range l.order {
		s.Workers = append(s.Workers, WorkerView{})
		pool = pool.plus(w.view(&s.Workers[len(s.Workers)-1], now))
		if len(w.accounts) > 0 {
			s.Online++
		}
	}
	s.Hashrate, s.Accuracy, s.SharesPerMinute = pool.hashrate(), pool.accuracy(), pool.perMinute()

	if l.types == nil {
		l.types = minerTypes(l.agents)
	}
	s.MinerTypes = l.types
	s.History6m = l.recent
	l.snapshot.Store(s)
	return s
}

// view fills in what a snapshot shows of a worker.
func (w *worker) view(v *WorkerView, now time.Time) estimate {
	var sum estimate
	newest := time.Time{}
	for _, a := range w.accounts {
		sum = sum.plus(a.estimate)
		at := a.info.ConnectedAt
		if a.latest.lastShare.After(at) {
			at = a.latest.lastShare
		}
		if !at.Before(newest) {
			newest, w.difficulty, w.vardiff = at, a.latest.difficulty, a.latest.vardiff
			w.ping50, w.ping95 = a.latest.ping50, a.latest.ping95
		}
	}

	w.listConnections()
	*v = WorkerView{
		Name: w.name, Address: w.address,
		UserAgents: w.agents, ConnectionIDs: w.ids,
		Connections: len(w.accounts), TLS: w.tls > 0, Online: len(w.accounts) > 0,

		Hashrate: sum.hashrate(), ShareRate: sum.perMinute(),
		Difficulty: w.difficulty, Vardiff: w.vardiff,

		Accepted: w.totals.Accepted, Rejected: w.totals.Rejected,
		AcceptedWork: w.totals.Work, RejectedWork: w.totals.RejectedWork,
		RejectedByReason: w.totals.Rejects,
		BestEver:         w.best, FirstSeen: wall(w.firstSeen),

		SessionAccepted: w.session.accepted, SessionRejected: w.session.rejected,
		BestNow: w.session.best, ConnectedAt: wall(w.connectedAt),

		LastShare: wall(w.lastShare), LastSeen: wall(w.seen(now)),
	}
	if v.Online {
		v.Accuracy = sum.accuracy()
		v.PingP50, v.PingP95 = float64(w.ping50), float64(w.ping95)
	}
	return sum
}

// appendRecent adds a point when the last one is old enough, and reports whether
// it was. The list is made anew, since snapshots share the old one.
func appendRecent(list []HistoryPoint, p HistoryPoint) (recent []HistoryPoint, added bool) {
	// Half a second of tolerance: ticks do not come exactly on time.
	if n := len(list); n > 0 {
		switch elapsed := p.At.Sub(list[n-1].At); {
		case elapsed < 0: // the clock was put back
			list = nil
		case elapsed < historyEvery-500*time.Millisecond:
			return list, false
		}
	}
	first := 0
	for first < len(list) && p.At.Sub(list[first].At) > historySpan {
		first++
	}
	fresh := make([]HistoryPoint, 0, len(list)-first+1)
	return append(append(fresh, list[first:]...), p), true
}

// spread makes points of every five seconds out of minutes, for the time before
// this start: the hashrate is the minute's mean, and the counts stand at its
// beginning.
func spread(minutes []HistoryPoint) []HistoryPoint {
	steps := int(time.Minute / historyEvery)
	points := make([]HistoryPoint, 0, steps*len(minutes))
	for _, m := range minutes {
		for i := range steps {
			p := HistoryPoint{At: m.At, Hashrate: m.Hashrate, BlockHeight: m.BlockHeight}
			if i == 0 {
				p = m
			}
			p.At = m.At.Add(time.Duration(i) * historyEvery)
			points = append(points, p)
		}
	}
	return points
}

// wall is a time as readers want it: in UTC, comparable with ==.
func wall(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.Round(0).UTC()
}
