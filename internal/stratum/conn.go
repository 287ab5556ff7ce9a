package stratum

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Sizes of a connection's buffers.
const (
	smallRead = 512       // what an idle connection keeps for reading
	maxOutbox = 256 << 10 // unsent bytes at which a reader counts as too slow
)

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
// bytes without the line ending, valid during the call only, and when it was
// read or queued. A tap must not block.
type Tap func(who string, dir Direction, line []byte, at time.Time)

// Conn is a line connection with a miner. One goroutine reads; any goroutine
// may write, and no write ever blocks: what the socket does not take at once
// waits in a bounded outbox that a goroutine of its own empties. A peer that
// lets the outbox overflow, or takes nothing for half a minute, is closed as a
// slow reader.
//
// An idle connection costs a small read buffer and no goroutine but its
// reader's.
type Conn struct {
	nc  net.Conn
	who string
	raw rawWriter // nil when the connection has no socket to try (TLS, pipes)
	tap atomic.Pointer[Tap]

	// The reader's own.
	buf        []byte
	r, w       int
	pooled     bool
	searched   int // bytes after r that hold no line feed
	lastFilled int

	mu       sync.Mutex
	out      *[]byte // unsent bytes, nil when none
	draining bool    // a goroutine is writing
	work     work    // newest work that waits behind a full socket
	closing  bool    // close when the outbox is empty

	closed atomic.Bool
	reason atomic.Uint32
}

// work is what SendWork could not send yet.
type work struct{ difficulty, notify []byte }

var readBuffers = sync.Pool{New: func() any { b := make([]byte, MaxLine); return &b }}

var outBuffers = sync.Pool{New: func() any { b := make([]byte, 0, 4096); return &b }}

// NewConn makes a line connection of nc. who names it for its tap.
func NewConn(nc net.Conn, who string) *Conn {
	c := &Conn{nc: nc, who: who}
	c.raw = newRawWriter(nc)
	return c
}

// SetTap installs a tap, or removes it with nil.
func (c *Conn) SetTap(t Tap) {
	if t == nil {
		c.tap.Store(nil)
		return
	}
	c.tap.Store(&t)
}

// SetReadDeadline bounds the wait of ReadLine.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.nc.SetReadDeadline(t) }

// ReadLine returns the next line without its ending (LF or CR LF), valid until
// the next call. It returns ErrLineTooLong, or what the connection returned;
// an unterminated tail before the end of the stream is dropped.
func (c *Conn) ReadLine() ([]byte, error) {
	for {
		if line, ok := c.nextLine(); ok {
			if tap := c.tap.Load(); tap != nil {
				(*tap)(c.who, FromMiner, line, time.Now())
			}
			return line, nil
		}
		if err := c.fill(); err != nil {
			return nil, err
		}
	}
}

// LineWaiting says whether another whole line has been read already.
func (c *Conn) LineWaiting() bool {
	return bytes.IndexByte(c.buf[c.r+min(c.searched, c.w-c.r):c.w], '\n') >= 0
}

// FirstByte returns the first byte of the stream without consuming it. It is
// for telling protocols apart before the first ReadLine.
func (c *Conn) FirstByte() (byte, error) {
	for c.w == c.r {
		if err := c.fill(); err != nil {
			return 0, err
		}
	}
	return c.buf[c.r], nil
}

func (c *Conn) nextLine() ([]byte, bool) {
	unread := c.buf[c.r:c.w]
	at := bytes.IndexByte(unread[c.searched:], '\n')
	if at < 0 {
		c.searched = len(unread)
		return nil, false
	}
	at += c.searched
	line := unread[:at]
	c.r += at + 1
	c.searched = 0
	if at > 0 && line[at-1] == '\r' {
		line = line[:at-1]
	}
	return line, true
}

