package scopeapi

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

// listen opens a WebSocket to a server of the bench.
func (b *bench) listen(target string, o *websocket.DialOptions) *websocket.Conn {
	b.t.Helper()
	server := httptest.NewServer(b.api)
	b.t.Cleanup(server.Close)
	return b.dial(server.URL+target, o)
}

func (b *bench) dial(url string, o *websocket.DialOptions) *websocket.Conn {
	b.t.Helper()
	conn, _, err := websocket.Dial(context.Background(), url, o) //nolint:bodyclose // the library reads it
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = conn.CloseNow() })
	conn.SetReadLimit(8 << 20)
	return conn
}

// next is the next frame.
func next(t *testing.T, conn *websocket.Conn) map[string]any {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	kind, text, err := conn.Read(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var frame map[string]any
	if err := json.Unmarshal(text, &frame); err != nil || kind != websocket.MessageText {
		t.Fatalf("%v: %v in %s", kind, err, text)
	}
	return frame
}

// TestFeed follows the happy path: each request comes twice, new and answered.
func TestFeed(t *testing.T) {
	b := newBench(t)
	all := b.listen("/api/ws", nil)
	one := b.listen("/api/ws?session_id=s", nil)
	none := b.listen("/api/ws?session_id=nobody", nil)
	scenarioA(b, "other")
	scenarioA(b, "s")

	want := []string{"1", "2", "1", "3", "4", "3", "5", "6", "7", "8", "7"}
	var got []string
	for range 2 * len(want) {
		frame := next(t, all)
		id, _ := frame["id"].(string)
		got = append(got, strings.TrimPrefix(strings.TrimPrefix(id, "s-"), "other-"))
	}
	if fmt.Sprint(got) != fmt.Sprint(append(want, want...)) {
		t.Errorf("frames are %v", got)
	}
	var last map[string]any
	for range want {
		last = next(t, one)
		if last["session_id"] != "s" {
			t.Errorf("a frame of session %v", last["session_id"])
		}
	}
	// A frame is what GET answers.
	if rest := read[map[string]any](t, b.get("/api/messages/s-7")); fmt.Sprint(rest) != fmt.Sprint(last) {
		t.Errorf("frame %v\nREST  %v", last, rest)
	}
	wantMembers(t, "frame", last, messageMembers)

	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, text, err := none.Read(ctx); err == nil {
		t.Errorf("a session that does not exist says %s", text)
	}
	if s := b.feed.Status(); s.Clients != 3 && s.Clients != 2 || s.Encoded != uint64(2*len(want)) || s.Sent != uint64(3*len(want)) {
		t.Errorf("%+v: every message is encoded once", s)
	}
}

// TestFeedIgnoresItsClients lets a client talk, as text and as bytes.
func TestFeedIgnoresItsClients(t *testing.T) {
	b := newBench(t)
	conn := b.listen("/api/ws", nil)
	for _, kind := range []websocket.MessageType{websocket.MessageText, websocket.MessageBinary, websocket.MessageText} {
		if err := conn.Write(context.Background(), kind, []byte(strings.Repeat("\x00\xff", 1000))); err != nil {
			t.Fatal(err)
		}
	}
	tape := b.open("s")
	say(tape, capture.MinerToPool, "{}\n", when)
	if frame := next(t, conn); frame["id"] != "s-1" {
		t.Errorf("got %v", frame)
	}
}

// TestFeedOrigin opens WebSockets as pages do.
func TestFeedOrigin(t *testing.T) {
	b := newBench(t)
	server := httptest.NewServer(b.api)
	defer server.Close()
	for origin, want := range map[string]int{"": 101, server.URL: 101, "https://evil.example": 403, "null": 403} {
		h := http.Header{}
		if origin != "" {
			h.Set("Origin", origin)
		}
		conn, response, err := websocket.Dial(context.Background(), server.URL+"/api/ws", &websocket.DialOptions{HTTPHeader: h}) //nolint:bodyclose // the library reads it
		if response == nil || response.StatusCode != want || (err == nil) != (want == 101) {
			t.Errorf("from %q: %v, %v; want %d", origin, response, err, want)
		}
		if conn != nil {
			_ = conn.CloseNow()
		}
	}
	// The token in a subprotocol, which is all that a page can send.
	offer := []string{"poolscope", "bearer." + base64.RawURLEncoding.EncodeToString([]byte(testToken))}
	conn := b.dial(server.URL+"/api/ws", &websocket.DialOptions{Subprotocols: offer})
	if conn.Subprotocol() != "poolscope" {
		t.Errorf("the server took %q: the token must not come back", conn.Subprotocol())
	}
}

func TestFeedIsBounded(t *testing.T) {
	b := newBench(t, func(_ *Config, _ *Sources) {})
	b.feed.cfg.Clients = 2
	server := httptest.NewServer(b.api)
	defer server.Close()
	first := b.dial(server.URL+"/api/ws", nil)
	b.dial(server.URL+"/api/ws/agents", nil)
	_, response, err := websocket.Dial(context.Background(), server.URL+"/api/ws", nil) //nolint:bodyclose // the library reads it
	if err == nil || response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") == "" {
		t.Fatalf("a third client of two: %v, %v", response, err)
	}
	_ = first.Close(websocket.StatusNormalClosure, "")
	for deadline := time.Now().Add(10 * time.Second); b.feed.Status().Clients > 1; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("a client that left is still counted")
		}
	}
	b.dial(server.URL+"/api/ws", nil)
	if s := b.feed.Status(); s.Refused["full"] != 1 || s.Ends["gone"] != 1 {
		t.Errorf("%+v", s)
	}
}

