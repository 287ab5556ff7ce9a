//go:build linux

package stratum

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// recorder is a handler that keeps what it is told.
type recorder struct {
	m      *Member
	onLine func(r *recorder, line string) // nil keeps the line only

	mu    sync.Mutex
	first []byte
	lines []string
	fault any
	err   error
	ended chan struct{}
}

func (r *recorder) HandleFirst(b byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.first = append(r.first, b)
}

func (r *recorder) HandleLine(line []byte) {
	text := string(line)
	r.mu.Lock()
	r.lines = append(r.lines, text)
	r.mu.Unlock()
	if r.onLine != nil {
		r.onLine(r, text)
	}
}

func (r *recorder) HandleError(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = err
	switch {
	case errors.Is(err, ErrLineTooLong):
		r.m.Close(CloseLineTooLong)
	case errors.Is(err, os.ErrDeadlineExceeded):
		r.m.Close(CloseHandshakeTimeout)
	default:
		r.m.Close(CloseByPeer)
	}
}

func (r *recorder) HandleFault(fault any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fault = fault
}

func (r *recorder) HandleEnd() { close(r.ended) }

func (r *recorder) got() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.lines)
}

// wantEnd waits for the end of the connection and checks its reason.
func (r *recorder) wantEnd(t testing.TB, want CloseReason) {
	t.Helper()
	select {
	case <-r.ended:
	case <-time.After(20 * time.Second):
		t.Fatalf("no end after %d lines", len(r.got()))
	}
	if got := r.m.Reason(); got != want {
		t.Errorf("closed as %v, want %v", got, want)
	}
}

func startLoop(t testing.TB, settle func()) *Loop {
	t.Helper()
	l, err := NewLoop(settle)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- l.Run() }()
	t.Cleanup(func() {
		l.Stop()
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(20 * time.Second):
			t.Error("the loop does not end")
		}
	})
	return l
}

// member puts a fresh TCP connection on a loop.
func member(t testing.TB, l *Loop, onLine func(*recorder, string)) (*recorder, *net.TCPConn) {
	t.Helper()
	server, client := tcpPair(t)
	r := &recorder{onLine: onLine, ended: make(chan struct{})}
	m, err := l.Take(server, "rig", r)
	if err != nil {
		t.Fatal(err)
	}
	r.m = m
	// Cleanups run backwards: the loop, whose own is older, waits for this.
	t.Cleanup(func() { m.Close(CloseShutdown) })
	m.Start(nil)
	return r, client
}

func echo(r *recorder, line string) { r.m.Queue([]byte(line + "\n")) }

func TestLoopFraming(t *testing.T) {
	r, client := member(t, startLoop(t, nil), echo)
	// Several lines in one segment, in order, with all endings (R-F1).
	write(t, client, "one\ntwo\r\n\n\r\nthree\n\rfour\n")
	wantText(t, client, "one\ntwo\n\n\nthree\n\rfour\n")
	// One line in many segments, and the start of another.
	for _, piece := range []string{"fi", "v", "e", "\r", "\n", "six"} {
		write(t, client, piece)
		runtime.Gosched()
	}
	write(t, client, "\nseven\nunfinished")
	wantText(t, client, "five\nsix\nseven\n")
	if err := client.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	r.wantEnd(t, CloseByPeer)
	if !errors.Is(r.err, io.EOF) {
		t.Errorf("the end of the stream is %v", r.err)
	}
	if want := []string{"one", "two", "", "", "three", "\rfour", "five", "six", "seven"}; !slices.Equal(r.got(), want) {
		t.Errorf("lines %q", r.got())
	}
	if string(r.first) != "o" {
		t.Errorf("first bytes %q", r.first)
	}
}

func TestLoopLineLimit(t *testing.T) {
	longest := strings.Repeat("x", MaxLine-1)
	for name, before := range map[string]string{"first": "", "behind another": "short\n"} {
		t.Run(name, func(t *testing.T) {
			r, client := member(t, startLoop(t, nil), nil)
			go func() { _, _ = io.WriteString(client, before+longest+"\n"+longest+"\n"+longest+"x\n") }()
			r.wantEnd(t, CloseLineTooLong)
			got := r.got()
			if before != "" && got[0] == "short" {
				got = got[1:]
			}
			if !slices.Equal(got, []string{longest, longest}) {
				t.Errorf("%d lines before the one that is too long", len(got))
			}
			if !errors.Is(r.err, ErrLineTooLong) {
				t.Errorf("error %v", r.err)
			}
		})
	}
}

