package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/poolscope/poolscope/internal/ledger"
	"github.com/poolscope/poolscope/internal/pool"
)

// event is a message of the live feed.
type event struct {
	Seq   uint64          `json:"seq"`
	Topic string          `json:"topic"`
	Data  json.RawMessage `json:"data"`
}

func parse(t *testing.T, msg []byte) event {
	t.Helper()
	var e event
	if err := json.Unmarshal(msg, &e); err != nil {
		t.Fatalf("%v: %s", err, msg)
	}
	return e
}

// queued returns what waits for a client.
func queued(t *testing.T, c *liveClient) []event {
	t.Helper()
	var all []event
	for len(c.out) > 0 {
		all = append(all, parse(t, <-c.out))
	}
	return all
}

// still keeps the hub's own ticking out of a test that ticks by hand.
func still(h *hub) { h.stop = func() {} }

func TestHubSendsWhatChanged(t *testing.T) {
	m := full()
	s, clock := newTestServer(t, m, Config{})
	still(s.hub)
	c, ok := s.hub.join(nil)
	if !ok {
		t.Fatal("full")
	}

	first := queued(t, c)
	if len(first) != 1 || first[0].Topic != "snapshot" {
		t.Fatalf("got %+v, want one snapshot", first)
	}
	var snap map[string]json.RawMessage
	if err := json.Unmarshal(first[0].Data, &snap); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"overview", "hashrate", "blocks", "status"} {
		if len(snap[name]) == 0 {
			t.Errorf("the snapshot has no %s", name)
		}
	}
	if len(snap) != 4 {
		t.Errorf("the snapshot has %d topics", len(snap))
	}

	// The countdown goes on every second; nothing else changed.
	clock.advance(time.Second)
	s.hub.tick(clock.now())
	got := queued(t, c)
	if len(got) != 1 || got[0].Topic != "hashrate" || got[0].Seq != first[0].Seq+1 {
		t.Fatalf("got %+v, want hashrate with number %d", got, first[0].Seq+1)
	}

	// Within the same millisecond nothing changes at all.
	s.hub.tick(clock.now())
	if got := queued(t, c); len(got) != 0 {
		t.Fatalf("got %+v for no change", got)
	}

	p := *m.pool.Load()
	p.Connections++
	m.pool.Store(&p)
	s.hub.tick(clock.now())
	got = queued(t, c)
	if len(got) != 2 || got[0].Topic != "overview" || got[1].Topic != "status" || got[1].Seq != got[0].Seq+1 {
		t.Fatalf("got %+v, want overview and status", got)
	}
	var page overviewPage
	if err := json.Unmarshal(got[0].Data, &page); err != nil || page.ActiveMiners != 6 {
		t.Errorf("overview %+v, %v", page, err)
	}

	// A client that comes now continues with the same numbers.
	late, _ := s.hub.join(nil)
	welcome := queued(t, late)
	p.Connections++
	m.pool.Store(&p)
	s.hub.tick(clock.now())
	if next := queued(t, late); welcome[0].Seq != got[1].Seq || next[0].Seq != welcome[0].Seq+1 {
		t.Errorf("snapshot %d after %d, next %d", welcome[0].Seq, got[1].Seq, next[0].Seq)
	}
	s.hub.leave(c, liveGone)
	s.hub.leave(late, liveGone)
}

// TestHubEncodesOnce checks that clients do not add encodings, and that all
// queues hold the same bytes.
func TestHubEncodesOnce(t *testing.T) {
	s, clock := newTestServer(t, full(), Config{})
	still(s.hub)
	clients := make([]*liveClient, 100)
	for i := range clients {
		clients[i], _ = s.hub.join(nil)
	}
	clock.advance(time.Second)
	s.hub.tick(clock.now())
	if n := s.hub.encoded.Load(); n != 8 { // four topics, two moments
		t.Errorf("%d encodings, want 8", n)
	}
	a, b := clients[0], clients[99]
	<-a.out
	<-b.out
	if x, y := <-a.out, <-b.out; &x[0] != &y[0] {
		t.Error("two copies of one message")
	}
	for _, c := range clients {
		s.hub.leave(c, liveGone)
	}
}

