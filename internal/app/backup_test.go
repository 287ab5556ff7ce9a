package app

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/backup"
	"github.com/poolscope/poolscope/internal/config"
)

// spoiltBackup makes an archive, right in itself, of books that are none.
func spoiltBackup(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	books := filepath.Join(dir, "books")
	if err := os.WriteFile(books, []byte("no database"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := backup.New(backup.Config{
		WorkDir: filepath.Join(dir, "work"), Targets: []backup.Target{backup.NewLocal(filepath.Join(dir, "kept"))},
		Items: func() []backup.Item { return []backup.Item{{Name: booksMember, Path: books, Database: true}} },
		Snapshot: func(_ context.Context, path, into string) error {
			data, err := os.ReadFile(path)
			return errors.Join(err, os.WriteFile(into, data, 0o600))
		},
	}, slog.New(slog.DiscardHandler))
	name, err := s.Make(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "kept", name)
}

// TestSpoiltBooksAreNotRestored: an archive of a broken database is refused before
// anything is touched, and so is any while a poolscope uses the folder.
func TestSpoiltBooksAreNotRestored(t *testing.T) {
	archive, data := spoiltBackup(t), t.TempDir()
	mine := filepath.Join(data, booksMember)
	if err := os.WriteFile(mine, []byte("my books"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := config.Default()
	cfg.DataDir = data
	restore := func() error {
		t.Helper()
		f, err := os.Open(archive)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = f.Close() }()
		asked := false
		_, err = RestoreBackup(t.Context(), Restore{Config: cfg, Archive: f, Now: time.Now(), Confirm: func(*backup.Manifest) bool {
			asked = true
			return true
		}})
		if asked {
			t.Error("somebody was asked about an archive that cannot be restored")
		}
		return err
	}
	release, err := openDataDir(data)
	if err != nil {
		t.Fatal(err)
	}
	if err := restore(); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("restored into a folder that is in use: %v", err)
	}
	release()
	if err := restore(); err == nil {
		t.Error("restored books that are no database")
	}
	if now, err := os.ReadFile(mine); err != nil || string(now) != "my books" {
		t.Errorf("the books are %q, %v", now, err)
	}
	if left, _ := filepath.Glob(filepath.Join(data, ".restoring-*")); len(left) > 0 {
		t.Errorf("what was unpacked is left: %v", left)
	}
}
