package store

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// TestSnapshotIsConsistent copies a database while another connection moves
// amounts between two rows: no copy shows a half-done move, and nobody who
// writes is refused.
func TestSnapshotIsConsistent(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "odd name? #1.db")
	s, err := Open(t.Context(), path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	db := s.writer
	if _, err := db.Exec(`CREATE TABLE amounts (id INTEGER PRIMARY KEY, amount INTEGER NOT NULL); INSERT INTO amounts VALUES (1, 1000), (2, 0)`); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	moves := 0
	wait.Go(func() {
		for ctx.Err() == nil {
			err := s.transact(t.Context(), func(tx *sql.Tx) error {
				_, err := tx.Exec(`UPDATE amounts SET amount = amount - 1 WHERE id = 1`)
				if err == nil {
					_, err = tx.Exec(`UPDATE amounts SET amount = amount + 1 WHERE id = 2`)
				}
				return err
			})
			if err != nil {
				t.Errorf("a writer was refused: %v", err)
				return
			}
			moves++
		}
	})
	last := -1
	for i := range 20 {
		into := filepath.Join(dir, "copy", string(rune('a'+i)))
		if err := os.MkdirAll(filepath.Dir(into), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := Snapshot(t.Context(), path, into); err != nil {
			t.Fatal(err)
		}
		copied, err := sql.Open(driver, "file:"+escaped(into)+"?mode=ro")
		if err != nil {
			t.Fatal(err)
		}
		var total, moved int
		if err := copied.QueryRow(`SELECT sum(amount), max(CASE id WHEN 2 THEN amount END) FROM amounts`).Scan(&total, &moved); err != nil {
			t.Fatal(err)
		}
		_ = copied.Close()
		if total != 1000 || moved < last {
			t.Errorf("copy %d: %d in all, %d moved after %d", i, total, moved, last)
		}
		last = moved
	}
	stop()
	wait.Wait()
	if last <= 0 || moves == 0 {
		t.Error("nothing was written meanwhile")
	}
}

func TestSnapshotOfDamage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	if err := os.WriteFile(path, []byte("SQLite format 3\x00 and then something else entirely, long enough for a header of one hundred bytes ................"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Snapshot(t.Context(), path, path+".copy"); !errors.Is(err, ErrCorrupt) {
		t.Errorf("%v", err)
	}
	if err := Check(t.Context(), path); !errors.Is(err, ErrCorrupt) {
		t.Errorf("%v", err)
	}
}
