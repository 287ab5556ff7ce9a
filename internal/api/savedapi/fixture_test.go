package savedapi

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/account"
	"github.com/poolscope/poolscope/internal/account/saved"
	"github.com/poolscope/poolscope/internal/api/access"
	"github.com/poolscope/poolscope/internal/ledger"
	"github.com/poolscope/poolscope/internal/scope/capture"
	"github.com/poolscope/poolscope/internal/scope/journal"
	"github.com/poolscope/poolscope/internal/store"
)

const (
	address = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
	rigA    = address + ".rigA"
	rigB    = address + ".rigB"
	gone    = address + ".gone"
)

var testNow = time.Date(2026, 1, 31, 19, 55, 2, 500_000_000, time.UTC)

// signedIn is everybody whose cookie is their name. "op" is an operator.
type signedIn struct{}

func (signedIn) Session(r *http.Request) *account.Session {
	c, err := r.Cookie("name")
	if err != nil {
		return nil
	}
	role := account.RoleViewer
	if c.Value == "op" {
		role = account.RoleOperator
	}
	return &account.Session{ID: "s", User: account.User{ID: c.Value, Name: strings.ToUpper(c.Value), Role: role}}
}

// world is a pool, its books and its microscope, as a test has them.
type world struct {
	mu           sync.Mutex
	workers      map[string]ledger.WorkerDetail
	dropped      []string
	difficulties map[string]float64
	sessions     []capture.Session
	messages     map[string][]*capture.Message
	actions      []account.Action
	registered   bool
}

func (w *world) Worker(name string) (ledger.WorkerDetail, bool) {
	d, ok := w.workers[name]
	return d, ok
}

func (w *world) Snapshot() *ledger.Snapshot {
	s := &ledger.Snapshot{}
	for _, d := range w.workers {
		s.Workers = append(s.Workers, d.WorkerView)
	}
	return s
}

func (w *world) Seen(name string) (saved.Seen, bool) {
	d, ok := w.workers[name]
	s := saved.Seen{Online: d.Online, Accepted: d.Accepted, FirstSeen: d.FirstSeen, LastSeen: d.LastSeen}
	for _, c := range d.Open {
		s.Open = append(s.Open, saved.Connection{ID: c.ID, Remote: netip.MustParseAddrPort(c.Remote).Addr(), Since: c.ConnectedAt, Accepted: c.Accepted})
	}
	return s, ok
}

func (w *world) Books(_ context.Context, name string) (saved.Books, error) {
	return saved.Books{Accepted: w.workers[name].Accepted}, nil
}

func (w *world) Online() map[string]bool { return nil }

func (w *world) DropWorker(name string) int {
	w.dropped = append(w.dropped, name)
	return len(w.workers[name].Open)
}

func (w *world) SetWorkerDifficulty(name string, d float64) int {
	w.difficulties[name] = d
	return len(w.workers[name].Open)
}

func (w *world) Network() string { return "regtest" }
func (w *world) Tag() string     { return "/pool/" }

func (w *world) Linked(context.Context, string) (registered, enabled bool) {
	return w.registered, true
}

func (w *world) Record(_ context.Context, a account.Action) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.actions = append(w.actions, a)
}

func (w *world) Session(_ context.Context, id string) (capture.Session, error) {
	for _, s := range w.sessions {
		if s.ID == id {
			return s, nil
		}
	}
	return capture.Session{}, fmt.Errorf("session: %w", journal.ErrNotFound)
}

func (w *world) Sessions(_ context.Context, f journal.SessionFilter) ([]capture.Session, string, error) {
	return w.sessions[:min(len(w.sessions), f.Limit)], "", nil
}

func (w *world) SessionMessages(_ context.Context, session string, from uint64, limit int) (list []*capture.Message, err error) {
	for _, m := range w.messages[session] {
		if m.N >= from && len(list) < limit {
			list = append(list, m)
		}
	}
	return list, nil
}

// fixture is an API with two people, ann and bob, and some workers.
type fixture struct {
	*API
	t     *testing.T
	world *world
	store *store.SQLite
	now   time.Time
}

