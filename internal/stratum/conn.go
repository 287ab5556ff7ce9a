package stratum

import (
	"bytes"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// maxOutbox is the number of unsent bytes at which a reader counts as too slow.
const maxOutbox = 256 << 10

// writeTimeout is how long a peer may refuse to take any byte of its outbox.
const writeTimeout = 30 * time.Second

// ErrLineTooLong is returned by ReadLine for a line of more than MaxLine bytes.
var ErrLineTooLong = errors.New("stratum: line too long")

// Direction says who wrote a line.
type Direction uint8

// The two directions of a connection.
const (
	FromMiner Direction = iota
	ToMiner
)

// Tap is shown every line of a connection: whose it is, which way it went, its
// bytes with the line ending, valid during the call only, and when it was read
// or queued. What a peer had sent of a line when it was heard of last is shown,
// too, without an ending. Lines of one direction are shown one at a time and in
// their order; those of the other direction may be shown meanwhile. A tap must
// not block.
type Tap func(who string, dir Direction, line []byte, at time.Time)

// Conn is a line connection with a miner. Any goroutine may write, and no write
// ever blocks: what the socket does not take at once waits in a bounded outbox
// until it does. A peer that lets the outbox overflow, or takes nothing for half
// a minute, is closed as a slow reader.
//
// Lines are read either by a goroutine of the connection's own (Stream, for TLS,
// pipes and systems without epoll), or by a Loop that serves thousands of
// connections (Loop.Take).
type Conn struct {
	who     string
	carrier carrier
	tap     atomic.Pointer[Tap]

	mu       sync.Mutex
	out      *[]byte // unsent bytes, nil when none
	draining bool    // the socket was full; the carrier sends on when it can
	closing  bool    // close when the outbox is empty
	work     *work   // newest work that waits behind a full socket, nil when none
	held     *held   // answers that wait for something, nil when none

	closed atomic.Bool
	reason atomic.Uint32
}

// carrier moves the bytes of a connection.
type carrier interface {
	// tryWrite writes as much of b as the socket takes now, without waiting.
	// Conn.mu is held, and the connection is not closed.
	tryWrite(b []byte) (n int, err error)
	// full is told that the socket took less than everything: from now on the
	// carrier empties the outbox as the socket takes it. Conn.mu is held.
	full()
	// shut ends the connection. It is called once and does not wait.
	shut()
	setReadDeadline(t time.Time) error
}

// work is what SendWork could not send yet.
type work struct{ difficulty, notify []byte }

var outBuffers = sync.Pool{New: func() any { b := make([]byte, 0, 4096); return &b }}

// SetTap installs a tap, or removes it with nil.
func (c *Conn) SetTap(t Tap) {
	if t == nil {
		c.tap.Store(nil)
		return
	}
	c.tap.Store(&t)
}

// SetReadDeadline bounds the time until the peer is heard of or the deadline is
// changed. On a Loop it is kept to the second.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.carrier.setReadDeadline(t) }

// seen shows the tap a line of the peer's, ending included.
func (c *Conn) seen(line []byte) {
	if tap := c.tap.Load(); tap != nil {
		(*tap)(c.who, FromMiner, line, time.Now())
	}
}

// seenRest shows the tap the beginning of a line that will not be read to its
// end.
func (c *Conn) seenRest(rest []byte) {
	if len(rest) > 0 {
		c.seen(rest)
	}
}

// Queue puts bytes into the outbox without sending them. Replies to several
// lines that arrived together are queued and flushed once.
func (c *Conn) Queue(b []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queueLocked(b)
}

// Flush sends the outbox as far as the socket takes it.
func (c *Conn) Flush() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.flushLocked()
}

// Send queues bytes and flushes.
func (c *Conn) Send(b []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queueLocked(b)
	c.flushLocked()
}

// SendWork sends a difficulty (may be empty) and a notify, given in two pieces
// of which the second ends in CleanTail or DirtyTail, together. While the peer's
// socket is full an older work that it has not been given yet is replaced; its
// difficulty stands unless the newer work has one, and a new start (clean_jobs)
// that it was to make is still demanded. SendWork reports whether it replaced
// one.
func (c *Conn) SendWork(difficulty, notifyHead []byte, notifyTail string) (replaced bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing || c.closed.Load() {
		return false
	}
	if !c.draining {
		if len(difficulty) > 0 {
			c.putLocked(difficulty)
		}
		from := c.unsentLocked()
		c.appendLocked(notifyHead)
		c.appendStringLocked(notifyTail)
		c.showLocked(from)
		c.flushLocked()
		return false
	}
	replaced = c.work != nil
	if !replaced {
		c.work = new(work)
	}
	if len(difficulty) > 0 {
		c.work.difficulty = append(c.work.difficulty[:0], difficulty...)
	}
	if replaced && bytes.HasSuffix(c.work.notify, []byte(CleanTail)) {
		if rest, dirty := strings.CutSuffix(notifyTail, DirtyTail); dirty {
			notifyTail = rest + CleanTail
		}
	}
	c.work.notify = append(append(c.work.notify[:0], notifyHead...), notifyTail...)
	return replaced
}

