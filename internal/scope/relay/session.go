package relay

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

// Bounds of the time between the end of one side and the end of the session.
const (
	// drainIdle is how long nothing may come from the side that has not ended,
	// two round trips to a pool apart.
	drainIdle    = 70 * time.Millisecond
	maxRoundTrip = 300 * time.Millisecond
	// drainMax bounds it when something keeps coming.
	drainMax = 2 * time.Second
)

// Session is one miner's connection with its connection to a pool.
type Session struct {
	server    *Server
	id        string
	ends      ends
	minerText string
	tape      *capture.Tape

	since [2]atomic.Int64 // by direction: when the write began that lasts, Unix ns; 0 without one

	miner  *wire
	uplink uplink
	sieve  sieve

	private private

	background sync.WaitGroup // goroutines that send injected lines

	chosen    string          // address that is dialled; of the goroutine that dials
	dialing   context.Context // ends with the session
	stopDial  context.CancelFunc
	connected chan struct{} // closed when pool is set
	pool      *wire
	upstream  *pool
	target    Upstream // what was dialled: upstream, or where it sent the miner

	drainUntil atomic.Int64 // when a session that one side has ended ends at last, Unix ns; 0 while both live
	leaving    atomic.Bool  // the pool sent client.reconnect
	leave      *time.Timer  // ends the session then; of the goroutine that relays the pool

	mu     sync.Mutex
	reason Reason // what happened first; "" while nothing has
	reset  bool   // the ending is a reset
	over   bool   // ended is closed

	ended chan struct{}
}

// ID is the session's id in the capture.
func (s *Session) ID() string { return s.id }

// Miner is the miner's address, ip:port.
func (s *Session) Miner() string { return s.minerText }

// Tape is where the session is recorded.
func (s *Session) Tape() *capture.Tape { return s.tape }

// Upstream is the pool that the session is connected to: host:port as it was
// dialled, and the resolved ip:port. Both are empty before it is.
func (s *Session) Upstream() (pool, peer string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pool == nil {
		return "", ""
	}
	return s.target.Address(), addrText(s.pool.RemoteAddr())
}

// Ended is closed when the session ends.
func (s *Session) Ended() <-chan struct{} { return s.ended }

// Disconnect closes both sides. An empty reason is ReasonDisconnected.
func (s *Session) Disconnect(reason Reason) {
	if reason == "" {
		reason = ReasonDisconnected
	}
	s.end(reason, false)
}

// run relays until the session ends.
func (s *Session) run(ctx context.Context) {
	stop := context.AfterFunc(ctx, func() { s.end(ReasonShutdown, false) })
	defer stop()

	var pumps sync.WaitGroup
	pumps.Go(func() { s.guard(s.pumpUp) })
	s.guard(func() {
		if s.connect() {
			s.pumpDown()
		}
	})
	pumps.Wait()
	s.finish()
}

// guard ends the session, and no other one, when do panics.
func (s *Session) guard(do func()) {
	defer func() {
		if v := recover(); v != nil {
			s.server.panicked(s.id, v)
			s.end(ReasonPanic, false)
		}
	}()
	do()
}

// choose notes which upstream is dialled now.
func (s *Session) choose(u Upstream) {
	if address := u.Address(); address != s.chosen {
		s.chosen = address
		s.tape.PoolChosen(address)
	}
}

// connect dials a pool. It reports false when the session ended instead.
func (s *Session) connect() bool {
	w, upstream, target, err := s.server.dial(s.dialing, s)
	if err != nil {
		switch {
		case noSockets(err):
			s.server.note("no socket for a pool", "session", s.id, "err", err)
			s.end(ReasonNoSockets, false)
		case errors.Is(err, context.Canceled): // it has ended
		default:
			s.server.log.Debug("no pool for a miner", "session", s.id, "err", err)
			s.end(ReasonPoolUnreachable, false)
		}
		return false
	}

	s.mu.Lock()
	over := s.over
	s.pool, s.upstream, s.target = w, upstream, target
	s.mu.Unlock()
	s.uplink.open(w)
	if over {
		w.close(false)
		return false
	}
	s.tape.PoolConnected(addrText(w.RemoteAddr()))
	_ = s.miner.SetReadDeadline(time.Unix(1, 0)) // the miner's first words are waited for no longer
	close(s.connected)
	return true
}

// blame notes what happened first: that is why the session ended.
func (s *Session) blame(reason Reason, reset bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.reason == "" {
		s.reason, s.reset = reason, reset
	}
}

// end closes both sides now.
func (s *Session) end(reason Reason, reset bool) {
	s.blame(reason, reset)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return
	}
	s.over = true
	close(s.ended)
	s.stopDial()
	s.miner.close(s.reset)
	if s.pool != nil {
		s.pool.close(s.reset)
	}
}

// finish notes the end of a session of which nothing moves any more.
func (s *Session) finish() {
	s.end(ReasonMinerClosed, false) // there is a reason already
	s.mu.Lock()
	reason, upstream := s.reason, s.upstream
	s.mu.Unlock()
	if s.leaving.Load() && (reason == ReasonPoolClosed || reason == ReasonPoolReset) {
		reason = ReasonClientReconnect // and so it did not wait for us
	}
	if s.leave != nil {
		s.leave.Stop()
	}
	if upstream != nil {
		s.server.pools.left(upstream)
	}
	s.uplink.end()
	s.background.Wait()
	s.server.forget(s, reason) // from here on nobody has it send a line that would come after its end
	s.tape.Close(string(reason), time.Now())
	s.server.log.Debug("session ended", "session", s.id, "reason", string(reason))
}