// A stream cut anywhere, byte by byte if need be, gives the same lines.
func TestLoopSplitAnywhere(t *testing.T) {
	l := startLoop(t, nil)
	var text strings.Builder
	for i := range 200 {
		fmt.Fprintf(&text, "%d %s\n", i, strings.Repeat("y", i*7%900))
	}
	want := strings.Split(strings.TrimSuffix(text.String(), "\n"), "\n")
	for _, size := range []int{1, 7, 100, 511, 512, 513, 5000} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			r, client := member(t, l, nil)
			for chunk := range slices.Chunk([]byte(text.String()), size) {
				write(t, client, string(chunk))
			}
			_ = client.CloseWrite()
			r.wantEnd(t, CloseByPeer)
			if got := r.got(); !slices.Equal(got, want) {
				t.Errorf("%d lines of %d", len(got), len(want))
			}
		})
	}
}

// The tap sees both directions.
func TestLoopTap(t *testing.T) {
	server, client := tcpPair(t)
	r := &recorder{onLine: echo, ended: make(chan struct{})}
	l := startLoop(t, nil)
	m, err := l.Take(server, "rig", r)
	if err != nil {
		t.Fatal(err)
	}
	r.m = m
	var seen record
	m.SetTap(seen.tap)
	m.Start([]byte("ear"))
	write(t, client, "ly\r\nlate\n")
	wantText(t, client, "early\nlate\n")
	m.SendWork([]byte("difficulty\n"), []byte("notify,"), DirtyTail)
	write(t, client, "half a line")
	if err := client.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(client); err != nil || string(rest) != "difficulty\nnotify,"+DirtyTail {
		t.Errorf("got %q, %v", rest, err)
	}
	r.wantEnd(t, CloseByPeer)
	want := []string{"rig 0 early\r\n", "rig 1 early\n", "rig 0 late\n", "rig 1 late\n", "rig 1 difficulty\n", "rig 1 notify," + DirtyTail, "rig 0 half a line"}
	if !slices.Equal(seen.lines, want) {
		t.Errorf("tap saw %q\nwant %q", seen.lines, want)
	}
}

// A paused connection handles nothing until it is resumed, and loses nothing.
func TestLoopPause(t *testing.T) {
	l := startLoop(t, nil)
	paused := make(chan struct{}, 10)
	r, client := member(t, l, func(r *recorder, line string) {
		echo(r, line)
		if strings.HasPrefix(line, "pause") {
			r.m.Pause()
			paused <- struct{}{}
		}
	})
	_, other := member(t, l, echo)
	write(t, client, "one\npause\ntwo\npause again\nthr")
	<-paused
	write(t, other, "meanwhile\n")
	wantText(t, other, "meanwhile\n")
	if got := r.got(); !slices.Equal(got, []string{"one", "pause"}) {
		t.Errorf("handled %q while paused", got)
	}
	write(t, client, "ee\nfour\n")
	r.m.Queue([]byte("from aside\n"))
	r.m.Resume()
	<-paused
	r.m.Resume()
	wantText(t, client, "one\npause\nfrom aside\ntwo\npause again\nthree\nfour\n")

	// The end comes after the pause.
	write(t, client, "pause\n")
	<-paused
	r.m.Close(CloseBanned)
	if rest, _ := io.ReadAll(client); len(rest) != len("pause\n") && len(rest) != 0 {
		t.Errorf("got %q", rest)
	}
	select {
	case <-r.ended:
		t.Error("ended while paused")
	default:
	}
	r.m.Resume()
	r.wantEnd(t, CloseBanned)
}

// A panic ends its connection, and no other.
func TestLoopFault(t *testing.T) {
	l := startLoop(t, nil)
	bad, client := member(t, l, func(*recorder, string) { panic("injected") })
	good, other := member(t, l, echo)
	write(t, client, "one\ntwo\n")
	bad.wantEnd(t, ClosePanic)
	if bad.fault != "injected" || len(bad.got()) != 1 {
		t.Errorf("fault %v, lines %q", bad.fault, bad.got())
	}
	write(t, other, "one\n")
	wantText(t, other, "one\n")
	good.m.SetTap(func(string, Direction, []byte, time.Time) { panic("tap") })
	write(t, other, "two\n")
	good.wantEnd(t, ClosePanic)
}

// A peer that does not read is cut off when its outbox is full; the others on
// the loop do not notice.
func TestLoopSlowReaderOverflow(t *testing.T) {
	l := startLoop(t, nil)
	chunk := string(bytes.Repeat([]byte("z"), 1000))
	r, client := member(t, l, echo)
	_, other := member(t, l, echo)
	go func() {
		for {
			if _, err := io.WriteString(client, chunk+"\n"); err != nil {
				return
			}
		}
	}()
	for range 50 {
		write(t, other, "still here\n")
		wantText(t, other, "still here\n")
	}
	r.wantEnd(t, CloseSlowReader)
}

