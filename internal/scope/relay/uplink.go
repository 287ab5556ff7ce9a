package relay

import (
	"bytes"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// uplink is a session's stream to the pool: what the miner says, and between
// its lines what is injected.
type uplink struct {
	session *Session

	mu   sync.Mutex // held while writing; guards the next three
	pool *wire      // nil before the pool is connected
	mid  bool       // the stream is in the middle of a line
	shut bool       // it has ended

	waiting  atomic.Int32 // lines in the queue
	flushing atomic.Bool  // a goroutine is about to look at the queue

	queueMu sync.Mutex // taken after mu
	queue   []*injection
	closed  bool
}

// open gives the uplink its pool.
func (u *uplink) open(pool *wire) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.pool = pool
}

// write sends bytes of the miner.
func (u *uplink) write(b []byte) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.shut {
		return net.ErrClosed
	}
	if u.waiting.Load() > 0 {
		// The last line may go on for a while.
		if end := bytes.LastIndexByte(b, '\n') + 1; end > 0 && end < len(b) {
			if err := u.writeLocked(b[:end]); err != nil {
				return err
			}
			b = b[end:]
		}
	}
	return u.writeLocked(b)
}

// writeLocked sends bytes of the miner, and what waits for the end of a line.
func (u *uplink) writeLocked(b []byte) error {
	if _, err := u.pool.Write(b); err != nil {
		return err
	}
	u.mid = b[len(b)-1] != '\n'
	if !u.mid && u.waiting.Load() > 0 {
		return u.flushLocked()
	}
	return nil
}

// flushLocked sends the lines in the queue.
func (u *uplink) flushLocked() error {
	u.queueMu.Lock()
	queue := u.queue
	u.queue = nil
	u.waiting.Store(0)
	u.queueMu.Unlock()
	if len(queue) == 0 {
		return nil
	}
	var lines []byte
	for _, in := range queue {
		lines = append(lines, in.line...)
	}
	began := time.Now()
	if _, err := u.pool.Write(lines); err != nil {
		return err
	}
	now := time.Now()
	if now.Sub(began) < time.Millisecond {
		now = began // it had not to wait, and the answer may be here already
	}
	u.session.server.injected.Add(uint64(len(queue)))
	for _, in := range queue {
		in.at = now
		if in.sent != nil {
			in.sent(now)
		}
		close(in.wrote)
	}
	return nil
}

// enqueue has a line sent at the next end of a line, which may be now. It
// reports false when the stream has ended.
func (u *uplink) enqueue(in *injection) bool {
	u.queueMu.Lock()
	defer u.queueMu.Unlock()
	if u.closed {
		return false
	}
	u.queue = append(u.queue, in)
	u.waiting.Store(int32(len(u.queue)))
	// Not here: writing waits for a pool that does not read, the caller does
	// not.
	if u.flushing.CompareAndSwap(false, true) {
		u.session.background.Go(func() { u.session.guard(u.flush) })
	}
	return true
}

// flush sends the lines in the queue, unless the miner is in the middle of one
// of its own.
func (u *uplink) flush() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.flushing.Store(false)
	if u.shut || u.mid || u.pool == nil {
		return
	}
	if err := u.flushLocked(); err != nil {
		u.session.uplinkFailed(err)
	}
}

// withdraw takes a line out of the queue. It reports false when the line is
// not there any more.
func (u *uplink) withdraw(in *injection) bool {
	u.queueMu.Lock()
	defer u.queueMu.Unlock()
	at := slices.Index(u.queue, in)
	if at < 0 {
		return false
	}
	u.queue = slices.Delete(u.queue, at, at+1)
	u.waiting.Store(int32(len(u.queue)))
	return true
}

// end ends the stream to the pool.
func (u *uplink) end() {
	u.queueMu.Lock()
	u.closed = true
	u.queueMu.Unlock()
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.pool != nil && !u.shut {
		u.pool.closeWrite()
	}
	u.shut = true
}
