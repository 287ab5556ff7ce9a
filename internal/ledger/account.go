package ledger

import (
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/stratum"
)

// ConnInfo describes one worker on one connection.
type ConnInfo struct {
	ConnectionID string
	Worker       string // full name as authorized
	Address      string // the payout address in it
	UserAgent    string // as sent with mining.subscribe
	Remote       string // host:port
	TLS          bool
	ConnectedAt  time.Time
}

// Share is a share, accepted or refused.
type Share struct {
	Credit     float64      // the assigned difficulty: the work that is credited
	Difficulty float64      // the true difficulty of its hash
	Hash       bitcoin.Hash // of the header
	At         time.Time
}

// Account counts what one worker does on one connection. Its methods may be
// called from any goroutine; counting costs an uncontended lock and neither
// allocates nor touches a disk.
type Account struct {
	ledger   *Ledger
	info     ConnInfo
	hashrate atomic.Uint64 // bits of a float64, written once a second
	// Shares that the ledger collected from it.
	accepted, rejected atomic.Uint64

	pace atomic.Uint64 // bits of a float64: what the worker proved before

	mu      sync.Mutex // guards pending and pings; taken after Ledger.mu where both are held
	pending pending
	pings   *pings       // nil before the first
	first   *firstShares // nil before the first

	// Guarded by Ledger.mu.
	window   window
	estimate estimate // of the latest tick
	latest   latest
}

// pending is what was counted since the ledger last looked.
type pending struct {
	latest
	minutes [2]MinuteRow // by the minute's last bit: around a full minute both are in use
	squares float64      // sum of the credits' squares
	best    Best
	rejects []RejectCount // few, in order of first occurrence
	touched bool          // there is something that the ledger has not seen
	closed  bool          // the ledger looks no more by itself
	trail   *trail        // the latest shares and difficulties; nil when there is nothing new
}

// latest is what an account knows about its newest share and difficulty.
type latest struct {
	lastShare  time.Time
	difficulty float64
	vardiff    float64

	pace           float64 // H/s, proved by the connection at paceAt
	paceAt         time.Time
	ping50, ping95 float32 // ms
}

// Accept counts an accepted share.
func (a *Account) Accept(s Share) {
	credit, difficulty := finite(s.Credit), finite(s.Difficulty)

	a.mu.Lock()
	p := &a.pending
	p.touched = true
	row := p.row(s.At)
	row.Accepted++
	row.Work += credit
	row.BestShare = max(row.BestShare, difficulty)
	p.squares += credit * credit
	if difficulty > p.best.Difficulty {
		p.best = Best{Difficulty: difficulty, At: s.At, Hash: s.Hash}
	}
	if s.At.After(p.lastShare) {
		p.lastShare = s.At
	}
	p.noteShare(markOf(s.At, credit, difficulty, stratum.NotRejected))
	closed := p.closed
	a.mu.Unlock()

	if difficulty > a.ledger.best.threshold() {
		a.ledger.best.offer(BestShare{Worker: a.info.Worker, Difficulty: difficulty, At: s.At, Hash: s.Hash})
	}
	if closed {
		a.ledger.collectLate(a)
	}
}

// Reject counts a refused share. Its Credit is what it would have counted; its
// Difficulty is 0 when it could not be hashed.
func (a *Account) Reject(r stratum.Reject, s Share) {
	lost := finite(s.Credit)

	a.mu.Lock()
	p := &a.pending
	p.touched = true
	p.row(s.At).Rejected++
	p.rejects = addReject(p.rejects, RejectCount{Reason: r, Count: 1, Work: lost})
	p.noteShare(markOf(s.At, lost, finite(s.Difficulty), r))
	closed := p.closed
	a.mu.Unlock()

	if closed {
		a.ledger.collectLate(a)
	}
}

// SetDifficulty notes the difficulty that the connection was assigned, and
// the one that the difficulty control would choose now.
func (a *Account) SetDifficulty(d, vardiff float64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if d != a.pending.difficulty {
		a.pending.noteDifficulty(DifficultyChange{At: wall(a.ledger.opts.Now()), Difficulty: d, ConnectionID: a.info.ConnectionID})
	}
	a.pending.difficulty, a.pending.vardiff, a.pending.touched = d, vardiff, true
}

// Hashrate is this connection's own estimate in H/s, at most a second old.
func (a *Account) Hashrate() float64 { return math.Float64frombits(a.hashrate.Load()) }

// Counts are the shares of this account that the ledger has collected: all but
// those of the last second.
func (a *Account) Counts() (accepted, rejected uint64) {
	return a.accepted.Load(), a.rejected.Load()
}

// Close ends the account. Shares that are still counted afterwards, because
// they were on their way, are not lost. Closing twice is harmless.
func (a *Account) Close(at time.Time) { a.ledger.close(a, at) }

// row finds the place to count something that happened at t. A minute that
// comes while both places hold older ones, which takes a ledger that did not
// look for a minute, is counted as the newer of them.
func (p *pending) row(t time.Time) *MinuteRow {
	minute := floorDiv(t.Unix(), 60)
	row := &p.minutes[minute&1]
	if row.Accepted == 0 && row.Rejected == 0 {
		row.Minute = minute
	} else {
		row.Minute = max(row.Minute, minute)
	}
	return row
}

// addReject adds n to the entry of its reason.
func addReject(list []RejectCount, n RejectCount) []RejectCount {
	for i := range list {
		if list[i].Reason == n.Reason {
			list[i].Count += n.Count
			list[i].Work += n.Work
			return list
		}
	}
	return append(list, n)
}

// finite turns what cannot be work into zero, so that one broken number
// cannot spoil a sum for ever.
func finite(f float64) float64 {
	if f > 0 && f <= math.MaxFloat64 {
		return f
	}
	return 0
}

// floorDiv divides rounding down, also before 1970.
func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
