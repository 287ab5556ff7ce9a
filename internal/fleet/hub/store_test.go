package hub

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/fleet"
	"github.com/poolscope/poolscope/internal/nostr"
)

func openStore(t *testing.T, path string) *Store {
	t.Helper()
	store, err := OpenStore(path, StoreConfig{}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}

// history is the counters of accepted shares that the store has of an agent, the
// newest first.
func (s *stage) history(id string) (accepted []uint64) {
	s.t.Helper()
	h, _, err := s.History(context.Background(), id, 100)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, content := range h.History {
		t, _, err := fleet.ParseTelemetry(content, s.cfg.Member.Run())
		if err != nil {
			s.t.Fatal(err)
		}
		accepted = append(accepted, t.Stats.Accepted)
	}
	return accepted
}

// TestARestartStoresNothingTwice gives a hub what its relay sent before the
// restart. An agent that ended meanwhile does not come to life by it.
func TestARestartStoresNothingTwice(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fleet.db")
	store := openStore(t, path)
	s := newStage(t, func(c *Config) { c.Store = store })
	var sent []*nostr.Event
	for n := range 5 {
		s.now = begin.Add(time.Duration(n) * 5 * time.Second)
		sent = append(sent, s.event(2, told("a", uint64(n)), s.now, s.now))
		s.received("telemetry", sent[n])
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}

	store = openStore(t, path)
	later := s.now.Add(time.Minute)
	again := newStage(t, func(c *Config) {
		c.Store = store
		c.Now = func() time.Time { return later }
	})
	for _, e := range sent {
		again.received("telemetry", e)
	}
	again.tell(2, told("b", 1), later)
	if got := fmt.Sprint(again.history("a")); got != "[4 3 2 1 0]" {
		t.Errorf("stored %s", got)
	}
	if a, status := again.agent("a"), again.Status().Telemetry; a.State != "silent" || status.Stored != 1 || status.Refused["duplicate"] != 5 {
		t.Errorf("%s, %+v", a.State, status)
	}
	// The file keeps apart what a gate that forgets lets in.
	one := record{event: sent[0].ID, run: "run1", agent: "a", at: begin, received: later, telemetry: &fleet.Telemetry{}, content: []byte("{}")}
	store.put(one, nil)
	if err := store.Flush(); err != nil || store.stored.Load() != 1 || len(again.history("a")) != 5 {
		t.Errorf("%v, %d stored", err, store.stored.Load())
	}
}

// TestRunsAreKeptApart has agents of the same name in two runs.
func TestRunsAreKeptApart(t *testing.T) {
	store := openStore(t, filepath.Join(t.TempDir(), "fleet.db"))
	s := newStage(t, func(c *Config) { c.Store = store })
	for n := range 3 {
		s.now = begin.Add(time.Duration(n) * 5 * time.Second)
		s.tell(2, told("a", uint64(n)), s.now)
	}
	other := newStage(t, func(c *Config) {
		c.Store, c.Member = store, member(t, "run2", 1)
	})
	other.now = s.now.Add(time.Second)
	if got := other.history("a"); len(got) != 0 || len(other.Agents()) != 0 {
		t.Errorf("of another run: %v", got)
	}
	if series, _, err := other.Series(context.Background(), "a", time.Hour, 10); err != nil || len(series.Points) != 0 {
		t.Errorf("of another run: %v %+v", err, series.Points)
	}
	if got := fmt.Sprint(s.history("a")); got != "[2 1 0]" {
		t.Errorf("of this run: %s", got)
	}
}

// TestPutDoesNotWaitForTheDisk puts while the file is being written.
func TestPutDoesNotWaitForTheDisk(t *testing.T) {
	store := openStore(t, filepath.Join(t.TempDir(), "fleet.db"))
	store.writing.Lock() // as Flush holds it during a commit
	put := make(chan struct{})
	go func() {
		store.put(record{event: "e", run: "run1", agent: "a", at: begin, received: begin, telemetry: &fleet.Telemetry{}, content: []byte("{}")}, nil)
		close(put)
	}()
	select {
	case <-put:
	case <-time.After(20 * time.Second):
		t.Error("put waits until the file is written")
	}
	store.writing.Unlock()
	if err := store.Flush(); err != nil || store.stored.Load() != 1 {
		t.Errorf("%v, %d stored", err, store.stored.Load())
	}
}

// TestWrongTimesDoNotFreezeAnAgent sends telemetry whose content is of another
// time than its event, then some of a clock that was put right.
func TestWrongTimesDoNotFreezeAnAgent(t *testing.T) {
	store := openStore(t, filepath.Join(t.TempDir(), "fleet.db"))
	s := newStage(t, func(c *Config) { c.Store = store })
	s.tell(2, told("a", 1), s.now)
	s.received("telemetry", s.event(2, told("a", 900), s.now.Add(24*time.Hour), s.now))
	s.received("telemetry", s.event(2, told("a", 901), s.now.Add(-2*time.Minute), s.now))
	if refused := s.Status().Telemetry.Refused; refused["future"] != 1 || refused["stale"] != 1 {
		t.Errorf("refused %v", refused)
	}
	s.now = begin.Add(5 * time.Second)
	s.tell(2, told("a", 2), s.now.Add(50*time.Second)) // within what is let in
	s.now = begin.Add(10 * time.Second)
	s.tell(2, told("a", 3), s.now)
	s.now = begin.Add(21 * time.Second)
	s.registry.sweep(s.now)
	s.tell(2, told("a", 4), s.now)
	if a := s.agent("a"); a.Stats.Accepted != 4 || a.State != "live" {
		t.Errorf("%+v", a)
	}
	if got := fmt.Sprint(s.history("a")); got != "[4 3 2 1]" {
		t.Errorf("history is %s: not the newest first", got)
	}
}

// TestFilesOfAnEarlierVersionAreSetAside begins a new file and loses nothing.
func TestFilesOfAnEarlierVersionAreSetAside(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "fleet.db")
	store := openStore(t, path)
	if _, err := store.db.Exec("PRAGMA user_version = 1"); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	store = openStore(t, path)
	var version int
	if err := store.db.QueryRow("PRAGMA user_version").Scan(&version); err != nil || version != schemaVersion {
		t.Errorf("schema %d, %v", version, err)
	}
	if kept, err := filepath.Glob(filepath.Join(folder, "fleet.db.*")); err != nil || len(kept) == 0 {
		t.Errorf("the former file is not kept: %v", err)
	}
}
