package relay

import (
	"bufio"
	"errors"
	"io"
	"net"
	"testing"
	"time"
)

// echo is a server that sends every line back.
func echo(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(c, c)
				_ = c.Close()
			}()
		}
	}()
	return l.Addr().String()
}

// Each fault does what it says, and is over when it is over.
func TestFaults(t *testing.T) {
	r := Start(t, echo(t))
	dial := func() net.Conn {
		c, err := net.Dial("tcp", r.Addr())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	say := func(c net.Conn, line string) (string, error) {
		if _, err := io.WriteString(c, line+"\n"); err != nil {
			return "", err
		}
		return bufio.NewReader(c).ReadString('\n')
	}
	want := func(c net.Conn, line string) {
		t.Helper()
		if got, err := say(c, line); err != nil || got != line+"\n" {
			t.Errorf("%q came back as %q, %v", line, got, err)
		}
	}

	c := dial()
	for _, f := range []Fault{None, Delay, Split, None} {
		r.Set(f)
		began := time.Now()
		want(c, "with "+f.String())
		if took := time.Since(began); f == Delay && took < delay {
			t.Errorf("a delayed line took %s", took)
		}
	}

	r.Set(BlackHole)
	if _, err := io.WriteString(c, "held\n"); err != nil {
		t.Fatal(err)
	}
	if err := c.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("something came out of a black hole")
	}
	r.Set(None)
	if err := c.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if got, err := bufio.NewReader(c).ReadString('\n'); err != nil || got != "held\n" {
		t.Errorf("after the black hole: %q, %v", got, err)
	}

	half := dial()
	want(half, "both ways")
	r.Set(HalfClose)
	if _, err := half.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("a half-closed connection reads %v", err)
	}
	r.Set(Reset)
	if _, err := say(c, "x"); err == nil {
		t.Error("a reset connection works")
	}
	if fresh, err := net.Dial("tcp", r.Addr()); err == nil { // it may be reset that early
		if _, err := say(fresh, "x"); err == nil {
			t.Error("a new connection works while connections are reset")
		}
		_ = fresh.Close()
	}
	r.Set(None)
	want(dial(), "all is well again")
}
