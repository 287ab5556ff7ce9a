package stratum

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// tcpPair returns the two ends of a TCP connection on loopback.
func tcpPair(t testing.TB) (server, client *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dialed, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = dialed.Close()
		_ = accepted.Close()
	})
	for _, c := range []net.Conn{dialed, accepted} {
		if err := c.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	return accepted.(*net.TCPConn), dialed.(*net.TCPConn)
}

func write(t testing.TB, w io.Writer, s string) {
	t.Helper()
	if _, err := io.WriteString(w, s); err != nil {
		t.Fatal(err)
	}
}

func wantLine(t testing.TB, c *Stream, want string) {
	t.Helper()
	got, err := c.ReadLine()
	if err != nil || string(got) != want {
		t.Fatalf("ReadLine = %.60q (%d bytes), %v; want %.60q (%d bytes)", got, len(got), err, want, len(want))
	}
}

func TestReadLineFraming(t *testing.T) {
	server, client := tcpPair(t)
	c := NewStream(server, "a")
	defer c.Release()

	// Several lines in one segment, in order, with all endings (R-F1).
	write(t, client, "one\ntwo\r\n\n\r\nthree\n\rfour\n")
	for _, want := range []string{"one", "two", "", "", "three", "\rfour"} {
		wantLine(t, c, want)
	}
	if c.LineWaiting() {
		t.Error("a line is waiting")
	}

	// One line in many segments, and the start of another.
	go func() {
		for _, piece := range []string{"fi", "v", "e", "\r", "\n", "six"} {
			_, _ = io.WriteString(client, piece)
			runtime.Gosched()
		}
		_, _ = io.WriteString(client, "\nseven\nunfinished")
		_ = client.CloseWrite()
	}()
	for _, want := range []string{"five", "six", "seven"} {
		wantLine(t, c, want)
	}
	if _, err := c.ReadLine(); !errors.Is(err, io.EOF) {
		t.Errorf("the end of the stream is %v", err)
	}
}

func TestLineWaiting(t *testing.T) {
	server, client := tcpPair(t)
	c := NewStream(server, "a")
	defer c.Release()
	write(t, client, "one\ntwo\nthr")
	wantLine(t, c, "one")
	if !c.LineWaiting() {
		t.Error("the second line is not waiting")
	}
	wantLine(t, c, "two")
	if c.LineWaiting() {
		t.Error("half a line counts as waiting")
	}
	write(t, client, "ee\n")
	wantLine(t, c, "three")
}

func TestLineLimit(t *testing.T) {
	longest := strings.Repeat("x", MaxLine-1)
	for name, before := range map[string]string{"first": "", "behind another": "short\n"} {
		t.Run(name, func(t *testing.T) {
			server, client := tcpPair(t)
			c := NewStream(server, "a")
			defer c.Release()
			go func() { _, _ = io.WriteString(client, before+longest+"\n"+longest+"\n"+longest+"x\n") }()
			if before != "" {
				wantLine(t, c, "short")
			}
			wantLine(t, c, longest)
			wantLine(t, c, longest)
			if _, err := c.ReadLine(); !errors.Is(err, ErrLineTooLong) {
				t.Errorf("a line of %d bytes gives %v", MaxLine+1, err)
			}
		})
	}
}

// An idle connection keeps a small buffer, whatever it received before.
func TestReadBufferGrowsAndShrinks(t *testing.T) {
	server, client := tcpPair(t)
	c := NewStream(server, "a")
	defer c.Release()
	for round := range 3 {
		long := strings.Repeat("y", 3000+round)
		write(t, client, long+"\n")
		wantLine(t, c, long)
		if len(c.buf) != MaxLine {
			t.Fatalf("a long line was read into %d bytes", len(c.buf))
		}
		for range 3 {
			write(t, client, "short\n")
			wantLine(t, c, "short")
		}
		if len(c.buf) != smallRead {
			t.Fatalf("after short lines the buffer has %d bytes", len(c.buf))
		}
	}
	c.Release()
	if c.buf != nil {
		t.Error("Release keeps the buffer")
	}
}

func TestFirstByte(t *testing.T) {
	server, client := tcpPair(t)
	c := NewStream(server, "a")
	defer c.Release()
	write(t, client, "\x16hello\n")
	for range 2 {
		if b, err := c.FirstByte(); b != 0x16 || err != nil {
			t.Fatalf("FirstByte = %#x, %v", b, err)
		}
	}
	wantLine(t, c, "\x16hello")
	_ = client.Close()
	if _, err := c.FirstByte(); !errors.Is(err, io.EOF) {
		t.Errorf("FirstByte at the end is %v", err)
	}
}

