package relay

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"
)

// keepAlive finds out within a minute and a half that a peer is gone.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 30 * time.Second, Interval: 15 * time.Second, Count: 4}

// goodbye is how long the end of a TLS stream may take to be announced.
const goodbye = 50 * time.Millisecond

// wire is one side of a session.
type wire struct {
	net.Conn
	tls *tls.Conn    // nil without TLS
	tcp *net.TCPConn // nil when a test gives something else

	roundTrip time.Duration // about; 0 when unknown

	closing sync.Once
}

// newWire finds out what a connection is, and sets up its socket.
func newWire(nc net.Conn) *wire {
	w := &wire{Conn: nc}
	w.tls, _ = nc.(*tls.Conn)
	for {
		if tcp, ok := nc.(*net.TCPConn); ok {
			w.tcp = tcp
			_ = tcp.SetNoDelay(true) // fails on a closed connection, which shows soon
			_ = tcp.SetKeepAliveConfig(keepAlive)
			return w
		}
		inner, ok := nc.(interface{ NetConn() net.Conn })
		if !ok {
			return w
		}
		nc = inner.NetConn()
	}
}

// closeWrite ends the stream to the peer, and leaves the one from it.
func (w *wire) closeWrite() {
	if w.tls != nil && w.tcp != nil {
		// It waits for a peer that does not read.
		timer := time.AfterFunc(drainMax, func() { _ = w.tcp.Close() })
		_ = w.tls.CloseWrite()
		timer.Stop()
	}
	switch half, ok := w.Conn.(interface{ CloseWrite() error }); {
	case w.tcp != nil:
		_ = w.tcp.CloseWrite()
	case ok:
		_ = half.CloseWrite()
	default:
		w.close(false)
	}
}

// close ends the connection: with a reset, or in order. It never waits longer
// than goodbye.
func (w *wire) close(reset bool) {
	w.closing.Do(func() {
		switch {
		case w.tcp == nil:
			_ = w.Conn.Close()
		case reset:
			_ = w.tcp.SetLinger(0)
			_ = w.tcp.Close()
		default:
			if w.tls != nil {
				timer := time.AfterFunc(goodbye, func() { _ = w.tcp.Close() })
				_ = w.tls.CloseWrite()
				timer.Stop()
			}
			_ = w.tcp.Close()
		}
	})
}

// ending says what the end of a stream was.
type ending uint8

const (
	endClosed  ending = iota // in order
	endReset                 // broken off
	endTimeout               // the network does not answer
	endIdle                  // our own deadline passed
)

// endingOf says how a read or a write ended. A TLS stream that ends without
// saying so ended all the same.
func endingOf(err error) ending {
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.ErrClosedPipe):
		return endClosed
	case errors.Is(err, os.ErrDeadlineExceeded):
		return endIdle
	case errors.Is(err, syscall.ETIMEDOUT), errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return endTimeout
	}
	return endReset
}

// addrPort is an address of a TCP connection; the zero value of any other.
func addrPort(a net.Addr) netip.AddrPort {
	if tcp, ok := a.(*net.TCPAddr); ok {
		ap := tcp.AddrPort()
		return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
	}
	return netip.AddrPort{}
}

// addrText is an address for people: ip:port, brackets around IPv6.
func addrText(a net.Addr) string {
	if ap := addrPort(a); ap.IsValid() {
		return ap.String()
	}
	if a == nil {
		return "unknown"
	}
	return a.String()
}
