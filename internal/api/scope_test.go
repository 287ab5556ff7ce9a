package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/coder/websocket"

	"github.com/poolscope/poolscope/internal/api/scopeapi"
)

// TestScopeIsMounted asks the whole server for both APIs: each answers and
// refuses in its own way.
func TestScopeIsMounted(t *testing.T) {
	m := full()
	src := m.sources()
	src.Scope = scopeapi.New(scopeapi.Config{Token: "a token for the scope"}, scopeapi.Sources{}, nil, nil)
	s := New(Config{UI: fstest.MapFS{
		"index.html":      {Data: []byte("the page")},
		"docs/index.html": {Data: []byte("the description")},
		"docs/start.js":   {Data: []byte("start()")},
	}}, src, nil)

	for path, want := range map[string]string{
		"/api/agents":       `200 []`,
		"/api/agents/x":     `404 {"detail":"Agent not found"}`,
		"/api/sessions":     `503 {"detail":"The capture is not running"}`,
		"/api/sessions/x/y": `404 {"detail":"Not Found"}`,
		"/api/scope":        `404 {"detail":"Not Found"}`,
		"/api/nothing":      "404 not found\n",
		"/docs":             "200 the description",
		"/docs/start.js":    "200 start()",
		"/blocks":           "200 the page",
	} {
		if got := fromHere(s, http.MethodGet, path); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	if got := fromHere(s, http.MethodPost, "/api/sessions"); got != `405 {"detail":"Method Not Allowed"}` {
		t.Errorf("POST: %s", got)
	}

	// The document has the pool's endpoints, too, and each of them exists.
	var doc struct {
		Paths map[string]map[string]any `json:"paths"`
	}
	if err := json.Unmarshal(get(t, s, "/openapi.json").Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	pool := 0
	for _, path := range apiPaths {
		path, _, _ = strings.Cut(path, "?")
		if doc.Paths[path]["get"] != nil {
			pool++
		}
	}
	if pool != len(apiPaths) || doc.Paths["/api/messages"]["get"] == nil {
		t.Errorf("%d of %d endpoints of the pool are described", pool, len(apiPaths))
	}

	text := fromHere(s, http.MethodGet, "/metrics")
	for _, want := range []string{"poolscope_scope_websocket_clients 0", `poolscope_http_requests_total{code="2xx",route="GET /api/agents"} 1`} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("%s is not among the metrics", want)
		}
	}
}

// TestScopeEndsWithServer stops the server while WebSockets are open, one that
// listens and one that does not.
func TestScopeEndsWithServer(t *testing.T) {
	src := full().sources()
	src.Scope = scopeapi.New(scopeapi.Config{}, scopeapi.Sources{}, nil, nil)
	s := New(Config{}, src, nil)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, ln) }()

	var conns []*websocket.Conn
	for range 2 {
		conn, response, err := websocket.Dial(t.Context(), "ws://"+ln.Addr().String()+"/api/ws", nil)
		if err != nil {
			t.Fatal(err)
		}
		if response.Body != nil {
			_ = response.Body.Close()
		}
		t.Cleanup(func() { _ = conn.CloseNow() })
		conns = append(conns, conn)
	}
	closed := make(chan websocket.StatusCode, 1)
	go func() {
		_, _, err := conns[0].Read(context.WithoutCancel(t.Context()))
		closed <- websocket.CloseStatus(err)
	}()

	began := time.Now()
	stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("the end took %v", took)
	}
	if code := <-closed; code != websocket.StatusGoingAway {
		t.Errorf("the client was told %v, want 1001", code)
	}
}

// fromHere sends a request from this machine and returns status and body.
func fromHere(s *Server, method, path string) string {
	r := httptest.NewRequest(method, path, nil)
	r.RemoteAddr, r.Host = "127.0.0.1:1", "127.0.0.1:8000"
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	return fmt.Sprint(w.Code, " ", w.Body)
}

// TestDocsUnbuilt asks a program without the page for its description.
func TestDocsUnbuilt(t *testing.T) {
	src := full().sources()
	src.Scope = scopeapi.New(scopeapi.Config{}, scopeapi.Sources{}, nil, nil)
	s := New(Config{UI: fstest.MapFS{"index.html": {Data: []byte("not built")}}}, src, nil)
	if w := get(t, s, "/docs"); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "built without") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
