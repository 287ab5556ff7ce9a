package store_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/ledger"
	"github.com/poolscope/poolscope/internal/store"
)

var (
	noon  = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	quiet = slog.New(slog.DiscardHandler)
)

// fill writes enough that the file has many pages, and a block.
func fill(t *testing.T, s *store.SQLite) {
	t.Helper()
	if err := s.Apply(t.Context(), &ledger.Batch{Source: "fill", Seq: 1, At: noon, Deltas: deltas(600, noon)}); err != nil {
		t.Fatal(err)
	}
	if err := s.SaveBlock(t.Context(), ledger.Block{Hash: bitcoin.Hash{1}, Height: 7, FoundAt: noon, State: ledger.BlockPending}); err != nil {
		t.Fatal(err)
	}
}

// closedBooks makes a filled database and closes it.
func closedBooks(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "books.db")
	s, err := store.Open(t.Context(), path, quiet)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// records counts what a store has.
func records(t *testing.T, s *store.SQLite) (workers, blocks int) {
	t.Helper()
	state, err := s.Load(t.Context(), time.Time{}, 1_000_000)
	if err != nil {
		t.Fatal(err)
	}
	return len(state.Workers), len(state.Blocks)
}

func TestReopen(t *testing.T) {
	s := openStore(t, closedBooks(t))
	if workers, blocks := records(t, s); workers != 600 || blocks != 1 {
		t.Errorf("%d workers, %d blocks", workers, blocks)
	}
}

// A path may hold what has a meaning in URLs; missing folders are made; the
// file is its owner's only.
func TestOddPaths(t *testing.T) {
	for _, name := range []string{"plain.db", "with space.db", "what?mode=memory.db", "100%25#x.db", "a&_pragma=x.db", "Zürich;⛏.db", "new/folder/books.db"} {
		path := filepath.Join(t.TempDir(), name)
		s := openStore(t, path)
		fill(t, s)
		info, err := os.Stat(path)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v", name, info.Mode())
		}
		entries, _ := os.ReadDir(filepath.Dir(path))
		for _, e := range entries {
			if !strings.HasPrefix(e.Name(), filepath.Base(path)) {
				t.Errorf("%s: there is a file %q", name, e.Name())
			}
		}
	}
}

// Two at once: both write, and both see everything.
func TestTwoOpens(t *testing.T) {
	path := filepath.Join(t.TempDir(), "books.db")
	a, b := openStore(t, path), openStore(t, path)
	result := make(chan error)
	for name, s := range map[string]*store.SQLite{"a": a, "b": b} {
		go func() {
			var err error
			for i := range uint64(50) {
				err = errors.Join(err, s.Apply(context.Background(), &ledger.Batch{Source: name, Seq: i + 1, At: noon, Deltas: []ledger.Delta{
					{Worker: "w", Totals: ledger.Totals{Accepted: 1}},
				}}))
			}
			result <- err
		}()
	}
	for range 2 {
		if err := <-result; err != nil {
			t.Error(err)
		}
	}
	for _, s := range []*store.SQLite{a, b} {
		list, err := s.Workers(t.Context(), []string{"w"})
		if err != nil || len(list) != 1 || list[0].Totals.Accepted != 100 {
			t.Errorf("%+v, %v", list, err)
		}
	}
}

