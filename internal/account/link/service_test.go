package link_test

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolscope/poolscope/internal/account"
	"github.com/poolscope/poolscope/internal/account/link"
	"github.com/poolscope/poolscope/internal/store"
)

// people are the accounts of the tests.
var people = []string{"ann", "bob"}

// openBooks opens a store in which people are.
func openBooks(t *testing.T, path string) *store.SQLite {
	t.Helper()
	s, err := store.Open(context.Background(), path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	for _, id := range people {
		execute(t, path, `INSERT INTO users (id, name, email, provider, subject, role, password, disabled, created, last_seen)
			VALUES (?1, ?1, '', 'local', ?1, 'viewer', '', 0, 0, 0) ON CONFLICT DO NOTHING`, id)
	}
	return s
}

// execute changes a store behind its back.
func execute(t *testing.T, path, statement string, args ...any) {
	t.Helper()
	raw, err := sql.Open("sqlite", "file:"+path+"?_pragma=foreign_keys(1)&_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := raw.ExecContext(context.Background(), statement, args...); err != nil {
		t.Fatal(err)
	}
	if err := raw.Close(); err != nil {
		t.Fatal(err)
	}
}

// trail remembers actions.
type trail struct {
	mu  sync.Mutex
	all []account.Action
}

func (t *trail) Record(_ context.Context, a account.Action) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all = append(t.all, a)
}

func (t *trail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var b strings.Builder
	for _, a := range t.all {
		b.WriteString(a.UserID + " " + a.Name + " " + a.Target + "\n")
	}
	return b.String()
}

func open(t *testing.T, s link.Store, tr account.Trail) *link.Service {
	t.Helper()
	service, err := link.Open(t.Context(), s, tr)
	if err != nil {
		t.Fatal(err)
	}
	return service
}

