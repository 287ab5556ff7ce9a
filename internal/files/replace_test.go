package files_test

import (
	"bytes"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/files"
)

func TestReplaceKeepsTheMode(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	for _, mode := range []os.FileMode{0o600, 0o640, 0o444} {
		_ = os.Remove(path)
		if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if err := files.ReplaceDurably(path, []byte("new")); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != mode {
			t.Errorf("mode %v, %v; want %v", info.Mode(), err, mode)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != "new" {
			t.Errorf("%q, %v", got, err)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("%v, %v", left, err)
	}
}

func TestReplaceNothing(t *testing.T) {
	dir := t.TempDir()
	if err := files.ReplaceDurably(filepath.Join(dir, "missing"), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
	if err := files.ReplaceDurably(dir, nil); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("error %v", err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink("elsewhere", link); err == nil {
		if err := files.ReplaceDurably(link, nil); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("error %v", err)
		}
	}
	if !files.CanReplace(dir) || files.CanReplace(filepath.Join(dir, "missing")) {
		t.Error("whether files can be replaced is not known")
	}
}

// replacing is set in a process that replaces a file until it is killed.
const replacing = "POOLSCOPE_TEST_REPLACING"

// TestMain lets the test program be that process.
func TestMain(m *testing.M) {
	path := os.Getenv(replacing)
	if path == "" {
		os.Exit(m.Run())
	}
	for n := 0; ; n++ {
		if err := files.ReplaceDurably(path, bytes.Repeat([]byte{byte('a' + n%26)}, 100_000+n%7)); err != nil {
			panic(err)
		}
	}
}

// TestReplaceKilled kills a process at random moments of replacing a file, which is
// whole ever after.
func TestReplaceKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	for range 10 {
		if err := os.WriteFile(path, bytes.Repeat([]byte("z"), 1000), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), replacing+"="+path)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// It has begun when the file is another one; then at a random moment.
		for first := true; first; {
			got, err := os.ReadFile(path)
			first = err == nil && len(got) == 1000
		}
		time.Sleep(rand.N(20 * time.Millisecond))
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // it was killed
		got, err := os.ReadFile(path)
		if err != nil || len(got) < 100_000 || len(bytes.TrimLeft(got, string(got[:1]))) != 0 {
			t.Fatalf("%d bytes, %v", len(got), err)
		}
	}
	other := filepath.Join(filepath.Dir(path), ".file.mine.tmp")
	if err := os.WriteFile(other, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := files.RemoveLeftovers(path); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 2 {
		t.Errorf("%v are left, %v", left, err)
	}
}