// fill reads more bytes behind the unread ones, making room first.
func (c *Conn) fill() error {
	unread := c.w - c.r
	switch {
	case unread == 0:
		c.r, c.w = 0, 0
		c.fitIdle()
	case c.r > 0:
		copy(c.buf, c.buf[c.r:c.w])
		c.r, c.w = 0, unread
	}
	if c.w == len(c.buf) {
		if c.pooled {
			return ErrLineTooLong
		}
		c.enlarge()
	}
	n, err := c.nc.Read(c.buf[c.w:])
	c.w += n
	c.lastFilled = n
	if n > 0 {
		return nil
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return err
}

// fitIdle chooses the buffer for a wait with nothing unread: a small one of the
// connection's own, or, while the peer fills that in one read, a large one.
func (c *Conn) fitIdle() {
	switch {
	case c.buf == nil:
		c.buf = make([]byte, smallRead)
	case !c.pooled && c.lastFilled == len(c.buf):
		c.enlarge()
	case c.pooled && c.lastFilled < smallRead:
		c.release()
		c.buf = make([]byte, smallRead)
	}
}

func (c *Conn) enlarge() {
	large := *readBuffers.Get().(*[]byte)
	copy(large, c.buf[:c.w])
	c.buf, c.pooled = large, true
}

func (c *Conn) release() {
	if c.pooled {
		buf := c.buf
		readBuffers.Put(&buf)
	}
	c.buf, c.pooled = nil, false
}

// Release gives the read buffer back. The reader calls it when it is done.
func (c *Conn) Release() {
	c.release()
	c.r, c.w, c.searched = 0, 0, 0
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
// of which the second ends in CleanTail or DirtyTail, together. While the peer's socket is full an older work that it has not been
// given yet is replaced; its difficulty stands unless the newer work has one,
// and a new start (clean_jobs) that it was to make is still demanded.
// SendWork reports whether it replaced one.
func (c *Conn) SendWork(difficulty, notifyHead []byte, notifyTail string) (replaced bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing || c.closed.Load() {
		return false
	}
	if !c.draining {
		c.queueLocked(difficulty)
		c.appendLocked(notifyHead)
		c.appendStringLocked(notifyTail)
		c.tapWork(notifyHead, notifyTail)
		c.flushLocked()
		return false
	}
	replaced = c.work.notify != nil
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
	if len(b) == 0 || c.closing || c.closed.Load() {
		return
	}
	c.appendLocked(b)
	if tap := c.tap.Load(); tap != nil {
		now := time.Now()
		for line := range bytes.Lines(b) {
			(*tap)(c.who, ToMiner, bytes.TrimRight(line, "\r\n"), now)
		}
	}
}

func (c *Conn) tapWork(head []byte, tail string) {
	if tap := c.tap.Load(); tap != nil {
		line := append(append(make([]byte, 0, len(head)+len(tail)), head...), tail...)
		(*tap)(c.who, ToMiner, bytes.TrimRight(line, "\r\n"), time.Now())
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
	if c.raw != nil {
		n, err := c.raw.tryWrite(*c.out)
		if err != nil {
			c.closeNow(CloseReset)
			return
		}
		if n == len(*c.out) {
			c.releaseOutLocked()
			return
		}
		*c.out = append((*c.out)[:0], (*c.out)[n:]...)
	}
	c.draining = true
	go c.drain()
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

// drain writes until the outbox is empty, then ends.
func (c *Conn) drain() {
	// It runs in a goroutine of its own, where a tap that fails would otherwise
	// end the process.
	defer func() {
		if recover() != nil {
			c.closeNow(ClosePanic)
		}
	}()
	for {
		buf, done := c.nextOutbox()
		if done {
			c.closeNow(CloseUnknown)
		}
		if buf == nil {
			return
		}
		// A deadline on a connection that is being closed fails; so does the
		// write after it.
		_ = c.nc.SetWriteDeadline(time.Now().Add(writeTimeout))
		_, err := c.nc.Write(*buf)
		_ = c.nc.SetWriteDeadline(time.Time{})
		recycle(buf)
		if err != nil {
			reason := CloseReset
			if errors.Is(err, os.ErrDeadlineExceeded) {
				reason = CloseSlowReader
			}
			c.closeNow(reason)
		}
	}
}

// nextOutbox takes what is to be written next: the replies first, then the
// work that waited. It returns nil, and ends the draining, when there is
// nothing left or nobody to write to; done says that the connection was to be
// closed then.
func (c *Conn) nextOutbox() (buf *[]byte, done bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	// Work does not wait for a moment without replies: a busy miner may never
	// have one.
	if c.work.notify != nil {
		waiting := c.work
		c.work = work{}
		c.queueLocked(waiting.difficulty)
		c.queueLocked(waiting.notify)
	}
	if c.out == nil || c.closed.Load() {
		c.draining = false
		return nil, c.closing
	}
	buf, c.out = c.out, nil
	return buf, false
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
	wait := c.draining
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
	// The socket is gone either way; there is nobody to tell. TLS says goodbye
	// first and may have to wait for that, which the caller must not.
	if c.raw == nil {
		go func() { _ = c.nc.Close() }()
		return
	}
	_ = c.nc.Close()
}

// Reason is why the connection was closed from our side, or CloseUnknown.
func (c *Conn) Reason() CloseReason { return CloseReason(c.reason.Load()) }

// Closed says whether Close was called or a write failed.
func (c *Conn) Closed() bool { return c.closed.Load() }
