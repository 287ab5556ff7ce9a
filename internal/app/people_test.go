package app

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/poolscope/poolscope/internal/config"
	"github.com/poolscope/poolscope/internal/store"
)

// TestPublicAddressIsInForce: a public address in the configuration makes nobody an
// operator for being at this machine, and cookies HTTPS's alone, although the proxy
// in between tells nothing. The first operator's password is told once.
func TestPublicAddressIsInForce(t *testing.T) {
	for address, public := range map[string]bool{"": false, "https://pool.example": true} {
		cfg := config.Default()
		cfg.DataDir, cfg.HTTP.PublicURL = t.TempDir(), address
		log := slog.New(slog.DiscardHandler)
		books, err := store.Open(t.Context(), filepath.Join(cfg.DataDir, "books.db"), log)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = books.Close() })
		p, err := openPeople(t.Context(), cfg, books, log)
		if err != nil {
			t.Fatal(err)
		}
		var first, second bytes.Buffer
		p.print(&first)
		p.print(&second)
		password := regexp.MustCompile(`password (\S+),`).FindStringSubmatch(first.String())
		if password == nil || second.Len() > 0 {
			t.Fatalf("printed %q, then %q", first.String(), second.String())
		}

		part := p.parts(log)[0]
		ask := func(method, path string, form url.Values) *httptest.ResponseRecorder {
			r := httptest.NewRequest(method, "http://127.0.0.1:8000"+path, strings.NewReader(form.Encode()))
			r.RemoteAddr = "127.0.0.1:40000"
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			w := httptest.NewRecorder()
			part.ServeHTTP(w, r)
			return w
		}
		if w := ask(http.MethodGet, "/api/admin/accounts", nil); (w.Code == http.StatusOK) == public {
			t.Errorf("public address %q: the accounts are told to this machine: %d", address, w.Code)
		}
		w := ask(http.MethodPost, "/api/auth/sign-in", url.Values{"name": {"operator"}, "password": {password[1]}})
		cookies := w.Result().Cookies()
		if w.Code != http.StatusOK || len(cookies) != 1 || cookies[0].Secure != public || !cookies[0].HttpOnly {
			t.Errorf("public address %q: %d, cookies %v", address, w.Code, cookies)
		}
	}
}
