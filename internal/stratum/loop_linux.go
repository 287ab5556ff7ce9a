package stratum

import (
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Sizes of a loop.
const (
	maxEvents    = 32          // taken from the kernel at once: what they touch stays in a cache until they are answered
	scanInterval = time.Second // of deadlines
	arenaSize    = 4 * MaxLine // bytes read between two settlings
	spareSize    = 512         // of buffers for half lines that are kept
	maxSpares    = 256         // of those buffers
	watched      = unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET
	gone         = unix.EPOLLRDHUP | unix.EPOLLHUP | unix.EPOLLERR
	noSlot       = ^uint32(0) // of the loop's own eventfd
)

// Loop serves many plain TCP connections with one goroutine: it waits for all of
// them with epoll and handles what is ready where it stands, so that an idle
// connection has neither a goroutine nor a buffer, and a line costs no switch
// between goroutines.
//
// The loop's goroutine alone reads, and alone closes sockets; a write happens
// under the connection's lock and never to a closed one. So no call ever meets
// a descriptor that was closed and given to somebody else. Whoever else wants
// something of the loop puts the connection into its mail.
//
// Epoll is edge-triggered: an event means that something changed. A read that
// did not fill its buffer has emptied the socket; one that did puts the
// connection into its queue for the next turn, behind everybody else who is
// ready. So nobody is read more than MaxLine bytes per turn, and who has no
// standing far less (turn).
type Loop struct {
	file   *os.File // the epoll instance; the runtime's poller waits for it
	epoll  int
	wakeup int // eventfd
	wait   syscall.RawConn
	poll   func(fd uintptr) bool // made once, so that a turn allocates nothing
	settle func()

	asleep  atomic.Bool // mail must wake the loop
	mu      sync.Mutex  // guards what follows; taken after Conn.mu
	mail    []*Member
	stopped bool // no more mail is taken: Run has returned
	stop    bool

	// The loop's own.
	events  [maxEvents]unix.EpollEvent
	ready   int // events that are filled in
	pollErr error
	letters []letter
	members []*Member // by slot, nil where free
	ages    []int32   // of slots: how often they were used
	free    []uint32  // slots
	open    int
	queues  [standings]queue // of those that may have something to read
	timed   []*Member        // have a deadline
	scanAt  time.Time        // when deadlines are looked at, zero while there are none
	dirty   []*Member        // answered in this turn, to be flushed
	arena   []byte
	used    int // bytes of arena that lines still point to
	spares  [][]byte
}

// letter is a member's mail, taken out of the box.
type letter struct {
	m    *Member
	what mailKind
}

// mailKind says what a member wants of its loop. Several may come together.
type mailKind uint8

const (
	mailJoin mailKind = 1 << iota
	mailTime
	mailResume
	mailShut
)

// NewLoop makes a loop; Run runs it. settle, if not nil, is called whenever the
// lines that the handlers were shown are about to become invalid: at the latest
// at the end of each turn, before the replies are flushed. A handler may so
// keep the lines of several connections and answer them together. Without it,
// replies are flushed after each connection.
func NewLoop(settle func()) (*Loop, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make event loop: %w", err)
	}
	wakeup, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		_ = unix.Close(epoll)
		return nil, fmt.Errorf("make event loop: %w", err)
	}
	own := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET}
	setSlot(&own, noSlot, 0)
	l := &Loop{epoll: epoll, wakeup: wakeup, settle: settle, arena: make([]byte, arenaSize)}
	err = unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, wakeup, &own)
	if err == nil {
		err = unix.SetNonblock(epoll, true)
	}
	if err == nil {
		// From here on the file owns the descriptor. As an epoll instance can be
		// waited for, the runtime parks the loop like any reader of a socket: it
		// holds no thread while it waits.
		l.file = os.NewFile(uintptr(epoll), "epoll")
		l.wait, err = l.file.SyscallConn()
	}
	if err != nil {
		l.closeFiles()
		return nil, fmt.Errorf("make event loop: %w", err)
	}
	l.poll = func(uintptr) bool {
		l.ready, l.pollErr = unix.EpollWait(epoll, l.events[:], 0)
		if errors.Is(l.pollErr, unix.EINTR) {
			l.ready, l.pollErr = 0, nil
			return true
		}
		return l.ready > 0 || l.pollErr != nil
	}
	return l, nil
}

func (l *Loop) closeFiles() {
	if l.file != nil {
		_ = l.file.Close()
	} else {
		_ = unix.Close(l.epoll)
	}
	_ = unix.Close(l.wakeup)
}

// setSlot and slotOf keep a slot and its age in an event's user data.
func setSlot(e *unix.EpollEvent, slot uint32, age int32) { e.Fd, e.Pad = int32(slot), age }

func slotOf(e *unix.EpollEvent) (slot uint32, age int32) { return uint32(e.Fd), e.Pad }

// Run serves until Stop was called and the last connection has ended, or until
// the kernel refuses to go on.
func (l *Loop) Run() error {
	defer l.end()
	for {
		more := l.takeMail()
		if l.isDone() {
			return nil
		}
		if err := l.await(more || l.backlog()); err != nil {
			return fmt.Errorf("event loop: %w", err)
		}
		if err := l.turn(); err != nil {
			return fmt.Errorf("event loop: %w", err)
		}
	}
}

// Stop lets Run return once no connection is left.
func (l *Loop) Stop() {
	l.mu.Lock()
	l.stop = true
	l.mu.Unlock()
	l.wake()
}

func (l *Loop) isDone() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stopped = l.stop && l.open == 0 && len(l.mail) == 0
	return l.stopped
}

