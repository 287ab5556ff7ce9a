package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

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
