package ledger

import (
	"math"
	"slices"
	"time"

	"github.com/poolscope/poolscope/internal/stratum"
)

// Bounds of what is kept of the latest events of a worker.
const (
	MaxRecentShares       = 64 // accepted and refused ones
	MaxDifficultyChanges  = 32
	maxUncollectedChanges = 8 // of one connection in one second
)

// RecentShare is one of a worker's latest shares. Difficulties have seven digits.
type RecentShare struct {
	At         time.Time      // in milliseconds
	Assigned   float32        // difficulty that it was to have
	Difficulty float32        // true difficulty of its hash; 0 when it could not be hashed
	Reject     stratum.Reject // why it was refused; NotRejected when it was not
}

// DifficultyChange is a difficulty that a connection of a worker was assigned.
type DifficultyChange struct {
	At           time.Time
	Difficulty   float64
	ConnectionID string
}

// mark is a share as it is kept: in 16 bytes, since there may be 64 of each of
// ten thousand workers.
type mark struct {
	seconds  uint32 // since 1970, until 2106
	millis   uint16
	reject   stratum.Reject
	assigned float32
	reached  float32
}

func markOf(at time.Time, assigned, reached float64, why stratum.Reject) mark {
	millis := at.UnixMilli()
	return mark{
		seconds: uint32(millis / 1000), millis: uint16(millis % 1000), reject: why,
		assigned: float32(min(assigned, math.MaxFloat32)), reached: float32(min(reached, math.MaxFloat32)),
	}
}

func (m mark) share() RecentShare {
	return RecentShare{
		At:       time.UnixMilli(int64(m.seconds)*1000 + int64(m.millis)).UTC(),
		Assigned: m.assigned, Difficulty: m.reached, Reject: m.reject,
	}
}

// ring keeps the latest of some values. It grows as they come; nil has none.
type ring[T any] struct {
	rows   []T
	oldest uint32 // where the next goes once there is no room for more
}

// add takes a value in, in the place of the oldest when there are as many as may be.
func (r *ring[T]) add(v T, most int) {
	if len(r.rows) < most {
		r.rows = append(r.rows, v)
		return
	}
	r.rows[r.oldest] = v
	r.oldest = (r.oldest + 1) % uint32(most)
}

// list is a copy of the values in the order in which they came.
func (r *ring[T]) list() []T {
	if r == nil {
		return nil
	}
	return append(slices.Clone(r.rows[r.oldest:]), r.rows[:r.oldest]...)
}

// trail is what an account saw since the ledger last looked. Its room for shares
// is used again, so that counting does not allocate.
type trail struct {
	shares  ring[mark]
	changes []DifficultyChange
}

// noteShare adds a share to the account's trail.
func (p *pending) noteShare(m mark) {
	if p.trail == nil {
		p.trail = new(trail)
	}
	p.trail.shares.add(m, MaxRecentShares)
}

// noteDifficulty adds a change to the account's trail. Beyond the bound the newest
// replaces the one before.
func (p *pending) noteDifficulty(c DifficultyChange) {
	if p.trail == nil {
		p.trail = new(trail)
	}
	t := p.trail
	if len(t.changes) == maxUncollectedChanges {
		t.changes = t.changes[:maxUncollectedChanges-1]
	}
	t.changes = append(t.changes, c)
}

// follow moves an account's trail to its worker. It returns the trail if it is
// worth keeping: of an account that sends no shares it is not.
func (w *worker) follow(t *trail) *trail {
	if t == nil {
		return nil
	}
	if w.changes == nil && len(t.changes) > 0 {
		w.changes = new(ring[DifficultyChange])
	}
	for _, c := range t.changes {
		w.changes.add(c, MaxDifficultyChanges)
	}
	t.changes = nil
	if len(t.shares.rows) == 0 {
		return nil
	}
	if w.marks == nil {
		w.marks = new(ring[mark])
	}
	for i := range t.shares.rows {
		w.marks.add(t.shares.rows[(int(t.shares.oldest)+i)%len(t.shares.rows)], MaxRecentShares)
	}
	t.shares = ring[mark]{rows: t.shares.rows[:0]}
	return t
}

// recentShares lists the latest shares of all connections, oldest first.
func (w *worker) recentShares() []RecentShare {
	marks := w.marks.list()
	shares := make([]RecentShare, 0, len(marks))
	for _, m := range marks {
		shares = append(shares, m.share())
	}
	slices.SortStableFunc(shares, func(a, b RecentShare) int { return a.At.Compare(b.At) })
	return shares
}

// difficulties lists the latest changes of all connections, oldest first.
func (w *worker) difficulties() []DifficultyChange {
	changes := w.changes.list()
	slices.SortStableFunc(changes, func(a, b DifficultyChange) int { return a.At.Compare(b.At) })
	return changes
}