// end closes what the loop has. Connections that are left, which there are only
// when the kernel refuses to go on, are closed.
func (l *Loop) end() {
	l.mu.Lock()
	l.stopped = true
	left := l.mail
	l.mail = nil
	l.closeFiles()
	l.mu.Unlock()
	for _, m := range append(left, l.members...) {
		if m != nil {
			m.closeNow(CloseReset)
			m.paused = false
			l.finish(m)
		}
	}
}

// wake makes a sleeping loop look into its mail.
func (l *Loop) wake() {
	if !l.asleep.CompareAndSwap(true, false) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.stopped {
		one := [8]byte{1}
		// It cannot fail but by overflow, and then the loop is awake.
		_, _ = unix.Write(l.wakeup, one[:])
	}
}

// post puts a member into the mail. It reports false when nobody reads it.
func (l *Loop) post(m *Member, what mailKind) bool {
	l.mu.Lock()
	if l.stopped {
		l.mu.Unlock()
		return false
	}
	if m.mail == 0 {
		l.mail = append(l.mail, m)
	}
	m.mail |= what
	l.mu.Unlock()
	l.wake()
	return true
}

// takeMail reads the mail. It reports whether there was any; if not, the loop
// counts as asleep from here on.
func (l *Loop) takeMail() bool {
	l.asleep.Store(true)
	l.mu.Lock()
	for _, m := range l.mail {
		l.letters = append(l.letters, letter{m, m.mail})
		m.mail = 0
	}
	clear(l.mail)
	l.mail = l.mail[:0]
	l.mu.Unlock()
	if len(l.letters) == 0 {
		return false
	}
	l.asleep.Store(false)
	for _, letter := range l.letters {
		l.protect(letter.m, func() { l.read(letter) })
	}
	clear(l.letters)
	l.letters = l.letters[:0]
	l.flush()
	return true
}

// read does what a letter asks for.
func (l *Loop) read(letter letter) {
	m := letter.m
	if letter.what&mailJoin != 0 {
		l.join(m)
	}
	if letter.what&mailTime != 0 && !m.ended && !m.timed {
		m.timed = true
		l.timed = append(l.timed, m)
	}
	if letter.what&mailResume != 0 {
		l.resume(m)
	}
	if letter.what&mailShut != 0 {
		l.finish(m)
	}
}

// await waits for events; at once means that there is something else to do.
func (l *Loop) await(atOnce bool) error {
	if len(l.timed) > 0 && l.scanAt.IsZero() {
		l.scanAt = time.Now().Add(scanInterval)
		_ = l.file.SetReadDeadline(l.scanAt)
	}
	if atOnce {
		l.asleep.Store(false)
		if l.backlog() {
			// A loop that always finds work would keep its processor for ten
			// milliseconds, while accounts are opened and connections accepted.
			runtime.Gosched()
		}
		l.poll(0)
		return l.pollErr
	}
	l.ready = 0
	err := l.wait.Read(l.poll)
	l.asleep.Store(false)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = nil
	}
	if err == nil {
		err = l.pollErr
	}
	return err
}

// protect keeps a panic on one connection from ending the others.
func (l *Loop) protect(m *Member, do func()) {
	defer func() {
		if fault := recover(); fault != nil {
			m.handler.HandleFault(fault)
			m.closeNow(ClosePanic)
		}
	}()
	do()
}

// flush settles the turn and sends what was answered.
func (l *Loop) flush() {
	if l.settle != nil {
		l.settle()
	}
	l.used = 0
	for _, m := range l.dirty {
		m.dirty = false
		l.protect(m, m.Flush)
	}
	clear(l.dirty)
	l.dirty = l.dirty[:0]
}

// scan looks at the deadlines.
func (l *Loop) scan(now time.Time) {
	l.scanAt = time.Time{}
	_ = l.file.SetReadDeadline(time.Time{})
	kept := l.timed[:0]
	for _, m := range l.timed {
		if m.timed = !m.ended && l.checkTime(m, now); m.timed {
			kept = append(kept, m)
		}
	}
	clear(l.timed[len(kept):])
	l.timed = kept
}

// checkTime closes a member whose time is up. It reports whether it has any
// deadline still.
func (l *Loop) checkTime(m *Member, now time.Time) bool {
	read, write := m.readBy.Load(), m.writeBy.Load()
	switch at := now.UnixNano(); {
	case write != 0 && at >= write:
		m.closeNow(CloseSlowReader)
	case read != 0 && at >= read && !m.closed.Load():
		l.protect(m, func() {
			m.seenRest(m.partial)
			m.handler.HandleError(os.ErrDeadlineExceeded)
		})
		m.closeNow(CloseHandshakeTimeout)
	}
	return !m.closed.Load() && (read != 0 || write != 0)
}

// Take makes a line connection of a TCP connection, which belongs to the loop
// from here on: nc must not be used any more. who names it for its tap. Nothing
// is read before Start.
func (l *Loop) Take(nc *net.TCPConn, who string, h Handler) (*Member, error) {
	raw, err := nc.SyscallConn()
	if err != nil {
		return nil, fmt.Errorf("take connection: %w", err)
	}
	// A descriptor of our own for the same socket, since the runtime's poller
	// would be woken by every byte that comes in on its own.
	fd, dupErr := -1, error(nil)
	err = raw.Control(func(theirs uintptr) {
		fd, dupErr = unix.FcntlInt(theirs, unix.F_DUPFD_CLOEXEC, 0)
	})
	if err = errors.Join(err, dupErr); err != nil {
		return nil, fmt.Errorf("take connection: %w", err)
	}
	_ = nc.Close()
	m := &Member{loop: l, handler: h, fd: fd}
	m.who, m.carrier = who, m
	return m, nil
}
