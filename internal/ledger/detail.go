package ledger

import "time"

// MaxDetailConnections bounds the connections in a [WorkerDetail]. A farm's proxy
// may bring thousands in one name.
const MaxDetailConnections = 100

// WorkerDetail is one worker with what a snapshot has no room for.
type WorkerDetail struct {
	WorkerView

	Open []ConnectionView // open connections, newest first, at most MaxDetailConnections
	Best []Best           // its best shares that are known, in no order; some may be there twice

	Difficulties []DifficultyChange // latest ones of all connections, oldest first, at most MaxDifficultyChanges
	Shares       []RecentShare      // latest ones, likewise, at most MaxRecentShares
}

// ConnectionView is one open connection of a worker.
type ConnectionView struct {
	ID          string
	UserAgent   string
	TLS         bool
	Remote      string // host:port
	ConnectedAt time.Time
	Difficulty  float64 // assigned now; 0 before the first

	// Round-trip times in ms, as in [WorkerView]; 0 when unknown.
	PingP50, PingP95 float64

	// Of this connection alone.
	Hashrate           float64 // H/s
	Accuracy           string  // of Hashrate, as in [WorkerView]
	ShareRate          float64 // accepted shares per minute
	Accepted, Rejected uint64
	LastShare          time.Time // zero when there was none
	FirstShare         FirstShare
}

// FirstShare is how long the first accepted share took on work that made all
// earlier work worthless, as a new block does. The zero value means that there
// was none yet.
type FirstShare struct {
	Last, P50, P95 time.Duration // of the latest samples
	Samples        int           // 32 at most
}

// Worker is one worker as of the latest tick; false when it is not in memory,
// where those are that [Snapshot] lists. It costs a lock for some microseconds,
// whatever the number of workers.
func (l *Ledger) Worker(name string) (WorkerDetail, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.workers[name]
	if w == nil {
		return WorkerDetail{}, false
	}
	var d WorkerDetail
	w.view(&d.WorkerView, l.ticked)
	for i := len(w.accounts) - 1; i >= 0 && len(d.Open) < MaxDetailConnections; i-- {
		a := w.accounts[i]
		d.Open = append(d.Open, ConnectionView{
			ID: a.info.ConnectionID, UserAgent: a.info.UserAgent, TLS: a.info.TLS,
			Remote: a.info.Remote, ConnectedAt: wall(a.info.ConnectedAt), Difficulty: a.latest.difficulty,
			PingP50: float64(a.latest.ping50), PingP95: float64(a.latest.ping95),
			Hashrate: a.estimate.hashrate(), Accuracy: a.estimate.accuracy(), ShareRate: a.estimate.perMinute(),
			Accepted: a.accepted.Load(), Rejected: a.rejected.Load(), LastShare: wall(a.latest.lastShare), FirstShare: a.firsts(),
		})
	}
	d.Difficulties, d.Shares = w.difficulties(), w.recentShares()
	d.Best = append(d.Best, d.BestEver, d.BestNow)
	for _, b := range l.best.list() {
		if b.Worker == name {
			d.Best = append(d.Best, Best{Difficulty: b.Difficulty, At: b.At, Hash: b.Hash})
		}
	}
	return d, true
}
