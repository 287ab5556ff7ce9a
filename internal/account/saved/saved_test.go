package saved_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/account"
	"github.com/poolscope/poolscope/internal/account/saved"
	"github.com/poolscope/poolscope/internal/store"
)

const (
	alice = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
	rig   = alice + ".rig"
)

var (
	noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	home = netip.MustParseAddr("192.0.2.7")
	away = netip.MustParseAddr("198.51.100.9")
)

// fakePool is a pool that is told who is there.
type fakePool struct {
	mu           sync.Mutex
	seen         map[string]saved.Seen
	books        map[string]saved.Books
	broken       error // of the books
	dropped      []string
	difficulties map[string]float64
	network      string
}

func (p *fakePool) Seen(name string) (saved.Seen, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s, ok := p.seen[name]
	return s, ok
}

func (p *fakePool) Books(_ context.Context, name string) (saved.Books, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.books[name], p.broken
}

func (p *fakePool) Online() map[string]bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	online := make(map[string]bool)
	for name, s := range p.seen {
		online[name] = s.Online
	}
	return online
}

func (p *fakePool) DropWorker(name string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dropped = append(p.dropped, name)
	return len(p.seen[name].Open)
}

func (p *fakePool) SetWorkerDifficulty(name string, d float64) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.difficulties[name] = d
	return len(p.seen[name].Open)
}

func (p *fakePool) Network() string { return p.network }
func (p *fakePool) Tag() string     { return "/pool/" }

// here says that a worker has connections, of such ages, from addresses, and how
// many shares it ever had accepted, on these and on others.
func (p *fakePool) here(name string, accepted uint64, open ...saved.Connection) {
	p.mu.Lock()
	defer p.mu.Unlock()
	first := p.seen[name].FirstSeen
	for _, c := range open {
		if first.IsZero() || c.Since.Before(first) {
			first = c.Since
		}
	}
	p.seen[name] = saved.Seen{Online: len(open) > 0, Accepted: accepted, FirstSeen: first, Open: open}
}

// trail remembers what it was told.
type trail struct {
	mu      sync.Mutex
	actions []account.Action
}

func (t *trail) Record(_ context.Context, a account.Action) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.actions = append(t.actions, a)
}

// last is what it was told last.
func (t *trail) last() (a account.Action) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.actions) > 0 {
		a = t.actions[len(t.actions)-1]
	}
	return a
}

// rig is a service with a store on disk, two people, and a clock of its own.
type rigged struct {
	*saved.Service
	t     *testing.T
	path  string
	db    *store.SQLite
	pool  *fakePool
	trail *trail
	now   time.Time
	crowd bool // the worker of evidence has more connections than the pool tells of
}

func newRig(t *testing.T) *rigged {
	t.Helper()
	r := &rigged{t: t, path: filepath.Join(t.TempDir(), "books.db"), now: noon, trail: &trail{},
		pool: &fakePool{seen: map[string]saved.Seen{}, books: map[string]saved.Books{}, difficulties: map[string]float64{}, network: "regtest"}}
	db, err := store.Open(t.Context(), r.path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	r.db = db
	for _, id := range []string{"a1", "b1"} {
		u := account.User{ID: id, Name: id, Provider: account.ProviderLocal, Role: account.RoleViewer, Created: noon}
		if err := db.AddUser(t.Context(), u, id, "", 100); err != nil {
			t.Fatal(err)
		}
	}
	r.restart()
	return r
}

// restart makes the service anew, with what is on disk.
func (r *rigged) restart() {
	r.t.Helper()
	r.Service = saved.New(r.db, r.pool, saved.Options{Trail: r.trail, Now: func() time.Time { return r.now }})
	r.must(r.Load(r.t.Context()))
}

func (r *rigged) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rigged) save(user string, names ...string) {
	r.t.Helper()
	_, err := r.Save(r.t.Context(), user, names...)
	r.must(err)
}

func (r *rigged) claim(user, worker string) saved.Claim {
	r.t.Helper()
	c, err := r.Claim(r.t.Context(), user, saved.HashOf(worker))
	r.must(err)
	return c
}

// prove makes a worker that never mined somebody's: a miner of it comes with the
// code, and then has shares accepted.
func (r *rigged) prove(user, worker string) {
	r.t.Helper()
	c := saved.Connection{ID: "c1", Remote: home, Since: r.now, Accepted: 3}
	r.pool.here(worker, 3, c)
	r.Authorized(c.ID, worker, r.claim(user, worker).Code, home)
	if !r.Owns(user, worker) {
		r.t.Fatalf("%s does not own %s: %v", user, worker, r.Counts())
	}
}

// look has the service look once, as it does every minute.
func (r *rigged) look() {
	r.t.Helper()
	ctx, cancel := context.WithCancel(r.t.Context())
	done := make(chan error)
	go func() { done <- r.Run(ctx) }()
	// The first look is made before anything is waited for.
	minute := r.now.Unix() / 60
	for {
		state, err := r.db.LoadSaved(r.t.Context())
		r.must(err)
		looked := false
		for _, s := range state.Sightings {
			looked = looked || s.Worker == "" && s.Minute == minute
		}
		if looked {
			break
		}
		time.Sleep(time.Millisecond)
	}
	cancel()
	r.must(<-done)
}

