package load

import (
	"errors"
	"fmt"
	"net"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/poolscope/poolscope/internal/miner"
)

// newTransport returns epoll for plain connections, goroutines for TLS.
func newTransport(e miner.Endpoint, address *net.TCPAddr, cfg *Config, h handler) (transport, error) {
	if e.TLS {
		return newGoTransport(e, address, cfg, h), nil
	}
	return newEpoll(address, cfg, h)
}

// epoll is a transport over raw sockets. A socket is watched for writing only
// while something waits to be written.
type epoll struct {
	h       handler
	cfg     *Config
	fd      int
	address *net.TCPAddr
	zone    uint32 // of an IPv6 address
	conns   []epollConn
	byFD    map[int32]int
	events  []unix.EpollEvent
	buffer  []byte

	stamping bool
	oob      []byte
	realtime time.Duration // the run's zero on the clock of the kernel's stamps
}

type epollConn struct {
	fd         int
	live       bool
	connecting bool
	watching   bool     // for writing
	out        [][]byte // not written yet
}

func newEpoll(address *net.TCPAddr, cfg *Config, h handler) (*epoll, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("create epoll: %w", err)
	}
	e := &epoll{
		h:       h,
		cfg:     cfg,
		fd:      fd,
		address: address,
		conns:   make([]epollConn, cfg.Connections),
		byFD:    make(map[int32]int, cfg.Connections),
		events:  make([]unix.EpollEvent, 512),
		buffer:  make([]byte, readSize),
		oob:     make([]byte, 128),
	}
	if address.Zone != "" {
		if i, err := net.InterfaceByName(address.Zone); err == nil {
			e.zone = uint32(i.Index)
		}
	}
	return e, nil
}

func (e *epoll) dial(i int) {
	if err := e.connect(i); err != nil {
		e.h.closed(i, err)
	}
}

func (e *epoll) connect(i int) error {
	source, target := e.cfg.addresses(i, e.address)
	family, address := unix.AF_INET, unix.Sockaddr(nil)
	if ip := target.IP.To4(); ip != nil {
		address = &unix.SockaddrInet4{Port: target.Port, Addr: [4]byte(ip)}
	} else {
		family = unix.AF_INET6
		address = &unix.SockaddrInet6{Port: target.Port, ZoneId: e.zone, Addr: [16]byte(target.IP.To16())}
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("socket: %w", err)
	}
	err = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	if err == nil && source != nil {
		err = bindSource(fd, source)
	}
	if err == nil {
		err = unix.Connect(fd, address)
	}
	if err != nil && !errors.Is(err, unix.EINPROGRESS) {
		_ = unix.Close(fd)
		return fmt.Errorf("connect: %w", err)
	}
	ev := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLOUT, Fd: int32(fd)}
	if err := unix.EpollCtl(e.fd, unix.EPOLL_CTL_ADD, fd, &ev); err != nil {
		_ = unix.Close(fd)
		return fmt.Errorf("watch socket: %w", err)
	}
	e.conns[i] = epollConn{fd: fd, live: true, connecting: true, watching: true}
	e.byFD[int32(fd)] = i
	return nil
}

// bindSource gives a socket a source address; the port is chosen when it
// connects, so that ports can be shared between destinations.
func bindSource(fd int, source net.IP) error {
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1); err != nil {
		return err
	}
	return unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte(source)})
}

func (e *epoll) write(i int, b []byte) {
	c := &e.conns[i]
	if !c.live {
		return
	}
	c.out = append(c.out, b)
	if len(c.out) == 1 && !c.connecting {
		e.flush(i)
	}
}

// flush writes what it can, and watches for room if something is left.
func (e *epoll) flush(i int) {
	c := &e.conns[i]
	for len(c.out) > 0 {
		n, err := unix.Write(c.fd, c.out[0])
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.EAGAIN):
			e.watch(i, true)
			return
		case err != nil:
			e.fail(i, fmt.Errorf("write: %w", err))
			return
		}
		if n < len(c.out[0]) {
			c.out[0] = c.out[0][n:]
			continue
		}
		c.out[0] = nil
		c.out = c.out[1:]
	}
	c.out = nil
	e.watch(i, false)
}

