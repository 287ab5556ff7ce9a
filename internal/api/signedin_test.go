package api

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/abuse"
	"github.com/poolscope/poolscope/internal/account"
	"github.com/poolscope/poolscope/internal/api/access"
)

// cookies are sessions by the value of the cookie "who", which is a role.
type cookies struct{}

func (cookies) Session(r *http.Request) *account.Session {
	c, err := r.Cookie("who")
	if err != nil {
		return nil
	}
	return &account.Session{User: account.User{ID: "1", Name: "jane", Role: account.Role(c.Value)}}
}

// actions keeps what was done.
type actions struct{ all []account.Action }

func (a *actions) Record(_ context.Context, one account.Action) { a.all = append(a.all, one) }

// TestSignedIn: an operator who is signed in is one on every path, from wherever;
// a viewer and another site's page are not.
func TestSignedIn(t *testing.T) {
	src, trail := full().sources(), &actions{}
	src.Bans = watchBans{abuse.New(abuse.Default(), nil, slog.New(slog.DiscardHandler)), time.Now}
	src.Gate, src.Trail = access.NewGate(cookies{}), trail
	s := New(Config{}, src, nil)
	ask := func(method, path, body string, header ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, "https://pool.example"+path, strings.NewReader(body))
		r.RemoteAddr = "192.0.2.1:1"
		r.Header.Set("Content-Type", "application/json")
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		return w
	}
	const ban = `{"address":"203.0.113.7","reason":"loud"}`
	for _, test := range []struct {
		what             string
		header           []string
		read, full, post int
	}{
		{"an operator", []string{"Cookie", "who=operator"}, 200, 200, 201},
		{"an operator on the page", []string{"Cookie", "who=operator", "Origin", "https://pool.example", "Sec-Fetch-Site", "same-origin"}, 200, 200, 201},
		{"a viewer", []string{"Cookie", "who=viewer"}, 403, 403, 403},
		{"nobody", nil, 401, 401, 401},
		{"another site's page", []string{"Cookie", "who=operator", "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}, 401, 401, 403},
	} {
		if w := ask(http.MethodGet, "/metrics", "", test.header...); w.Code != test.read {
			t.Errorf("%s: metrics: %d, want %d", test.what, w.Code, test.read)
		}
		if w := ask(http.MethodGet, "/api/overview?names=full", "", test.header...); w.Code != test.full {
			t.Errorf("%s: names in full: %d, want %d", test.what, w.Code, test.full)
		}
		if w := ask(http.MethodPost, "/api/bans", ban, test.header...); w.Code != test.post {
			t.Errorf("%s: bans: %d %s, want %d", test.what, w.Code, w.Body, test.post)
		}
		if w := ask(http.MethodGet, "/api/workers", "", test.header...); strings.Contains(w.Body.String(), satoshi) != (test.full == 200) {
			t.Errorf("%s: sees names: %v", test.what, test.full != 200)
		}
	}
	if w := ask(http.MethodDelete, "/api/bans/203.0.113.7", "", "Cookie", "who=operator"); w.Code != http.StatusNoContent {
		t.Error(w.Code)
	}
	var names []string
	for _, a := range trail.all {
		names = append(names, a.User+" "+a.Name+" "+a.Target+" from "+a.Address)
	}
	const want = "jane ban.add 203.0.113.7/32 from 192.0.2.1, jane ban.add 203.0.113.7/32 from 192.0.2.1, jane ban.lift 203.0.113.7/32 from 192.0.2.1"
	if got := strings.Join(names, ", "); got != want {
		t.Errorf("audit trail: %s, want %s", got, want)
	}
}
