package account_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/poolscope/poolscope/internal/account"
	"github.com/poolscope/poolscope/internal/store"
)

// spy is a store that counts and can be broken.
type spy struct {
	account.Store
	reads, editions, seen, written atomic.Int64
	broken                         atomic.Bool
}

var errDisk = errors.New("the disk is gone")

func (s *spy) SessionByToken(ctx context.Context, token account.Token) (account.Session, error) {
	s.reads.Add(1)
	if s.broken.Load() {
		return account.Session{}, errDisk
	}
	return s.Store.SessionByToken(ctx, token)
}

func (s *spy) Edition(ctx context.Context) (int64, error) {
	s.editions.Add(1)
	if s.broken.Load() {
		return 0, errDisk
	}
	return s.Store.Edition(ctx)
}

func (s *spy) SeeSessions(ctx context.Context, seen map[account.Token]time.Time) error {
	s.seen.Add(1)
	return s.Store.SeeSessions(ctx, seen)
}

func (s *spy) AddActions(ctx context.Context, actions []account.Action) error {
	if s.broken.Load() {
		return errDisk
	}
	s.written.Add(int64(len(actions)))
	return s.Store.AddActions(ctx, actions)
}

func (s *spy) UserBySubject(ctx context.Context, provider, subject string) (account.User, string, error) {
	if s.broken.Load() {
		return account.User{}, "", errDisk
	}
	return s.Store.UserBySubject(ctx, provider, subject)
}

// encode is base64 as in PHC strings.
func encode(b []byte) string { return base64.RawStdEncoding.EncodeToString(b) }

// newService makes a service with the account jane, "a good password".
func newService(t *testing.T, cfg account.Config) (*account.Service, *spy, account.User) {
	t.Helper()
	books, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "books.db"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = books.Close() })
	s := &spy{Store: books}
	service := account.New(cfg, s, nil)
	jane, _, err := service.Add(t.Context(), "jane", "", "a good password", account.RoleOperator)
	if err != nil {
		t.Fatal(err)
	}
	return service, s, jane
}

// signIn signs jane in and returns a request that comes with the cookie.
func signIn(t *testing.T, s *account.Service) *http.Request {
	t.Helper()
	w := httptest.NewRecorder()
	if _, err := s.SignIn(t.Context(), w, httptest.NewRequest(http.MethodPost, "/", nil), "jane", "a good password"); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.AddCookie(w.Result().Cookies()[0])
	return r
}

// TestSignOutThatFailsSaysSo: whoever is told that they are signed out is.
func TestSignOutThatFailsSaysSo(t *testing.T) {
	s, books, _ := newService(t, account.Config{})
	r := signIn(t, s) // nobody asked with the cookie yet: it is not in memory
	books.broken.Store(true)
	w := httptest.NewRecorder()
	if _, err := s.SignOut(t.Context(), w, r); !errors.Is(err, errDisk) || len(w.Result().Cookies()) > 0 {
		t.Errorf("%v, cookies %v", err, w.Result().Cookies())
	}
	books.broken.Store(false)
	if s.Session(r) == nil {
		t.Fatal("the session ended after all")
	}
	if ended, err := s.SignOut(t.Context(), w, r); err != nil || ended == nil || s.Session(r) != nil {
		t.Errorf("%+v, %v", ended, err)
	}
}

// TestRequestsDoNotWrite: a page that asks every second for an hour costs
// the disk next to nothing.
func TestRequestsDoNotWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, books, jane := newService(t, account.Config{})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- s.Run(ctx) }()
		r := signIn(t, s)
		for range 3600 {
			if s.Session(r) == nil {
				t.Fatal("signed out")
			}
			time.Sleep(time.Second)
		}
		last := time.Now().Add(-time.Second)
		if n := books.seen.Load(); n > 61 {
			t.Errorf("%d writes in an hour", n)
		}
		if n := books.reads.Load(); n > 2 {
			t.Errorf("the session was read %d times", n)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		all, err := books.Sessions(t.Context(), jane.ID)
		if err != nil || len(all) != 1 || !all[0].LastSeen.Equal(last.Truncate(time.Millisecond)) {
			t.Errorf("after the end: %+v, %v; last seen at %v", all, err, last)
		}
	})
}

