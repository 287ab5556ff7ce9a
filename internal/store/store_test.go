package store_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/poolscope/poolscope/internal/abuse"
	"github.com/poolscope/poolscope/internal/ledger"
	"github.com/poolscope/poolscope/internal/store"
	"github.com/poolscope/poolscope/internal/store/storetest"
)

func TestConformance(t *testing.T) {
	storetest.Run(t, func(t *testing.T) ledger.Store {
		return openStore(t, filepath.Join(t.TempDir(), "books.db"))
	})
}

func TestBansConformance(t *testing.T) {
	storetest.RunBans(t, func(t *testing.T) abuse.Store {
		return openStore(t, filepath.Join(t.TempDir(), "books.db"))
	})
}

// openStore opens the books and closes them when the test ends.
func openStore(t testing.TB, path string) *store.SQLite {
	t.Helper()
	s, err := store.Open(context.Background(), path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}