// A process that was killed leaves a log that was never folded in. Everything
// that was committed is there when the files are opened again.
func TestKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "books.db")
	s := openStore(t, path)
	fill(t, s)

	// What is on the disk now, while s is open, is what a killed process leaves.
	left := filepath.Join(t.TempDir(), "books.db")
	for _, suffix := range []string{"", "-wal"} {
		data, err := os.ReadFile(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(left+suffix, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if workers, blocks := records(t, openStore(t, left)); workers != 600 || blocks != 1 {
		t.Errorf("%d workers, %d blocks", workers, blocks)
	}
}

// Killed in the middle of a write, the log ends anywhere. Whatever is missing,
// what is left is whole: the books are those after some batch.
func TestKilledWhileWriting(t *testing.T) {
	path := filepath.Join(t.TempDir(), "books.db")
	s := openStore(t, path)
	for i := range uint64(20) {
		one := ledger.Totals{Accepted: 1}
		batch := &ledger.Batch{Source: "a", Seq: i + 1, At: noon, Deltas: []ledger.Delta{
			{Worker: "w", LastSeen: noon, Totals: one}, {Worker: ledger.PoolName, Totals: one},
		}}
		if err := s.Apply(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
	}
	main, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.ReadFile(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}

	most := uint64(0)
	for cut := len(log); cut > len(log)/2; cut -= 9001 {
		left := filepath.Join(t.TempDir(), "books.db")
		if err := errors.Join(os.WriteFile(left, main, 0o600), os.WriteFile(left+"-wal", log[:cut], 0o600)); err != nil {
			t.Fatal(err)
		}
		state, err := openStore(t, left).Load(t.Context(), time.Time{}, 10)
		if err != nil {
			t.Fatal(err)
		}
		n := state.Pool.Totals.Accepted
		if len(state.Workers) == 1 && state.Workers[0].Totals.Accepted != n || len(state.Workers) == 0 && n > 0 {
			t.Fatalf("cut at %d: pool has %d, workers %+v", cut, n, state.Workers)
		}
		most = max(most, n)
	}
	if most != 20 {
		t.Errorf("the whole log has %d batches, want 20", most)
	}
}

// Damage is noticed when the books are opened, wherever it is, and nothing is
// changed in the file.
func TestDamage(t *testing.T) {
	good, err := os.ReadFile(closedBooks(t))
	if err != nil {
		t.Fatal(err)
	}
	flip := func(from, to int) []byte {
		data := bytes.Clone(good)
		for i := from; i < to; i++ {
			data[i] ^= 0xff
		}
		return data
	}
	for name, data := range map[string][]byte{
		"no database":     []byte("These are not the books that you are looking for."),
		"short":           []byte("SQL"),
		"magic":           flip(0, 16),
		"schema":          flip(100, 300),
		"pages":           flip(8*4096, 40*4096),
		"page headers":    flip(20*4096, 20*4096+12),
		"cut in the half": good[:len(good)/2/4096*4096],
		"zeros":           append(bytes.Clone(good[:10*4096]), make([]byte, len(good)-10*4096)...),
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "books.db")
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := store.Open(t.Context(), path, quiet)
			if !errors.Is(err, store.ErrCorrupt) {
				t.Fatalf("error is %v", err)
			}
			if s != nil || !strings.Contains(err.Error(), path) {
				t.Errorf("store %v; error does not name the file: %v", s, err)
			}
			if now, _ := os.ReadFile(path); !bytes.Equal(now, data) {
				t.Error("the file was changed")
			}

			// Fresh books are begun, loudly; the damaged ones are kept.
			var log bytes.Buffer
			s, err = store.OpenOrRecover(t.Context(), path, noon, slog.New(slog.NewTextHandler(&log, nil)))
			if err != nil {
				t.Fatal(err)
			}
			fill(t, s)
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			kept := path + ".corrupt-20260301T120000Z"
			if now, _ := os.ReadFile(kept); !bytes.Equal(now, data) {
				t.Error("the damaged file was not kept as it was")
			}
			if !strings.Contains(log.String(), "level=ERROR") || !strings.Contains(log.String(), kept) {
				t.Errorf("log: %s", log.String())
			}
		})
	}
}

// Setting aside takes the log along, and never overwrites what was set aside before.
func TestSetAside(t *testing.T) {
	path := filepath.Join(t.TempDir(), "books.db")
	for i, want := range []string{"", "-2", "-3"} {
		for _, suffix := range []string{"", "-wal", "-shm"} {
			if err := os.WriteFile(path+suffix, []byte{byte(i)}, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		kept, err := store.SetAside(path, noon)
		if err != nil || kept != path+".corrupt-20260301T120000Z"+want {
			t.Fatalf("%q, %v", kept, err)
		}
		for _, suffix := range []string{"", "-wal", "-shm"} {
			if data, _ := os.ReadFile(kept + suffix); !bytes.Equal(data, []byte{byte(i)}) {
				t.Errorf("%s holds %v", kept+suffix, data)
			}
			if _, err := os.Stat(path + suffix); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s is still there", path+suffix)
			}
		}
	}
	if _, err := store.SetAside(path, noon); err == nil {
		t.Error("nothing to set aside, and no error")
	}
}

// Books of a later version are refused, and neither changed nor set aside.
func TestNewerSchema(t *testing.T) {
	path := closedBooks(t)
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, 1)`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		_, err = store.OpenOrRecover(t.Context(), path, noon, quiet)
		if !errors.Is(err, store.ErrNewerSchema) || !strings.Contains(err.Error(), "99") {
			t.Errorf("error is %v", err)
		}
	}
}

// A folder that cannot be written to gives an error, not fresh books.
func TestUnusablePlaces(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{"below a file": filepath.Join(file, "books.db"), "a folder": t.TempDir()} {
		s, err := store.OpenOrRecover(t.Context(), path, noon, quiet)
		if err == nil || s != nil || errors.Is(err, store.ErrCorrupt) {
			t.Errorf("%s: %v, %v", name, s, err)
		}
	}
}