func (e *epoll) watch(i int, writable bool) {
	c := &e.conns[i]
	if c.watching == writable {
		return
	}
	c.watching = writable
	ev := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(c.fd)}
	if writable {
		ev.Events |= unix.EPOLLOUT
	}
	if err := unix.EpollCtl(e.fd, unix.EPOLL_CTL_MOD, c.fd, &ev); err != nil {
		e.fail(i, fmt.Errorf("watch socket: %w", err))
	}
}

func (e *epoll) hangUp(i int) {
	c := &e.conns[i]
	if !c.live {
		return
	}
	delete(e.byFD, int32(c.fd))
	_ = unix.Close(c.fd)
	*c = epollConn{}
}

func (e *epoll) fail(i int, err error) {
	e.hangUp(i)
	e.h.closed(i, err)
}

func (e *epoll) wait(d time.Duration) {
	// epoll counts in milliseconds, which is too coarse for the schedule of
	// the open loop.
	ms := int(d / time.Millisecond)
	if d > 0 && ms < 5 {
		ts := unix.NsecToTimespec(int64(d))
		fds := []unix.PollFd{{Fd: int32(e.fd), Events: unix.POLLIN}}
		if n, err := unix.Ppoll(fds, &ts, nil); n == 0 || err != nil {
			return
		}
		ms = 0
	}
	n, err := unix.EpollWait(e.fd, e.events, ms)
	if err != nil {
		return // interrupted; the caller comes again
	}
	for _, ev := range e.events[:n] {
		i, ok := e.byFD[ev.Fd]
		if !ok {
			continue
		}
		if e.conns[i].connecting {
			e.finishConnect(i)
			continue
		}
		if ev.Events&(unix.EPOLLIN|unix.EPOLLHUP|unix.EPOLLERR) != 0 {
			e.read(i)
		}
		if ev.Events&unix.EPOLLOUT != 0 && e.conns[i].live {
			e.flush(i)
		}
	}
}

func (e *epoll) finishConnect(i int) {
	c := &e.conns[i]
	code, err := unix.GetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err == nil && code != 0 {
		err = unix.Errno(code)
	}
	if err != nil {
		e.fail(i, fmt.Errorf("connect: %w", err))
		return
	}
	c.connecting = false
	e.h.opened(i)
	if c.live && c.watching {
		e.flush(i)
	}
}

func (e *epoll) read(i int) {
	n, at, err := e.receive(e.conns[i].fd)
	switch {
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
	case err != nil:
		e.fail(i, fmt.Errorf("read: %w", err))
	case n == 0:
		e.fail(i, errClosed)
	default:
		e.h.received(i, e.buffer[:n], at)
	}
}

// receive reads into the buffer, and returns when that arrived.
func (e *epoll) receive(fd int) (n int, at time.Duration, err error) {
	if !e.stamping {
		n, err = unix.Read(fd, e.buffer)
		return n, e.h.now(), err
	}
	n, oobn, _, _, err := unix.Recvmsg(fd, e.buffer, e.oob, unix.MSG_DONTWAIT)
	at = e.h.now()
	if err != nil || oobn == 0 {
		return n, at, err
	}
	messages, parseErr := unix.ParseSocketControlMessage(e.oob[:oobn])
	if parseErr != nil {
		return n, at, nil
	}
	for _, m := range messages {
		if m.Header.Level != unix.SOL_SOCKET || m.Header.Type != unix.SO_TIMESTAMPNS || len(m.Data) < int(unsafe.Sizeof(unix.Timespec{})) {
			continue
		}
		stamp := (*unix.Timespec)(unsafe.Pointer(&m.Data[0]))
		// A clock that was set meanwhile must not give times from elsewhere.
		if t := time.Duration(stamp.Nano()) - e.realtime; t <= at && t > at-time.Minute {
			at = t
		}
	}
	return n, at, nil
}

func (e *epoll) timestamps(on bool) {
	e.stamping = on
	e.realtime = time.Duration(time.Now().UnixNano()) - e.h.now()
	value := 0
	if on {
		value = 1
	}
	for i := range e.conns {
		if c := &e.conns[i]; c.live {
			// Where the kernel has no stamps, the time of the read is taken.
			_ = unix.SetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, value)
		}
	}
}

func (e *epoll) shutdown() {
	for i := range e.conns {
		e.hangUp(i)
	}
	_ = unix.Close(e.fd)
}

var _ transport = (*epoll)(nil)