// Queued replies leave together with one Flush, in order with what is sent.
func TestQueueAndFlush(t *testing.T) {
	server, client := tcpPair(t)
	c := NewStream(server, "a")
	c.Queue([]byte("one\n"))
	c.Queue([]byte("two\n"))
	c.Queue(nil)
	c.Flush()
	c.Send([]byte("three\n"))
	c.SendWork([]byte("difficulty\n"), []byte("notify "), CleanTail)
	c.CloseAfterFlush(CloseShutdown)
	c.Send([]byte("too late\n"))
	got, err := io.ReadAll(client)
	if want := "one\ntwo\nthree\ndifficulty\nnotify " + CleanTail; err != nil || string(got) != want {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
	if !c.Closed() || c.Reason() != CloseShutdown {
		t.Errorf("closed %v, reason %v", c.Closed(), c.Reason())
	}
}

// record is a tap that keeps what it saw.
type record struct {
	mu    sync.Mutex
	lines []string
}

func (r *record) tap(who string, dir Direction, line []byte, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if at.IsZero() {
		panic("a line without its time")
	}
	r.lines = append(r.lines, fmt.Sprintf("%s %d %s", who, dir, line))
}

// A tap sees every line once, with its direction and its ending, and
// what there was of a line when the peer was gone.
func TestTap(t *testing.T) {
	server, client := tcpPair(t)
	c := NewStream(server, "rig")
	defer c.Release()
	var r record
	c.SetTap(r.tap)
	write(t, client, "hello\r\n\nthere\n")
	for range 3 {
		if _, err := c.ReadLine(); err != nil {
			t.Fatal(err)
		}
	}
	c.Queue([]byte("a\nb\n"))
	c.Flush()
	c.SendWork([]byte("difficulty\n"), []byte("notify,"), DirtyTail)
	c.SetTap(nil)
	c.Send([]byte("unseen\n"))
	c.SetTap(r.tap)
	write(t, client, "half a line")
	if err := client.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.ReadLine(); err == nil {
		t.Fatal("half a line is a line")
	}
	c.CloseAfterFlush(CloseShutdown)
	if _, err := io.ReadAll(client); err != nil {
		t.Fatal(err)
	}
	want := []string{"rig 0 hello\r\n", "rig 0 \n", "rig 0 there\n", "rig 1 a\n", "rig 1 b\n", "rig 1 difficulty\n", "rig 1 notify," + DirtyTail, "rig 0 half a line"}
	if !slices.Equal(r.lines, want) {
		t.Errorf("tap saw %q\nwant %q", r.lines, want)
	}
}

// Work that waits behind a full pipe is replaced by newer work. The miner gets
// the newest notify, the last difficulty, and a new start if any was due.
func TestSendWorkReplacement(t *testing.T) {
	for _, c := range []struct {
		name string
		send func(*Stream) (replaced []bool)
		want string
	}{
		{"newest notify", func(c *Stream) []bool {
			return []bool{c.SendWork(nil, []byte("n1,"), DirtyTail), c.SendWork(nil, []byte("n2,"), DirtyTail), c.SendWork(nil, []byte("n3,"), DirtyTail)}
		}, "n3," + DirtyTail},
		{"difficulty kept", func(c *Stream) []bool {
			return []bool{c.SendWork([]byte("d1\n"), []byte("n1,"), DirtyTail), c.SendWork(nil, []byte("n2,"), DirtyTail), c.SendWork(nil, []byte("n3,"), DirtyTail)}
		}, "d1\nn3," + DirtyTail},
		{"newest difficulty", func(c *Stream) []bool {
			return []bool{c.SendWork([]byte("d1\n"), []byte("n1,"), DirtyTail), c.SendWork([]byte("d2 is longer\n"), []byte("n2,"), DirtyTail), c.SendWork([]byte("d3\n"), []byte("n3,"), DirtyTail)}
		}, "d3\nn3," + DirtyTail},
		{"new start kept", func(c *Stream) []bool {
			return []bool{c.SendWork(nil, []byte("n1,"), DirtyTail), c.SendWork(nil, []byte("n2,"), CleanTail), c.SendWork(nil, []byte("n3,"), "more,"+DirtyTail)}
		}, "n3,more," + CleanTail},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server, client := net.Pipe()
				conn := NewStream(server, "a")
				var r record
				conn.SetTap(r.tap)
				conn.Send([]byte("stuck\n"))
				synctest.Wait() // the writer waits for the reader
				if replaced := c.send(conn); !slices.Equal(replaced, []bool{false, true, true}) {
					t.Errorf("replaced %v", replaced)
				}
				conn.Send([]byte("reply\n"))
				go func() {
					synctest.Wait()
					conn.CloseAfterFlush(CloseShutdown)
				}()
				got, err := io.ReadAll(client)
				if want := "stuck\nreply\n" + c.want; err != nil || string(got) != want {
					t.Errorf("got %q, %v; want %q", got, err, want)
				}
				seen := strings.Join(r.lines, "")
				if want := "a 1 stuck\na 1 reply\na 1 " + strings.ReplaceAll(strings.TrimSpace(c.want), "\n", "\na 1 ") + "\n"; seen != want {
					t.Errorf("tap saw %q, want %q", seen, want)
				}
			})
		})
	}
}

