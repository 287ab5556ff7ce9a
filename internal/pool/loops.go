package pool

import (
	"errors"
	"net"
	"runtime"

	"github.com/poolscope/poolscope/internal/stratum"
)

// loops are the event loops that serve the plain TCP connections, one for each
// processor. They are started with the first connection and end after the last.
type loops struct {
	all  []*loop
	next int  // the loop of the next connection
	made bool // or tried to be
}

// loop is an event loop with the shares that came in during its turn. They are
// hashed side by side, and answered, at the end of the turn.
type loop struct {
	*stratum.Loop
	batch   batch
	request stratum.Request // the line at hand
}

// takeLocked gives a connection to a loop. It returns nil where a goroutine has
// to serve it: TLS, pipes, systems without epoll. Pool.mu is held.
func (p *Pool) takeLocked(nc net.Conn, s *session) *stratum.Member {
	tcp, ok := nc.(*net.TCPConn)
	if !ok {
		return nil
	}
	l := &p.loops
	if !l.made {
		l.made = true
		p.startLoopsLocked()
	}
	if len(l.all) == 0 {
		return nil
	}
	its := l.all[l.next%len(l.all)]
	l.next++
	m, err := its.Take(tcp, s.id, (*looped)(s))
	if err != nil {
		p.log.Warn("miner not taken by an event loop", "err", err)
		return nil
	}
	s.batch, s.request = &its.batch, &its.request
	return m
}

func (p *Pool) startLoopsLocked() {
	for range runtime.GOMAXPROCS(0) {
		l := new(loop)
		var err error
		l.Loop, err = stratum.NewLoop(func() { l.batch.settle(p) })
		if errors.Is(err, stratum.ErrNoLoop) {
			return
		}
		if err != nil {
			p.log.Warn("an event loop is missing, connections get a goroutine each", "err", err)
			return
		}
		p.loops.all = append(p.loops.all, l)
		go func() {
			if err := l.Run(); err != nil {
				p.log.Error("event loop ended", "err", err)
			}
		}()
	}
}

// stopLoops lets the loops end when their last connection has.
func (p *Pool) stopLoops() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.loops.all {
		l.Stop()
	}
}

// looped is a session that an event loop serves. Its methods are the loop's.
type looped session

var _ stratum.Handler = (*looped)(nil)

// HandleFirst is shown the first byte of the stream.
func (l *looped) HandleFirst(b byte) { (*session)(l).sniff(b) }

// HandleLine handles a line.
func (l *looped) HandleLine(line []byte) { (*session)(l).receive(line) }

// HandleError closes the connection for what the loop met.
func (l *looped) HandleError(err error) {
	s := (*session)(l)
	s.settle()
	s.conn.Close(s.readError(err))
}

// HandleFault closes the connection for a fault of ours.
func (l *looped) HandleFault(fault any) { l.pool.faulted((*session)(l), fault) }

// HandleEnd ends the session. The books may be busy for a moment, which the
// loop must not wait for.
func (l *looped) HandleEnd() {
	s := (*session)(l)
	l.pool.clerks.do(false, func() { l.pool.guard(s, func() { l.pool.endSession(s) }) })
}

// aside does what may wait for something. A loop does not wait for it: it
// handles no line of this connection until it is done. first is for what a miner
// needs to begin.
func (s *session) aside(first bool, do func()) {
	if s.member == nil {
		do()
		return
	}
	s.member.Pause()
	s.pool.clerks.do(first, func() {
		defer s.member.Resume()
		s.pool.guard(s, do)
	})
}
