package backup

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// double is a target in memory that can fail, and change what it keeps.
type double struct {
	mu      sync.Mutex
	name    string
	files   map[string][]byte
	fail    error
	corrupt bool
	puts    []time.Time
}

func newDouble(name string) *double { return &double{name: name, files: make(map[string][]byte)} }

func (d *double) Name() string     { return d.name }
func (d *double) Location() string { return "memory" }

func (d *double) List(context.Context) ([]File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []File
	for name, data := range d.files {
		all = append(all, File{name, int64(len(data))})
	}
	return all, d.fail
}

func (d *double) Put(ctx context.Context, name, path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	d.mu.Lock()
	d.puts = append(d.puts, time.Now())
	if d.corrupt {
		data[len(data)/2] ^= 1
	}
	d.mu.Unlock()
	return d.PutSmall(ctx, name, data)
}

func (d *double) PutSmall(_ context.Context, name string, data []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fail != nil {
		return d.fail
	}
	d.files[name] = data
	return nil
}

func (d *double) Get(_ context.Context, name string) (io.ReadCloser, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if data, ok := d.files[name]; ok {
		return io.NopCloser(bytes.NewReader(data)), d.fail
	}
	return nil, ErrNotFound
}

func (d *double) Delete(_ context.Context, name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.files, name)
	return d.fail
}

func (d *double) Sweep(context.Context, time.Time) error { return nil }

func (d *double) setFail(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fail = err
}

func (d *double) putTimes() []time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]time.Time{}, d.puts...)
}

func newService(t *testing.T, cfg Config) *Service {
	t.Helper()
	items, _ := someItems(t)
	cfg.WorkDir, cfg.Snapshot, cfg.Version = filepath.Join(t.TempDir(), "work"), copyAsSnapshot, "v1"
	cfg.Items = func() []Item { return items }
	return New(cfg, slog.New(slog.DiscardHandler))
}

// TestSchedule runs a service for days: a target that is away is tried again by
// itself, with growing pauses, and the other one is left alone.
func TestSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		good, bad := newDouble("good"), newDouble("bad")
		bad.setFail(errors.New("no route to host"))
		var failures []string
		s := newService(t, Config{Every: 24 * time.Hour, Keep: Keep{Last: 2}, Targets: []Target{good, bad}, Failed: func(target string, err error) {
			failures = append(failures, target+": "+err.Error())
		}})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.Run(ctx) }()

		time.Sleep(12 * time.Hour)
		synctest.Wait()
		if n := len(good.putTimes()); n != 1 {
			t.Errorf("the good target got %d archives in half a day", n)
		}
		tries := bad.putTimes()
		if len(tries) < 4 || len(tries) > 8 {
			t.Errorf("the bad target was tried %d times in half a day: %v", len(tries), tries)
		}
		for i := 2; i < len(tries); i++ {
			if tries[i].Sub(tries[i-1]) < tries[i-1].Sub(tries[i-2]) {
				t.Errorf("pauses do not grow: %v", tries)
			}
		}
		if len(failures) != len(tries) || !strings.Contains(failures[0], "bad: no route to host") {
			t.Errorf("failures: %q", failures)
		}
		if status := s.Status().Targets[1]; status.LastError == "" || !status.LastSuccess.IsZero() || status.Failed != uint64(len(tries)) {
			t.Errorf("%+v", status)
		}

		bad.setFail(nil)
		time.Sleep(84 * time.Hour) // four days in all
		synctest.Wait()
		if n := len(good.putTimes()); n != 4 {
			t.Errorf("the good target got %d archives in four days", n)
		}
		if status := s.Status().Targets[1]; status.LastError != "" || status.LastSuccess.IsZero() {
			t.Errorf("after it is back: %+v", status)
		}
		all, err := s.List(ctx)
		if err != nil {
			t.Error(err)
		}
		for _, b := range all {
			if !b.Verified || len(b.Kept) == 0 {
				t.Errorf("%+v should be gone", b)
			}
		}
		if len(all) != 4 {
			t.Errorf("%d archives at two targets that keep two", len(all))
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// TestNotWhatWasSent lets a target change a byte: the archive is deleted, and
// nobody calls it verified.
func TestNotWhatWasSent(t *testing.T) {
	d := newDouble("d")
	d.corrupt = true
	s := newService(t, Config{Targets: []Target{d}})
	if _, err := s.Make(t.Context()); !errors.Is(err, ErrArchive) {
		t.Errorf("%v", err)
	}
	if len(d.files) != 0 {
		t.Errorf("%d files are left", len(d.files))
	}
	if left, _ := os.ReadDir(s.cfg.WorkDir); len(left) != 1 { // the lock
		t.Errorf("%d files are left in the working folder", len(left))
	}
}

// silent is a target that never answers.
type silent struct{ *double }

func (silent) List(ctx context.Context) ([]File, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// TestListDoesNotHang lists what a target has while another one is silent.
func TestListDoesNotHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		good := newDouble("good")
		s := newService(t, Config{Targets: []Target{silent{newDouble("away")}, good}})
		good.files["poolscope-20261122T140000Z.tar.zst"] = []byte("x")
		began := time.Now()
		all, err := s.List(t.Context())
		if len(all) != 1 || !errors.Is(err, errSilent) || time.Since(began) > time.Minute {
			t.Errorf("%v %v after %s", all, err, time.Since(began))
		}
	})
}