// TestStoreTrouble: while the disk is gone, who is signed in stays so, others are
// told, and the audit trail is kept for later.
func TestStoreTrouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, books, _ := newService(t, account.Config{})
		r := signIn(t, s)
		s.Session(r)
		s.Flush(t.Context())
		books.broken.Store(true)
		time.Sleep(time.Second)
		if s.Session(r) == nil {
			t.Error("the trouble signs people out")
		}
		for range 20 {
			_, err := s.SignIn(t.Context(), httptest.NewRecorder(), r, "jane", "a good password")
			if !errors.Is(err, errDisk) {
				t.Fatalf("%v", err)
			}
		}
		for i := range 2000 {
			s.Record(t.Context(), account.Action{Name: "ban.add", Target: fmt.Sprint(i), Operator: true})
			if i%100 == 0 {
				s.Flush(t.Context())
			}
		}
		books.broken.Store(false)
		before := books.written.Load()
		s.Flush(t.Context())
		stats := s.Stats()
		if n := uint64(books.written.Load() - before); n < 1000 || n+stats.ActionsDropped != 2020 || stats.StoreErrors == 0 {
			t.Errorf("%d entries written, %d dropped of 2020; %d errors", n, stats.ActionsDropped, stats.StoreErrors)
		}
		if _, err := s.SignIn(t.Context(), httptest.NewRecorder(), r, "jane", "a good password"); err != nil {
			t.Errorf("afterwards: %v: the trouble counted as wrong passwords", err)
		}
	})
}

// TestOldHashes are taken, and made anew.
func TestOldHashes(t *testing.T) {
	s, books, jane := newService(t, account.Config{})
	key := argon2.IDKey([]byte("a good password"), []byte("some salt"), 1, 1024, 2, 24)
	old := fmt.Sprintf("$argon2id$v=19$m=1024,t=1,p=2$%s$%s", encode([]byte("some salt")), encode(key))
	if err := books.RehashPassword(t.Context(), jane.ID, old); err != nil {
		t.Fatal(err)
	}
	signIn(t, s)
	_, hash, err := books.UserBySubject(t.Context(), account.ProviderLocal, "jane")
	if err != nil || hash == old || !strings.HasPrefix(hash, "$argon2id$v=19$m=32768,t=3,p=1$") {
		t.Errorf("%s, %v", hash, err)
	}
	signIn(t, s)
	// A hash that is none lets nobody in, whatever they say.
	for _, broken := range []string{"", "x", "a good password", "$argon2id$v=19$m=9999999,t=1,p=1$AAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA"} {
		if err := books.RehashPassword(t.Context(), jane.ID, broken); err != nil {
			t.Fatal(err)
		}
		for _, password := range []string{"a good password", "", broken} {
			r := httptest.NewRequest(http.MethodPost, "/", nil)
			r.RemoteAddr = fmt.Sprintf("198.51.100.%d:1", len(broken)+len(password)%7)
			if _, err := s.SignIn(t.Context(), httptest.NewRecorder(), r, "jane", password); !errors.Is(err, account.ErrCredentials) {
				t.Errorf("hash %q, password %q: %v", broken, password, err)
			}
		}
	}
}

// TestSessionsAreBounded: somebody who signs in all the time keeps the newest.
func TestSessionsAreBounded(t *testing.T) {
	s, books, _ := newService(t, account.Config{})
	var user string
	var first, last *http.Request
	for range 34 {
		w := httptest.NewRecorder()
		session, err := s.SignInExternal(t.Context(), w, httptest.NewRequest(http.MethodPost, "/", nil), account.Identity{Provider: "idp", Subject: "mary"})
		if err != nil {
			t.Fatal(err)
		}
		user, last = session.User.ID, httptest.NewRequest(http.MethodGet, "/", nil)
		last.AddCookie(w.Result().Cookies()[0])
		if first == nil {
			first = last
		}
	}
	if s.Session(first) != nil || s.Session(last) == nil {
		t.Error("not the oldest ended")
	}
	if all, err := books.Sessions(t.Context(), user); err != nil || len(all) != 32 {
		t.Errorf("%d sessions, %v", len(all), err)
	}
}

