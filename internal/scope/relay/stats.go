package relay

import "time"

// Stats are the relay's figures since its start.
type Stats struct {
	Live     int               `json:"live"`     // sessions now
	Sessions uint64            `json:"sessions"` // ever
	Closed   map[Reason]uint64 `json:"closed"`   // connections by why they ended, every reason from the start
	Panics   uint64            `json:"panics"`   // mistakes of ours, each of which ended one session

	BytesToPool  uint64 `json:"bytes_to_pool"`  // of miners, forwarded
	BytesToMiner uint64 `json:"bytes_to_miner"` // of pools, forwarded

	Injected      uint64 `json:"injected"`       // lines of ours that pools were sent
	Answered      uint64 `json:"answered"`       // of them
	LateAnswers   uint64 `json:"late_answers"`   // that came when nobody waited any more, and were swallowed
	ForgottenLate uint64 `json:"forgotten_late"` // ids that were given up so long ago that a late answer would reach the miner

	Reconnects uint64 `json:"reconnects"` // client.reconnect that were held back
	Redirected uint64 `json:"redirected"` // sessions that went where client.reconnect said

	Healthy   int             `json:"healthy"`   // upstreams whose last attempt did not fail
	Upstreams []UpstreamStats `json:"upstreams"` // in the order of preference
}

// UpstreamStats is the health of an upstream.
type UpstreamStats struct {
	Upstream  Upstream  `json:"upstream"`
	Live      int       `json:"live"`  // sessions now
	Dials     uint64    `json:"dials"` // attempts to connect
	Failures  uint64    `json:"failures"`
	Healthy   bool      `json:"healthy"`              // the last attempt succeeded, or there was none
	Resting   bool      `json:"resting"`              // it failed a short while ago, and is tried after the others
	FailedAt  time.Time `json:"failed_at,omitzero"`   // the last failure; zero for none
	LastError string    `json:"last_error,omitempty"` // of it
	ConnectMS float64   `json:"connect_ms"`           // milliseconds that the last successful attempt took, with TLS
}

// Stats tells the relay's figures.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	live := len(s.sessions)
	s.mu.Unlock()
	upstreams := s.pools.stats(time.Now())
	healthy := 0
	for _, u := range upstreams {
		if u.Healthy {
			healthy++
		}
	}
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
		Healthy:       healthy,
		Upstreams:     upstreams,
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
			ConnectMS: float64(one.took.Microseconds()) / 1000,
		}
	}
	return out
}
