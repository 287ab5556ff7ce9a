package api

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/abuse"
)

// watchBans are bans without a pool.
type watchBans struct {
	*abuse.Watch
	now func() time.Time
}

func (b watchBans) Bans() []abuse.Ban                { return b.Status(b.now()).Bans }
func (b watchBans) LiftBan(block netip.Prefix) error { return b.Lift(block, b.now()) }
func (b watchBans) BanAddress(block netip.Prefix, d time.Duration, reason string) (abuse.Ban, error) {
	return b.Ban(block, d, reason, b.now())
}

// newBanServer returns a server with bans, and a way to ask it from this
// machine.
func newBanServer(t *testing.T, token string) func(method, path, body string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	c := newClock(testNow)
	src := full().sources()
	src.Bans = watchBans{abuse.New(abuse.Default(), nil, slog.New(slog.DiscardHandler)), c.now}
	s := New(Config{Token: token, Now: c.now}, src, nil)
	return func(method, path, body string, header ...string) *httptest.ResponseRecorder {
		t.Helper()
		r := httptest.NewRequest(method, "http://127.0.0.1:8000"+path, strings.NewReader(body))
		r.RemoteAddr = "127.0.0.1:40000"
		if body != "" {
			r.Header.Set("Content-Type", "application/json")
		}
		for i := 0; i+1 < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		return w
	}
}

func TestBansOverHTTP(t *testing.T) {
	ask := newBanServer(t, "")
	if w := ask("GET", "/api/bans", ""); w.Code != 200 || w.Body.String() != `{"api_version":"1","bans":[]}`+"\n" || w.Header().Get("Cache-Control") != noStore {
		t.Errorf("no bans: %d %s", w.Code, w.Body)
	}
	for _, step := range []struct {
		method, path, body string
		code               int
		want               string
	}{
		{"POST", "/api/bans", `{"address":"203.0.113.7","duration_sec":3600,"reason":"asked to"}`, 201,
			`{"address":"203.0.113.7","since":"2026-01-31T19:55:02.5Z","until":"2026-01-31T20:55:02.5Z","level":0,"reason":"asked to","manual":true}`},
		{"POST", "/api/bans", `{"address":"2001:db8:1::/48"}`, 201,
			`{"address":"2001:db8:1::/48","since":"2026-01-31T19:55:02.5Z","level":0,"reason":"","manual":true}`},
		{"POST", "/api/bans", `{"address":"2001:db8::1"}`, 201, `{"address":"2001:db8::/64",`},
		{"POST", "/api/bans", `{"address":"192.168.1.4"}`, 409, "of a private network"},
		{"POST", "/api/bans", `{"address":"10.1.0.0/16","duration_sec":60}`, 409, "of a private network"},
		{"POST", "/api/bans", `{"address":"::1"}`, 409, "is this machine's"},
		{"POST", "/api/bans", `{"address":"192.168.1.4","private":true}`, 201, `{"address":"192.168.1.4",`},
		{"DELETE", "/api/bans/192.168.1.4", "", 204, ""},
		{"GET", "/api/bans", "", 200, `{"api_version":"1","bans":[{"address":"2001:db8::/64",`},
		{"HEAD", "/api/bans", "", 200, ""},
		{"DELETE", "/api/bans/2001:db8:1::/48", "", 204, ""},
		{"DELETE", "/api/bans/2001:db8:1::%2F48", "", 404, "not banned"},
		{"DELETE", "/api/bans/2001:db8::1", "", 204, ""},
		{"DELETE", "/api/bans/203.0.113.8", "", 404, "not banned"},
		{"DELETE", "/api/bans/everybody", "", 400, "not an IP address"},
		{"DELETE", "/api/bans/", "", 400, "not an IP address"},
		{"POST", "/api/bans", `{"address":"everybody"}`, 400, "address must be"},
		{"POST", "/api/bans", `{"address":"0.0.0.0/0"}`, 400, "address must be"},
		{"POST", "/api/bans", `{"address":"203.0.113.7","duration_sec":-1}`, 400, "duration_sec must be"},
		{"POST", "/api/bans", `{"address":"203.0.113.7","duration_sec":99999999999}`, 400, "duration_sec must be"},
		{"POST", "/api/bans", `{"address":"203.0.113.7","worker":"x"}`, 400, "the body must be"},
		{"POST", "/api/bans", `{"address":"203.0.113.7"}{}`, 400, "the body must be"},
		{"POST", "/api/bans", `[`, 400, "the body must be"},
		{"PUT", "/api/bans", `{}`, 405, "method not allowed"},
		{"DELETE", "/api/bans", "", 405, "method not allowed"},
		{"GET", "/api/bans/203.0.113.7", "", 405, "method not allowed"},
		{"GET", "/api/bans", "", 200, `"address":"203.0.113.7"`},
	} {
		if w := ask(step.method, step.path, step.body); w.Code != step.code || !strings.Contains(w.Body.String(), step.want) {
			t.Errorf("%s %s %s: %d %s, want %d %s", step.method, step.path, step.body, w.Code, w.Body, step.code, step.want)
		}
	}
	var page bansPage
	if err := json.Unmarshal(ask("GET", "/api/bans", "").Body.Bytes(), &page); err != nil || len(page.Bans) != 1 {
		t.Errorf("%+v, %v", page, err)
	}
	if got := ask("PUT", "/api/bans", `{}`).Header().Get("Allow"); got != "GET, HEAD, POST" {
		t.Errorf("Allow: %s", got)
	}
}

