package scope

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

// limit is how long anything may take on a machine that is busy with other
// things. What must be fast is measured beside.
const limit = 10 * time.Second

// peer is one end of a connection that the test plays: a miner or a pool.
type peer struct {
	t    testing.TB
	conn *net.TCPConn
	in   *bufio.Reader
}

func newPeer(t testing.TB, conn net.Conn) *peer {
	t.Cleanup(func() { conn.Close() })
	return &peer{t, conn.(*net.TCPConn), bufio.NewReaderSize(conn, 1<<20)}
}

// close ends the connection as programs do.
func (p *peer) close() { _ = p.conn.Close() }

// reset breaks it off.
func (p *peer) reset() {
	_ = p.conn.SetLinger(0)
	p.close()
}

// dial connects a miner.
func dial(t testing.TB, address string) *peer {
	t.Helper()
	conn, err := net.DialTimeout("tcp", address, limit)
	if err != nil {
		t.Fatal(err)
	}
	return newPeer(t, conn)
}

// say sends bytes as they are.
func (p *peer) say(bytes string) {
	p.t.Helper()
	if err := p.conn.SetWriteDeadline(time.Now().Add(limit)); err != nil {
		p.t.Fatal(err)
	}
	if _, err := p.conn.Write([]byte(bytes)); err != nil {
		p.t.Fatalf("say: %v", err)
	}
}

// line sends a line.
func (p *peer) line(text string) { p.t.Helper(); p.say(text + "\n") }

// hear returns the next line, its ending included.
func (p *peer) hear() string {
	p.t.Helper()
	text, err := p.read(limit)
	if err != nil {
		p.t.Fatalf("hear: %v after %q", err, text)
	}
	return text
}

// hears expects a line.
func (p *peer) hears(want string) {
	p.t.Helper()
	if got := p.hear(); got != want+"\n" {
		p.t.Fatalf("heard %.200q, not %.200q", got, want)
	}
}

// silent expects nothing for a while.
func (p *peer) silent(d time.Duration) {
	p.t.Helper()
	if text, err := p.read(d); !errors.Is(err, os.ErrDeadlineExceeded) {
		p.t.Fatalf("heard %q, %v", text, err)
	}
}

func (p *peer) read(d time.Duration) (string, error) {
	if err := p.conn.SetReadDeadline(time.Now().Add(d)); err != nil {
		return "", err
	}
	return p.in.ReadString('\n')
}

// ended waits for the end of the stream, and returns how long that took and
// whether it was a reset.
func (p *peer) ended() (took time.Duration, reset bool) {
	p.t.Helper()
	began := time.Now()
	text, err := p.read(limit)
	switch {
	case text != "":
		p.t.Fatalf("heard %q where the end should be", text)
	case errors.Is(err, io.EOF):
	case strings.Contains(err.Error(), "reset"):
		reset = true
	default:
		p.t.Fatalf("no end: %v", err)
	}
	return time.Since(began), reset
}

// pool is a pool that the test plays.
type pool struct {
	t        testing.TB
	listener net.Listener
}

func newPool(t testing.TB) *pool {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return &pool{t, listener}
}

// address is host:port.
func (p *pool) address() string { return p.listener.Addr().String() }

// accept takes the next miner.
func (p *pool) accept() *peer {
	p.t.Helper()
	if err := p.listener.(*net.TCPListener).SetDeadline(time.Now().Add(limit)); err != nil {
		p.t.Fatal(err)
	}
	conn, err := p.listener.Accept()
	if err != nil {
		p.t.Fatalf("accept: %v", err)
	}
	return newPeer(p.t, conn)
}