func TestSave(t *testing.T) {
	r := newRig(t)
	long := strings.Repeat("x", saved.MaxName)
	for _, name := range []string{"", " ", "a\nb", "a\x00", "\xff", "a\u202eb", long + "x"} {
		if _, err := r.Save(t.Context(), "a1", name); !errors.Is(err, saved.ErrName) {
			t.Errorf("%q: %v", name, err)
		}
	}
	r.save("a1", " "+rig+" ", long)
	r.save("a1", rig, rig) // the same again
	r.save("b1", rig)
	for range 2 { // also after a restart
		mine, err := r.ByUser(t.Context(), "a1")
		r.must(err)
		if len(mine) != 2 || mine[0].Name != rig || mine[1].Name != long || !mine[0].Notify || mine[0].Owned != saved.NotProven ||
			mine[0].Hash != saved.HashOf(rig) || !mine[0].Added.Equal(noon) {
			t.Fatalf("saved: %+v", mine)
		}
		if all, _ := r.All(t.Context()); len(all) != 3 || r.Count("a1") != 2 || r.Count("b1") != 1 || r.Count("c1") != 0 {
			t.Errorf("all: %+v", all)
		}
		r.restart()
	}
	for i := range saved.MaxPerUser - 2 {
		r.save("a1", fmt.Sprint(i))
	}
	added, err := r.Save(t.Context(), "a1", rig, "one more")
	if !errors.Is(err, saved.ErrLimit) || len(added) != 0 || r.Count("a1") != saved.MaxPerUser {
		t.Errorf("beyond the limit: %v, %v, %d saved", added, err, r.Count("a1"))
	}
	added, err = r.Save(t.Context(), "b1", names(100)...)
	if !errors.Is(err, saved.ErrLimit) || len(added) != saved.MaxPerUser-1 || r.Count("b1") != saved.MaxPerUser {
		t.Errorf("as many as there is room for: %d, %v, %d saved", len(added), err, r.Count("b1"))
	}

	r.must(r.SetNotify(t.Context(), "a1", saved.HashOf(rig), false))
	r.must(r.Remove(t.Context(), "a1", saved.HashOf(long)))
	r.restart()
	if s, err := r.Get("a1", saved.HashOf(rig)); err != nil || s.Notify {
		t.Errorf("alerts are on: %+v, %v", s, err)
	}
	if s, err := r.Get("b1", saved.HashOf(rig)); err != nil || !s.Notify {
		t.Errorf("another's are off: %+v, %v", s, err)
	}
	if _, err := r.Get("a1", saved.HashOf(long)); !errors.Is(err, saved.ErrNotSaved) {
		t.Errorf("removed: %v", err)
	}
}

func names(n int) (list []string) {
	for i := range n {
		list = append(list, fmt.Sprint("w", i))
	}
	return list
}

// Whoever is removed from the store is forgotten, with what they ordered.
func TestRemovedPeople(t *testing.T) {
	r := newRig(t)
	r.save("a1", rig)
	r.save("b1", rig)
	r.prove("a1", rig)
	_, _, err := r.Order(t.Context(), "a1", saved.HashOf(rig), 5)
	r.must(err)
	r.must(r.db.RemoveUser(t.Context(), "a1", nil))
	r.look()
	if all, _ := r.All(t.Context()); len(all) != 1 || all[0].UserID != "b1" {
		t.Errorf("left: %+v", all)
	}
	if r.Owns("a1", rig) || r.OrderOf(rig) != 0 || r.pool.difficulties[rig] != 0 {
		t.Errorf("owned %v, order %v, difficulty %v", r.Owns("a1", rig), r.OrderOf(rig), r.pool.difficulties[rig])
	}
	r.restart()
	if r.OrderOf(rig) != 0 || r.Count("a1") != 0 {
		t.Error("it is back after a restart")
	}
}

// Uptime counts the minutes in which somebody looked, and survives a restart.
func TestPresence(t *testing.T) {
	r := newRig(t)
	r.save("a1", rig)
	if p := r.PresenceOf(rig); p.Known || !p.LastOnline.IsZero() {
		t.Errorf("at first: %+v", p)
	}
	for minute := range 40 {
		r.now = noon.Add(time.Duration(minute) * time.Minute)
		switch minute {
		case 0, 20:
			r.pool.here(rig, 1, saved.Connection{ID: "c", Remote: home, Since: r.now})
		case 11:
			r.pool.here(rig, 1)
		case 30:
			r.restart()
		}
		if minute >= 5 && minute < 10 {
			continue // nobody looks
		}
		r.look()
	}
	// Looked: 1–4, 10–39, which are 34; away: 11–19, which are 9.
	if p := r.PresenceOf(rig); !p.Known || p.Uptime < 73.5 || p.Uptime > 73.6 || !p.LastOnline.Equal(r.now) {
		t.Errorf("after a while: %+v", p)
	}
	r.pool.here(rig, 1)
	last := r.now
	r.now = r.now.Add(23*time.Hour + 50*time.Minute)
	r.look()
	if p := r.PresenceOf(rig); !p.LastOnline.Equal(last) || p.Uptime > 97 || p.Uptime < 90 {
		t.Errorf("a day later: %+v", p)
	}
	r.must(r.Remove(t.Context(), "a1", saved.HashOf(rig)))
	r.now = r.now.Add(time.Minute)
	r.look()
	if p := r.PresenceOf(rig); p.Known {
		t.Errorf("of a worker that nobody saves: %+v", p)
	}
}