// A peer that reads slowly, but reads, gets every byte in order, and work that
// waited.
func TestLoopSlowReaderGetsAll(t *testing.T) {
	server, client := tcpPair(t)
	for _, set := range []func() error{
		func() error { return server.SetWriteBuffer(16 << 10) },
		func() error { return client.SetReadBuffer(16 << 10) },
	} {
		if err := set(); err != nil {
			t.Fatal(err)
		}
	}
	r := &recorder{ended: make(chan struct{})}
	m, err := startLoop(t, nil).Take(server, "rig", r)
	if err != nil {
		t.Fatal(err)
	}
	r.m = m
	m.Start(nil)
	lines := bufio.NewReader(client)
	next := 0
	want := func() {
		t.Helper()
		line, err := lines.ReadString('\n')
		if err != nil || !strings.HasPrefix(line, fmt.Sprintf("%05d", next)) {
			t.Fatalf("line %d is %.20q, %v", next, line, err)
		}
		next++
	}
	for i := range 2000 {
		m.Send(fmt.Appendf(nil, "%05d%s\n", i, strings.Repeat(".", 200)))
		for next < i-500 { // at most 100 kB behind
			want()
		}
	}
	m.SendWork(nil, []byte("02000 work,"), DirtyTail)
	for next <= 2000 {
		want()
	}
	m.Send([]byte("02001 again\n"))
	want()
	m.CloseAfterFlush(CloseShutdown)
	if _, err := lines.ReadByte(); !errors.Is(err, io.EOF) {
		t.Errorf("more than was sent: %v", err)
	}
	r.wantEnd(t, CloseShutdown)
}

// Deadlines of reading and writing close the connection, each as its own.
func TestLoopDeadlines(t *testing.T) {
	l := startLoop(t, nil)
	late, _ := member(t, l, nil)
	if err := late.m.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	spared, client := member(t, l, echo)
	_ = spared.m.SetReadDeadline(time.Now().Add(time.Millisecond))
	_ = spared.m.SetReadDeadline(time.Time{})
	full, _ := member(t, l, nil)
	full.m.writeBy.Store(1)
	l.post(full.m, mailTime)
	late.wantEnd(t, CloseHandshakeTimeout)
	full.wantEnd(t, CloseSlowReader)
	write(t, client, "still here\n")
	wantText(t, client, "still here\n")
}

func TestLoopPeerReset(t *testing.T) {
	r, client := member(t, startLoop(t, nil), nil)
	if err := client.SetLinger(0); err != nil {
		t.Fatal(err)
	}
	_ = client.Close()
	r.wantEnd(t, CloseByPeer)
	if !errors.Is(r.err, syscall.ECONNRESET) {
		t.Errorf("a reset is %v", r.err)
	}
	for range 3 {
		r.m.Send([]byte("into the void\n"))
	}
}

