package stratum

import (
	"bytes"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Member is a connection that a Loop serves.
type Member struct {
	Conn
	loop    *Loop
	handler Handler
	fd      int // guarded by Conn.mu; -1 once it is closed

	// Deadlines in nanoseconds since 1970, 0 for none.
	readBy, writeBy atomic.Int64

	standing atomic.Uint32

	mail mailKind // guarded by Loop.mu

	// The loop's own.
	slot    uint32
	partial []byte // read, but not handled yet
	began   bool   // the first byte was shown
	paused  bool   // the handler handles no line at present
	unread  bool   // there may be something to read, which was not looked at while paused
	waiting bool   // is in one of Loop.queues
	last    bool   // the peer sends no more: read to the end
	dirty   bool   // is in Loop.dirty
	timed   bool   // is in Loop.timed
	ended   bool   // the socket is closed
}

var _ carrier = (*Member)(nil)

// Start begins to serve the connection. early is what was read of it before,
// less than MaxLine bytes.
func (m *Member) Start(early []byte) {
	m.partial = early
	if m.loop.post(m, mailJoin) {
		return
	}
	m.closeNow(CloseShutdown)
	m.closeSocket()
	m.handler.HandleEnd()
}

// Pause makes the loop handle no further line of this connection. It is for the
// handler to call in HandleLine, when a line has to be dealt with elsewhere.
func (m *Member) Pause() { m.paused = true }

// Resume ends a pause. It may be called by any goroutine; what was queued until
// then is flushed.
func (m *Member) Resume() {
	if !m.loop.post(m, mailResume) {
		m.Flush()
	}
}

// Control calls f with the socket's descriptor, which f must not keep. It
// returns net.ErrClosed when there is none any more.
func (m *Member) Control(f func(fd uintptr)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fd < 0 {
		return net.ErrClosed
	}
	f(uintptr(m.fd))
	return nil
}

func (m *Member) setReadDeadline(t time.Time) error {
	if t.IsZero() {
		m.readBy.Store(0)
		return nil
	}
	m.readBy.Store(t.UnixNano())
	m.loop.post(m, mailTime)
	return nil
}

// full waits for the socket to take more, within the write timeout.
func (m *Member) full() {
	m.writeBy.Store(time.Now().Add(writeTimeout).UnixNano())
	m.loop.post(m, mailTime)
}

func (m *Member) shut() { m.loop.post(m, mailShut) }

func (m *Member) tryWrite(b []byte) (int, error) {
	for {
		n, err := syscall.Write(m.fd, b)
		switch {
		case err == nil:
			return n, nil
		case errors.Is(err, unix.EAGAIN):
			return 0, nil
		case !errors.Is(err, unix.EINTR):
			return 0, err
		}
	}
}

// writable goes on with an outbox that the socket did not take at once.
func (m *Member) writable() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.draining || m.closed.Load() {
		return
	}
	m.takeWorkLocked()
	before := 0
	if m.out != nil {
		before = len(*m.out)
	}
	if before > 0 && !m.writeLocked() {
		if len(*m.out) < before {
			m.writeBy.Store(time.Now().Add(writeTimeout).UnixNano())
		}
		return
	}
	m.draining = false
	m.writeBy.Store(0)
	if m.closing && m.held == nil {
		m.closeNow(CloseUnknown)
	}
}

// join begins to watch a connection.
func (l *Loop) join(m *Member) {
	if m.ended {
		return // closed before it began
	}
	if n := len(l.free); n > 0 {
		m.slot, l.free = l.free[n-1], l.free[:n-1]
	} else {
		m.slot = uint32(len(l.members))
		l.members, l.ages = append(l.members, nil), append(l.ages, 0)
	}
	l.members[m.slot] = m
	l.open++
	e := unix.EpollEvent{Events: watched}
	setSlot(&e, m.slot, l.ages[m.slot])
	if unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, m.fd, &e) != nil {
		m.closeNow(CloseReset)
		return
	}
	if len(m.partial) > 0 {
		l.markWaiting(m)
	}
}

// resume goes on where a pause began.
func (l *Loop) resume(m *Member) {
	m.paused = false
	if m.ended {
		l.leave(m)
		return
	}
	l.markDirty(m)
	l.handle(m, 0)
	if m.unread && !m.paused {
		m.unread = false
		l.markWaiting(m)
	}
}

// finish closes the socket of a connection and lets its handler know, after a
// pause if there is one.
func (l *Loop) finish(m *Member) {
	if m.ended {
		return
	}
	m.ended = true
	m.closeSocket()
	l.keepSpare(m)
	if int(m.slot) < len(l.members) && l.members[m.slot] == m {
		l.members[m.slot] = nil
		l.ages[m.slot]++
		l.free = append(l.free, m.slot)
	} else {
		l.open++ // it never was
	}
	if !m.paused {
		l.leave(m)
	}
}