// A miner whose replies never stop gets its work all the same.
func TestWorkDoesNotWaitForAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := net.Pipe()
		conn := NewStream(server, "a")
		conn.Send([]byte("r\n"))
		synctest.Wait()
		conn.SendWork(nil, []byte("notify,"), CleanTail)
		lines := bufio.NewReader(client)
		for i := range 10 {
			conn.Send([]byte("r\n")) // before the writer is done with the last
			line, err := lines.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if strings.HasPrefix(line, "notify") {
				if i > 2 {
					t.Errorf("the notify came as line %d", i)
				}
				conn.Close(CloseShutdown)
				return
			}
		}
		t.Error("the notify never came")
	})
}

// A peer that takes nothing is closed after the write timeout, by its clock.
func TestWriteTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := net.Pipe()
		defer client.Close()
		c := NewStream(server, "a")
		start := time.Now()
		c.Send([]byte("one\n"))
		if _, err := c.ReadLine(); err == nil {
			t.Fatal("the connection lives on")
		}
		if waited := time.Since(start); waited != writeTimeout || c.Reason() != CloseSlowReader {
			t.Errorf("closed as %v after %v", c.Reason(), waited)
		}
		c.Release()
	})
}

// CloseAfterFlush on a connection without a socket waits for its writer.
func TestCloseAfterFlushThroughTheWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := net.Pipe()
		c := NewStream(server, "a")
		c.Queue([]byte("goodbye\n"))
		c.CloseAfterFlush(CloseInvalidAddress)
		c.Close(CloseByPeer) // of no effect on the reason
		_, _ = io.ReadAll(client)

		server, client = net.Pipe()
		c = NewStream(server, "b")
		c.Queue([]byte("goodbye\n"))
		c.CloseAfterFlush(CloseInvalidAddress)
		if c.Closed() {
			t.Error("closed before it was flushed")
		}
		c.CloseAfterFlush(CloseShutdown)
		got, err := io.ReadAll(client)
		if err != nil || string(got) != "goodbye\n" {
			t.Errorf("got %q, %v", got, err)
		}
		synctest.Wait()
		if !c.Closed() || c.Reason() != CloseInvalidAddress {
			t.Errorf("closed %v, reason %v", c.Closed(), c.Reason())
		}
	})
}

// A tap that fails in the writer's goroutine closes its connection only.
func TestPanickingTapInTheWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := net.Pipe()
		c := NewStream(server, "a")
		c.Send([]byte("stuck\n"))
		synctest.Wait()
		c.SendWork(nil, []byte("notify,"), CleanTail)
		c.SetTap(func(string, Direction, []byte, time.Time) { panic("tap") })
		if got, _ := io.ReadAll(client); string(got) != "stuck\n" {
			t.Errorf("got %q", got)
		}
		synctest.Wait()
		if c.Reason() != ClosePanic {
			t.Errorf("closed as %v", c.Reason())
		}
		c.Flush() // its locks are free
	})
}

// A peer that does not read is cut off when its outbox is full; it never
// blocks who writes to it.
func TestSlowReaderOverflow(t *testing.T) {
	server, client := tcpPair(t)
	for _, set := range []func() error{
		func() error { return server.SetWriteBuffer(4096) },
		func() error { return client.SetReadBuffer(4096) },
	} {
		if err := set(); err != nil {
			t.Fatal(err)
		}
	}
	c := NewStream(server, "a")
	chunk := bytes.Repeat([]byte("z"), 1023)
	chunk = append(chunk, '\n')
	const bound = 8 << 20 // far more than the kernel and the outbox take
	sent := 0
	for ; sent < bound && !c.Closed(); sent += len(chunk) {
		c.Send(chunk)
		if unsent := outbox(c); unsent > maxOutbox+len(chunk) {
			t.Fatalf("the outbox has %d bytes", unsent)
		}
	}
	if !c.Closed() || c.Reason() != CloseSlowReader {
		t.Fatalf("after %d bytes: closed %v, reason %v", sent, c.Closed(), c.Reason())
	}
	got, _ := io.Copy(io.Discard, client)
	if got > int64(sent) {
		t.Errorf("the peer got %d bytes of %d", got, sent)
	}
}

func outbox(c *Stream) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.out == nil {
		return 0
	}
	return len(*c.out)
}