func newCode(t *testing.T, s *link.Service, user string) string {
	t.Helper()
	code, _, err := s.NewCode(t.Context(), user)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func redeem(t *testing.T, s *link.Service, discordID, code string, want error) link.Redeemed {
	t.Helper()
	r, err := s.Redeem(t.Context(), discordID, "at-discord", code)
	if !errors.Is(err, want) {
		t.Errorf("redeem: %v, want %v", err, want)
	}
	return r
}

func TestLinkAndUnlink(t *testing.T) {
	s := open(t, openBooks(t, filepath.Join(t.TempDir(), "b.db")), nil)
	ctx := t.Context()
	if _, err := s.Link(ctx, "ann"); !errors.Is(err, link.ErrNotLinked) {
		t.Errorf("linked before: %v", err)
	}
	if err := s.SetEnabled(ctx, "ann", true); !errors.Is(err, link.ErrNotLinked) {
		t.Errorf("enabled without a link: %v", err)
	}
	code := newCode(t, s, "ann")
	if r := redeem(t, s, "111", strings.ToUpper(strings.ReplaceAll(code, "-", "  ")), nil); r.UserID != "ann" || r.MovedFrom != "" || r.Replaced != "" {
		t.Errorf("%+v", r)
	}
	l, err := s.Link(ctx, "ann")
	if err != nil || l.DiscordID != "111" || l.DiscordName != "at-discord" || !l.Enabled || time.Since(l.Linked) > time.Minute {
		t.Errorf("%+v, %v", l, err)
	}
	redeem(t, s, "222", code, link.ErrCode) // it was used

	if was, err := s.Stop(ctx, "111"); !was || err != nil {
		t.Errorf("stop: %t, %v", was, err)
	}
	if was, err := s.Stop(ctx, "111"); was || err != nil {
		t.Errorf("stop again: %t, %v", was, err)
	}
	if _, err := s.Stop(ctx, "333"); !errors.Is(err, link.ErrNotLinked) {
		t.Errorf("stop a stranger's: %v", err)
	}
	if l, _ := s.Link(ctx, "ann"); l.Enabled {
		t.Error("still enabled")
	}
	if err := s.SetEnabled(ctx, "ann", true); err != nil {
		t.Error(err)
	}
	if err := s.Unlink(ctx, "ann"); err != nil {
		t.Error(err)
	}
	if err := s.Unlink(ctx, "ann"); !errors.Is(err, link.ErrNotLinked) {
		t.Errorf("unlink again: %v", err)
	}
}

func TestNewerCodeVoidsTheOlder(t *testing.T) {
	s := open(t, openBooks(t, filepath.Join(t.TempDir(), "b.db")), nil)
	old, young, other := newCode(t, s, "ann"), newCode(t, s, "ann"), newCode(t, s, "bob")
	redeem(t, s, "111", old, link.ErrCode)
	if r := redeem(t, s, "222", other, nil); r.UserID != "bob" {
		t.Errorf("%+v", r)
	}
	if r := redeem(t, s, "111", young, nil); r.UserID != "ann" {
		t.Errorf("%+v", r)
	}
}

func TestClear(t *testing.T) {
	s := open(t, openBooks(t, filepath.Join(t.TempDir(), "b.db")), nil)
	code := newCode(t, s, "ann")
	for _, wrong := range []struct{ user, code string }{{"ann", ""}, {"ann", "ABCDE-FGHIJ"}, {"bob", code}, {"ann", code + "x"}} {
		if cleared, err := s.ClearCode(t.Context(), wrong.user, wrong.code); cleared || err != nil {
			t.Errorf("%s cleared %q: %t, %v", wrong.user, wrong.code, cleared, err)
		}
	}
	if cleared, err := s.ClearCode(t.Context(), "ann", strings.ToLower(code)); !cleared || err != nil {
		t.Errorf("not cleared: %v", err)
	}
	if cleared, _ := s.ClearCode(t.Context(), "ann", code); cleared {
		t.Error("cleared twice")
	}
	redeem(t, s, "111", code, link.ErrCode)
}

// TestOneUse: of many who give a code at the same time, one is right.
func TestOneUse(t *testing.T) {
	s := open(t, openBooks(t, filepath.Join(t.TempDir(), "b.db")), nil)
	code := newCode(t, s, "ann")
	var wg sync.WaitGroup
	var right atomic.Int64
	for i := range 16 {
		wg.Go(func() {
			_, err := s.Redeem(t.Context(), "10"+strconv.Itoa(i), "", code)
			switch {
			case err == nil:
				right.Add(1)
			case !errors.Is(err, link.ErrCode):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if right.Load() != 1 {
		t.Errorf("%d were right", right.Load())
	}
}

// TestLinkMoves: nobody loses a link without being told.
func TestLinkMoves(t *testing.T) {
	tr := &trail{}
	s := open(t, openBooks(t, filepath.Join(t.TempDir(), "b.db")), tr)
	redeem(t, s, "111", newCode(t, s, "ann"), nil)
	if r := redeem(t, s, "111", newCode(t, s, "ann"), nil); r.MovedFrom != "" || r.Replaced != "" {
		t.Errorf("the same again: %+v", r)
	}
	if r := redeem(t, s, "111", newCode(t, s, "bob"), nil); r.MovedFrom != "ann" || r.Replaced != "" {
		t.Errorf("to another account: %+v", r)
	}
	if _, err := s.Link(t.Context(), "ann"); !errors.Is(err, link.ErrNotLinked) {
		t.Errorf("ann keeps it: %v", err)
	}
	if r := redeem(t, s, "222", newCode(t, s, "bob"), nil); r.Replaced != "111" || r.MovedFrom != "" {
		t.Errorf("another Discord account: %+v", r)
	}
	redeem(t, s, "333", newCode(t, s, "ann"), nil)
	if r := redeem(t, s, "333", newCode(t, s, "bob"), nil); r.Replaced != "222" || r.MovedFrom != "ann" {
		t.Errorf("both at once: %+v", r)
	}
	want := "ann discord.link 111\nann discord.link 111\nbob discord.link 111\nann discord.unlink 111\n" +
		"bob discord.link 222\nbob discord.unlink 111\nann discord.link 333\nbob discord.link 333\nann discord.unlink 333\nbob discord.unlink 222\n"
	if tr.String() != want {
		t.Errorf("written down:\n%swant:\n%s", tr, want)
	}
}

func TestGuessing(t *testing.T) {
	s := open(t, openBooks(t, filepath.Join(t.TempDir(), "b.db")), nil)
	code := newCode(t, s, "ann")
	tag, _, _ := strings.Cut(code, "-")
	for range 5 {
		redeem(t, s, "666", tag+"-wrong-wrong-wrong", link.ErrCode)
	}
	var tooMany *link.TooManyError
	if _, err := s.Redeem(t.Context(), "666", "", code); !errors.As(err, &tooMany) || tooMany.Wait <= 0 {
		t.Errorf("the right code after five wrong ones: %v", err)
	}
	redeem(t, s, "111", "ZZZZ-wrong-wrong-wrong", link.ErrOtherPool)
	redeem(t, s, "111", code, nil) // somebody else is not locked out

	// Many accounts together.
	newCode(t, s, "bob")
	refused := 0
	for i := range 500 {
		if _, err := s.Redeem(t.Context(), "9"+string(rune('0'+i%10))+string(rune('0'+i/10%10))+string(rune('0'+i/100)), "", tag+"-wrong-wrong-wrong"); errors.As(err, &tooMany) {
			refused++
		}
	}
	if refused < 390 {
		t.Errorf("%d of 500 guesses of many accounts refused", refused)
	}
	if c := s.Counts(); c.Limited != uint64(refused)+1 || c.Redeemed != 1 || c.Issued != 2 || c.Wrong != 6+uint64(500-refused) {
		t.Errorf("%+v, %d refused", c, refused)
	}
}

func TestTooManyCodes(t *testing.T) {
	s := open(t, openBooks(t, filepath.Join(t.TempDir(), "b.db")), nil)
	for range 20 {
		newCode(t, s, "ann")
	}
	var tooMany *link.TooManyError
	if _, _, err := s.NewCode(t.Context(), "ann"); !errors.As(err, &tooMany) {
		t.Errorf("%v", err)
	}
	newCode(t, s, "bob")
	if _, _, err := s.NewCode(t.Context(), "nobody"); !errors.Is(err, link.ErrNoAccount) {
		t.Errorf("%v", err)
	}
}

// TestCodesOutliveARestart, but not their time, and are in no file as they are.
func TestCodesOutliveARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "b.db")
	books := openBooks(t, path)
	code := newCode(t, open(t, books, nil), "ann")
	if err := books.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, inWords, _ := strings.Cut(strings.ToLower(code), "-")
	if strings.Contains(strings.ToLower(string(data)), inWords) {
		t.Error("the code is in the file")
	}
	redeem(t, open(t, openBooks(t, path), nil), "111", code, nil)
}

// memory is a store that needs no disk, so that a bubble can hold it.
type memory struct {
	link.Store
	hash    string
	expires time.Time
}

func (m *memory) LinkTag(context.Context, string) (string, error) { return "TAGS", nil }

func (m *memory) SaveLinkCode(_ context.Context, _ string, hash []byte, _, expires time.Time) error {
	m.hash, m.expires = string(hash), expires
	return nil
}

func (m *memory) RedeemLinkCode(_ context.Context, hash []byte, _, _ string, now time.Time) (link.Redeemed, bool, error) {
	return link.Redeemed{UserID: "ann"}, string(hash) == m.hash && now.Before(m.expires), nil
}

func TestGuessingIsForgivenInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, &memory{}, nil)
		for range 5 {
			redeem(t, s, "666", "TAGS-wrong-wrong-wrong", link.ErrCode)
		}
		time.Sleep(10 * time.Minute)
		code, expires, err := s.NewCode(t.Context(), "ann")
		if err != nil || time.Until(expires) != 5*time.Minute {
			t.Fatalf("%v, %v", expires, err)
		}
		redeem(t, s, "666", code, nil)
	})
}

