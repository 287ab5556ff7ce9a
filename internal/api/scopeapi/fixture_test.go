package scopeapi

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/scope/audit"
	"github.com/poolscope/poolscope/internal/scope/capture"
	"github.com/poolscope/poolscope/internal/scope/journal"
	"github.com/poolscope/poolscope/internal/scope/replay"
)

const testToken = "correct-horse-battery-staple"

// bench is a recorder with one session, and the API on it.
type bench struct {
	t        *testing.T
	api      *API
	recorder *capture.Recorder
	feed     *Feed
	auditor  *audit.Auditor // of the recorder; not a source unless a test makes it one
	replay   *fakeReplay
	tap      *fakeTap
	live     map[string]bool // sessions that Disconnect finds
}

// newBench starts a recorder and makes the API of it.
func newBench(t *testing.T, change ...func(*Config, *Sources)) *bench {
	t.Helper()
	b := &bench{t: t, feed: NewFeed(FeedConfig{}), replay: newFakeReplay(), tap: &fakeTap{mode: "off"}, live: map[string]bool{}}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	b.auditor = audit.New(audit.Config{}, log)
	b.recorder = capture.New(capture.Config{Analyst: b.auditor}, log, b.feed)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = b.recorder.Run(ctx)
	}()
	t.Cleanup(func() { cancel(); <-done })

	cfg := Config{Token: testToken, Version: "test", Settings: Settings{
		ListenHost: "0.0.0.0", ListenPort: 3333, PoolHost: "stratum+tcp://pool.example.com", PoolPort: 3333,
		APIPort: 8000, CaptureMaxMessages: 50000, NostrEnabled: true, RunID: "test-run-123",
	}}
	src := Sources{
		Messages: journal.NewLibrary(b.recorder.Store(), nil), Replay: b.replay, Sessions: b, Tap: b.tap, Recorder: b.recorder,
		Parts: []Part{{Name: "journal", Status: func() any { return map[string]any{"dropped": 7, "state": "ok"} }}},
	}
	for _, f := range change {
		f(&cfg, &src)
	}
	b.api = New(cfg, src, b.feed, log)
	return b
}

func (b *bench) Disconnect(session string) bool { return b.live[session] }

// open begins a session of the proxy and connects its pool.
func (b *bench) open(id string) *capture.Tape {
	t := b.recorder.Open(capture.Opening{
		ID: id, Origin: capture.OriginProxy, Miner: "192.168.1.100:12345", Listener: "0.0.0.0:3333",
		Pool: "pool.example.com:3333", At: time.Date(2024, 1, 7, 12, 34, 56, 789e6, time.UTC),
	})
	t.PoolConnected("10.0.0.1:3333")
	b.live[id] = true
	b.until(id, "is connected", func(s capture.Session) bool { return s.Connected })
	return t
}

// say records a line, line feed included, that was forwarded at once.
func say(t *capture.Tape, d capture.Direction, line string, at time.Time) {
	t.Line(d, []byte(line), at)
}

// settle waits until the recorder has captured so many messages of a session.
func (b *bench) settle(session string, messages uint64) {
	b.t.Helper()
	b.until(session, "has its messages", func(s capture.Session) bool { return s.Messages >= messages })
}

// until waits until the recorder has made of a session what the test needs.
func (b *bench) until(session, what string, done func(capture.Session) bool) {
	b.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		if s, _ := b.recorder.Store().Session(session); done(s) {
			return
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("session %s: waited in vain until it %s", session, what)
		}
	}
}

// request is a request from this machine, without a token.
func request(method, target, body string) *http.Request {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.RemoteAddr, r.Host = "127.0.0.1:5000", "127.0.0.1:8000"
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return r
}

// get asks from this machine.
func (b *bench) get(target string) *httptest.ResponseRecorder {
	return b.serve(request(http.MethodGet, target, ""))
}

// send asks with the token.
func (b *bench) send(method, target, body string) *httptest.ResponseRecorder {
	r := request(method, target, body)
	r.Header.Set("Authorization", "Bearer "+testToken)
	return b.serve(r)
}

func (b *bench) serve(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	b.api.ServeHTTP(w, r)
	return w
}

// read decodes a response, which must be valid JSON.
func read[T any](t *testing.T, w *httptest.ResponseRecorder) (v T) {
	t.Helper()
	if got := w.Header().Get("Content-Type"); got != "application/json" {
		t.Errorf("a response of type %q", got)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		t.Fatalf("%v in %s", err, w.Body)
	}
	return v
}

// wantDetail checks an error with a text.
func wantDetail(t *testing.T, w *httptest.ResponseRecorder, status int, detail string) {
	t.Helper()
	if got := read[map[string]any](t, w); w.Code != status || len(got) != 1 || got["detail"] != detail {
		t.Errorf("got %d %s, want %d %q", w.Code, w.Body, status, detail)
	}
}

// fakeReplay keeps settings as the service does, and answers what it is told.
type fakeReplay struct {
	settings map[string]replay.Settings
	result   replay.Result
	err      error
	modified []string
}

func newFakeReplay() *fakeReplay { return &fakeReplay{settings: map[string]replay.Settings{}} }

func (f *fakeReplay) Replay(_ context.Context, m *capture.Message, modified string) (replay.Result, error) {
	f.modified = append(f.modified, modified)
	switch {
	case m.Direction != capture.MinerToPool:
		return replay.Result{}, replay.ErrDirection
	case m.Method != "mining.submit":
		return replay.Result{}, replay.ErrMethod
	}
	return f.result, f.err
}

func (f *fakeReplay) Settings(session string) replay.Settings {
	if s, ok := f.settings[session]; ok {
		return s
	}
	return replay.DefaultSettings()
}

func (f *fakeReplay) Change(session string, c replay.Change) (replay.Settings, error) {
	s := f.Settings(session)
	if c.Broadcast != nil {
		s.Broadcast = *c.Broadcast
	}
	if c.RepeatCount != nil {
		if s.RepeatCount = *c.RepeatCount; s.RepeatCount < 1 || s.RepeatCount > replay.MaxRepeatCount {
			return s, replay.ErrRepeatCount
		}
	}
	if c.AutoReplay != nil {
		s.AutoReplay = *c.AutoReplay
	}
	if c.AutoReplayCount != nil {
		s.AutoReplayCount = *c.AutoReplayCount
	}
	if c.AutoReplayRate != nil {
		s.AutoReplayRate = *c.AutoReplayRate
	}
	if f.err != nil {
		return s, f.err
	}
	f.settings[session] = s
	return s, nil
}

func (f *fakeReplay) AutoReplay(string) replay.Progress { return replay.Progress{Total: 3, Done: 1} }
func (f *fakeReplay) Status() replay.Status             { return replay.Status{} }

type fakeTap struct {
	mode string
	err  error
}

func (f *fakeTap) TapMode() string { return f.mode }
func (f *fakeTap) SetTapMode(mode string) error {
	if f.err == nil {
		f.mode = mode
	}
	return f.err
}