func newFixture(t *testing.T, change ...func(*Config)) *fixture {
	t.Helper()
	f := &fixture{t: t, now: testNow, world: &world{
		difficulties: map[string]float64{}, messages: map[string][]*capture.Message{}, registered: true,
		workers: map[string]ledger.WorkerDetail{
			rigA: {
				WorkerView: ledger.WorkerView{
					Name: rigA, Address: address, Online: true, Connections: 2, Accepted: 1000, Rejected: 7, SessionAccepted: 30, SessionRejected: 1,
					BestEver: ledger.Best{Difficulty: 987654.25}, BestNow: ledger.Best{Difficulty: 5000.5}, LastShare: testNow.Add(-time.Second), FirstSeen: testNow.Add(-time.Hour), LastSeen: testNow,
				},
				Open: []ledger.ConnectionView{
					{
						ID: "0000002a", Remote: "192.0.2.7:1000", ConnectedAt: testNow.Add(-90500 * time.Millisecond), Difficulty: 1024, PingP50: 12.5, PingP95: 40,
						Hashrate: 1.5e12, Accuracy: "≈", ShareRate: 15.25, Accepted: 20, Rejected: 1, LastShare: testNow.Add(-time.Second),
						FirstShare: ledger.FirstShare{Last: 1500 * time.Millisecond, P50: 2 * time.Second, P95: 9 * time.Second, Samples: 5},
					},
					{ID: "00000007", Remote: "192.0.2.7:1001", ConnectedAt: testNow.Add(-time.Hour), Difficulty: 512, Hashrate: 1e12, Accepted: 10},
				},
			},
			rigB: {WorkerView: ledger.WorkerView{
				Name: rigB, Address: address, Accepted: 5, SessionAccepted: 2, BestEver: ledger.Best{Difficulty: 12}, LastSeen: testNow.Add(-time.Minute), LastShare: testNow.Add(-time.Hour),
			}},
		},
	}}
	var err error
	if f.store, err = store.Open(t.Context(), filepath.Join(t.TempDir(), "books.db"), slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.store.Close() })
	for _, id := range []string{"ann", "bob", "op"} {
		u := account.User{ID: id, Name: id, Provider: account.ProviderLocal, Role: account.RoleViewer, Created: testNow}
		if err := f.store.AddUser(t.Context(), u, id, "", 10); err != nil {
			t.Fatal(err)
		}
	}
	delta := ledger.Delta{
		Worker: gone, Address: address, FirstSeen: testNow, LastSeen: testNow.Add(-48 * time.Hour), LastShare: testNow.Add(-49 * time.Hour),
		Best: ledger.Best{Difficulty: 7777, At: testNow}, Totals: ledger.Totals{Accepted: 50, Rejected: 2},
		Rows: []ledger.MinuteRow{{Minute: testNow.Unix()/60 - 15, Accepted: 1, Work: 600}},
	}
	if err := f.store.Apply(t.Context(), &ledger.Batch{Source: "t", Seq: 1, Deltas: []ledger.Delta{delta}}); err != nil {
		t.Fatal(err)
	}
	service := saved.New(f.store, f.world, saved.Options{Trail: f.world, Now: func() time.Time { return f.now }})
	if err := service.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	c := Config{
		Gate: access.NewGate(signedIn{}), Saved: service, Trail: f.world, Books: f.world, Store: f.store, Wire: f.world, Discord: f.world,
		TapMode: func() string { return "all" }, Limits: func() (float64, float64) { return 0.001, 1e6 }, Now: func() time.Time { return f.now },
	}
	for _, f := range change {
		f(&c)
	}
	f.API = New(c)
	return f
}

// ask sends a request as somebody, "" for nobody. A body is JSON when it begins
// like an object.
func (f *fixture) ask(as, method, target, body string, header ...string) *httptest.ResponseRecorder {
	f.t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if strings.HasPrefix(body, "{") {
		r.Header.Set("Content-Type", "application/json")
	} else if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if as != "" {
		r.AddCookie(&http.Cookie{Name: "name", Value: as})
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	return w
}

// want asks and checks the status and what the answer contains.
func (f *fixture) want(as, method, target, body string, status int, text string) string {
	f.t.Helper()
	w := f.ask(as, method, target, body)
	if got := w.Body.String(); w.Code != status || !strings.Contains(got, text) {
		f.t.Errorf("%s: %s %s %s is answered with %d %s, want %d %s", as, method, target, body, w.Code, got, status, text)
	}
	if w.Code < 300 && w.Header().Get("Cache-Control") != "no-store" {
		f.t.Errorf("%s %s: Cache-Control is %q", method, target, w.Header().Get("Cache-Control"))
	}
	return w.Body.String()
}

// save saves a worker for somebody.
func (f *fixture) save(as, name string) {
	f.t.Helper()
	f.want(as, http.MethodPost, "/api/saved-workers", `{"name":"`+name+`"}`, http.StatusCreated, saved.HashOf(name))
}

// own makes a worker somebody's by its password.
func (f *fixture) own(as, name string) {
	f.t.Helper()
	var c claimAnswer
	f.decode(f.want(as, http.MethodPost, path(name, "/claim"), "", http.StatusOK, "own-"), &c)
	from := netip.MustParseAddr("192.0.2.7")
	f.API.saved.Authorized("0000002a", name, "x,"+c.Code, from)
	if !f.API.saved.Owns(as, name) {
		f.t.Fatalf("%s does not own %s: %v", as, name, f.API.saved.Counts())
	}
}

func (f *fixture) decode(text string, into any) {
	f.t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		f.t.Fatalf("%v in %s", err, text)
	}
}

// path is where a worker's part is.
func path(name, part string) string { return "/api/saved-workers/" + saved.HashOf(name) + part }
