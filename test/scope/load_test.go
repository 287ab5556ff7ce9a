package scope

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/poolscope/poolscope/test/nodes"
)

// maxOverhead is what a line may take longer through the scope than without it,
// the ring of messages being full.
const maxOverhead = time.Millisecond

// roundTrip is the median time of a line to the pool and one back.
func roundTrip(miner, atPool *peer) time.Duration {
	const line = `{"id":9,"method":"mining.submit","params":["w","j","00","65000001","deadbeef"]}`
	var took []time.Duration
	for range 500 {
		began := time.Now()
		miner.line(line)
		atPool.hears(line)
		atPool.line(`{"id":9,"result":true,"error":null}`)
		miner.hears(`{"id":9,"result":true,"error":null}`)
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	return took[len(took)/2]
}

// Scenario D: with the ring full, 50,000 messages, a line is no slower; the ring
// keeps its bounds; and what it let go of is said.
func TestFullRing(t *testing.T) {
	p := newPool(t)
	r := start(t, p.address())
	const perSession, sessions = 11_000, 6
	for n := range sessions {
		miner, atPool := r.connect(p)
		go func() {
			out := bufio.NewWriter(miner.conn)
			for i := range perSession {
				fmt.Fprintf(out, "{\"id\":%d,\"method\":\"mining.submit\",\"params\":[\"w%d\",\"j\"]}\n", i, n)
			}
			_ = out.Flush() // a failure shows at the other end
		}()
		for range perSession {
			atPool.hear()
		}
		s := r.settled(perSession)
		if s.Lost > 0 {
			t.Errorf("%d bytes were not captured", s.Lost)
		}
		miner.close()
		atPool.ended()
	}
	var all []session
	r.read("/api/sessions", &all)
	for _, s := range all {
		if s.Stats.Total != perSession {
			t.Errorf("a session with %d messages", s.Stats.Total)
		}
	}

	direct := dial(t, p.address())
	without := roundTrip(direct, p.accept())
	miner, atPool := r.connect(p)
	with := roundTrip(miner, atPool)
	t.Logf("there and back: %v direct, %v through the scope with a full ring", without, with)
	if with-without > 2*maxOverhead {
		t.Errorf("two lines take %v, without the scope %v", with, without)
	}
	began := time.Now()
	if page := r.messages("limit=1000"); len(page) != 1000 {
		t.Errorf("%d messages on a page", len(page))
	}
	t.Logf("a page of 1000 messages took %v", time.Since(began))
}

// stall opens a WebSocket whose client never reads.
func (r *rig) stall() {
	r.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(r.api, "http://"))
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { conn.Close() })
	if err := conn.(*net.TCPConn).SetReadBuffer(4096); err != nil {
		r.t.Fatal(err)
	}
	request := "GET /api/ws HTTP/1.1\r\nHost: " + strings.TrimPrefix(r.api, "http://") + "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
	if _, err := io.WriteString(conn, request); err != nil {
		r.t.Fatal(err)
	}
	status := make([]byte, len("HTTP/1.1 101"))
	if _, err := io.ReadFull(conn, status); err != nil || string(status) != "HTTP/1.1 101" {
		r.t.Fatalf("%q %v", status, err)
	}
}

// Scenario D: WebSocket clients that do not read cost nobody anything: the lines
// go on, and who reads gets every message.
func TestStalledWebSocket(t *testing.T) {
	p := newPool(t)
	r := start(t, p.address())
	for range 5 {
		r.stall()
	}
	feed := r.watch("")
	miner, atPool := r.connect(p)

	// Far more than all buffers between the scope and the stalled clients hold.
	const lines, wide = 4000, 4000
	pad := strings.Repeat("x", wide)
	heard := make(chan struct{})
	seen := make(map[string]bool)
	go func() {
		defer close(heard)
		for len(seen) < lines {
			select {
			case text, ok := <-feed.frames:
				if !ok {
					return
				}
				if id, _, ok := strings.Cut(strings.TrimPrefix(string(text), `{"id":"`), `"`); ok {
					seen[id] = true
				}
			case <-time.After(limit):
				return
			}
		}
	}()
	var slowest time.Duration
	for i := range lines {
		line := fmt.Sprintf(`{"id":%d,"method":"x","params":[%q]}`, i, pad)
		began := time.Now()
		miner.line(line)
		if got := atPool.hear(); got != line+"\n" {
			t.Fatalf("line %d arrived as %.100q", i, got)
		}
		slowest = max(slowest, time.Since(began))
	}
	<-heard
	t.Logf("the slowest of %d lines took %v", lines, slowest)
	if slowest > time.Second {
		t.Errorf("a line took %v", slowest)
	}
	if len(seen) != lines {
		t.Errorf("who reads got %d of %d messages", len(seen), lines)
	}
	if s := r.settled(lines); s.Lost > 0 {
		t.Errorf("%d bytes were not captured", s.Lost)
	}
	// What the others missed is counted.
	nodes.WaitFor(t, limit, "the missed messages", func() bool {
		feed := r.status().Feed
		return feed.Skipped > 0 || feed.Ends["write_error"] > 0
	})
}

// Memory is bounded in bytes, too: of lines that are long as no miner's are, the
// ring keeps fewer.
func TestLongLinesInTheRing(t *testing.T) {
	p := newPool(t)
	r := start(t, p.address())
	miner, atPool := r.connect(p)
	const lines, length = 1000, 200 << 10 // two hundred megabytes
	line := `{"id":1,"method":"x","params":["` + strings.Repeat("y", length) + `"]}`
	go func() {
		for range lines {
			miner.line(line)
		}
	}()
	for range lines {
		if got := atPool.hear(); len(got) != len(line)+1 {
			t.Fatalf("%d bytes arrived", len(got))
		}
	}
	s := r.settled(lines)
	c := r.status().Capture
	t.Logf("%d messages and %d MB are kept; resident: %d MB", c.Messages, c.Bytes>>20, resident(t, r.process.PID())>>20)
	if c.Bytes > 128<<20 || c.Messages >= lines || c.Evicted == 0 || s.Lost > 0 {
		t.Errorf("%+v %+v", c, s)
	}
	if page := r.messages("limit=3&session_id=" + s.ID); len(page) != 3 || page[0].Size != len(line)+1 {
		t.Error("the newest are not shown")
	}
	if rss := resident(t, r.process.PID()); rss > 1<<30 {
		t.Errorf("%d MB are resident", rss>>20)
	}
}

// resident is the resident memory of a process, in bytes.
func resident(t *testing.T, pid int) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		t.Fatal(err)
	}
	var size, pages int
	if _, err := fmt.Sscan(string(text), &size, &pages); err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}