// TestOthersFilesStay prunes a target that holds other files, too.
func TestOthersFilesStay(t *testing.T) {
	d := newDouble("d")
	others := []string{"holiday.jpg", "poolscope.db", "poolscope-notes.txt"}
	for _, name := range others {
		d.files[name] = []byte("x")
	}
	now := testTime
	s := newService(t, Config{Targets: []Target{d}, Keep: Keep{Last: 1}, Now: func() time.Time { return now }})
	for range 3 {
		if _, err := s.Make(t.Context()); err != nil {
			t.Fatal(err)
		}
		now = now.Add(time.Hour)
	}
	if len(d.files) != len(others)+2 {
		t.Errorf("%d files", len(d.files))
	}
	for _, name := range others {
		if _, ok := d.files[name]; !ok {
			t.Errorf("%s is gone", name)
		}
	}
}

// TestOneAtATime asks for a backup while one is being made, in this process and
// in another.
func TestOneAtATime(t *testing.T) {
	d := newDouble("d")
	s := newService(t, Config{Targets: []Target{d}})
	inside, goOn := make(chan struct{}), make(chan struct{})
	s.cfg.Snapshot = func(ctx context.Context, path, into string) error {
		close(inside)
		<-goOn
		return copyAsSnapshot(ctx, path, into)
	}
	first := make(chan error, 1)
	go func() {
		_, err := s.Make(t.Context())
		first <- err
	}()
	<-inside
	if _, err := s.Make(t.Context()); !errors.Is(err, ErrRunning) {
		t.Errorf("here: %v", err)
	}
	other := newService(t, Config{Targets: []Target{d}})
	other.cfg.WorkDir = s.cfg.WorkDir
	if _, err := other.Make(t.Context()); !errors.Is(err, ErrRunning) {
		t.Errorf("elsewhere: %v", err)
	}
	close(goOn)
	if err := <-first; err != nil {
		t.Error(err)
	}
}

// TestRestore puts an archive in the place of a data folder that has moved on.
func TestRestore(t *testing.T) {
	write := func(dir string, files map[string]string) {
		for name, text := range files {
			path := filepath.Join(dir, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	expect := func(dir string, files map[string]string) {
		t.Helper()
		for name, want := range files {
			if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != want {
				t.Errorf("%s is %q, %v", name, got, err)
			}
		}
	}
	data, unpacked := t.TempDir(), t.TempDir()
	write(unpacked, map[string]string{"poolscope.db": "old books", "blocks/1.hex": "old 1", "blocks/2.hex": "old 2"})
	m := &Manifest{Files: []Member{{Name: "poolscope.db"}, {Name: "blocks/1.hex"}, {Name: "blocks/2.hex"}}}
	now := map[string]string{"poolscope.db": "new books", "poolscope.db-wal": "log", "poolscope.db-shm": "index", "blocks/2.hex": "new 2", "blocks/3.hex": "new 3"}
	write(data, now)
	aside := filepath.Join(data, "aside")
	places := []Place{{Name: "poolscope.db", Path: filepath.Join(data, "poolscope.db"), Database: true}}

	if _, err := Restore(m, unpacked, places, aside); err == nil {
		t.Error("a member without a place was taken")
	}
	expect(data, now) // nothing was touched

	places = append(places, Place{Name: "blocks/", Path: filepath.Join(data, "blocks"), Add: true})
	done, err := Restore(m, unpacked, places, aside)
	if err != nil {
		t.Fatal(err)
	}
	expect(data, map[string]string{"poolscope.db": "old books", "blocks/1.hex": "old 1", "blocks/2.hex": "new 2", "blocks/3.hex": "new 3"})
	expect(aside, map[string]string{"poolscope.db": "new books", "poolscope.db-wal": "log", "poolscope.db-shm": "index"})
	if _, err := os.Stat(filepath.Join(data, "poolscope.db-wal")); err == nil {
		t.Error("the log of the old database meets the new one")
	}
	if done.Aside != aside || len(done.Files) != 2 {
		t.Errorf("%+v", done)
	}
}
