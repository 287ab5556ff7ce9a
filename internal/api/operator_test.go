package api

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/abuse"
	"github.com/poolscope/poolscope/internal/api/scopeapi"
)

// scopeToken is the scope's token of these tests.
const scopeToken = "a token of the scope's own"

// withScope returns a server that has a scope.
func withScope(t testing.TB, m *models, cfg Config) (*Server, *clock) {
	t.Helper()
	c := newClock(testNow)
	cfg.Now = c.now
	src := m.sources()
	src.Scope = scopeapi.New(scopeapi.Config{Token: scopeToken}, scopeapi.Sources{}, nil, nil)
	return New(cfg, src, nil), c
}

func bearer(token string) []string { return []string{"Authorization", "Bearer " + token} }

// TestOperator checks who is the operator, on a guarded path and on one that
// only shows more to the operator.
func TestOperator(t *testing.T) {
	for _, test := range []struct {
		what, configured, remote, host, token string
		via                                   bool
		want                                  bool
	}{
		{"this machine", "", "127.0.0.1:1", "localhost:8000", "", false, true},
		{"this machine under another name", "", "127.0.0.1:1", "pool.example", "", false, false},
		{"this machine through a proxy", "", "127.0.0.1:1", "localhost:8000", "", true, false},
		{"elsewhere", "", "192.0.2.1:1", "localhost:8000", "", false, false},
		{"elsewhere with the scope's token", "", "192.0.2.1:1", "pool.example", scopeToken, false, true},
		{"through a proxy with the scope's token", "", "127.0.0.1:1", "pool.example", scopeToken, true, true},
		{"elsewhere with a wrong token", "", "192.0.2.1:1", "pool.example", scopeToken + "x", false, false},
		{"this machine, where a token is configured", "secret", "127.0.0.1:1", "localhost:8000", "", false, false},
		{"with the configured token", "secret", "192.0.2.1:1", "pool.example", "secret", false, true},
		{"with the scope's, where another is configured", "secret", "192.0.2.1:1", "pool.example", scopeToken, false, true},
		{"with a wrong one", "secret", "192.0.2.1:1", "pool.example", "secre", false, false},
	} {
		t.Run(test.what, func(t *testing.T) {
			s, _ := withScope(t, full(), Config{Token: test.configured})
			ask := func(path string) *httptest.ResponseRecorder {
				r := httptest.NewRequest(http.MethodGet, path, nil)
				r.RemoteAddr, r.Host = test.remote, test.host
				if test.token != "" {
					r.Header.Set("Authorization", "Bearer "+test.token)
				}
				if test.via {
					r.Header.Set("Via", "1.1 proxy")
				}
				w := httptest.NewRecorder()
				s.Handler().ServeHTTP(w, r)
				return w
			}
			if got := ask("/metrics").Code == http.StatusOK; got != test.want {
				t.Errorf("may see the metrics: %v", got)
			}
			list := ask("/api/workers").Body.String()
			if got := strings.Contains(list, `"operator":true`); got != test.want || strings.Contains(list, satoshi) != test.want {
				t.Errorf("sees names in full: %v", got)
			}
		})
	}
}

// TestFullNames asks for the contract's pages with names in full.
func TestFullNames(t *testing.T) {
	s, _ := withScope(t, full(), Config{})
	for _, path := range []string{"/api/overview?", "/api/blocks?limit=100&"} {
		if w := get(t, s, path+"names=full"); w.Code != http.StatusForbidden || strings.Contains(w.Body.String(), satoshi) {
			t.Errorf("%s: the public gets %d %s", path, w.Code, w.Body)
		}
		for _, query := range []string{"names=full", "names=Full", "names=", ""} {
			w := get(t, s, path+query, bearer(scopeToken)...)
			want := query == "names=full"
			if w.Code != http.StatusOK || strings.Contains(w.Body.String(), satoshi) != want || strings.Contains(w.Body.String(), blockHash) != want {
				t.Errorf("%s%s: the operator gets %d %s", path, query, w.Code, w.Body)
			}
		}
		if w := get(t, s, path); strings.Contains(w.Body.String(), satoshi) {
			t.Errorf("%s: after that, the public gets %s", path, w.Body)
		}
	}
	if w := get(t, s, "/api/blocks?limit=0&names=full", bearer(scopeToken)...); w.Code != http.StatusBadRequest {
		t.Errorf("a wrong limit: %d", w.Code)
	}
}

// TestBansWithTheScopesToken bans from elsewhere with the one token that the page
// has, and as another site's page would.
func TestBansWithTheScopesToken(t *testing.T) {
	src := full().sources()
	src.Bans = watchBans{abuse.New(abuse.Default(), nil, slog.New(slog.DiscardHandler)), time.Now}
	src.Scope = scopeapi.New(scopeapi.Config{Token: scopeToken}, scopeapi.Sources{}, nil, nil)
	s := New(Config{}, src, nil)
	for _, test := range []struct {
		what, token, origin, site string
		code                      int
	}{
		{"own page", scopeToken, "http://pool.example", "same-origin", http.StatusCreated},
		{"no page", scopeToken, "", "", http.StatusCreated},
		{"another site's page", scopeToken, "http://evil.example", "cross-site", http.StatusForbidden},
		{"own page without a token", "", "http://pool.example", "same-origin", http.StatusForbidden},
	} {
		r := httptest.NewRequest(http.MethodPost, "http://pool.example/api/bans", strings.NewReader(`{"address":"203.0.113.7"}`))
		r.Header.Set("Content-Type", "application/json")
		for name, value := range map[string]string{"Authorization": "Bearer " + test.token, "Origin": test.origin, "Sec-Fetch-Site": test.site} {
			if value != "" && value != "Bearer " {
				r.Header.Set(name, value)
			}
		}
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		if w.Code != test.code {
			t.Errorf("%s: %d %s, want %d", test.what, w.Code, w.Body, test.code)
		}
	}
}
