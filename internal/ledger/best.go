package ledger

import (
	"cmp"
	"math"
	"slices"
	"sync"
	"sync/atomic"
)

// bestList is the pool's list of best shares ever.
type bestList struct {
	limit atomic.Uint64 // bits of the difficulty that a candidate has to beat

	mu      sync.Mutex
	rows    [MaxBestShares]BestShare // best first; guarded by mu
	n       int                      // rows in use; guarded by mu
	unsaved []BestShare              // offered since the last drain, best first, at most MaxBestShares; guarded by mu
}

// threshold is the difficulty that a share has to exceed to enter the list.
func (l *bestList) threshold() float64 { return math.Float64frombits(l.limit.Load()) }

// offer enters a share if it is good enough. It is called rarely: the list
// soon holds shares that only one in very many beats.
func (l *bestList) offer(s BestShare) {
	l.mu.Lock()
	defer l.mu.Unlock()

	if !l.insertLocked(s) {
		return
	}
	if l.unsaved == nil {
		l.unsaved = make([]BestShare, 0, MaxBestShares+1)
	}
	l.unsaved = append(l.unsaved, s)
	slices.SortStableFunc(l.unsaved, compareBest)
	l.unsaved = l.unsaved[:min(len(l.unsaved), MaxBestShares)]
}

// load enters shares from the books.
func (l *bestList) load(list []BestShare) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range list {
		l.insertLocked(s)
	}
}

// insertLocked puts s in its place and reports whether it has one. Among
// equals the newest comes first. The same share never enters twice.
func (l *bestList) insertLocked(s BestShare) bool {
	known := func(o BestShare) bool {
		return o.Hash == s.Hash && o.Difficulty == s.Difficulty && o.Worker == s.Worker
	}
	if s.Difficulty <= l.threshold() || slices.ContainsFunc(l.rows[:l.n], known) {
		return false
	}
	at, _ := slices.BinarySearchFunc(l.rows[:l.n], s, compareBest)
	if at == MaxBestShares {
		return false
	}
	l.n = min(l.n+1, MaxBestShares)
	copy(l.rows[at+1:l.n], l.rows[at:])
	l.rows[at] = s
	if l.n == MaxBestShares {
		l.limit.Store(math.Float64bits(l.rows[MaxBestShares-1].Difficulty))
	}
	return true
}

// list copies the rows, best first.
func (l *bestList) list() []BestShare {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.rows[:l.n])
}

// drain hands over what was offered since the last drain.
func (l *bestList) drain() []BestShare {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := l.unsaved
	l.unsaved = nil
	return list
}

func compareBest(a, b BestShare) int {
	if c := cmp.Compare(b.Difficulty, a.Difficulty); c != 0 {
		return c
	}
	return b.At.Compare(a.At)
}
