package journal

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// A disk that is really full: nothing is damaged, what finds no room is a gap,
// and writing goes on when there is room.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=5m,mode=700"); err != nil {
		t.Skip("SKIPPED LOUDLY: a full disk needs the right to mount one: ", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 3<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		g := newMaker(0)
		cfg := Config{Dir: dir, QueueMessages: 300}
		journal(t, cfg, func(j *Journal) {
			for range 40 {
				for range 100 {
					g.say(j, "s", 1000)
				}
				settle(t)
			}
			s := j.Stats()
			if s.State != StateFailing || s.Written == 0 || s.Dropped == 0 || s.Errors == 0 || !strings.Contains(s.LastError, "full") {
				t.Fatalf("%+v", s)
			}
			if n := countAll(t, j); n != int(s.Written)+s.QueuedMessages {
				t.Errorf("%d messages are found, %d are written and %d queued", n, s.Written, s.QueuedMessages)
			}
			if err := os.Remove(ballast); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
			g.say(j, "s", 1000)
			settle(t)
			if s = j.Stats(); s.State != StateOK || s.QueuedMessages > 0 || s.Written+s.Dropped != 4001 {
				t.Fatalf("%+v", s)
			}
			gaps, err := j.Gaps(t.Context(), "", 100)
			sum := uint64(0)
			for _, gap := range gaps {
				sum += gap.Messages
			}
			if err != nil || sum != s.Dropped {
				t.Errorf("gaps %+v, dropped %d, %v", gaps, s.Dropped, err)
			}
		})
		journal(t, cfg, func(j *Journal) {
			checkSound(t, j)
			if last := j.LastSeq(); last != 4001 {
				t.Errorf("last seq %d", last)
			}
		})

		// A start with a full disk.
		fillUp(t, ballast)
		var first uint64
		journal(t, cfg, func(j *Journal) {
			first = j.LastSeq() + 1
			if g.seq = first - 1; g.seq < 4001 {
				t.Fatalf("last seq %d", g.seq)
			}
			g.say(j, "t", 1000)
			settle(t)
			if s := j.Stats(); s.State != StateFailing || s.QueuedMessages != 1 {
				t.Fatalf("%+v", s)
			}
			if err := os.Remove(ballast); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
			if s := j.Stats(); s.State != StateOK || s.Written != 1 {
				t.Fatalf("%+v", s)
			}
		})
		journal(t, cfg, func(j *Journal) {
			checkSound(t, j)
			if list, err := j.SessionMessages(t.Context(), "s", 1, 10_000); err != nil || len(list) == 0 || j.LastSeq() != first {
				t.Errorf("%d messages, last seq %d, %v", len(list), j.LastSeq(), err)
			}
		})
	})
}

// fillUp writes a file until the disk is full.
func fillUp(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	for block := make([]byte, 4096); err == nil; {
		_, err = f.Write(block)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