func TestHubDropsSlowClient(t *testing.T) {
	s, clock := newTestServer(t, full(), Config{})
	still(s.hub)
	ctx, drop := context.WithCancelCause(t.Context())
	defer drop(nil)
	slow, _ := s.hub.join(drop)
	quick, _ := s.hub.join(func(error) { t.Error("the quick client was dropped") })
	for range 2 * liveQueue {
		clock.advance(time.Second)
		s.hub.tick(clock.now())
		queued(t, quick)
	}
	if !errors.Is(context.Cause(ctx), errOverloaded) {
		t.Errorf("the slow client's context ended with %v", context.Cause(ctx))
	}
	if len(slow.out) != liveQueue {
		t.Errorf("%d messages wait, want %d", len(slow.out), liveQueue)
	}
	s.hub.leave(slow, liveSlow)
	s.hub.leave(quick, liveGone)
	if s.hub.ends[liveSlow].Load() != 1 || s.hub.size() != 0 {
		t.Errorf("%d slow ends, %d clients", s.hub.ends[liveSlow].Load(), s.hub.size())
	}
}

// TestHubSurvivesPanic checks that a topic that panics in the hub's goroutine
// costs neither the pool nor the other topics, and comes back by itself.
func TestHubSurvivesPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var logged bytes.Buffer
		var broken atomic.Bool
		n := 0
		h := newHub(1, []topic{
			{"bad", func(time.Time) any {
				if broken.Load() {
					panic("boom")
				}
				return "fine"
			}},
			{"good", func(time.Time) any { n++; return n }},
		}, time.Now, slog.New(slog.NewTextHandler(&logged, nil)))
		broken.Store(true)
		c, ok := h.join(nil)
		if !ok {
			t.Fatal("full")
		}
		time.Sleep(3*liveEvery + liveEvery/2)
		synctest.Wait()
		if got := h.panics.Load(); got != 4 { // when the client came, and three ticks
			t.Errorf("%d panics counted, want 4", got)
		}
		got := queued(t, c)
		if len(got) != 4 || string(got[0].Data) != `{"good":1}` || got[3].Topic != "good" || string(got[3].Data) != "4" {
			t.Errorf("got %+v, want a snapshot and three times the good topic", got)
		}
		if text := logged.String(); strings.Count(text, "boom") != 1 || !strings.Contains(text, "topic=bad") || !strings.Contains(text, "live_test.go") {
			t.Errorf("want one line with topic and stack, got %q", text)
		}

		broken.Store(false)
		time.Sleep(liveEvery)
		synctest.Wait()
		if got := queued(t, c); len(got) != 2 || got[0].Topic != "bad" || string(got[0].Data) != `"fine"` {
			t.Errorf("got %+v, want the topic back", got)
		}
		h.leave(c, liveGone)
		h.wait(t.Context())
	})
}

// dial opens the live feed of a test server and returns the status of the
// handshake, 0 when there was no answer.
func dial(t *testing.T, url string, header http.Header) (*websocket.Conn, int, error) {
	t.Helper()
	conn, resp, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(url, "http")+"/api/live", &websocket.DialOptions{HTTPHeader: header})
	status := 0
	if resp != nil {
		status = resp.StatusCode
		if resp.Body != nil {
			_ = resp.Body.Close()
		}
	}
	if conn != nil {
		conn.SetReadLimit(1 << 20)
	}
	return conn, status, err
}

