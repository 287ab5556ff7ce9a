package relay

import (
	"context"
	"time"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

// A side that takes nothing blocks who writes to it, and with it the reader that
// would notice the end of the other side. So a write may not last for ever.

// writing notes that a direction waits for its receiver since then, and that
// it does no more.
func (s *Session) writing(d capture.Direction, since time.Time) { s.since[d].Store(since.UnixNano()) }
func (s *Session) written(d capture.Direction)                  { s.since[d].Store(0) }

// watchStalls ends sessions of which one side has taken nothing for too long,
// until ctx ends.
func (s *Server) watchStalls(ctx context.Context) {
	tick := time.NewTicker(s.cfg.StallTimeout / 4)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			s.endStalled(now.Add(-s.cfg.StallTimeout).UnixNano())
		}
	}
}

// endStalled ends the sessions that wait since before then.
func (s *Server) endStalled(before int64) {
	s.mu.Lock()
	var toPool, toMiner []*Session
	for _, session := range s.sessions {
		if at := session.since[capture.MinerToPool].Load(); at != 0 && at < before {
			toPool = append(toPool, session)
		} else if at := session.since[capture.PoolToMiner].Load(); at != 0 && at < before {
			toMiner = append(toMiner, session)
		}
	}
	s.mu.Unlock()
	for _, session := range toPool {
		session.end(ReasonPoolTimeout, true)
	}
	for _, session := range toMiner {
		session.end(ReasonMinerTimeout, true)
	}
}
