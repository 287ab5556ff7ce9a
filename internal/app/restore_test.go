package app

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/backup"
	"github.com/poolscope/poolscope/internal/config"
	"github.com/poolscope/poolscope/internal/store"
	"github.com/poolscope/poolscope/internal/telemetry"
)

// restoreTime is when restores of tests happen.
var restoreTime = time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)

// bookedFolder is a data folder with books in it.
func bookedFolder(t *testing.T) *config.Config {
	t.Helper()
	cfg := config.Default()
	cfg.DataDir = t.TempDir()
	books, err := store.Open(t.Context(), cfg.DatabasePath(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := books.Close(); err != nil {
		t.Fatal(err)
	}
	return cfg
}

// archiveOf makes a backup of a data folder.
func archiveOf(t *testing.T, cfg *config.Config) []byte {
	t.Helper()
	service, _, err := Backups(cfg, telemetry.Build{Version: "v1"}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	name, err := service.Make(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(cfg.BackupDir(), name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func restore(ctx context.Context, cfg *config.Config, archive []byte) (*backup.Restored, error) {
	return RestoreBackup(ctx, Restore{Config: cfg, Archive: bytes.NewReader(archive), Now: restoreTime})
}

// TestRestoreCutShort fails a restore in the middle: no pool starts on the folder,
// which would begin new books, until the restore was done again. What was there
// before stays.
func TestRestoreCutShort(t *testing.T) {
	source := bookedFolder(t)
	archive := archiveOf(t, source)

	cfg := config.Default()
	cfg.DataDir = t.TempDir()
	mustWrite := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(cfg.DataDir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	mustWrite("poolscope.db-wal", "log")
	mustWrite("poolscope.db", "old books")
	cut := func(m *backup.Manifest) bool {
		// What was unpacked is gone when it is to be moved, as on a disk that fails.
		found, _ := filepath.Glob(filepath.Join(cfg.DataDir, restoring+"*", booksMember))
		for _, path := range found {
			if err := os.Remove(path); err != nil {
				t.Error(err)
			}
		}
		return true
	}
	_, err := RestoreBackup(t.Context(), Restore{Config: cfg, Archive: bytes.NewReader(archive), Now: restoreTime, Confirm: cut})
	if !errors.Is(err, ErrHalfRestored) || !strings.Contains(err.Error(), "before-restore-20261122T140000Z") {
		t.Fatalf("%v", err)
	}
	if _, err := openDataDir(cfg.DataDir); !errors.Is(err, ErrHalfRestored) {
		t.Errorf("a pool starts on it: %v", err)
	}
	aside := filepath.Join(cfg.DataDir, backup.AsideName(restoreTime))
	if data, err := os.ReadFile(filepath.Join(aside, "poolscope.db")); err != nil || string(data) != "old books" {
		t.Errorf("the old books: %q, %v", data, err)
	}

	// Again, in the same second: what was there before is not mixed with what is
	// there now.
	mustWrite("poolscope.db", "half")
	done, err := restore(t.Context(), cfg, archive)
	if err != nil || done.Aside == aside {
		t.Fatalf("%+v, %v", done, err)
	}
	release, err := openDataDir(cfg.DataDir)
	if err != nil {
		t.Fatalf("afterwards: %v", err)
	}
	release()
	if left, _ := filepath.Glob(filepath.Join(cfg.DataDir, ".*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestRestoreRefusesNewerBooks has an archive of a later version: nothing is
// touched, as this program could not read the books.
func TestRestoreRefusesNewerBooks(t *testing.T) {
	source := bookedFolder(t)
	db, err := sql.Open("sqlite", source.DatabasePath())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	archive := archiveOf(t, source)
	cfg := bookedFolder(t)
	if _, err := restore(t.Context(), cfg, archive); !errors.Is(err, store.ErrNewerSchema) {
		t.Errorf("%v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(cfg.DataDir, "before-restore-*")); len(left) > 0 {
		t.Error("the folder was touched")
	}
	release, err := openDataDir(cfg.DataDir)
	if err != nil {
		t.Fatal(err)
	}
	release()
}

// TestRestoreRemovesLeftovers finds what a restore left that was killed before it
// touched anything, and a check of long ago.
func TestRestoreRemovesLeftovers(t *testing.T) {
	cfg := bookedFolder(t)
	archive := archiveOf(t, cfg)
	fresh, old, cut := filepath.Join(cfg.DataDir, checking+"1"), filepath.Join(cfg.DataDir, checking+"2"), filepath.Join(cfg.DataDir, restoring+"3")
	for _, dir := range []string{fresh, old, cut} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for dir, at := range map[string]time.Time{fresh: restoreTime, old: restoreTime.Add(-2 * leftFor)} {
		if err := os.Chtimes(dir, at, at); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := restore(t.Context(), cfg, archive); err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]bool{fresh: true, old: false, cut: false} {
		if _, err := os.Stat(dir); (err == nil) != want {
			t.Errorf("%s is there: %v", filepath.Base(dir), err == nil)
		}
	}
}

// TestRestoreWaitsForBackup refuses while a backup of the folder is being made.
func TestRestoreWaitsForBackup(t *testing.T) {
	cfg := bookedFolder(t)
	archive := archiveOf(t, cfg)
	held, err := backup.Hold(filepath.Join(cfg.DataDir, backupWork))
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	if _, err := restore(t.Context(), cfg, archive); !errors.Is(err, backup.ErrRunning) {
		t.Errorf("%v", err)
	}
}