func TestAgentFeed(t *testing.T) {
	b := newBench(t)
	conn := b.listen("/api/ws/agents", nil)
	if got := fmt.Sprint(next(t, conn)); got != "map[agents:[] type:init]" {
		t.Errorf("got %s", got)
	}
}

// TestStalledClients keeps a hundred WebSockets open that read nothing, beside
// one that does.
func TestStalledClients(t *testing.T) {
	b := newBench(t)
	b.feed.cfg.Patience, b.feed.cfg.Ping, b.feed.cfg.Messages, b.feed.cfg.Bytes = 4*time.Second, 5*time.Second, 1<<20, 1<<20
	server := httptest.NewServer(b.api)
	defer server.Close()
	for range 100 {
		b.dial(server.URL+"/api/ws", nil)
	}
	reader := b.dial(server.URL+"/api/ws?session_id=s", nil)
	reader.SetReadLimit(-1)

	const lines = 1500
	line := `{"id":null,"method":"mining.notify","params":["` + strings.Repeat("0", 4000) + `"]}` + "\n"
	tape := b.open("s")
	began := time.Now()
	for range lines {
		say(tape, capture.PoolToMiner, line, when)
		if time.Since(began) > 5*time.Second {
			t.Fatal("who records waits for who looks")
		}
	}
	seen, missed := 0, 0
	for seen+missed < lines {
		frame := next(t, reader)
		if n, isGap := frame["dropped"].(float64); isGap {
			missed += int(n)
		} else if frame["ts_fwd"] != nil {
			seen++
		}
	}
	b.settle("s", lines)
	if chunks, _ := b.recorder.Losses(); chunks > 0 {
		t.Errorf("the recorder lost %d chunks", chunks)
	}
	// Those whose socket took nothing more end soon, the others by a ping. Now
	// the reader is one of them.
	for deadline := time.Now().Add(30 * time.Second); b.feed.Status().Clients > 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("clients that read nothing stay: %+v", b.feed.Status())
		}
	}
	if s := b.feed.Status(); s.Skipped == 0 || s.Ends["shutdown"] > 0 {
		t.Errorf("%+v", s)
	}
	t.Logf("%d frames seen, %d missed", seen, missed)
}

// TestSilentClient opens a WebSocket that answers no ping.
func TestSilentClient(t *testing.T) {
	b := newBench(t)
	b.feed.cfg.Ping = 50 * time.Millisecond
	b.listen("/api/ws", nil) // nobody reads, so nobody answers
	for deadline := time.Now().Add(10 * time.Second); b.feed.Status().Ends["no_pong"] == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%+v", b.feed.Status())
		}
	}
}

// TestAgentPing waits for the application's ping.
func TestAgentPing(t *testing.T) {
	b := newBench(t)
	b.feed.cfg.AgentPing = 20 * time.Millisecond
	conn := b.listen("/api/ws/agents", nil)
	next(t, conn)
	for range 2 {
		if got := fmt.Sprint(next(t, conn)); got != "map[type:ping]" {
			t.Errorf("got %s", got)
		}
	}
}

// TestGapNotice fills a client's queue that nobody reads, and then reads it.
func TestGapNotice(t *testing.T) {
	f := NewFeed(FeedConfig{Messages: 10})
	l, ok := f.join("")
	if !ok {
		t.Fatal("no room")
	}
	defer f.leave(l)
	message := func(seq uint64) *capture.Message {
		return &capture.Message{Seq: seq, Session: "s", N: seq, Raw: []byte("{}\n")}
	}
	for seq := uint64(1); seq <= 30; seq++ {
		f.distribute(message(seq))
	}
	take := func() (frame map[string]any) {
		t.Helper()
		text := l.take()
		if text == nil {
			return nil
		}
		if err := json.Unmarshal(text, &frame); err != nil {
			t.Fatal(err)
		}
		return frame
	}
	for n := 1; n <= 5; n++ {
		if frame := take(); frame["seq"] != float64(n) {
			t.Fatalf("frame %d is %v", n, frame)
		}
	}
	// Half empty: it goes on, and what it missed is told in its place.
	f.distribute(message(31))
	for n := 6; n <= 10; n++ {
		if frame := take(); frame["seq"] != float64(n) {
			t.Fatalf("frame %d is %v", n, frame)
		}
	}
	gap := take()
	if _, isMessage := gap["id"]; isMessage || gap["type"] != "gap" || gap["dropped"] != 20.0 || gap["first_seq"] != 11.0 || gap["last_seq"] != 30.0 {
		t.Errorf("the notice is %v", gap)
	}
	if frame := take(); frame["seq"] != 31.0 {
		t.Errorf("after the notice comes %v", frame)
	}
	if frame := take(); frame != nil {
		t.Errorf("and then %v", frame)
	}

	// The notice does not wait for a message.
	for seq := uint64(40); seq < 60; seq++ {
		f.distribute(message(seq))
	}
	for range 10 {
		take()
	}
	if gap := take(); gap["type"] != "gap" || gap["dropped"] != 10.0 || gap["last_seq"] != 59.0 {
		t.Errorf("the notice is %v", gap)
	}
	if s := f.Status(); s.Skipped != 30 || s.Gaps != 2 {
		t.Errorf("%+v", s)
	}
}