// Another site's page in the operator's browser can ban and lift nothing.
func TestBansAreNotForOtherSites(t *testing.T) {
	ask := newBanServer(t, "")
	order := `{"address":"203.0.113.7"}`
	for name, header := range map[string][]string{
		"another site, by its origin":   {"Origin", "https://evil.example"},
		"another site, by the browser":  {"Sec-Fetch-Site", "cross-site"},
		"another port of this machine":  {"Origin", "http://127.0.0.1:9999"},
		"a page without an origin":      {"Origin", "null"},
		"the same site, another origin": {"Sec-Fetch-Site", "same-site"},
	} {
		if w := ask("POST", "/api/bans", order, header...); w.Code != http.StatusForbidden {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
		if w := ask("DELETE", "/api/bans/203.0.113.7", "", header...); w.Code != http.StatusForbidden {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	// What a form can send without being asked about it first.
	for _, kind := range []string{"text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "application/jsonp"} {
		if w := ask("POST", "/api/bans", order, "Content-Type", kind); w.Code != http.StatusUnsupportedMediaType {
			t.Errorf("type %q: %d", kind, w.Code)
		}
	}
	if w := ask("GET", "/api/bans", ""); strings.Contains(w.Body.String(), "203") {
		t.Errorf("banned: %s", w.Body)
	}
	if w := ask("POST", "/api/bans", order, "Origin", "http://127.0.0.1:8000", "Content-Type", "application/json; charset=utf-8"); w.Code != http.StatusCreated {
		t.Errorf("our own page: %d %s", w.Code, w.Body)
	}
}

// Addresses are not public, and banning is not for everybody.
func TestBansAreGuarded(t *testing.T) {
	ask := newBanServer(t, "secret")
	for _, method := range []string{"GET", "POST"} {
		if w := ask(method, "/api/bans", `{"address":"203.0.113.7"}`); w.Code != http.StatusUnauthorized {
			t.Errorf("%s without the token: %d", method, w.Code)
		}
	}
	if w := ask("DELETE", "/api/bans/203.0.113.7", ""); w.Code != http.StatusUnauthorized {
		t.Errorf("DELETE without the token: %d", w.Code)
	}
	if w := ask("POST", "/api/bans", `{"address":"203.0.113.7"}`, "Authorization", "Bearer secret"); w.Code != http.StatusCreated {
		t.Errorf("with the token: %d %s", w.Code, w.Body)
	}

	open, _ := newTestServer(t, full(), Config{})
	r := httptest.NewRequest("GET", "http://127.0.0.1:8000/api/bans", nil) // from elsewhere
	w := httptest.NewRecorder()
	open.Handler().ServeHTTP(w, r)
	if w.Code != http.StatusForbidden {
		t.Errorf("from elsewhere: %d", w.Code)
	}
}

func TestBansBeforeThePoolRuns(t *testing.T) {
	s, _ := newTestServer(t, nil, Config{})
	for _, call := range [][2]string{{"GET", "/api/bans"}, {"POST", "/api/bans"}, {"DELETE", "/api/bans/203.0.113.7"}} {
		r := httptest.NewRequest(call[0], "http://127.0.0.1:8000"+call[1], nil)
		r.RemoteAddr = "127.0.0.1:40000"
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		if w.Code != http.StatusServiceUnavailable {
			t.Errorf("%v: %d", call, w.Code)
		}
	}
}
