// Package relay is a TCP proxy that does to connections what bad networks do:
// it delays, cuts into single bytes, resets, swallows and closes by halves. A
// test puts it between two parts and changes the fault while they talk.
package relay

import (
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// Fault is what a relay does to its connections, open ones and new ones.
type Fault uint8

// Faults.
const (
	None      Fault = iota
	Delay           // every piece arrives late
	Split           // every byte arrives alone
	Reset           // connections break off (RST), and so do new ones at once
	BlackHole       // nothing arrives, nothing breaks; what was sent arrives when it is over
	HalfClose       // the answering side's end is announced, while requests still pass
)

// String names the fault.
func (f Fault) String() string {
	return [...]string{"none", "delay", "split", "reset", "black hole", "half close"}[f]
}

// delay is how late a piece arrives, at most one after the other.
const delay = 120 * time.Millisecond

// Relay passes TCP connections on to a target.
type Relay struct {
	target   string
	listener net.Listener
	wg       sync.WaitGroup

	mu      sync.Mutex // guards the rest
	fault   Fault
	changed chan struct{} // closed and replaced with each fault
	conns   map[*pair]struct{}
	closed  bool
}

// pair is one relayed connection.
type pair struct{ client, server *net.TCPConn }

// reset closes both ends without a goodbye.
func (p *pair) reset() {
	for _, c := range []*net.TCPConn{p.client, p.server} {
		_ = c.SetLinger(0) // fails on a closed one, which is as good
		_ = c.Close()
	}
}

// Start begins to relay to a target (host:port) until the test ends.
func Start(t testing.TB, target string) *Relay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &Relay{target: target, listener: l, changed: make(chan struct{}), conns: map[*pair]struct{}{}}
	r.wg.Go(r.accept)
	t.Cleanup(r.close)
	return r
}

// Addr is the host:port to connect to.
func (r *Relay) Addr() string { return r.listener.Addr().String() }

// Set changes the fault.
func (r *Relay) Set(f Fault) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fault = f
	close(r.changed)
	r.changed = make(chan struct{})
	for p := range r.conns {
		switch f {
		case Reset:
			p.reset()
		case HalfClose:
			_ = p.client.CloseWrite()
		}
	}
}

// now is the fault in force, and a channel that is closed when it changes.
func (r *Relay) now() (Fault, <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.fault, r.changed
}

func (r *Relay) close() {
	_ = r.listener.Close()
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.Set(Reset) // ends every connection and wakes whoever waits
	r.wg.Wait()
}

func (r *Relay) accept() {
	for {
		nc, err := r.listener.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			continue
		}
		r.wg.Go(func() { r.serve(nc.(*net.TCPConn)) })
	}
}

// serve relays one connection to its end.
func (r *Relay) serve(client *net.TCPConn) {
	nc, err := net.Dial("tcp", r.target)
	if err != nil {
		_ = client.SetLinger(0)
		_ = client.Close()
		return
	}
	p := &pair{client, nc.(*net.TCPConn)}
	r.mu.Lock()
	r.conns[p] = struct{}{}
	if r.fault == Reset || r.closed {
		p.reset()
	}
	r.mu.Unlock()

	var both sync.WaitGroup
	both.Go(func() { r.pump(p.server, p.client) })
	both.Go(func() { r.pump(p.client, p.server) })
	both.Wait()
	r.mu.Lock()
	delete(r.conns, p)
	r.mu.Unlock()
	_ = p.client.Close()
	_ = p.server.Close()
}

// pump passes bytes on in one direction, as the fault in force allows.
func (r *Relay) pump(to, from *net.TCPConn) {
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 && r.pass(to, buf[:n]) != nil {
			_ = from.Close() // nobody takes it any more
			return
		}
		if err != nil {
			if !errors.Is(err, io.EOF) {
				_ = to.SetLinger(0)
				_ = to.Close()
				return
			}
			_ = to.CloseWrite()
			return
		}
	}
}

// pass writes a piece.
func (r *Relay) pass(to io.Writer, piece []byte) error {
	fault, changed := r.now()
	for fault == BlackHole {
		<-changed
		fault, changed = r.now()
	}
	switch fault {
	case Delay:
		select {
		case <-time.After(delay):
		case <-changed:
		}
	case Split:
		for ; len(piece) > 1 && fault == Split; fault, _ = r.now() {
			if _, err := to.Write(piece[:1]); err != nil {
				return err
			}
			piece = piece[1:]
		}
	}
	_, err := to.Write(piece)
	return err
}
