package stratum

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// smallRead is the size of the buffer that an idle stream keeps for reading.
const smallRead = 512

var readBuffers = sync.Pool{New: func() any { b := make([]byte, MaxLine); return &b }}

// Stream is a connection whose lines are read by a goroutine of its own; another
// one writes while the peer's socket is full. It takes any net.Conn.
type Stream struct {
	Conn
	nc  net.Conn
	raw rawWriter // nil when the connection has no socket to try (TLS, pipes)

	// The reader's own.
	buf        []byte
	r, w       int
	pooled     bool
	searched   int // bytes after r that hold no line feed
	lastFilled int
}

var _ carrier = (*Stream)(nil)

// NewStream makes a line connection of nc. who names it for its tap.
func NewStream(nc net.Conn, who string) *Stream {
	s := &Stream{nc: nc, raw: newRawWriter(nc)}
	s.who, s.carrier = who, s
	return s
}

func (s *Stream) setReadDeadline(t time.Time) error { return s.nc.SetReadDeadline(t) }

func (s *Stream) tryWrite(b []byte) (int, error) {
	if s.raw == nil {
		return 0, nil
	}
	return s.raw.tryWrite(b)
}

func (s *Stream) full() { go s.drain() }

// shut closes the socket; there is nobody to tell of an error. TLS says goodbye
// first and may have to wait for that, which the caller must not.
func (s *Stream) shut() {
	if s.raw == nil {
		go func() { _ = s.nc.Close() }()
		return
	}
	_ = s.nc.Close()
}

// ReadLine returns the next line without its ending (LF or CR LF), valid until
// the next call. It returns ErrLineTooLong, or what the connection returned;
// an unterminated tail before the end of the stream is dropped.
func (s *Stream) ReadLine() ([]byte, error) {
	for {
		if line, ok := s.nextLine(); ok {
			return line, nil
		}
		if err := s.fill(); err != nil {
			s.seenRest(s.buf[s.r:s.w])
			return nil, err
		}
	}
}

// LineWaiting says whether another whole line has been read already.
func (s *Stream) LineWaiting() bool {
	return bytes.IndexByte(s.buf[s.r+min(s.searched, s.w-s.r):s.w], '\n') >= 0
}

// FirstByte returns the first byte of the stream without consuming it. It is
// for telling protocols apart before the first ReadLine.
func (s *Stream) FirstByte() (byte, error) {
	for s.w == s.r {
		if err := s.fill(); err != nil {
			return 0, err
		}
	}
	return s.buf[s.r], nil
}

func (s *Stream) nextLine() ([]byte, bool) {
	unread := s.buf[s.r:s.w]
	at := bytes.IndexByte(unread[s.searched:], '\n')
	if at < 0 {
		s.searched = len(unread)
		return nil, false
	}
	at += s.searched
	s.seen(unread[:at+1])
	line := unread[:at]
	s.r += at + 1
	s.searched = 0
	if at > 0 && line[at-1] == '\r' {
		line = line[:at-1]
	}
	return line, true
}

// fill reads more bytes behind the unread ones, making room first.
func (s *Stream) fill() error {
	unread := s.w - s.r
	switch {
	case unread == 0:
		s.r, s.w = 0, 0
		s.fitIdle()
	case s.r > 0:
		copy(s.buf, s.buf[s.r:s.w])
		s.r, s.w = 0, unread
	}
	if s.w == len(s.buf) {
		if s.pooled {
			return ErrLineTooLong
		}
		s.enlarge()
	}
	n, err := s.nc.Read(s.buf[s.w:])
	s.w += n
	s.lastFilled = n
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
func (s *Stream) fitIdle() {
	switch {
	case s.buf == nil:
		s.buf = make([]byte, smallRead)
	case !s.pooled && s.lastFilled == len(s.buf):
		s.enlarge()
	case s.pooled && s.lastFilled < smallRead:
		s.release()
		s.buf = make([]byte, smallRead)
	}
}

func (s *Stream) enlarge() {
	large := *readBuffers.Get().(*[]byte)
	copy(large, s.buf[:s.w])
	s.buf, s.pooled = large, true
}

func (s *Stream) release() {
	if s.pooled {
		buf := s.buf
		readBuffers.Put(&buf)
	}
	s.buf, s.pooled = nil, false
}

// Release gives the read buffer back. The reader calls it when it is done.
func (s *Stream) Release() {
	s.release()
	s.r, s.w, s.searched = 0, 0, 0
}

// drain writes until the outbox is empty, then ends.
func (s *Stream) drain() {
	// It runs in a goroutine of its own, where a tap that fails would otherwise
	// end the process.
	defer func() {
		if recover() != nil {
			s.closeNow(ClosePanic)
		}
	}()
	for {
		buf, done := s.nextOutbox()
		if done {
			s.closeNow(CloseUnknown)
		}
		if buf == nil {
			return
		}
		// A deadline on a connection that is being closed fails; so does the
		// write after it.
		_ = s.nc.SetWriteDeadline(time.Now().Add(writeTimeout))
		_, err := s.nc.Write(*buf)
		_ = s.nc.SetWriteDeadline(time.Time{})
		recycle(buf)
		if err != nil {
			reason := CloseReset
			if errors.Is(err, os.ErrDeadlineExceeded) {
				reason = CloseSlowReader
			}
			s.closeNow(reason)
		}
	}
}

// nextOutbox takes what is to be written next. It returns nil, and ends the
// draining, when there is nothing left or nobody to write to; done says that the
// connection was to be closed then.
func (s *Stream) nextOutbox() (buf *[]byte, done bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.takeWorkLocked()
	if s.out == nil || s.closed.Load() {
		s.draining = false
		return nil, s.closing && s.held == nil
	}
	buf, s.out = s.out, nil
	return buf, false
}