func TestLive(t *testing.T) {
	m := full()
	s, _ := newTestServer(t, m, Config{MaxLive: 1})
	srv := httptest.NewServer(s.Handler())
	defer srv.Close()

	conn, _, err := dial(t, srv.URL, http.Header{"Origin": {srv.URL}})
	if err != nil {
		t.Fatal(err)
	}
	_, msg, err := conn.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if e := parse(t, msg); e.Topic != "snapshot" {
		t.Fatalf("began with %s", e.Topic)
	}

	// A second client finds no room.
	if _, status, err := dial(t, srv.URL, nil); err == nil || status != http.StatusServiceUnavailable {
		t.Errorf("second client: %d, %v", status, err)
	}

	// A change arrives by itself with the next tick.
	p := *m.pool.Load()
	p.State = pool.StatePaused
	m.pool.Store(&p)
	for {
		_, msg, err = conn.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if e := parse(t, msg); e.Topic == "status" && strings.Contains(string(e.Data), `"state":"paused"`) {
			break
		}
	}

	if err := conn.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Error(err)
	}
	s.hub.wait(t.Context())
	if n := s.hub.ends[liveGone].Load(); n != 1 {
		t.Errorf("%d clients left, want 1", n)
	}
	if n := s.hub.ends[liveFull].Load(); n != 1 {
		t.Errorf("%d refused, want 1", n)
	}
}

func TestLiveRefusals(t *testing.T) {
	s, _ := newTestServer(t, nil, Config{})
	srv := httptest.NewServer(s.Handler())
	defer srv.Close()
	for _, origin := range []string{"https://evil.example", "null", "http://127.0.0.1:1", "://", srv.URL + ".evil.example"} {
		if _, status, err := dial(t, srv.URL, http.Header{"Origin": {origin}}); err == nil || status != http.StatusForbidden {
			t.Errorf("origin %q: %d, %v", origin, status, err)
		}
	}
	if w := get(t, s, "/api/live"); w.Code != http.StatusUpgradeRequired {
		t.Errorf("without upgrade: %d, want 426", w.Code)
	}
	if w := get(t, s, "/api/live", "Upgrade", "websocket", "Connection", "Upgrade"); w.Code != http.StatusBadRequest {
		t.Errorf("half a handshake: %d, want 400", w.Code)
	}
	if o, h := s.hub.ends[liveOrigin].Load(), s.hub.ends[liveHandshake].Load(); o != 5 || h != 2 {
		t.Errorf("%d origins and %d handshakes refused, want 5 and 2", o, h)
	}
	if s.hub.size() != 0 {
		t.Errorf("%d clients left", s.hub.size())
	}
}

// TestLiveTalkerDropped checks that a client that sends data is hung up on.
func TestLiveTalkerDropped(t *testing.T) {
	s, _ := newTestServer(t, full(), Config{})
	srv := httptest.NewServer(s.Handler())
	defer srv.Close()
	conn, _, err := dial(t, srv.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.CloseNow() }()
	if err := conn.Write(t.Context(), websocket.MessageText, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, _, err = conn.Read(t.Context())
	}
	if got := websocket.CloseStatus(err); got != websocket.StatusPolicyViolation {
		t.Errorf("closed with %v (%v), want policy violation", got, err)
	}
	s.hub.wait(t.Context())
	if n := s.hub.ends[liveTalk].Load(); n != 1 {
		t.Errorf("%d counted, want 1", n)
	}
}

