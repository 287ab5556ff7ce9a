package saved

import (
	"context"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// restartsPerHour bounds how often a worker's miners are sent away. One at a time
// they come back within a minute.
const restartsPerHour = 20

// restartPause is the time between two.
const restartPause = time.Minute

// owned finds a worker that is proven to be a person's. It fails with ErrNotSaved
// and ErrNotOwned.
func (s *Service) owned(user, hash string) (Saved, error) {
	w, err := s.Get(user, hash)
	if err == nil && w.Owned == NotProven {
		err = ErrNotOwned
	}
	return w, err
}

// Restart closes the connections of an owner's worker, and returns their number;
// its miners come back by themselves. It fails with ErrNotSaved, ErrNotOwned, and
// ErrTooMany less than a minute after the last time.
func (s *Service) Restart(user, hash string) (worker string, connections int, err error) {
	w, err := s.owned(user, hash)
	if err != nil {
		return "", 0, err
	}
	now := s.now()
	s.mu.Lock()
	last := s.restarts.spent[w.Name]
	allowed := (last.at.IsZero() || now.Sub(last.at) >= restartPause) && s.restarts.take(w.Name, now)
	s.mu.Unlock()
	if !allowed {
		return w.Name, 0, ErrTooMany
	}
	return w.Name, s.pool.DropWorker(w.Name), nil
}

// Order fixes the difficulty of an owner's worker, 0 leaves it to the pool again.
// It lasts, and returns the number of open connections. It fails with ErrNotSaved
// and ErrNotOwned.
func (s *Service) Order(ctx context.Context, user, hash string, difficulty float64) (worker string, connections int, err error) {
	w, err := s.owned(user, hash)
	if err != nil {
		return "", 0, err
	}
	s.changing.Lock()
	defer s.changing.Unlock()
	connections, err = s.orderHeld(ctx, Order{Worker: w.Name, Difficulty: difficulty, UserID: user, At: s.now().UTC().Truncate(time.Millisecond)})
	return w.Name, connections, err
}

// orderHeld stores an order and has the pool follow it. The lock of changes is
// held.
func (s *Service) orderHeld(ctx context.Context, o Order) (connections int, err error) {
	if err := s.store.PutOrder(ctx, o); err != nil {
		return 0, err
	}
	s.mu.Lock()
	if o.Difficulty > 0 {
		s.orders[o.Worker] = o
	} else {
		delete(s.orders, o.Worker)
	}
	s.mu.Unlock()
	return s.pool.SetWorkerDifficulty(o.Worker, o.Difficulty), nil
}

// OrderOf is the difficulty that an owner ordered for a worker, 0 without.
func (s *Service) OrderOf(worker string) float64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.orders[worker].Difficulty
}

// cancelOrphans takes back the orders for workers of an address that have no owner
// any more. The lock of changes is held.
func (s *Service) cancelOrphans(ctx context.Context, address string) error {
	var orphans []string
	s.mu.RLock()
	for worker := range s.orders {
		if bitcoin.AddressIn(worker) == address && !s.hasOwnerLocked(worker) {
			orphans = append(orphans, worker)
		}
	}
	s.mu.RUnlock()
	for _, worker := range orphans {
		if _, err := s.orderHeld(ctx, Order{Worker: worker}); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) hasOwnerLocked(worker string) bool {
	for _, r := range s.byWorker[worker] {
		if s.viewLocked(r).Owned != NotProven {
			return true
		}
	}
	return false
}
