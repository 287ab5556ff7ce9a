package store_test

import (
	"errors"
	"io/fs"
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/poolscope/poolscope/internal/account"
	"github.com/poolscope/poolscope/internal/store"
	"github.com/poolscope/poolscope/internal/store/storetest"
)

func TestAccounts(t *testing.T) {
	storetest.RunAccounts(t, func(t *testing.T) account.Store { return openStore(t, filepath.Join(t.TempDir(), "books.db")) })
}

// TestBesideARunningProgram: what one process does to accounts, another one sees.
func TestBesideARunningProgram(t *testing.T) {
	path := filepath.Join(t.TempDir(), "books.db")
	if _, err := store.OpenShared(t.Context(), path, slog.New(slog.DiscardHandler)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("books that are not there: %v", err)
	}
	running := openStore(t, path)
	beside, err := store.OpenShared(t.Context(), path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = beside.Close() })
	u := account.User{ID: "u", Name: "jane", Provider: account.ProviderLocal, Role: account.RoleViewer}
	if err := beside.AddUser(t.Context(), u, "jane", "hash", 10); err != nil {
		t.Fatal(err)
	}
	if got, err := running.User(t.Context(), "u"); err != nil || got != u {
		t.Errorf("%+v, %v", got, err)
	}
}
