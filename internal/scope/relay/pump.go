package relay

import (
	"sync"
	"time"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

// A direction reads into a small buffer of its own while little is said, and
// into a large one of a pool while much is.
const (
	smallBuffer = 4 << 10
	largeBuffer = 64 << 10
)

var largeBuffers = sync.Pool{New: func() any { return new([largeBuffer]byte) }}

// maxEarly bounds the reads before the pool is connected.
const maxEarly = 64

// early is what was read before the pool is connected.
type early struct {
	bytes []byte
	marks []*capture.Mark
	err   error // that reading ended with, nil when it goes on
}

// pumpUp relays what the miner says.
func (s *Session) pumpUp() {
	small := make([]byte, smallBuffer)
	first := s.readEarly(small)
	select {
	case <-s.connected:
	case <-s.ended:
		return
	}
	if err := s.miner.SetReadDeadline(time.Time{}); err != nil && first.err == nil {
		first.err = err
	}
	if until := s.drainUntil.Load(); until != 0 { // the pool has gone already
		s.patience(s.miner, time.Unix(0, until))
	}
	if len(first.bytes) > 0 {
		if err := s.uplink.write(first.bytes); err != nil {
			s.brokeOff(capture.MinerToPool, err)
			return
		}
		now := time.Now()
		for _, mark := range first.marks {
			mark.Forwarded(now)
		}
		s.server.toPool.Add(uint64(len(first.bytes)))
	}
	if first.err != nil {
		s.ranOut(capture.MinerToPool, first.err)
		return
	}
	s.pump(capture.MinerToPool, s.miner, small, s.relayUp)
}

// readEarly reads what the miner says while the pool is dialled, and thereby
// learns if it leaves. It is interrupted by connect.
func (s *Session) readEarly(buf []byte) early {
	var e early
	for len(e.bytes) < len(buf) && len(e.marks) < maxEarly {
		n, err := s.miner.Read(buf[len(e.bytes):])
		if n > 0 {
			e.marks = append(e.marks, s.tape.Chunk(capture.MinerToPool, buf[len(e.bytes):len(e.bytes)+n], time.Now()))
			e.bytes = buf[:len(e.bytes)+n]
		}
		if err == nil {
			continue
		}
		end := endingOf(err)
		if end == endIdle {
			return e // connected
		}
		if end == endClosed && len(e.bytes) > 0 {
			s.blame(ReasonMinerClosed, false)
			e.err = err // it may wait for the answer to what it said
			return e
		}
		s.end(minerEnds[end], end == endReset)
		return e
	}
	return e
}

// relayUp records and forwards bytes of the miner.
func (s *Session) relayUp(b []byte, at time.Time) error {
	mark := s.tape.Chunk(capture.MinerToPool, b, at)
	s.writing(capture.MinerToPool, at)
	defer s.written(capture.MinerToPool)
	if err := s.uplink.write(b); err != nil {
		return err
	}
	mark.Forwarded(time.Now())
	s.server.toPool.Add(uint64(len(b)))
	return nil
}

// pumpDown relays what the pool says.
func (s *Session) pumpDown() {
	s.sieve.init(s)
	s.pump(capture.PoolToMiner, s.pool, make([]byte, smallBuffer), s.sieve.relay)
}

// relayDown records and forwards bytes of the pool.
func (s *Session) relayDown(b []byte, at time.Time) error {
	mark := s.tape.Chunk(capture.PoolToMiner, b, at)
	s.writing(capture.PoolToMiner, at)
	defer s.written(capture.PoolToMiner)
	if _, err := s.miner.Write(b); err != nil {
		return err
	}
	mark.Forwarded(time.Now())
	s.server.toMiner.Add(uint64(len(b)))
	return nil
}

// pump relays what one side says until it ends, or cannot be delivered.
func (s *Session) pump(d capture.Direction, from *wire, small []byte, relay func(b []byte, at time.Time) error) {
	var large *[largeBuffer]byte
	defer func() {
		if large != nil {
			largeBuffers.Put(large)
		}
	}()
	for {
		buf := small
		if large != nil {
			buf = large[:]
		}
		n, err := from.Read(buf)
		if n > 0 {
			if err := relay(buf[:n], time.Now()); err != nil {
				s.brokeOff(d, err)
				return
			}
		}
		if err != nil {
			s.ranOut(d, err)
			return
		}
		switch {
		case large == nil && n == len(small):
			large = largeBuffers.Get().(*[largeBuffer]byte)
		case large != nil && n <= len(small):
			largeBuffers.Put(large)
			large = nil
		}
		if until := s.drainUntil.Load(); until != 0 {
			s.patience(from, time.Unix(0, until))
		}
	}
}

// The reasons of the ways in which a side ends.
var (
	minerEnds = [...]Reason{ReasonMinerClosed, ReasonMinerReset, ReasonMinerTimeout, ReasonMinerTimeout}
	poolEnds  = [...]Reason{ReasonPoolClosed, ReasonPoolReset, ReasonPoolTimeout, ReasonPoolTimeout}
)

// ranOut handles the end of what one side says.
func (s *Session) ranOut(d capture.Direction, err error) {
	ends := minerEnds
	if d == capture.PoolToMiner {
		ends = poolEnds
		if err := s.sieve.rest(time.Now()); err != nil {
			s.brokeOff(d, err)
			return
		}
	}
	switch end := endingOf(err); end {
	case endIdle: // the other side ended a while ago
	case endClosed:
		s.blame(ends[end], false)
		s.drain(d)
		if d == capture.MinerToPool {
			s.uplink.end()
		} else {
			s.miner.closeWrite()
		}
	default:
		s.end(ends[end], end == endReset)
	}
}

// brokeOff handles a side that takes nothing any more. What it said before is
// still relayed.
func (s *Session) brokeOff(d capture.Direction, err error) {
	ends := poolEnds
	if d == capture.PoolToMiner {
		ends = minerEnds
	}
	end := endingOf(err)
	s.blame(ends[end], end == endReset)
	s.drain(d)
}

// uplinkFailed handles a pool that does not take an injected line, while
// another goroutine waits for the miner's next word.
func (s *Session) uplinkFailed(err error) {
	s.brokeOff(capture.MinerToPool, err)
	_ = s.miner.SetReadDeadline(time.Unix(1, 0))
}

// drain gives the opposite direction a moment for what is on its way, now that
// a direction is over.
func (s *Session) drain(d capture.Direction) {
	until := time.Now().Add(drainMax)
	if !s.drainUntil.CompareAndSwap(0, until.UnixNano()) {
		return // both are over
	}
	from, to := s.pool, s.miner
	if d == capture.PoolToMiner {
		from, to = s.miner, s.pool
	}
	_ = to.SetWriteDeadline(until)
	_ = from.SetWriteDeadline(until) // what is injected is written by others
	s.patience(from, until)
}

// patience sets how long to wait for more from a side that is drained: an
// answer of a pool that is far away takes a round trip to come.
func (s *Session) patience(from *wire, until time.Time) {
	if next := time.Now().Add(drainIdle + 2*min(from.roundTrip, maxRoundTrip)); next.Before(until) {
		until = next
	}
	_ = from.SetReadDeadline(until)
}
