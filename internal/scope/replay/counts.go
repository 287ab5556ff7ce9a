package replay

import (
	"maps"
	"sync"
	"sync/atomic"
)

// counts are what a service did since it was made.
type counts struct {
	sent, answered, timeouts, ended, stopped, unsent atomic.Uint64

	dropped, cancelled, faults atomic.Uint64

	mu      sync.Mutex
	refused map[string]uint64
}

func (c *counts) refuse(r *Refusal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refused == nil {
		c.refused = make(map[string]uint64)
	}
	c.refused[r.Reason()]++
}

// Status is what a service did since it was made, and does now. Sent is the sum
// of the five that follow and of those that wait.
type Status struct {
	Sent     uint64 `json:"sent"`     // lines, of single replays and of auto-replay
	Answered uint64 `json:"answered"` // by the pool, rejections included
	Timeouts uint64 `json:"timeouts"` // no answer came in time
	Ended    uint64 `json:"ended"`    // the session ended first
	Stopped  uint64 `json:"stopped"`  // whoever asked went away, or auto-replay was stopped
	Unsent   uint64 `json:"unsent"`   // the relay did not take the line

	Refused map[string]uint64 `json:"refused"` // replays that were not sent, by reason

	AutoSessions  int    `json:"auto_sessions"`  // that auto-replay is on for
	AutoRunning   int    `json:"auto_running"`   // that are being sent for
	AutoDropped   uint64 `json:"auto_dropped"`   // submits that found a session's queue full
	AutoCancelled uint64 `json:"auto_cancelled"` // lines that were not sent since auto-replay was stopped
	Faults        uint64 `json:"faults"`         // rounds that ended by a mistake of ours
}

// Status tells what the service did and does.
func (s *Service) Status() Status {
	c := &s.counts
	out := Status{
		Sent: c.sent.Load(), Answered: c.answered.Load(), Timeouts: c.timeouts.Load(), Ended: c.ended.Load(), Stopped: c.stopped.Load(), Unsent: c.unsent.Load(),
		AutoSessions: int(s.enabled.Load()), AutoDropped: c.dropped.Load(), AutoCancelled: c.cancelled.Load(), Faults: c.faults.Load(),
		Refused: make(map[string]uint64),
	}
	c.mu.Lock()
	maps.Copy(out.Refused, c.refused)
	c.mu.Unlock()
	s.mu.Lock()
	for _, a := range s.autos {
		if a.run != nil {
			out.AutoRunning++
		}
	}
	s.mu.Unlock()
	return out
}
