package clerk

import (
	"sync"
	"time"
)

// maxRevoked bounds the memory of revoked sessions. When there are more, those
// that would have been forgotten first are.
const maxRevoked = 10_000

// revoked are sessions that were ended here and whose tokens may still verify.
type revoked struct {
	mu    sync.Mutex
	until map[string]time.Time
}

func (r *revoked) add(id string, until, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.until == nil {
		r.until = make(map[string]time.Time)
	}
	if _, known := r.until[id]; !known && len(r.until) >= maxRevoked {
		r.makeRoom(now)
	}
	if until.After(r.until[id]) {
		r.until[id] = until
	}
}

// makeRoom forgets what is over, or else what will be first.
func (r *revoked) makeRoom(now time.Time) {
	first, soonest := "", time.Time{}
	for id, until := range r.until {
		if !until.After(now) {
			delete(r.until, id)
		} else if first == "" || until.Before(soonest) {
			first, soonest = id, until
		}
	}
	if len(r.until) >= maxRevoked {
		delete(r.until, first)
	}
}

func (r *revoked) has(id string, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	until, ok := r.until[id]
	return ok && until.After(now)
}
