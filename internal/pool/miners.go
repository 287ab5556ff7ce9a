package pool

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Miner is an open connection, for operators.
type Miner struct {
	ID          string         // of the connection, as in the log
	Worker      string         // name that signed in first, "" before mining.authorize
	Workers     int            // names that signed in on the connection
	Address     string         // payout address, "" before mining.authorize
	Remote      netip.AddrPort // the miner's own; invalid where there is none
	UserAgent   string
	TLS         bool
	ConnectedAt time.Time
	Hashrate    float64 // H/s of all its workers
	Difficulty  float64 // assigned now; 0 before the first work
	Accepted    uint64  // shares of this connection, as of the ledger's latest tick
	Rejected    uint64
	Strikes     float64 // points, see abuse.Config.StrikeLimit
	TapSession  string  // id of the session that shows it, "" when it is not shown
}

// Miners lists the open connections, those that are here longest first. Each
// session is held up for as long as it takes to copy a few words, one after the
// other.
func (p *Pool) Miners() []Miner {
	now := time.Now()
	limit := p.watch.StrikeLimit()
	sessions := p.snapshotSessions()
	all := make([]Miner, len(sessions))
	for i, s := range sessions {
		all[i] = s.describe(now, limit)
	}
	slices.SortFunc(all, func(a, b Miner) int {
		return cmp.Or(a.ConnectedAt.Compare(b.ConnectedAt), strings.Compare(a.ID, b.ID))
	})
	return all
}

// describe copies what an operator sees of the session.
func (s *session) describe(now time.Time, strikeLimit float64) Miner {
	s.mu.Lock()
	m := Miner{
		ID: s.id, Workers: len(s.workers), Address: s.address, Remote: s.remote, UserAgent: s.agent, TLS: s.tls,
		ConnectedAt: s.connectedAt, Difficulty: s.announced, Strikes: s.conduct.strikes.At(now, strikeLimit),
	}
	for i, w := range s.workers {
		if i == 0 {
			m.Worker = w.name
		}
		accepted, rejected := w.account.Counts()
		m.Hashrate += w.account.Hashrate()
		m.Accepted += accepted
		m.Rejected += rejected
	}
	w := s.wiretap
	s.mu.Unlock()
	if w != nil {
		m.TapSession = w.sessionID()
	}
	return m
}

// Remote is where an open connection comes from; false when it is not open or
// has no address.
func (p *Pool) Remote(id string) (netip.Addr, bool) {
	s := p.sessionByID(id)
	if s == nil || !s.remote.IsValid() {
		return netip.Addr{}, false
	}
	return s.remote.Addr(), true
}
