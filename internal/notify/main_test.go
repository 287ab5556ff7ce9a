package notify

import (
	"context"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/alert"
	"github.com/poolscope/poolscope/internal/ledger"
	"github.com/poolscope/poolscope/internal/store"
)

// sink is a channel that remembers what it got.
type sink struct {
	mu       sync.Mutex
	messages []Message
	fail     func(n int) error // of the n-th message, from 1
	tried    int
}

func (s *sink) Send(_ context.Context, m Message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tried++
	if s.fail != nil {
		if err := s.fail(s.tried); err != nil {
			return err
		}
	}
	s.messages = append(s.messages, m)
	return nil
}

// texts are the lines of all messages.
func (s *sink) texts() (all []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.messages {
		all = append(all, m.Lines...)
	}
	return all
}

func (s *sink) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.messages)
}

// attempts is how often somebody tried to send.
func (s *sink) attempts() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tried
}

// last is the newest message.
func (s *sink) last() Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.messages[len(s.messages)-1]
}

// service is a kind of channels that all lead to the sink.
func (s *sink) service(id string, idempotent bool) Service {
	return Service{ID: id, Name: id, Idempotent: idempotent, Open: func(Opening) (Channel, error) { return s, nil }}
}

// stage is a world that a test plays, and alerts on it.
type stage struct {
	mu     sync.Mutex
	world  World
	saved  []Saved
	people map[string]Person
}

func (s *stage) set(change func(w *World)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	snapshot := *s.world.Ledger
	s.world.Ledger = &snapshot
	change(&s.world)
}

func newStage() *stage {
	return &stage{world: World{Ledger: &ledger.Snapshot{}}, people: map[string]Person{"u1": {}, "u2": {}, "op": {Operator: true}}}
}

// config is that of alerts on the stage.
func (s *stage) config(st alert.Store, services ...Service) Config {
	return Config{
		Store: st, Settings: Settings{Services: services, QuietStart: time.Minute},
		World: func(uint64) World {
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.world
		},
		Saved: func(context.Context) ([]Saved, error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			return append([]Saved(nil), s.saved...), nil
		},
		Person: func(_ context.Context, id string) (Person, bool, error) {
			p, ok := s.people[id]
			return p, ok, nil
		},
	}
}

// online says which workers are there; the others are known and away.
func (s *stage) online(names ...string) {
	s.set(func(w *World) {
		w.Ledger.Workers = nil
		for _, n := range names {
			w.Ledger.Workers = append(w.Ledger.Workers, ledger.WorkerView{Name: n, Online: true})
		}
	})
}

func (s *stage) save(user string, names ...string) {
	for _, n := range names {
		s.saved = append(s.saved, Saved{UserID: user, Name: n, Hash: hashOf(n), Notify: true})
	}
}

var quietLog = slog.New(slog.DiscardHandler)

// openStore opens a store at path.
func openStore(t *testing.T, path string) *store.SQLite {
	t.Helper()
	s, err := store.Open(context.Background(), path, quietLog)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// newStore opens a store that is closed with the test.
func newStore(t *testing.T) alert.Store {
	t.Helper()
	s := openStore(t, filepath.Join(t.TempDir(), "books.db"))
	t.Cleanup(func() { _ = s.Close() })
	return s.Alerts()
}

// addChannel and addRule put what a test needs into a store.
func addChannel(t *testing.T, st alert.Store, id, user, kind string) alert.Channel {
	t.Helper()
	c := alert.Channel{ID: id, UserID: user, Kind: kind, Name: id, Enabled: true, Confirmed: true, Settings: map[string]string{}, Created: time.Now()}
	if err := st.SaveChannel(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	return c
}

func addRule(t *testing.T, st alert.Store, user string, change func(r *alert.Rule), channels ...string) alert.Rule {
	t.Helper()
	r := newRule(Owner{UserID: user})
	r.Channels = channels
	for _, k := range alert.Kinds() {
		r.Kinds = append(r.Kinds, k.Kind)
	}
	if change != nil {
		change(&r)
	}
	if err := st.SaveRule(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	return r
}
