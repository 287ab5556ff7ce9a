package scope

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/poolscope/poolscope/test/nodes"
)

// A full disk: miners notice nothing, what is in memory is shown, the journal
// says that it fails; and when there is room again it goes on by itself, with
// what it could not write counted.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	folder := filepath.Join(dir, "capture")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	err := syscall.Mount("tmpfs", folder, "tmpfs", 0, "size=2m,mode=700")
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) {
		t.Skip("SKIPPED LOUDLY: a full disk needs the right to mount one")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(folder, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	config := filepath.Join(dir, "poolscope.toml")
	if err := os.WriteFile(config, []byte("[scope]\njournal_min_free_megabytes = 0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := newPool(t)
	r := startIn(t, dir, p.address(), "--config", config)
	miner, atPool := r.connect(p)
	said := 0
	say := func(n int) {
		for range n {
			said++
			line := fmt.Sprintf(`{"id":%d,"method":"mining.submit","params":["w",%q]}`, said, fmt.Sprintf("%0200d", said))
			miner.line(line)
			atPool.hears(line)
		}
		r.settled(said)
	}
	say(50)
	nodes.WaitFor(t, limit, "the journal", func() bool { return r.journal().Written >= said })

	ballast := filepath.Join(folder, "ballast")
	if err := fill(ballast); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("the disk is not full: %v", err)
	}
	nodes.WaitFor(t, 2*limit, "the journal fails, and says so", func() bool { say(100); return r.journal().State == "failing" })
	if page := r.messages("limit=1000&session_id=" + r.session().ID); len(page) != min(said, 1000) {
		t.Errorf("%d of %d messages are shown", len(page), said)
	}

	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	nodes.WaitFor(t, 4*limit, "the journal goes on", func() bool { say(1); return r.journal().State == "ok" })
	say(1)
	last := said
	nodes.WaitFor(t, limit, "the journal has what is new", func() bool { j := r.journal(); return j.Written+j.Dropped >= last && j.Queued == 0 })
	t.Logf("%d lines, journal: %+v", said, r.journal())
	if s := r.session(); s.Lost > 0 || s.Messages != said {
		t.Errorf("%+v", s)
	}
}

// fill writes a file until there is no space left.
func fill(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	for range 10_000 {
		if _, err = f.Write(make([]byte, 4096)); err != nil {
			return err
		}
	}
	return nil
}
