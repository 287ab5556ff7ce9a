package files_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/poolscope/poolscope/internal/files"
)

func TestWriteDurablyReplacesWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	for _, content := range []string{"first, and longer", "second"} {
		if err := files.WriteDurably(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil || string(got) != content {
			t.Fatalf("content %q, %v; want %q", got, err, content)
		}
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Fatalf("left behind: %v, %v", entries, err)
	}
}

func TestWriteDurablyKeepsTheOldFileOnFailure(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := files.WriteDurably(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	// The temporary name is taken by a folder: writing must fail.
	if err := os.MkdirAll(filepath.Join(path+".tmp", "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := files.WriteDurably(path, []byte("new"), 0o600); err == nil {
		t.Fatal("no error")
	}
	if got, _ := os.ReadFile(path); string(got) != "old" {
		t.Fatalf("content %q after a failed write", got)
	}
}

func TestLockExcludesASecondHolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	held, err := files.Lock(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := files.Lock(path); !errors.Is(err, files.ErrLocked) {
		t.Fatalf("second lock: %v", err)
	}
	if err := held.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := files.Lock(path)
	if err != nil {
		t.Fatalf("after release: %v", err)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
}