func (c *Conn) queueLocked(b []byte) {
	switch {
	case len(b) == 0 || c.closing || c.closed.Load():
	case c.held != nil:
		c.holdBackLocked(b)
	default:
		c.putLocked(b)
	}
}

// putLocked puts bytes into the outbox.
func (c *Conn) putLocked(b []byte) {
	from := c.unsentLocked()
	c.appendLocked(b)
	c.showLocked(from)
}

// unsentLocked is how many bytes are in the outbox.
func (c *Conn) unsentLocked() int {
	if c.out == nil {
		return 0
	}
	return len(*c.out)
}

// showLocked shows the tap the lines of the outbox from a place on. They are
// read there and not where they came from, which can so stay on a stack.
func (c *Conn) showLocked(from int) {
	tap := c.tap.Load()
	if tap == nil {
		return
	}
	now := time.Now()
	for line := range bytes.Lines((*c.out)[from:]) {
		(*tap)(c.who, ToMiner, line, now)
	}
}

func (c *Conn) appendLocked(b []byte) {
	buf := c.outLocked()
	*buf = append(*buf, b...)
	c.checkOutboxLocked()
}

func (c *Conn) appendStringLocked(s string) {
	buf := c.outLocked()
	*buf = append(*buf, s...)
	c.checkOutboxLocked()
}

func (c *Conn) outLocked() *[]byte {
	if c.out == nil {
		c.out = outBuffers.Get().(*[]byte)
	}
	return c.out
}

func (c *Conn) checkOutboxLocked() {
	if c.draining && len(*c.out) > maxOutbox {
		c.closeNow(CloseSlowReader)
	}
}

func (c *Conn) flushLocked() {
	if c.draining || c.out == nil || c.closed.Load() {
		return
	}
	if c.writeLocked() {
		return
	}
	c.draining = true
	c.carrier.full()
}

// writeLocked tries to send the outbox. It reports whether there is nothing
// left to do: all was sent, or the connection has failed.
func (c *Conn) writeLocked() (done bool) {
	n, err := c.carrier.tryWrite(*c.out)
	switch {
	case err != nil:
		c.closeNow(CloseReset)
		return true
	case n == len(*c.out):
		c.releaseOutLocked()
		return true
	}
	*c.out = append((*c.out)[:0], (*c.out)[n:]...)
	return false
}

// takeWorkLocked moves the work that waited into the outbox. It does not wait
// for a moment without replies: a busy miner may never have one.
func (c *Conn) takeWorkLocked() {
	if c.work == nil {
		return
	}
	waiting := c.work
	c.work = nil
	if c.closing || c.closed.Load() {
		return
	}
	if len(waiting.difficulty) > 0 {
		c.putLocked(waiting.difficulty)
	}
	c.putLocked(waiting.notify)
}

func (c *Conn) releaseOutLocked() {
	if c.out == nil {
		return
	}
	recycle(c.out)
	c.out = nil
}

// recycle returns an outbox to the pool unless it has grown unusually large.
func recycle(buf *[]byte) {
	if cap(*buf) <= 64<<10 {
		*buf = (*buf)[:0]
		outBuffers.Put(buf)
	}
}

// Close closes the connection at once. The first reason given is kept.
func (c *Conn) Close(reason CloseReason) { c.closeNow(reason) }

// CloseAfterFlush closes the connection when everything queued was sent, or
// failed to be within the write timeout. What is queued later is dropped.
func (c *Conn) CloseAfterFlush(reason CloseReason) {
	c.reason.CompareAndSwap(0, uint32(reason))
	c.mu.Lock()
	c.flushLocked()
	c.closing = true
	wait := c.draining || c.held != nil
	c.mu.Unlock()
	if !wait {
		c.closeNow(reason)
	}
}

func (c *Conn) closeNow(reason CloseReason) {
	// The reason stands before anybody can see that the connection is closed.
	c.reason.CompareAndSwap(0, uint32(reason))
	if c.closed.Swap(true) {
		return
	}
	c.carrier.shut()
}

// Reason is why the connection was closed from our side, or CloseUnknown.
func (c *Conn) Reason() CloseReason { return CloseReason(c.reason.Load()) }

// Closed says whether Close was called or a write failed.
func (c *Conn) Closed() bool { return c.closed.Load() }