// leave lets the handler know. Until then the loop counts the connection, or
// it could end before the pause does, and nobody would be told.
func (l *Loop) leave(m *Member) {
	l.open--
	m.handler.HandleEnd()
}

// closeSocket closes the socket, which ends its being watched, too.
func (m *Member) closeSocket() {
	m.mu.Lock()
	defer m.mu.Unlock()
	_ = unix.Close(m.fd)
	m.fd = -1
	m.releaseOutLocked()
	m.work, m.held = nil, nil
}

func (l *Loop) markDirty(m *Member) {
	if !m.dirty {
		m.dirty = true
		l.dirty = append(l.dirty, m)
	}
}

// notice takes in what epoll said of a connection. What there is to read waits
// for the connection's turn.
func (l *Loop) notice(m *Member, events uint32) {
	if events&unix.EPOLLOUT != 0 {
		m.writable()
	}
	if events&gone != 0 {
		m.last = true
	}
	if events&(unix.EPOLLIN|gone) != 0 && !m.closed.Load() {
		l.markWaiting(m)
	}
}

// serve reads from a connection once, at most limit bytes, and handles the
// lines. It returns what that was worth in bytes, 0 when nothing was done.
func (l *Loop) serve(m *Member, limit int) (cost int) {
	switch {
	case m.closed.Load():
		return 0
	case m.paused:
		m.unread = true
		return 0
	}
	if l.settle != nil {
		if len(l.arena)-l.used < MaxLine {
			l.flush()
		}
		l.markDirty(m)
	}
	window := l.arena[l.used : l.used+MaxLine]
	have := copy(window, m.partial)
	window = window[:min(MaxLine, have+limit)]
	n, err := m.readSome(window[have:])
	cost = max(n, leastCost)
	switch {
	case errors.Is(err, unix.EAGAIN):
	case err != nil:
		m.seenRest(m.partial)
		m.handler.HandleError(err)
		m.closeNow(CloseByPeer)
		return cost
	case have+n == len(window), m.last:
		l.markWaiting(m)
	}
	if n > 0 {
		l.handle(m, n)
	}
	if l.settle == nil {
		m.Flush()
	}
	return cost
}

// readSome reads what there is, at most len(b) bytes.
func (m *Member) readSome(b []byte) (int, error) {
	for {
		// The loop alone closes the socket, so it may read without the lock.
		n, err := syscall.Read(m.fd, b)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return 0, err
		case n == 0:
			return 0, io.EOF
		default:
			return n, nil
		}
	}
}

// handle shows the handler the lines of what was kept and of n bytes that were
// read behind it into the arena.
func (l *Loop) handle(m *Member, n int) {
	if n == 0 {
		if len(l.arena)-l.used < MaxLine {
			l.flush()
		}
		copy(l.arena[l.used:], m.partial)
	}
	rest := l.arena[l.used : l.used+len(m.partial)+n]
	if l.settle != nil {
		l.used += len(rest) // also if the handler fails half way
	}
	if len(rest) > 0 && !m.began {
		m.began = true
		m.handler.HandleFirst(rest[0])
	}
	for !m.paused && !m.closed.Load() {
		at := bytes.IndexByte(rest, '\n')
		if at < 0 {
			break
		}
		m.seen(rest[:at+1])
		line := rest[:at]
		rest = rest[at+1:]
		if at > 0 && line[at-1] == '\r' {
			line = line[:at-1]
		}
		m.handler.HandleLine(line)
	}
	if m.closed.Load() {
		return
	}
	l.keep(m, rest)
	if len(rest) >= MaxLine && !m.paused {
		m.seenRest(rest)
		m.handler.HandleError(ErrLineTooLong)
		m.closeNow(CloseLineTooLong)
	}
}

// keep remembers what was read but not handled.
func (l *Loop) keep(m *Member, rest []byte) {
	if len(rest) == 0 {
		l.keepSpare(m)
		return
	}
	if n := len(l.spares); m.partial == nil && len(rest) <= spareSize && n > 0 {
		m.partial, l.spares = l.spares[n-1], l.spares[:n-1]
	}
	if cap(m.partial) < len(rest) {
		m.partial = make([]byte, 0, max(spareSize, len(rest)))
	}
	m.partial = append(m.partial[:0], rest...)
}

// keepSpare takes a member's buffer for the next half line of anybody.
func (l *Loop) keepSpare(m *Member) {
	if cap(m.partial) == spareSize && len(l.spares) < maxSpares {
		l.spares = append(l.spares, m.partial[:0])
	}
	m.partial = nil
}