// TestGapNoticeOfUnknown misses messages that were never encoded, beside some of
// which the place is known: these alone are not what has to be fetched.
func TestGapNoticeOfUnknown(t *testing.T) {
	f := NewFeed(FeedConfig{Messages: 2})
	l, _ := f.join("")
	defer f.leave(l)
	message := func(seq uint64) *capture.Message {
		return &capture.Message{Seq: seq, Session: "s", N: seq, Raw: []byte("{}\n")}
	}
	read := func() (frame map[string]any) {
		t.Helper()
		if err := json.Unmarshal(l.take(), &frame); err != nil {
			t.Fatal(err)
		}
		return frame
	}
	for seq := uint64(1); seq <= 4; seq++ {
		f.distribute(message(seq))
	}
	f.overflow.Add(66) // behind what waits for being encoded
	f.distribute(message(5))
	read()
	read()
	if gap := read(); gap["dropped"] != 69.0 || gap["first_seq"] != nil || gap["last_seq"] != nil {
		t.Errorf("the notice is %v", gap)
	}

	// The next one is of what came after it.
	for seq := uint64(100); seq <= 104; seq++ {
		f.distribute(message(seq))
	}
	read()
	read()
	if gap := read(); gap["dropped"] != 3.0 || gap["first_seq"] != 102.0 || gap["last_seq"] != 104.0 {
		t.Errorf("the next notice is %v", gap)
	}
}

// TestFeedBytes bounds the queue by its bytes, too.
func TestFeedBytes(t *testing.T) {
	f := NewFeed(FeedConfig{Bytes: 100_000})
	l, _ := f.join("")
	defer f.leave(l)
	big := &capture.Message{Seq: 1, Session: "s", N: 1, Raw: []byte(strings.Repeat("x", 50_000))}
	for range 1000 {
		f.distribute(big)
	}
	if l.bytes > 200_000 || f.Status().Skipped < 990 {
		t.Errorf("%d bytes wait, %+v", l.bytes, f.Status())
	}
}

// TestOverflow gives the feed messages faster than anybody encodes them.
func TestOverflow(t *testing.T) {
	f := NewFeed(FeedConfig{Messages: 2 * feedQueue})
	l, _ := f.join("")
	f.mu.Lock() // the encoding stands still
	for seq := uint64(1); seq <= feedQueue+1000; seq++ {
		f.Captured(&capture.Message{Seq: seq, Session: "s", N: seq, Raw: []byte("{}\n")})
	}
	f.mu.Unlock()
	f.Captured(&capture.Message{Seq: 1 << 20, Session: "s", N: 1, Raw: []byte("{}\n")})
	messages, missed := uint64(0), 0.0
	for deadline := time.Now().Add(10 * time.Second); messages+uint64(missed) < feedQueue+1001; {
		text := l.take()
		if text == nil {
			if time.Now().After(deadline) {
				t.Fatalf("%d messages and %v missed, %d were captured", messages, missed, feedQueue+1001)
			}
			time.Sleep(time.Millisecond)
			continue
		}
		var frame map[string]any
		_ = json.Unmarshal(text, &frame)
		if frame["type"] == "gap" {
			n, _ := frame["dropped"].(float64)
			missed += n
		} else {
			messages++
		}
	}
	f.leave(l)
	if missed == 0 {
		t.Error("nothing was missed: the queue has no bound")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	f.Wait(ctx)
	if ctx.Err() != nil {
		t.Error("the encoding goes on without clients")
	}
}

// BenchmarkCaptured is what the feed costs the recorder for each message, with
// nobody and with a hundred clients that read nothing.
func BenchmarkCaptured(b *testing.B) {
	m := &capture.Message{Seq: 1, Session: "s", N: 1, Raw: []byte(`{"id":3,"method":"mining.submit","params":["u.w","job1","0000000000000001","65000001","deadbeef"]}` + "\n")}
	for _, clients := range []int{0, 1, 100} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			f := NewFeed(FeedConfig{})
			for range clients {
				l, _ := f.join("")
				b.Cleanup(func() { f.leave(l) })
			}
			b.ReportAllocs()
			for b.Loop() {
				f.Captured(m)
			}
		})
	}
}
