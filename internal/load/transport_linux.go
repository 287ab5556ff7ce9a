package load

import (
	"errors"
	"fmt"
	"net"
	"time"

	"golang.org/x/sys/unix"

	"github.com/poolscope/poolscope/internal/miner"
)

// newTransport returns epoll for plain connections, goroutines for TLS.
func newTransport(e miner.Endpoint, address *net.TCPAddr, cfg *Config, h handler) (transport, error) {
	if e.TLS {
		return newGoTransport(e, address, cfg, h), nil
	}
	return newEpoll(address, cfg.Connections, h)
}

// spreadAfter is how many connections use one source address. The kernel has
// about 28,000 ports for each.
const spreadAfter = 20_000

// epoll is a transport over raw sockets. A socket is watched for writing only
// while something waits to be written.
type epoll struct {
	h       handler
	fd      int
	address unix.Sockaddr
	family  int
	spread  bool // 127.0.0.1 is not enough as a source
	conns   []epollConn
	byFD    map[int32]int
	events  []unix.EpollEvent
	buffer  []byte
}

type epollConn struct {
	fd         int
	live       bool
	connecting bool
	watching   bool     // for writing
	out        [][]byte // not written yet
}

func newEpoll(address *net.TCPAddr, connections int, h handler) (*epoll, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("create epoll: %w", err)
	}
	e := &epoll{
		h:      h,
		fd:     fd,
		conns:  make([]epollConn, connections),
		byFD:   make(map[int32]int, connections),
		events: make([]unix.EpollEvent, 512),
		buffer: make([]byte, readSize),
	}
	if ip := address.IP.To4(); ip != nil {
		e.family = unix.AF_INET
		e.address = &unix.SockaddrInet4{Port: address.Port, Addr: [4]byte(ip)}
		e.spread = ip[0] == 127 && connections > spreadAfter
	} else {
		e.family = unix.AF_INET6
		sa := &unix.SockaddrInet6{Port: address.Port, Addr: [16]byte(address.IP.To16())}
		if address.Zone != "" {
			if i, err := net.InterfaceByName(address.Zone); err == nil {
				sa.ZoneId = uint32(i.Index)
			}
		}
		e.address = sa
	}
	return e, nil
}

func (e *epoll) dial(i int) {
	if err := e.connect(i); err != nil {
		e.h.closed(i, err)
	}
}

func (e *epoll) connect(i int) error {
	fd, err := unix.Socket(e.family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("socket: %w", err)
	}
	err = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	if err == nil && e.spread {
		err = bindSource(fd, i/spreadAfter)
	}
	if err == nil {
		err = unix.Connect(fd, e.address)
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

// bindSource gives a socket a source address of its own on the loopback
// network; the port is chosen when it connects, so that ports can be shared
// between destinations.
func bindSource(fd, n int) error {
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1); err != nil {
		return err
	}
	return unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, byte(1 + n)}})
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
	n, err := unix.Read(e.conns[i].fd, e.buffer)
	switch {
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
	case err != nil:
		e.fail(i, fmt.Errorf("read: %w", err))
	case n == 0:
		e.fail(i, errClosed)
	default:
		e.h.received(i, e.buffer[:n], e.h.now())
	}
}

func (e *epoll) shutdown() {
	for i := range e.conns {
		e.hangUp(i)
	}
	_ = unix.Close(e.fd)
}

var _ transport = (*epoll)(nil)
