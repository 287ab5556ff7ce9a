package api

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/capture"
	"github.com/poolscope/poolscope/internal/pool"
)

// fakeCaptures records what was ordered.
type fakeCaptures struct {
	order   pool.CaptureOrder
	err     error
	any     bool
	stopped bool
}

func (f *fakeCaptures) StartCapture(o pool.CaptureOrder) (capture.Status, error) {
	f.order, f.any = o, f.err == nil
	return capture.Status{File: "x.jsonl"}, f.err
}

func (f *fakeCaptures) StopCapture() { f.stopped = true }

func (f *fakeCaptures) Capture() (capture.Status, bool) {
	status := capture.Status{File: "x.jsonl", Lines: 3}
	if f.stopped {
		status.End = capture.EndStopped
	}
	return status, f.any
}

func TestCaptureOrders(t *testing.T) {
	for body, want := range map[string]struct {
		status int
		text   string
	}{
		`{"worker":"a.b"}`: {201, `"file":"x.jsonl","running":true`},
		`{"address":"192.0.2.1","duration_sec":5,"max_bytes":9}`: {201, "x.jsonl"},
		`{}`:                                    {400, "one of worker, connection and address"},
		`{"worker":"a","connection":"b"}`:       {400, "one of"},
		`{"worker":"a","duration_sec":0}`:       {400, "duration_sec"},
		`{"worker":"a","duration_sec":3601}`:    {400, "duration_sec"},
		`{"worker":"a","max_bytes":2000000000}`: {400, "max_bytes"},
		`{"address":"nowhere"}`:                 {400, "IP address"},
		`{"wroker":"a"}`:                        {400, "wroker"},
		`worker`:                                {400, "must be an object"},
	} {
		fake := &fakeCaptures{}
		if got, text := askCapture(t, fake, http.MethodPost, body); got != want.status || !strings.Contains(text, want.text) {
			t.Errorf("%s: %d %s", body, got, text)
		}
		if want.status != 201 && fake.any {
			t.Errorf("%s: a capture was started", body)
		}
	}
	fake := &fakeCaptures{}
	askCapture(t, fake, http.MethodPost, `{"connection":"0a"}`)
	if fake.order != (pool.CaptureOrder{Connection: "0a", For: time.Minute, MaxBytes: 16 << 20}) {
		t.Errorf("ordered %+v", fake.order)
	}
	for err, want := range map[error]int{pool.ErrCapturing: 409, errors.New("disk"): 500} {
		if got, text := askCapture(t, &fakeCaptures{err: err}, http.MethodPost, `{"worker":"a"}`); got != want || strings.Contains(text, "disk") {
			t.Errorf("%v: %d %s", err, got, text)
		}
	}
}

func TestCaptureStatus(t *testing.T) {
	if got, _ := askCapture(t, &fakeCaptures{}, http.MethodGet, ""); got != 404 {
		t.Errorf("before the first: %d", got)
	}
	fake := &fakeCaptures{any: true}
	if got, text := askCapture(t, fake, http.MethodGet, ""); got != 200 || !strings.Contains(text, `"running":true`) || !strings.Contains(text, `"lines":3`) {
		t.Errorf("while it runs: %d %s", got, text)
	}
	if got, text := askCapture(t, fake, http.MethodDelete, ""); got != 200 || !fake.stopped || !strings.Contains(text, `"end":"stopped"`) {
		t.Errorf("to end it: %d %s", got, text)
	}
	if got, _ := askCapture(t, nil, http.MethodGet, ""); got != 503 {
		t.Errorf("without a pool: %d", got)
	}
}

// TestCaptureIsGuarded: not everybody may read what miners say.
func TestCaptureIsGuarded(t *testing.T) {
	s := New(Config{Token: "t"}, Sources{Captures: &fakeCaptures{any: true}}, nil)
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, httptest.NewRequest(method, "/api/debug/capture", strings.NewReader(`{"worker":"a"}`)))
		if w.Code != http.StatusUnauthorized {
			t.Errorf("%s without the token: %d", method, w.Code)
		}
	}
}

func askCapture(t *testing.T, fake *fakeCaptures, method, body string) (status int, text string) {
	t.Helper()
	sources := Sources{}
	if fake != nil {
		sources.Captures = fake
	}
	s := New(Config{}, sources, nil)
	r := httptest.NewRequest(method, "http://127.0.0.1:8000/api/debug/capture", strings.NewReader(body))
	r.RemoteAddr = "127.0.0.1:1000"
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	return w.Code, w.Body.String()
}
