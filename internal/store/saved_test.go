package store_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/poolscope/poolscope/internal/account"
	"github.com/poolscope/poolscope/internal/account/saved"
	"github.com/poolscope/poolscope/internal/ledger"
	"github.com/poolscope/poolscope/internal/store/storetest"
)

func TestSavedConformance(t *testing.T) {
	storetest.RunSaved(t, func(t *testing.T) (saved.Store, func(id string) error) {
		s := openStore(t, filepath.Join(t.TempDir(), "books.db"))
		for _, id := range []string{"u1", "u2"} {
			u := account.User{ID: id, Name: id, Provider: account.ProviderLocal, Role: account.RoleViewer, Created: time.Unix(1, 0)}
			if err := s.AddUser(t.Context(), u, id, "", 10); err != nil {
				t.Fatal(err)
			}
		}
		return s, func(id string) error { return s.RemoveUser(t.Context(), id, nil) }
	})
}

// The workers of an address, and their work in periods, are read from the books.
func TestWorkersOfAnAddress(t *testing.T) {
	s := openStore(t, filepath.Join(t.TempDir(), "books.db"))
	start := time.Date(2026, 3, 1, 11, 58, 0, 0, time.UTC)
	batch := &ledger.Batch{Source: "t", Seq: 1}
	for i, name := range []string{"a.one", "a.two", "b.one"} {
		d := ledger.Delta{Worker: name, Address: name[:1], FirstSeen: start, LastSeen: start.Add(time.Duration(i) * time.Minute), Totals: ledger.Totals{Accepted: 1}}
		for minute := range 25 {
			d.Rows = append(d.Rows, ledger.MinuteRow{Minute: start.Unix()/60 + int64(minute), Accepted: 1, Work: float64(i + 1)})
		}
		batch.Deltas = append(batch.Deltas, d)
	}
	if err := s.Apply(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	for limit, want := range map[int][]string{10: {"a.two", "a.one"}, 1: {"a.two"}} {
		if got, err := s.WorkersOf(t.Context(), "a", limit); err != nil || !cmp.Equal(got, want) {
			t.Errorf("workers of a: %v, %v; want %v", got, err, want)
		}
	}
	if got, err := s.WorkersOf(t.Context(), "", 10); err != nil || len(got) != 0 {
		t.Errorf("workers without an address: %v, %v", got, err)
	}
	at := func(minute int) time.Time { return start.Add(time.Duration(minute) * time.Minute) }
	got, err := s.WorkSums(t.Context(), []string{"a.two", "b.one", "nobody"}, start, at(22), 10)
	want := map[string][]saved.WorkSum{ // periods begin at full tens of minutes
		"a.two": {{At: at(-8), Work: 4}, {At: at(2), Work: 20}, {At: at(12), Work: 20}},
		"b.one": {{At: at(-8), Work: 6}, {At: at(2), Work: 30}, {At: at(12), Work: 30}},
	}
	if err != nil || !cmp.Equal(got, want) {
		t.Errorf("%v: %s", err, cmp.Diff(want, got))
	}
	if got, err := s.WorkSums(t.Context(), nil, start, at(22), 10); err != nil || len(got) != 0 {
		t.Errorf("of nobody: %v, %v", got, err)
	}
	many := make([]string, saved.MaxPerUser)
	for i := range many {
		many[i] = fmt.Sprint("a.", i)
	}
	if _, err := s.WorkSums(t.Context(), many, start, at(22), 10); err != nil {
		t.Error(err)
	}
}

// Who registered, never came back, and has something, stays.
func TestUnusedAccountsWithSomethingStay(t *testing.T) {
	s := openStore(t, filepath.Join(t.TempDir(), "books.db"))
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, id := range []string{"saved", "address", "linked", "nothing"} {
		u := account.User{ID: id, Name: id, Provider: account.ProviderLocal, Role: account.RoleViewer, Registered: true, Created: start}
		if err := s.AddUser(t.Context(), u, id, "", 10); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.PutSaved(t.Context(), saved.Record{UserID: "saved", Worker: "a.one", Added: start}); err != nil {
		t.Fatal(err)
	}
	if err := s.PutOwnedAddress(t.Context(), saved.OwnedAddress{UserID: "address", Address: "a", Proven: start}); err != nil {
		t.Fatal(err)
	}
	if err := s.SaveLinkCode(t.Context(), "linked", []byte("hash"), start, start.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := s.RedeemLinkCode(t.Context(), []byte("hash"), "1", "linked", start); err != nil || !ok {
		t.Fatal(ok, err)
	}
	if n, err := s.PruneUnused(t.Context(), start.Add(time.Hour), time.Hour); n != 1 || err != nil {
		t.Errorf("%d deleted, %v", n, err)
	}
	if _, err := s.User(t.Context(), "nothing"); err == nil {
		t.Error("who has nothing is still there")
	}
}
