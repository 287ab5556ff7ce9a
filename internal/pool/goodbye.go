package pool

import (
	"time"

	"github.com/poolscope/poolscope/internal/stratum"
)

// grace is how long a stopping pool goes on answering: what miners had sent
// before they knew is judged and booked, not lost.
const grace = 60 * time.Millisecond

// goodbyeText is shown by devices that show messages.
const goodbyeText = "The pool stops for now. Mining goes on as soon as it is back."

// goodbye tells miners that the pool stops, and answers for a moment what they
// have sent until then. It sends no client.reconnect: a miner whose connection
// is closed comes again by itself, and some firmware takes the request for an
// attack (requirement R-C3).
func (p *Pool) goodbye() {
	sessions := p.snapshotSessions()
	if len(sessions) == 0 {
		return
	}
	for _, s := range sessions {
		p.guard(s, s.sayGoodbye)
	}
	<-time.After(grace)
}

func (s *session) sayGoodbye() {
	s.mu.Lock()
	shows := s.device.messages && s.lastJob != nil
	s.mu.Unlock()
	if shows {
		s.conn.Send(stratum.AppendShowMessage(nil, goodbyeText))
	}
}
