package authapi

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/poolscope/poolscope/internal/account"
	"github.com/poolscope/poolscope/internal/api/access"
	"github.com/poolscope/poolscope/internal/store"
)

// testToken is the configured token of these tests: without one, who asks from
// loopback is the operator.
const testToken = "the configured token"

// bench is the interface over a real store.
type bench struct {
	t        *testing.T
	accounts *account.Service
	gate     *access.Gate
	api      *API
	books    *store.SQLite
	password string // of the first operator
}

func newBench(t *testing.T, cfg account.Config) *bench {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	books, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "books.db"), log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := books.Close(); err != nil {
			t.Error(err)
		}
	})
	b := &bench{t: t, books: books, accounts: account.New(cfg, books, log)}
	b.gate = access.NewGate(b.accounts)
	b.gate.SetTokens(testToken, "")
	b.api = New(Config{Service: b.accounts, Gate: b.gate, Log: log})
	if b.password, err = b.accounts.AddFirst(t.Context()); err != nil {
		t.Fatal(err)
	}
	return b
}

// browser keeps cookies as a browser does, of this one site.
type browser struct {
	b       *bench
	address string
	host    string
	header  http.Header
	cookies map[string]string
	secure  bool
}

func (b *bench) browser() *browser {
	return &browser{b: b, address: "192.0.2.1:1", host: "pool.example", header: http.Header{}, cookies: map[string]string{}}
}

// signedIn is a browser in which somebody is signed in.
func (b *bench) signedIn(name, password string) *browser {
	b.t.Helper()
	who := b.browser()
	who.signIn(name, password, http.StatusOK)
	return who
}

// ask sends a request with a body of JSON, a form (url.Values) or none.
func (who *browser) ask(method, path string, body any) *httptest.ResponseRecorder {
	who.b.t.Helper()
	var text io.Reader
	kind := ""
	switch body := body.(type) {
	case nil:
	case string:
		text, kind = strings.NewReader(body), "application/json"
	case url.Values:
		text, kind = strings.NewReader(body.Encode()), "application/x-www-form-urlencoded"
	default:
		encoded, err := json.Marshal(body)
		if err != nil {
			who.b.t.Fatal(err)
		}
		text, kind = strings.NewReader(string(encoded)), "application/json"
	}
	scheme := "http"
	if who.secure {
		scheme = "https"
	}
	r := httptest.NewRequestWithContext(who.b.t.Context(), method, scheme+"://"+who.host+path, text)
	r.RemoteAddr = who.address
	r.Header = who.header.Clone()
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	for name, value := range who.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	w := httptest.NewRecorder()
	who.b.api.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		if c.MaxAge < 0 {
			delete(who.cookies, c.Name)
		} else {
			who.cookies[c.Name] = c.Value
		}
	}
	return w
}

// want asks and checks the status.
func (who *browser) want(status int, method, path string, body any) string {
	who.b.t.Helper()
	w := who.ask(method, path, body)
	if w.Code != status {
		who.b.t.Errorf("%s %s: %d %s, want %d", method, path, w.Code, w.Body, status)
	}
	return strings.TrimSuffix(w.Body.String(), "\n")
}

func (who *browser) signIn(name, password string, status int) {
	who.b.t.Helper()
	who.want(status, http.MethodPost, "/api/auth/sign-in", map[string]string{"name": name, "password": password})
}

// session is what GET /api/auth/session tells.
func (who *browser) session() sessionView {
	who.b.t.Helper()
	var v sessionView
	if err := json.Unmarshal([]byte(who.want(http.StatusOK, http.MethodGet, "/api/auth/session", nil)), &v); err != nil {
		who.b.t.Fatal(err)
	}
	return v
}

func (who *browser) isSignedIn() bool {
	who.b.t.Helper()
	return who.session().SignedIn
}

// trail are the names of what was done, oldest first, with "!" for what failed.
func (b *bench) trail() []string {
	b.t.Helper()
	b.accounts.Flush(b.t.Context())
	actions, err := b.accounts.Actions(b.t.Context(), account.ActionFilter{Limit: 1000})
	if err != nil {
		b.t.Fatal(err)
	}
	var names []string
	for i := len(actions) - 1; i >= 0; i-- {
		name := actions[i].Name
		if actions[i].Failed {
			name += "!"
		}
		names = append(names, name)
	}
	return names
}
