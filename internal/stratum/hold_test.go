package stratum

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// What is queued behind an answer that waits goes out after it, whichever of
// several is ready first. Work does not wait.
func TestHold(t *testing.T) {
	server, client := tcpPair(t)
	c := NewStream(server, "rig")
	defer c.Release()
	var r record
	c.SetTap(r.tap)
	c.Queue([]byte("before\n"))
	first := c.Hold([]byte("first\n"))
	c.Send([]byte("one\n"))
	second := c.Hold([]byte("second\n"))
	c.Send([]byte("two\n"))
	c.SendWork([]byte("difficulty\n"), []byte("notify "), DirtyTail)
	wantText(t, client, "before\ndifficulty\nnotify "+DirtyTail)
	second()
	c.Send([]byte("three\n"))
	c.SendWork(nil, []byte("again "), DirtyTail)
	wantText(t, client, "again "+DirtyTail)
	first()
	wantText(t, client, "first\none\nsecond\ntwo\nthree\n")
	first() // again does nothing
	c.Send([]byte("four\n"))
	wantText(t, client, "four\n")
	c.Close(CloseShutdown)
	if got := strings.Join(r.lines, ""); !strings.Contains(got, "rig 1 first\nrig 1 one\nrig 1 second\nrig 1 two\nrig 1 three\nrig 1 four\n") {
		t.Errorf("tap saw %s", got)
	}
}

// A connection that is to be closed when all is sent waits for what is held.
func TestCloseAfterHold(t *testing.T) {
	for _, pipe := range []bool{false, true} {
		var server, client net.Conn
		if pipe {
			server, client = net.Pipe()
		} else {
			server, client = tcpPair(t)
		}
		c := NewStream(server, "rig")
		c.Send([]byte("before\n"))
		release := c.Hold([]byte("held\n"))
		go func() {
			c.CloseAfterFlush(CloseMisbehaved)
			time.Sleep(20 * time.Millisecond) // in which a mistake would close it
			c.Send([]byte("too late\n"))
			release()
		}()
		got, err := io.ReadAll(client)
		if string(got) != "before\nheld\n" || err != nil {
			t.Errorf("got %q, %v", got, err)
		}
		if c.Reason() != CloseMisbehaved {
			t.Errorf("closed for %v", c.Reason())
		}
		c.Release()
	}
}

// What waits is bounded: beyond that, order counts for more than the wait.
func TestHoldIsBounded(t *testing.T) {
	server, client := tcpPair(t)
	c := NewStream(server, "rig")
	defer c.Release()
	defer c.Close(CloseShutdown)
	release := c.Hold([]byte("held\n"))
	want := bytes.NewBufferString("held\n")
	for i := 0; want.Len() <= maxOutbox; i++ {
		line := fmt.Appendf(nil, "line %d %s\n", i, strings.Repeat("x", 1000))
		want.Write(line)
		c.Queue(line)
	}
	c.Flush()
	wantText(t, client, want.String())
	release()
	c.Send([]byte("after\n"))
	wantText(t, client, "after\n")
}

// Nothing is left of a connection that is gone when its answer is ready.
func TestReleaseAfterTheEnd(t *testing.T) {
	server, _ := tcpPair(t)
	c := NewStream(server, "rig")
	release := c.Hold([]byte("held\n"))
	c.Queue([]byte("behind\n"))
	c.Close(CloseReset)
	release()
	if c.held != nil || c.out != nil {
		t.Error("a closed connection keeps what it cannot send")
	}
	c.Hold([]byte("too late\n"))()
	if c.held != nil {
		t.Error("a closed connection holds")
	}
}
