package backup

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// put puts an archive of a time into a double, verified or not.
func (d *double) archive(at time.Time, verified bool) (name string) {
	name = nameOf(at, false)
	d.files[name] = []byte("x")
	if verified {
		d.files[name+sumEnd] = []byte("x")
	}
	return name
}

func (d *double) has(name string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, ok := d.files[name]
	return ok
}

// TestClockWasAhead has archives that were made while the clock was years ahead.
// Backups are made all the same, and neither kind pushes the other out.
func TestClockWasAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDouble("d")
		var ahead []string
		for day := range 3 {
			ahead = append(ahead, d.archive(time.Now().AddDate(10, 0, day), true))
		}
		s := newService(t, Config{Every: 24 * time.Hour, Keep: Keep{Last: 2}, Targets: []Target{d}})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.Run(ctx) }()
		time.Sleep(84 * time.Hour)
		synctest.Wait()
		if n := len(d.putTimes()); n != 4 {
			t.Errorf("%d backups in three and a half days", n)
		}
		all, err := s.List(ctx)
		if err != nil {
			t.Error(err)
		}
		now := 0
		for _, b := range all {
			switch {
			case b.At.Before(time.Now()):
				now++
			case !slices.Equal(b.Kept, []Generation{Future}):
				t.Errorf("%s is kept as %v", b.Name, b.Kept)
			}
		}
		if now != 2 {
			t.Errorf("%d backups of now are left, 2 are kept", now)
		}
		for _, name := range ahead {
			if !d.has(name) {
				t.Errorf("%s is gone", name)
			}
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// TestClockSetBack has the clock set back in between: the backup that was made
// just now stays, whatever the older ones say.
func TestClockSetBack(t *testing.T) {
	d := newDouble("d")
	now := testTime
	s := newService(t, Config{Every: time.Hour, Targets: []Target{d}, Keep: Keep{Last: 1}, Now: func() time.Time { return now }})
	for _, back := range []time.Duration{0, 30 * time.Minute, 400 * 24 * time.Hour} {
		now = testTime.Add(-back)
		name, err := s.Make(t.Context())
		if err != nil || !d.has(name) || !d.has(name+sumEnd) {
			t.Errorf("%s back: %s is there: %v, %v", back, name, d.has(name), err)
		}
	}
	// A failure that was noted before the clock was set back does not hold up the
	// next attempt.
	d.setFail(errors.New("away"))
	now = testTime
	_, _ = s.Make(t.Context())
	now = testTime.AddDate(-1, 0, 0)
	if len(s.due()) != 1 {
		t.Error("not due until the clock is there again")
	}
}

// TestCopiesWithoutSums has archives that somebody copied here without their sums:
// those stay by the rules of generations, and take no verified one's place.
func TestCopiesWithoutSums(t *testing.T) {
	d := newDouble("d")
	var copies []string
	for day := range 4 {
		copies = append(copies, d.archive(testTime.AddDate(0, 0, -10+day), false))
	}
	verified := d.archive(testTime.AddDate(0, 0, -3), true)
	s := newService(t, Config{Targets: []Target{d}, Keep: Keep{Last: 2}, Now: func() time.Time { return testTime }})
	made, err := s.Make(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{copies[0]: false, copies[1]: false, copies[2]: true, copies[3]: true, verified: true, made: true} {
		if d.has(name) != want {
			t.Errorf("%s is there: %v", name, d.has(name))
		}
	}
}

// blind is a target that takes archives and gives none back.
type blind struct{ *double }

func (b blind) Get(ctx context.Context, name string) (io.ReadCloser, error) {
	if b.has(name) && !strings.HasSuffix(name, sumEnd) {
		return nil, errors.New("403")
	}
	return b.double.Get(ctx, name)
}

// TestUnreadableStorageDoesNotFill has a storage that refuses to give back what it
// took, for months: it does not get more and more.
func TestUnreadableStorageDoesNotFill(t *testing.T) {
	d := newDouble("d")
	now := testTime
	s := newService(t, Config{Targets: []Target{blind{d}}, Keep: Keep{Last: 3, Daily: 2}, Now: func() time.Time { return now }})
	for range 40 {
		if _, err := s.Make(t.Context()); err == nil {
			t.Fatal("not read back, and no error")
		}
		now = now.Add(24 * time.Hour)
	}
	if n := len(d.files); n > 6 {
		t.Errorf("%d archives that nobody can read", n)
	}
}

// TestSameSecond makes two backups in one second: the first, which is verified, is
// not written over.
func TestSameSecond(t *testing.T) {
	d := newDouble("d")
	s := newService(t, Config{Targets: []Target{d}, Now: func() time.Time { return testTime }})
	name, err := s.Make(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	before := d.files[name]
	d.corrupt = true
	if _, err := s.Make(t.Context()); err == nil {
		t.Error("no error")
	}
	if !bytes.Equal(d.files[name], before) || !d.has(name+sumEnd) {
		t.Error("the first backup is gone")
	}
	d.corrupt = false
	if again, err := s.Make(t.Context()); err != nil || again == name || !d.has(again+sumEnd) {
		t.Errorf("%s after %s: %v", again, name, err)
	}
}

// endless is a target whose files do not end.
type endless struct{ *double }

func (e endless) Get(ctx context.Context, name string) (io.ReadCloser, error) {
	r, err := e.double.Get(ctx, name)
	if err != nil {
		return nil, err
	}
	return io.NopCloser(io.MultiReader(r, zeros{})), nil
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { return len(b), nil }

// TestEndlessFile has a storage that goes on sending: neither reading back nor a
// restore waits for its end, nor fills the disk.
func TestEndlessFile(t *testing.T) {
	d := newDouble("d")
	s := newService(t, Config{Targets: []Target{endless{d}}})
	if _, err := s.Make(t.Context()); !errors.Is(err, ErrArchive) {
		t.Errorf("%v", err)
	}
	name := d.archive(testTime, false)
	if _, _, err := Fetch(t.Context(), endless{d}, Backup{Name: name, Bytes: 1}, t.TempDir()); !errors.Is(err, ErrArchive) {
		t.Errorf("fetched: %v", err)
	}
}

// TestBusyElsewhere has somebody at the command line make backups for a while: the
// schedule waits, without a word every second, and sees what was made.
func TestBusyElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDouble("d")
		var said bytes.Buffer
		s := newService(t, Config{Every: 24 * time.Hour, Keep: Keep{Last: 9}, Targets: []Target{d}})
		s.log = slog.New(slog.NewTextHandler(&said, nil))
		if err := os.MkdirAll(s.cfg.WorkDir, 0o700); err != nil {
			t.Fatal(err)
		}
		lock, err := Hold(s.cfg.WorkDir)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.Run(ctx) }()
		time.Sleep(time.Hour)
		d.mu.Lock()
		made := d.archive(time.Now(), true)
		d.mu.Unlock()
		_ = lock.Close()
		time.Sleep(12 * time.Hour)
		synctest.Wait()
		if n := strings.Count(said.String(), "\n"); n > 10 {
			t.Errorf("%d lines in the log in an hour", n)
		}
		if strings.Contains(said.String(), "level=ERROR") {
			t.Errorf("it is no error:\n%s", said.String())
		}
		if n := len(d.putTimes()); n != 0 {
			t.Errorf("%d backups besides %s", n, made)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// TestKilled finds what processes left that were killed while they made a backup,
// in the working folder and where backups are kept, and removes it.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	old, fresh := testTime.AddDate(0, 0, -3), testTime.Add(-time.Hour)
	s := newService(t, Config{Targets: []Target{NewLocal(dir)}, Keep: Keep{Last: 1}, Now: func() time.Time { return testTime }})
	write := func(path string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	gone := []string{
		filepath.Join(s.cfg.WorkDir, nameOf(old, true)), filepath.Join(s.cfg.WorkDir, ".making-1", "0.db"),
		filepath.Join(dir, nameOf(old, true)+partEnd), filepath.Join(dir, nameOf(old, false)+sumEnd+".tmp"),
	}
	stay := []string{filepath.Join(dir, nameOf(fresh, true)+partEnd), filepath.Join(dir, "holiday.part"), filepath.Join(s.cfg.WorkDir, "mine.txt")}
	for _, path := range slices.Concat(gone, stay) {
		write(path)
	}
	if _, err := s.Make(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, path := range gone {
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s is still there", filepath.Base(path))
		}
	}
	for _, path := range stay {
		if _, err := os.Stat(path); err != nil {
			t.Errorf("%s is gone", filepath.Base(path))
		}
	}
}

// TestNoRoom has a disk that a backup would fill: nothing is written, and it is
// told by how much.
func TestNoRoom(t *testing.T) {
	d := newDouble("d")
	s := newService(t, Config{Targets: []Target{d}})
	s.free = func(string) (int64, error) { return leftFree + 1000, nil }
	s.cfg.Snapshot = func(context.Context, string, string) error {
		t.Error("a copy was begun")
		return nil
	}
	if _, err := s.Make(t.Context()); !errors.Is(err, ErrRoom) || !strings.Contains(err.Error(), "64 MiB") {
		t.Errorf("%v", err)
	}
	if status := s.Status().Targets[0]; status.Failed != 1 || !strings.Contains(status.LastError, "not enough room") {
		t.Errorf("%+v", status)
	}
}
