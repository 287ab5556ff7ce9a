package backup

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Pauses of the schedule.
const (
	firstPause = 5 * time.Minute  // after the start
	retryPause = 10 * time.Minute // after a failure; doubled up to Every
	busyPause  = 10 * time.Minute // while somebody else makes one
	maxPause   = time.Hour        // between two looks at the clock: a machine may sleep
	runLimit   = 12 * time.Hour   // for one backup
)

// clockSlack is how far ahead of the clock a time may lie and still be believed.
// What is later was noted while the clock was wrong, or the clock is wrong now.
const clockSlack = time.Hour

// Run makes backups until ctx ends. A target that fails is tried again sooner,
// by itself; its failure never ends Run.
func (s *Service) Run(ctx context.Context) error {
	s.sweep()
	timer := time.NewTimer(firstPause)
	defer timer.Stop()
	known := false
	for {
		busy := false
		select {
		case <-ctx.Done():
			return nil
		case <-s.asked:
			busy = s.attempt(ctx, s.cfg.Targets)
		case <-timer.C:
			if !known {
				s.learn(ctx, s.cfg.Targets)
				known = true
			} else {
				s.learn(ctx, s.due()) // somebody may have made one at the command line
			}
			if due := s.due(); len(due) > 0 {
				busy = s.attempt(ctx, due)
			}
		}
		wait := s.pause()
		if busy {
			wait = max(wait, busyPause)
		}
		timer.Reset(wait)
	}
}

// attempt makes a backup and logs what became of it; busy says that another
// process is making one.
func (s *Service) attempt(ctx context.Context, targets []Target) (busy bool) {
	ctx, cancel := context.WithTimeout(ctx, runLimit)
	defer cancel()
	defer func() {
		if v := recover(); v != nil {
			s.log.Error("backup panicked", "panic", v)
			_ = s.note(targets, fmt.Errorf("internal error: %v", v)) // logged above
		}
	}()
	name, err := s.make(ctx, targets)
	switch {
	case errors.Is(err, ErrRunning):
		s.log.Info("another process is making a backup; this one comes later")
		return true
	case err != nil && ctx.Err() == nil:
		s.log.Error("backup failed", "name", name, "err", err)
	}
	return false
}

// learn asks targets when their last backup was made.
func (s *Service) learn(ctx context.Context, targets []Target) {
	for _, t := range targets {
		ctx, cancel := context.WithTimeout(ctx, 2*answerTimeout)
		all, err := list(ctx, t, s.cfg.Keep, s.cfg.Now())
		cancel()
		if err != nil {
			s.log.Warn("old backups not listed", "target", t.Name(), "err", err)
			continue
		}
		credible := s.cfg.Now().Add(clockSlack)
		s.mu.Lock()
		for _, b := range all {
			st := s.states[t.Name()]
			if !b.Verified || b.At.After(credible) || !b.At.After(st.lastSuccess) {
				continue
			}
			if st.lastSuccess = b.At; b.At.After(st.lastTry) {
				st.failures, st.lastError = 0, ""
			}
		}
		s.mu.Unlock()
	}
}

// due are the targets whose time has come.
func (s *Service) due() []Target {
	if s.cfg.Every <= 0 {
		return nil
	}
	now := s.cfg.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.cfg.Targets), func(t Target) bool { return s.nextOf(s.states[t.Name()], now).After(now) })
}

// nextOf is when a target is tried next.
func (s *Service) nextOf(st *state, now time.Time) time.Time {
	last, pause := st.lastSuccess, s.cfg.Every
	if st.failures > 0 {
		last, pause = st.lastTry, retryPause
		for range st.failures - 1 {
			if pause *= 2; pause >= s.cfg.Every {
				break
			}
		}
		pause = min(pause, s.cfg.Every)
	}
	if last.After(now.Add(clockSlack)) {
		return now // the clock was set back: nobody waits until it is there again
	}
	return last.Add(pause)
}

// pause is how long Run waits.
func (s *Service) pause() time.Duration {
	now := s.cfg.Now()
	wait := maxPause
	if s.cfg.Every > 0 {
		s.mu.Lock()
		for _, st := range s.states {
			wait = min(wait, s.nextOf(st, now).Sub(now))
		}
		s.mu.Unlock()
	}
	return max(wait, time.Second)
}