// TestIdentify: who comes through a provider is one account, with the role that
// the configuration says, and never another provider's or a local one.
func TestIdentify(t *testing.T) {
	s, _, jane := newService(t, account.Config{Operators: []string{"Boss@Example.com", "idp:root"}})
	identify := func(who account.Identity) account.User {
		t.Helper()
		u, err := s.Identify(t.Context(), who)
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	first := identify(account.Identity{Provider: "idp", Subject: "jane", Name: "jane", Email: "jane@example.com", EmailVerified: true})
	if first.ID == jane.ID || first.Role != account.RoleViewer || first.Email != "jane@example.com" {
		t.Errorf("%+v", first)
	}
	again := identify(account.Identity{Provider: "idp", Subject: "jane", Name: "Jane Roe", Email: "new@example.com"})
	if again.ID != first.ID || again.Name != "Jane Roe" || again.Email != "jane@example.com" {
		t.Errorf("%+v: the name follows, an unverified e-mail address does not", again)
	}
	if other := identify(account.Identity{Provider: "other", Subject: "jane"}); other.ID == first.ID || other.Name != "jane" {
		t.Errorf("another provider's: %+v", other)
	}
	for _, test := range []struct {
		who  account.Identity
		want account.Role
	}{
		{account.Identity{Provider: "idp", Subject: "1", Email: "boss@example.com"}, account.RoleViewer},
		{account.Identity{Provider: "idp", Subject: "1", Email: "boss@example.com", EmailVerified: true}, account.RoleOperator},
		{account.Identity{Provider: "idp", Subject: "1"}, account.RoleOperator}, // nobody ceases to be one here
		{account.Identity{Provider: "idp", Subject: "root"}, account.RoleOperator},
		{account.Identity{Provider: "other", Subject: "root"}, account.RoleViewer},
		{account.Identity{Provider: "idp", Subject: "2", Name: "boss@example.com"}, account.RoleViewer},
		{account.Identity{Provider: "idp", Subject: "3", Email: "xboss@example.com", EmailVerified: true}, account.RoleViewer},
	} {
		if u := identify(test.who); u.Role != test.want {
			t.Errorf("%+v is %s", test.who, u.Role)
		}
	}
	for _, who := range []account.Identity{{Provider: account.ProviderLocal, Subject: "jane"}, {Subject: "jane"}, {Provider: "idp"}} {
		if u, err := s.Identify(t.Context(), who); err == nil {
			t.Errorf("%+v is %+v", who, u)
		}
	}
	// A role that comes with the sign-in ends the sessions of before.
	w := httptest.NewRecorder()
	mary := account.Identity{Provider: "idp", Subject: "mary", Email: "mary@example.com", EmailVerified: true}
	if _, err := s.SignInExternal(t.Context(), w, httptest.NewRequest(http.MethodPost, "/", nil), mary); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.AddCookie(w.Result().Cookies()[0])
	if v := s.Session(r); v == nil || v.User.Role != account.RoleViewer {
		t.Fatalf("%+v", v)
	}
	if _, err := s.Confirm(t.Context(), r, s.Session(r), "x"); !errors.Is(err, account.ErrNoPassword) {
		t.Errorf("a password of a provider's account: %v", err)
	}
	s.Configure(account.Config{Operators: []string{"mary@example.com"}})
	identify(mary)
	if v := s.Session(r); v != nil {
		t.Errorf("%+v", v.User)
	}
}

// TestDisabledAtTheProvider: who is disabled here does not come in through a
// provider either.
func TestDisabledAtTheProvider(t *testing.T) {
	s, _, _ := newService(t, account.Config{})
	who := account.Identity{Provider: "idp", Subject: "mary"}
	u, err := s.Identify(t.Context(), who)
	if err != nil {
		t.Fatal(err)
	}
	yes := true
	if _, err := s.Change(t.Context(), u.ID, account.Edit{Disabled: &yes}); err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	if _, err := s.SignInExternal(t.Context(), w, httptest.NewRequest(http.MethodPost, "/", nil), who); !errors.Is(err, account.ErrDisabled) || len(w.Result().Cookies()) > 0 {
		t.Errorf("%v, %v", err, w.Result().Cookies())
	}
}

// TestFirstRun makes one account, once.
func TestFirstRun(t *testing.T) {
	books, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "books.db"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = books.Close() })
	s := account.New(account.Config{}, books, nil)
	password, err := s.AddFirst(t.Context())
	if err != nil || account.CheckPassword("operator", password) != nil {
		t.Fatalf("%q, %v", password, err)
	}
	if again, err := s.AddFirst(t.Context()); err != nil || again != "" {
		t.Errorf("a second time: %q, %v", again, err)
	}
	u, err := s.UserByName(t.Context(), "Operator")
	if err != nil || u.Role != account.RoleOperator {
		t.Errorf("%+v, %v", u, err)
	}
}

func BenchmarkSession(b *testing.B) {
	books, err := store.Open(b.Context(), filepath.Join(b.TempDir(), "books.db"), slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = books.Close() }()
	s := account.New(account.Config{}, books, nil)
	if _, _, err := s.Add(b.Context(), "jane", "", "a good password", account.RoleOperator); err != nil {
		b.Fatal(err)
	}
	w := httptest.NewRecorder()
	if _, err := s.SignIn(b.Context(), w, httptest.NewRequest(http.MethodPost, "/", nil), "jane", "a good password"); err != nil {
		b.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.AddCookie(w.Result().Cookies()[0])
	for b.Loop() {
		if s.Session(r) == nil {
			b.Fatal("signed out")
		}
	}
}