// TestExpiredCode asks the store itself: it decides what has expired.
func TestExpiredCode(t *testing.T) {
	path := filepath.Join(t.TempDir(), "b.db")
	books := openBooks(t, path)
	now := time.Now()
	for _, user := range people {
		if err := books.SaveLinkCode(t.Context(), user, []byte(user), now, now.Add(link.CodeLife)); err != nil {
			t.Fatal(err)
		}
	}
	late := now.Add(link.CodeLife)
	if _, ok, err := books.RedeemLinkCode(t.Context(), []byte("ann"), "111", "", late); ok || err != nil {
		t.Errorf("after five minutes: %t, %v", ok, err)
	}
	if cleared, err := books.ClearLinkCode(t.Context(), "ann", []byte("ann"), late); cleared || err != nil {
		t.Errorf("cleared after five minutes: %t, %v", cleared, err)
	}
	if _, ok, err := books.RedeemLinkCode(t.Context(), []byte("ann"), "111", "", late.Add(-time.Millisecond)); !ok || err != nil {
		t.Errorf("in time: %t, %v", ok, err)
	}
	// Who may not sign in cannot link either, and who is removed leaves nothing.
	execute(t, path, `UPDATE users SET disabled = 1 WHERE id = 'bob'`)
	if _, ok, _ := books.RedeemLinkCode(t.Context(), []byte("bob"), "222", "", now); ok {
		t.Error("a disabled account was linked")
	}
	execute(t, path, `DELETE FROM users`)
	if _, ok, _ := books.DiscordLink(t.Context(), "ann"); ok {
		t.Error("the link of a removed account is left")
	}
}
