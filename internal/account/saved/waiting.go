package saved

import (
	"context"
	"net/netip"
	"time"
)

const (
	// firstShares is how many accepted shares a worker that had none needs, all
	// from where its code came from, until the code proves something.
	firstShares = 3

	checkEvery = time.Second      // between two looks at workers that are waited for
	patience   = 10 * time.Minute // that a miner whose code came may be away
	maxWaiting = 1024             // proofs that wait for first shares
)

// waitingKey names a proof that waits: it is of one person for one worker.
type waitingKey struct{ user, worker string }

// waiting is a code that came for a worker without any share. Whoever came first
// with a name need not be whose name it is, so it gives no right yet: the
// worker's first shares must come from the same block of addresses. It is in
// memory only. After a restart of the pool the miner comes back with its code.
type waiting struct {
	code  string
	block netip.Prefix
	from  netip.Addr
	here  time.Time         // when a connection from the block was seen last
	by    map[string]uint64 // accepted shares, by connection from the block
}

// outcome of a look at a worker that is waited for.
type outcome int

const (
	stillWaiting outcome = iota
	proven
	fromElsewhere
	left
)

// look counts shares and says what they prove.
func (w *waiting) look(seen *Seen, now time.Time) outcome {
	for _, c := range seen.Open {
		if blockOf(c.Remote) != w.block {
			return fromElsewhere
		}
		if _, known := w.by[c.ID]; known || len(w.by) < maxWaiting {
			w.by[c.ID] = c.Accepted
		}
		w.here = now
	}
	var sum uint64
	for _, n := range w.by {
		sum += n
	}
	switch {
	case seen.Accepted > sum, seen.More: // somebody else's, or of long ago
		return fromElsewhere
	case sum >= firstShares:
		return proven
	case now.Sub(w.here) > patience:
		return left
	}
	return stillWaiting
}

// waitFor has a code wait for the first shares of its worker; why says why it
// cannot.
func (s *Service) waitFor(user, worker, code string, from netip.Addr, now time.Time) (why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key, block := waitingKey{user, worker}, blockOf(from)
	if !block.IsValid() {
		return countElsewhere
	}
	if w := s.waiting[key]; w != nil && w.code == code {
		if w.block == block {
			w.here = now
			return ""
		}
		delete(s.waiting, key)
		return countFirstElsewhere
	}
	if len(s.waiting) >= maxWaiting {
		return countBusy
	}
	s.waiting[key] = &waiting{code: code, block: block, from: from, here: now, by: make(map[string]uint64)}
	s.counts[countWaiting]++
	return ""
}

// checkAll looks at every worker whose first shares are waited for.
func (s *Service) checkAll(ctx context.Context) {
	s.mu.RLock()
	keys := make([]waitingKey, 0, len(s.waiting))
	for key := range s.waiting {
		keys = append(keys, key)
	}
	s.mu.RUnlock()
	for _, key := range keys {
		s.check(ctx, key)
	}
}

// check looks at one of them. One that proves nothing, or that nobody claims any
// more, is forgotten.
func (s *Service) check(ctx context.Context, key waitingKey) {
	seen, _ := s.pool.Seen(key.worker)
	now := s.now().UTC().Truncate(time.Millisecond)
	s.mu.Lock()
	w := s.waiting[key]
	if w == nil {
		s.mu.Unlock()
		return
	}
	r := s.byWorker[key.worker][key.user]
	came := left
	if r != nil && isCode(w.code, r.Claim.Code) && now.Before(r.Claim.Expires) {
		came = w.look(&seen, now)
	}
	if came != stillWaiting {
		delete(s.waiting, key)
	}
	s.mu.Unlock()
	switch came {
	case proven:
		s.settle(ctx, key, w.code, w.from, now, "by a code in the miner's password, and its first shares")
	case fromElsewhere:
		s.reject(ctx, key, w.code, w.from, countFirstElsewhere)
	}
}