// A peer that reads slowly, but reads, gets every byte in order.
func TestSlowReaderGetsAll(t *testing.T) {
	server, client := tcpPair(t)
	if err := server.SetWriteBuffer(4096); err != nil {
		t.Fatal(err)
	}
	if err := client.SetReadBuffer(4096); err != nil {
		t.Fatal(err)
	}
	c := NewStream(server, "a")
	lines := bufio.NewReader(client)
	next := 0
	for i := range 2000 {
		c.Send(fmt.Appendf(nil, "%05d%s\n", i, strings.Repeat(".", 200)))
		for next < i-500 { // at most 100 kB behind
			line, err := lines.ReadString('\n')
			if err != nil || !strings.HasPrefix(line, fmt.Sprintf("%05d", next)) {
				t.Fatalf("line %d is %q, %v", next, line, err)
			}
			next++
		}
	}
	c.CloseAfterFlush(CloseShutdown)
	for ; next < 2000; next++ {
		line, err := lines.ReadString('\n')
		if err != nil || !strings.HasPrefix(line, fmt.Sprintf("%05d", next)) {
			t.Fatalf("line %d is %q, %v", next, line, err)
		}
	}
	if _, err := lines.ReadByte(); !errors.Is(err, io.EOF) {
		t.Errorf("more than was sent: %v", err)
	}
}

func TestPeerReset(t *testing.T) {
	server, client := tcpPair(t)
	c := NewStream(server, "a")
	defer c.Release()
	if err := client.SetLinger(0); err != nil {
		t.Fatal(err)
	}
	_ = client.Close()
	if _, err := c.ReadLine(); err == nil {
		t.Fatal("reads from a reset connection")
	}
	for range 3 {
		c.Send([]byte("into the void\n"))
	}
	if !c.Closed() || c.Reason() != CloseReset {
		t.Errorf("closed %v, reason %v", c.Closed(), c.Reason())
	}
}

// Sending on a socket that has room allocates nothing.
func TestSendAllocatesNothing(t *testing.T) {
	server, client := tcpPair(t)
	c := NewStream(server, "a")
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(io.Discard, client)
	}()
	line, head := []byte(strings.Repeat("r", 60)+"\n"), []byte(strings.Repeat("n", 1500))
	if n := testing.AllocsPerRun(200, func() {
		c.Queue(line)
		c.Flush()
		c.SendWork(nil, head, CleanTail)
	}); n >= 1 && !raceEnabled {
		t.Errorf("%v allocations", n)
	}
	c.Close(CloseShutdown)
	<-done
}

// Many goroutines may write and close at once.
func TestConcurrentWriters(t *testing.T) {
	server, client := tcpPair(t)
	c := NewStream(server, "a")
	var r record
	c.SetTap(r.tap)
	const writers, lines = 8, 50
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range lines {
				if i%3 == 0 {
					c.SendWork(nil, fmt.Appendf(nil, "w %d %d ", w, i), DirtyTail)
				} else {
					c.Send(fmt.Appendf(nil, "r %d %d\n", w, i))
				}
			}
		})
	}
	go func() {
		wg.Wait()
		c.CloseAfterFlush(CloseShutdown)
	}()
	got, err := io.ReadAll(client)
	if err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	seen := 0
	last := make(map[string]int)
	for line := range strings.Lines(string(got)) {
		var kind string
		var w, i int
		if _, err := fmt.Sscanf(line, "%s %d %d", &kind, &w, &i); err != nil {
			t.Fatalf("torn line %q: %v", line, err)
		}
		key := fmt.Sprint(kind, w)
		if before, ok := last[key]; ok && i <= before {
			t.Fatalf("line %q after %d", line, before)
		}
		last[key] = i
		seen++
	}
	if seen != len(r.lines) {
		t.Errorf("%d lines arrived, the tap saw %d", seen, len(r.lines))
	}
}

func wantText(t testing.TB, from io.Reader, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(from, got); err != nil || string(got) != want {
		t.Fatalf("got %.200q, %v; want %.200q", got[:n], err, want)
	}
}

// BenchmarkTap is a reply, from the queue to the outbox, without a tap and with
// one.
func BenchmarkTap(b *testing.B) {
	reply := []byte(`{"id":1000,"result":true,"error":null}` + "\n")
	for name, tap := range map[string]Tap{"off": nil, "on": func(string, Direction, []byte, time.Time) {}} {
		b.Run(name, func(b *testing.B) {
			server, _ := net.Pipe()
			c := NewStream(server, "a")
			c.SetTap(tap)
			b.ReportAllocs()
			for b.Loop() {
				c.Queue(reply)
				*c.out = (*c.out)[:0]
			}
		})
	}
}
