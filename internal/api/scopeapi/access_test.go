package scopeapi

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestAccess asks from everywhere, with and without the token.
func TestAccess(t *testing.T) {
	b := newBench(t)
	scenarioA(b, "s")
	const (
		read  = "GET /api/sessions"
		write = "POST /api/sessions/s/broadcast/enable"
		ws    = "GET /api/ws" // 426 says that access was granted: this is no handshake
	)
	bearer := func(token string) http.Header { return http.Header{"Authorization": {"Bearer " + token}} }
	with := func(h http.Header, more ...string) http.Header {
		h = h.Clone()
		if h == nil {
			h = http.Header{}
		}
		for i := 0; i < len(more); i += 2 {
			h.Set(more[i], more[i+1])
		}
		return h
	}
	offered := func(token string) http.Header {
		return http.Header{"Sec-Websocket-Protocol": {"poolscope, bearer." + base64.RawURLEncoding.EncodeToString([]byte(token))}}
	}

	tests := []struct {
		name, from, host  string
		header            http.Header
		read, write, sock int
	}{
		{"this machine", "127.0.0.1:1", "127.0.0.1:8000", nil, 200, 401, 426},
		{"this machine by name", "[::1]:1", "localhost:8000", nil, 200, 401, 426},
		{"this machine with the token", "127.0.0.1:1", "localhost:8000", bearer(testToken), 200, 200, 426},
		{"a wrong token", "127.0.0.1:1", "localhost:8000", bearer("wrong"), 401, 401, 401},
		{"half a token", "127.0.0.1:1", "localhost:8000", bearer(testToken[:10]), 401, 401, 401},
		{"an empty token", "127.0.0.1:1", "localhost:8000", bearer(""), 401, 401, 401},
		{"another scheme", "127.0.0.1:1", "localhost:8000", http.Header{"Authorization": {"Basic " + testToken}}, 401, 401, 401},
		{"elsewhere", "192.0.2.1:1", "pool.lan:8000", nil, 401, 401, 401},
		{"elsewhere, claiming this machine", "192.0.2.1:1", "127.0.0.1:8000", nil, 401, 401, 401},
		{"elsewhere with the token", "192.0.2.1:1", "pool.lan:8000", bearer(testToken), 200, 200, 426},
		{"rebound name", "127.0.0.1:1", "evil.example:8000", nil, 401, 401, 401},
		{"rebound name of loopback's look", "127.0.0.1:1", "127.0.0.1.evil.example", nil, 401, 401, 401},
		{"through a proxy", "127.0.0.1:1", "127.0.0.1:8000", http.Header{"X-Forwarded-For": {"192.0.2.1"}}, 401, 401, 401},
		{"through a proxy with the token", "127.0.0.1:1", "127.0.0.1:8000", with(bearer(testToken), "Via", "1.1 x"), 200, 200, 426},
		{"own page", "127.0.0.1:1", "127.0.0.1:8000", http.Header{"Origin": {"http://127.0.0.1:8000"}}, 200, 401, 426},
		{"own page with the token", "127.0.0.1:1", "127.0.0.1:8000", with(bearer(testToken), "Origin", "http://127.0.0.1:8000", "Sec-Fetch-Site", "same-origin"), 200, 200, 426},
		{"other site's page", "127.0.0.1:1", "127.0.0.1:8000", http.Header{"Origin": {"https://evil.example"}}, 403, 403, 403},
		{"other site's page with the token", "127.0.0.1:1", "127.0.0.1:8000", with(bearer(testToken), "Origin", "https://evil.example"), 403, 403, 403},
		{"other port's page", "127.0.0.1:1", "127.0.0.1:8000", http.Header{"Origin": {"http://127.0.0.1:3000"}}, 403, 403, 403},
		{"page without an origin", "127.0.0.1:1", "127.0.0.1:8000", http.Header{"Origin": {"null"}}, 403, 403, 403},
		{"other site's image", "127.0.0.1:1", "127.0.0.1:8000", http.Header{"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"no-cors"}}, 403, 403, 403},
		{"other site's form", "127.0.0.1:1", "127.0.0.1:8000", with(bearer(testToken), "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"), 403, 403, 403},
		{"a link that was followed", "127.0.0.1:1", "127.0.0.1:8000", http.Header{"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"navigate"}, "Sec-Fetch-Dest": {"document"}}, 403, 403, 403},
		{"an address that was typed", "127.0.0.1:1", "127.0.0.1:8000", http.Header{"Sec-Fetch-Site": {"none"}, "Sec-Fetch-Mode": {"navigate"}}, 200, 401, 426},
		{"page elsewhere, token by subprotocol", "192.0.2.1:1", "pool.lan:8000", with(offered(testToken), "Origin", "http://pool.lan:8000"), 200, 200, 426},
		{"page elsewhere, wrong token by subprotocol", "192.0.2.1:1", "pool.lan:8000", offered("wrong"), 401, 401, 401},
		{"page elsewhere, no base64", "127.0.0.1:1", "127.0.0.1:8000", http.Header{"Sec-Websocket-Protocol": {"bearer.!"}}, 401, 401, 401},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for operation, want := range map[string]int{read: test.read, write: test.write, ws: test.sock} {
				method, target, _ := strings.Cut(operation, " ")
				r := httptest.NewRequest(method, target, nil)
				r.RemoteAddr, r.Host = test.from, test.host
				if test.header != nil {
					r.Header = test.header.Clone()
				}
				w := b.serve(r)
				if w.Code != want {
					t.Errorf("%s: %d %s, want %d", operation, w.Code, w.Body, want)
				}
				if w.Code == http.StatusUnauthorized && w.Header().Get("WWW-Authenticate") == "" {
					t.Error("a 401 that does not say how to authenticate")
				}
				for name := range w.Header() {
					if strings.HasPrefix(name, "Access-Control-") {
						t.Errorf("%s: %s: no other site may read anything", operation, name)
					}
				}
			}
		})
	}
	s := b.api.apiStatus().Refused
	if s["cross_site"] == 0 || s["wrong_token"] == 0 {
		t.Errorf("refusals are not counted: %v", s)
	}
}

// TestEveryWriteWantsTheToken asks for each operation that changes something
// without a token, and from another site with it.
func TestEveryWriteWantsTheToken(t *testing.T) {
	b := newBench(t)
	writes := 0
	for _, op := range b.api.operations {
		if op.Method == http.MethodGet {
			continue
		}
		writes++
		target := strings.NewReplacer("{session_id}", "s", "{message_id}", "s-1").Replace(op.Path)
		if w := b.serve(request(op.Method, target, "{}")); w.Code != http.StatusUnauthorized {
			t.Errorf("%s %s without a token: %d", op.Method, target, w.Code)
		}
		r := request(op.Method, target, "{}")
		r.Header.Set("Authorization", "Bearer "+testToken)
		r.Header.Set("Origin", "https://evil.example")
		if w := b.serve(r); w.Code != http.StatusForbidden {
			t.Errorf("%s %s from another site: %d", op.Method, target, w.Code)
		}
	}
	if writes < 10 {
		t.Errorf("only %d operations change something", writes)
	}
}

// TestBodiesAreJSON sends what a form could send without asking.
func TestBodiesAreJSON(t *testing.T) {
	b := newBench(t)
	scenarioA(b, "s")
	for _, kind := range []string{"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonp", "nonsense/"} {
		r := request("POST", "/api/sessions/s/repeat-count", `{"repeat_count":3}`)
		r.Header.Set("Authorization", "Bearer "+testToken)
		r.Header.Set("Content-Type", kind)
		wantDetail(t, b.serve(r), http.StatusUnsupportedMediaType, "The body must be application/json")
	}
	r := request("POST", "/api/sessions/s/repeat-count", `{"repeat_count":3}`)
	r.Header.Set("Authorization", "bearer "+testToken)
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	if w := b.serve(r); w.Code != http.StatusOK {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestNoToken runs without a token: nothing can be changed, and nobody
// elsewhere sees anything.
func TestNoToken(t *testing.T) {
	b := newBench(t, func(c *Config, _ *Sources) { c.Token = "" })
	scenarioA(b, "s")
	if w := b.get("/api/sessions"); w.Code != http.StatusOK {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	wantDetail(t, b.serve(request("POST", "/api/sessions/s/disconnect", "")), http.StatusForbidden, "Nothing can be changed: no token is configured")
	r := request("GET", "/api/sessions", "")
	r.RemoteAddr = "192.0.2.1:1"
	wantDetail(t, b.serve(r), http.StatusForbidden, "Only from this machine: no token is configured")
	r.Header.Set("Authorization", "Bearer ")
	if w := b.serve(r); w.Code != http.StatusForbidden {
		t.Errorf("the empty token lets in: %d", w.Code)
	}
	b.api.SetToken("made later, and long")
	r.Header.Set("Authorization", "Bearer made later, and long")
	if w := b.serve(r); w.Code != http.StatusOK {
		t.Errorf("the new token does not let in: %d", w.Code)
	}
}

// TestPublic asks a server that others reach: this machine is no exception.
func TestPublic(t *testing.T) {
	b := newBench(t, func(c *Config, _ *Sources) { c.Public = true })
	if w := b.get("/api/sessions"); w.Code != http.StatusUnauthorized {
		t.Errorf("without the token: %d", w.Code)
	}
	if w := b.send("GET", "/api/sessions", ""); w.Code != http.StatusOK {
		t.Errorf("with the token: %d", w.Code)
	}
}

func TestLoadOrMakeToken(t *testing.T) {
	dir := t.TempDir()
	token, made, err := LoadOrMakeToken(dir)
	if err != nil || !made || len(token) < 32 {
		t.Fatalf("%q, %t, %v", token, made, err)
	}
	info, err := os.Stat(filepath.Join(dir, "scope-token"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v: others can read it", info.Mode(), err)
	}
	if again, made, err := LoadOrMakeToken(dir); again != token || made || err != nil {
		t.Errorf("the next start has %q, %t, %v", again, made, err)
	}
	if other, _, _ := LoadOrMakeToken(t.TempDir()); other == token {
		t.Error("two programs have one token")
	}
	if err := os.WriteFile(filepath.Join(dir, "scope-token"), []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if token, _, err := LoadOrMakeToken(dir); err == nil || !strings.Contains(err.Error(), "remove the file") {
		t.Errorf("an empty file gives %q, %v", token, err)
	}
}
