package relay

import "time"

// Stats are the relay's figures since its start.
type Stats struct {
	Live     int    // sessions now
	Sessions uint64 // ever
	Closed   map[Reason]uint64
	Panics   uint64 // mistakes of ours, each of which ended one session

	BytesToPool  uint64 // of miners, forwarded
	BytesToMiner uint64 // of pools, forwarded

	Injected      uint64 // lines of ours that pools were sent
	Answered      uint64 // of them
	LateAnswers   uint64 // that came when nobody waited any more, and were swallowed
	ForgottenLate uint64 // ids that were given up so long ago that a late answer would reach the miner

	Reconnects uint64 // client.reconnect that were held back
	Redirected uint64 // sessions that went where client.reconnect said

	Upstreams []UpstreamStats // in the order of preference
}

// UpstreamStats is the health of an upstream.
type UpstreamStats struct {
	Upstream  Upstream
	Live      int    // sessions now
	Dials     uint64 // attempts to connect
	Failures  uint64
	Healthy   bool          // the last attempt succeeded, or there was none
	Resting   bool          // it failed a short while ago, and is tried after the others
	FailedAt  time.Time     // the last failure; zero for none
	LastError string        // of it
	Connect   time.Duration // what the last successful attempt took, with TLS
}

// Stats tells the relay's figures.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	live := len(s.sessions)
	s.mu.Unlock()
	return Stats{
		Live:          live,
		Sessions:      s.total.Load(),
		Closed:        s.closed.all(),
		Panics:        s.panics.Load(),
		BytesToPool:   s.toPool.Load(),
		BytesToMiner:  s.toMiner.Load(),
		Injected:      s.injected.Load(),
		Answered:      s.answered.Load(),
		LateAnswers:   s.lateAnswers.Load(),
		ForgottenLate: s.forgotten.Load(),
		Reconnects:    s.reconnects.Load(),
		Redirected:    s.redirections.Load(),
		Upstreams:     s.pools.stats(time.Now()),
	}
}

func (p *pools) stats(now time.Time) []UpstreamStats {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]UpstreamStats, len(p.all))
	for i, one := range p.all {
		out[i] = UpstreamStats{
			Upstream:  one.Upstream,
			Live:      one.live,
			Dials:     one.dials,
			Failures:  one.failures,
			Healthy:   !one.failed,
			Resting:   one.failed && now.Sub(one.failedAt) < p.backoff,
			FailedAt:  one.failedAt,
			LastError: one.lastError,
			Connect:   one.took,
		}
	}
	return out
}