// Lines stay as they were until they are settled, and are answered together.
func TestLoopSettle(t *testing.T) {
	type question struct {
		r    *recorder
		line []byte
	}
	var asked []question
	settled := make(chan int, 1000)
	l := startLoop(t, func() {
		for _, q := range asked {
			q.r.m.Queue(append(bytes.Clone(q.line), '\n'))
		}
		if len(asked) > 0 {
			settled <- len(asked)
		}
		asked = nil
	})
	var wg sync.WaitGroup
	for i := range 20 {
		server, client := tcpPair(t)
		r := &keeper{}
		r.ended = make(chan struct{})
		r.keep = func(line []byte) { asked = append(asked, question{&r.recorder, line}) }
		m, err := l.Take(server, "rig", r)
		if err != nil {
			t.Fatal(err)
		}
		r.m = m
		t.Cleanup(func() { m.Close(CloseShutdown) })
		m.Start(nil)
		wg.Go(func() {
			for n := range 50 {
				text := fmt.Sprintf("%d %d %s\n", i, n, strings.Repeat("k", 1+(i*n)%4000))
				if _, err := io.WriteString(client, text+text); err != nil {
					t.Error(err)
					return
				}
				got := make([]byte, 2*len(text))
				if _, err := io.ReadFull(client, got); err != nil || string(got) != text+text {
					t.Errorf("connection %d: %.40q, %v", i, got, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// keeper is a handler that keeps its lines until they are settled.
type keeper struct {
	recorder
	keep func([]byte)
}

func (k *keeper) HandleLine(line []byte) { k.keep(line) }

// Connections that open, speak and close from all sides at once, from many
// goroutines. The race detector watches; no descriptor may be mixed up.
func TestLoopChurn(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	loops := []*Loop{startLoop(t, nil), startLoop(t, nil)}
	const total = 2000
	var ends sync.WaitGroup
	ends.Add(total)
	var accepting sync.WaitGroup
	accepting.Go(func() {
		for i := range total {
			nc, err := listener.Accept()
			if err != nil {
				t.Error(err)
				return
			}
			r := &recorder{onLine: echo, ended: make(chan struct{})}
			m, err := loops[i%2].Take(nc.(*net.TCPConn), "rig", r)
			if err != nil {
				t.Error(err)
				return
			}
			r.m = m
			m.Start(nil)
			go func() {
				defer ends.Done()
				switch i % 5 {
				case 0:
					m.CloseAfterFlush(CloseShutdown)
				case 1:
					go m.Close(CloseBanned)
					m.Close(CloseShutdown)
				}
				for range 10 {
					m.SendWork(nil, []byte("work,"), CleanTail)
				}
				<-r.ended
			}()
		}
	})
	var dialing sync.WaitGroup
	for d := range 8 {
		dialing.Go(func() {
			for i := range total / 8 {
				conn, err := net.Dial("tcp", listener.Addr().String())
				if err != nil {
					t.Error(err)
					return
				}
				mine := fmt.Sprintf("mine %d %d", d, i)
				_, _ = io.WriteString(conn, mine+"\nhalf a li")
				_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
				lines := bufio.NewScanner(conn)
				for lines.Scan() && lines.Text() != mine {
					if strings.HasPrefix(lines.Text(), "mine") {
						t.Errorf("%q instead of %q", lines.Text(), mine)
					}
				}
				_ = conn.Close()
			}
		})
	}
	dialing.Wait()
	accepting.Wait()
	_ = listener.Close()
	ends.Wait()
}

// A line and its reply on a loop allocate nothing.
func TestLoopAllocatesNothing(t *testing.T) {
	reply := []byte("pong\n")
	_, client := member(t, startLoop(t, nil), nil)
	server, quiet := tcpPair(t)
	_ = client
	r := &quick{reply: reply}
	m, err := startLoop(t, nil).Take(server, "rig", r)
	if err != nil {
		t.Fatal(err)
	}
	r.m = m
	t.Cleanup(func() { m.Close(CloseShutdown) })
	m.Start(nil)
	line, buf := []byte("ping\n"), make([]byte, 100)
	if n := testing.AllocsPerRun(500, func() {
		_, _ = quiet.Write(line)
		_, _ = quiet.Read(buf)
	}); n >= 1 && !raceEnabled {
		t.Errorf("%v allocations", n)
	}
}

// quick answers each line at once.
type quick struct {
	m     *Member
	reply []byte
}

func (q *quick) HandleFirst(byte)  {}
func (q *quick) HandleLine([]byte) { q.m.Queue(q.reply) }
func (q *quick) HandleError(error) { q.m.Close(CloseByPeer) }
func (q *quick) HandleFault(any)   {}
func (q *quick) HandleEnd()        {}

// A loop's connection waits for what is held, too, before it is closed.
func TestLoopHold(t *testing.T) {
	release := make(chan func(), 1)
	r, client := member(t, startLoop(t, func() {}), func(r *recorder, line string) {
		if line == "block" {
			release <- r.m.Hold([]byte("block\n"))
			return
		}
		echo(r, line)
	})
	write(t, client, "before\nblock\nafter\n")
	wantText(t, client, "before\n")
	r.m.SendWork(nil, []byte("notify "), DirtyTail)
	wantText(t, client, "notify "+DirtyTail)
	r.m.CloseAfterFlush(CloseMisbehaved)
	(<-release)()
	got, err := io.ReadAll(client)
	if string(got) != "block\nafter\n" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	r.wantEnd(t, CloseMisbehaved)
}

// A loop that is to stop waits for the end of pauses: who paused a connection
// would never be told of its end otherwise.
func TestLoopStopsAfterThePause(t *testing.T) {
	l, err := NewLoop(nil)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- l.Run() }()
	paused := make(chan struct{})
	r, client := member(t, l, func(r *recorder, _ string) {
		r.m.Pause()
		close(paused)
	})
	write(t, client, "pause\n")
	<-paused
	r.m.Close(CloseShutdown)
	l.Stop()
	select {
	case err := <-done:
		t.Fatalf("the loop ended before the pause did: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	r.m.Resume()
	r.wantEnd(t, CloseShutdown)
	if err := <-done; err != nil {
		t.Error(err)
	}
}