// upgrade opens the live feed by hand and leaves it to the test to read it.
func upgrade(t *testing.T, address string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	_, err = conn.Write([]byte("GET /api/live HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); err != nil { // the handshake is over
		t.Fatal(err)
	}
	return conn
}

// TestLiveStalledClient connects a client that reads nothing: it must be
// dropped with its reason while another one goes on.
func TestLiveStalledClient(t *testing.T) {
	m := full()
	s, clock := newTestServer(t, m, Config{})
	srv := httptest.NewServer(s.Handler())
	defer srv.Close()
	stalled := upgrade(t, srv.Listener.Addr().String())
	defer func() { _ = stalled.Close() }()

	// Many messages, each too large for the kernel to swallow them all.
	snap := *m.snapshot.Load()
	for i := range 200_000 {
		if s.hub.ends[liveSlow].Load() > 0 || s.hub.size() == 0 {
			break
		}
		next := snap
		next.MinerTypes = make([]ledger.MinerType, maxMinerTypes)
		for j := range next.MinerTypes {
			next.MinerTypes[j] = ledger.MinerType{Name: strings.Repeat("x", maxUserAgent), Total: i}
		}
		m.snapshot.Store(&next)
		clock.advance(time.Second)
		s.hub.tick(clock.now())
	}
	s.hub.wait(t.Context())
	if n := s.hub.ends[liveSlow].Load(); n != 1 {
		t.Errorf("%d slow clients counted, want 1", n)
	}
}

// TestServe runs a whole server life: requests, a WebSocket, and the end.
func TestServe(t *testing.T) {
	s, _ := newTestServer(t, full(), Config{UI: page()})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, ln) }()

	url := "http://" + ln.Addr().String()
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	resp, err := client.Get(url + "/api/overview")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	conn, _, err := dial(t, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.CloseNow() }()

	cancel()
	for err == nil {
		_, _, err = conn.Read(t.Context())
	}
	if got := websocket.CloseStatus(err); got != websocket.StatusGoingAway {
		t.Errorf("the WebSocket ended with %v (%v), want going away", got, err)
	}
	if err := <-served; err != nil {
		t.Errorf("Serve returned %v", err)
	}
	if n := s.hub.ends[liveShutdown].Load(); n != 1 {
		t.Errorf("%d WebSockets ended by the shutdown, want 1", n)
	}
	if c, err := net.Dial("tcp", ln.Addr().String()); err == nil {
		_ = c.Close()
		t.Error("still listens after the end")
	}
}

// TestServeEndsDespiteSilentClient checks that a WebSocket whose client never
// answers is ended within the time that the server has for its end.
func TestServeEndsDespiteSilentClient(t *testing.T) {
	s, _ := newTestServer(t, full(), Config{})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, ln) }()
	silent := upgrade(t, ln.Addr().String())
	defer func() { _ = silent.Close() }()

	cancel()
	if err := <-served; err != nil {
		t.Error(err)
	}
	// Serve waits for its WebSockets, but no longer than its grace.
	if n := s.hub.ends[liveShutdown].Load(); n != 1 || s.hub.size() != 0 {
		t.Errorf("%d WebSockets ended by the shutdown and %d open, want 1 and 0", n, s.hub.size())
	}
	// It was told so all the same: a close frame, status 1001, is the last thing sent.
	sent, err := io.ReadAll(silent)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(sent, []byte("\x03\xe9the pool is shutting down")) {
		t.Errorf("no goodbye at the end of %d bytes", len(sent))
	}
}

func TestServeReportsListenerFailure(t *testing.T) {
	s, _ := newTestServer(t, nil, Config{})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Serve(t.Context(), ln); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v, want net.ErrClosed", err)
	}
}

// TestConnectionLimit checks that connections above the limit are closed at
// once, and that places become free again.
func TestConnectionLimit(t *testing.T) {
	s, _ := newTestServer(t, nil, Config{MaxConnections: 2})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, ln) }()
	defer func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	}()

	ask := func(c net.Conn) error {
		if _, err := c.Write([]byte("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")); err != nil {
			return err
		}
		_, err := c.Read(make([]byte, 1))
		return err
	}
	var conns []net.Conn
	for range 3 {
		c, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		conns = append(conns, c)
		if len(conns) < 3 {
			if err := ask(c); err != nil {
				t.Fatalf("connection %d: %v", len(conns), err)
			}
		}
	}
	if err := ask(conns[2]); err == nil {
		t.Error("the third connection was served")
	}
	if n := s.refused.Load(); n != 1 {
		t.Errorf("%d refused, want 1", n)
	}
}

func BenchmarkHubTick1000Clients(b *testing.B) {
	m := full()
	snap := *m.snapshot.Load()
	snap.Workers = manyWorkers(10_000)
	m.snapshot.Store(&snap)
	s, c := newTestServer(b, m, Config{MaxLive: 1000})
	still(s.hub)
	clients := make([]*liveClient, 1000)
	for i := range clients {
		clients[i], _ = s.hub.join(func(error) {})
	}
	b.ReportAllocs()
	for b.Loop() {
		c.advance(time.Second)
		s.hub.tick(c.now())
		b.StopTimer()
		for _, client := range clients {
			for len(client.out) > 0 {
				<-client.out
			}
		}
		b.StartTimer()
	}
}
