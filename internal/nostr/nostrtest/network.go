// Package nostrtest is a network in memory between relays and clients, for
// tests with a fake clock (testing/synctest): it can be cut, with and without
// anybody noticing.
package nostrtest

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"
)

// Network connects whoever dials with a handler.
type Network struct {
	mu      sync.Mutex
	state   state
	waiting chan struct{} // closed when the state changes
	accept  chan net.Conn
	ends    map[*conn]struct{}
	closed  chan struct{}
}

type state int

const (
	whole  state = iota
	broken       // connections are closed, dialling is refused
	silent       // bytes vanish, dialling hangs
)

// New serves the handler on a network of its own until the test ends.
func New(t testing.TB, handler http.Handler) *Network {
	t.Helper()
	n := &Network{waiting: make(chan struct{}), accept: make(chan net.Conn), ends: map[*conn]struct{}{}, closed: make(chan struct{})}
	server := &http.Server{Handler: handler}
	var running sync.WaitGroup
	running.Go(func() { _ = server.Serve(listener{n}) })
	t.Cleanup(func() {
		n.set(broken)
		_ = server.Close()
		running.Wait()
	})
	return n
}

// Client opens connections on the network, whatever address is asked for.
func (n *Network) Client() *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: n.dial, DisableKeepAlives: true}}
}

// Cut closes all connections and refuses new ones.
func (n *Network) Cut() { n.set(broken) }

// Silence lets every byte vanish from now on; nobody is told.
func (n *Network) Silence() { n.set(silent) }

// Restore lets new connections through; the old ones stay as they are.
func (n *Network) Restore() { n.set(whole) }

func (n *Network) set(s state) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.state = s
	close(n.waiting)
	n.waiting = make(chan struct{})
	for c := range n.ends {
		switch s {
		case broken:
			c.end()
			_ = c.Conn.Close()
			delete(n.ends, c)
		case silent:
			c.mute()
		case whole:
		}
	}
}

func (n *Network) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	for {
		n.mu.Lock()
		s, changed := n.state, n.waiting
		n.mu.Unlock()
		switch s {
		case broken:
			return nil, errors.New("connection refused")
		case silent:
			select {
			case <-ctx.Done():
				return nil, ctx.Err()
			case <-changed:
			}
			continue
		case whole:
		}
		ours, theirs := n.pipe()
		select {
		case n.accept <- theirs:
			return ours, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-n.closed:
			return nil, errors.New("connection refused")
		}
	}
}

func (n *Network) pipe() (ours, theirs *conn) {
	a, b := net.Pipe()
	ours, theirs = newConn(a), newConn(b)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.ends[ours], n.ends[theirs] = struct{}{}, struct{}{}
	return ours, theirs
}

// conn is one end of a connection. A goroutine of its own moves what is
// written, so that, as with TCP, writing does not wait for the other to read:
// two that ping each other at the same instant would wait for ever.
type conn struct {
	net.Conn
	out   chan []byte
	ended chan struct{}
	end   func()

	mu    sync.Mutex
	muted bool
}

func newConn(pipe net.Conn) *conn {
	c := &conn{Conn: pipe, out: make(chan []byte, 4096), ended: make(chan struct{})}
	c.end = sync.OnceFunc(func() { close(c.ended) })
	go c.move()
	return c
}

func (c *conn) move() {
	defer c.end()
	for {
		select {
		case b := <-c.out:
			if !c.put(b) {
				return
			}
		case <-c.ended:
			_ = c.Conn.SetWriteDeadline(time.Now().Add(time.Second))
			for len(c.out) > 0 && c.put(<-c.out) {
			}
			if !c.isMuted() {
				_ = c.Conn.Close() // the other end hears of it
			}
			return
		}
	}
}

// put moves what was written, or lets it vanish.
func (c *conn) put(b []byte) bool {
	if c.isMuted() {
		return true
	}
	_, err := c.Conn.Write(b)
	return err == nil
}

func (c *conn) mute() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.muted = true
}

func (c *conn) isMuted() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.muted
}

// Write queues.
func (c *conn) Write(b []byte) (int, error) {
	select {
	case c.out <- bytes.Clone(b):
		return len(b), nil
	case <-c.ended:
		return 0, net.ErrClosed
	}
}

// Close ends what waits at this end; the other end hears of it when all that
// was written has been moved, and never when bytes vanish.
func (c *conn) Close() error {
	c.end()
	return c.Conn.SetReadDeadline(time.Unix(1, 0))
}

type listener struct{ *Network }

func (l listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.accept:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l listener) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.closed:
	default:
		close(l.closed)
	}
	return nil
}

func (listener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }
