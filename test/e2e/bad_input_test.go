package e2e

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/poolscope/poolscope/test/nodes"
)

func TestAddressesThatCannotBePaid(t *testing.T) {
	t.Parallel()
	node := nodes.StartBtcd(t)
	p := start(t, t.TempDir(), "pool", "--config", poolFile(t, nodeSection(node.RPC)))
	nodes.WaitFor(t, startLimit, "the pool has a job", func() bool { return p.ready(t) })

	tests := []struct{ name, user, text string }{
		{"no address at all", "worker1", "Invalid Bitcoin address"},
		{"nothing", "", "Invalid Bitcoin address"},
		{"a typing error", strings.Replace(minerAddress, "hag", "hga", 1), "Invalid Bitcoin address"},
		{"mainnet", "bc1qq6hag67dl53wl99vzg42z8eyzfz2xlkvxechjp.x", "Bitcoin address of another network"},
		{"mainnet, old style", "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2.x", "Bitcoin address of another network"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := dialStratum(t, p.Stratum)
			c.call(1, "mining.subscribe", "e2e/1.0")
			c.call(2, "mining.authorize", tt.user, "x").wantError(t, 24, tt.text)
		})
	}

	// The door is still open for who has a good one.
	c := dialStratum(t, p.Stratum)
	c.call(1, "mining.subscribe", "e2e/1.0")
	if m := c.call(2, "mining.authorize", strings.ToUpper(minerAddress), "x"); m.Result != true {
		t.Errorf("an upper-case address is refused: %+v", m)
	}
	c.await("a job", func(m message) bool { return m.Method == "mining.notify" })
}

// TestBlockFolderThatCannotBeWritten: a found block is sent to the node even
// when it cannot be saved first, and the operator is told.
func TestBlockFolderThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	obstacles := map[string]func(t *testing.T, folder string){
		"full disk": func(t *testing.T, folder string) {
			err := syscall.Mount("tmpfs", folder, "tmpfs", 0, "size=4k,mode=700")
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
			fill(t, filepath.Join(folder, "ballast"))
		},
		"no folder any more": func(t *testing.T, folder string) {
			// The pool tries whether it can write there, at its start, too.
			err := os.RemoveAll(folder)
			for deadline := time.Now().Add(10 * time.Second); err != nil && time.Now().Before(deadline); err = os.RemoveAll(folder) {
				time.Sleep(time.Millisecond)
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(folder, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		},
	}
	for name, obstruct := range obstacles {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			node := nodes.StartBtcd(t)
			p := start(t, t.TempDir(), "pool", "--config", poolFile(t, nodeSection(node.RPC)))
			obstruct(t, filepath.Join(p.DataDir, "blocks"))

			miner := mine(t, p, minerAddress+".e2e")
			waitForBlocks(t, p, 2)
			miner.Stop(t, stopLimit)
			settledBlocks(t, p, node.RPC)
			if !strings.Contains(p.Output(), "level=ERROR") {
				t.Error("nothing in the log says that blocks cannot be saved")
			}
			if page := get[poolPage](t, p, "/api/pool-page"); len(page.ErrorHistory) == 0 {
				t.Error("nothing on the page says that blocks cannot be saved")
			}
			p.stop(t)
			wantBooksOnChain(t, p.DataDir, node.RPC)
		})
	}
}

// fill writes a file until there is no space left.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for range 1000 {
		if _, err = f.Write(make([]byte, 4096)); err != nil {
			break
		}
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("the disk is not full: %v", err)
	}
}

// TestBlockFolderThatIsAFile is found out at the start, before anybody mines.
func TestBlockFolderThatIsAFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "blocks"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	runToEnd(t, "pool", "--data-dir", dir, "--http", "127.0.0.1:0", "--stratum", "127.0.0.1:0", "--stratum-tls", "127.0.0.1:0").
		wantFailure(t, 1, filepath.Join(dir, "blocks"))
}

// TestCorruptedDatabase: mining goes on with fresh books, the damaged ones are
// kept as they are, and the operator is told where.
func TestCorruptedDatabase(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	damaged := bytes.Repeat([]byte("these are no books\n"), 1000)
	if err := os.WriteFile(filepath.Join(dir, "poolscope.db"), damaged, 0o600); err != nil {
		t.Fatal(err)
	}
	node := nodes.StartBtcd(t)
	p := start(t, dir, "pool", "--config", poolFile(t, nodeSection(node.RPC)))
	nodes.WaitFor(t, startLimit, "the pool is ready on fresh books", func() bool { return p.ready(t) })

	kept, err := filepath.Glob(filepath.Join(dir, "poolscope.db.corrupt-*"))
	if err != nil || len(kept) != 1 {
		t.Fatalf("the damaged database is kept as %v, %v", kept, err)
	}
	if data, err := os.ReadFile(kept[0]); err != nil || !bytes.Equal(data, damaged) {
		t.Errorf("the damaged database was changed (%v)", err)
	}
	if !strings.Contains(p.Output(), kept[0]) {
		t.Error("nothing says where the damaged database is kept")
	}
	p.stop(t)
	readBooks(t, dir)
}

// TestKilled kills the pool (SIGKILL) at random moments while blocks are being
// found. The node lives on; in the end its chain holds no block of ours that
// the books do not know, and they say nothing that the chain does not.
func TestKilled(t *testing.T) {
	t.Parallel()
	const rounds = 6
	node := nodes.StartBtcd(t)
	dir, config := t.TempDir(), poolFile(t, nodeSection(node.RPC))

	var p *running
	for round := range rounds {
		p = start(t, dir, "pool", "--config", config)
		miner := mine(t, p, minerAddress+".e2e")
		height := node.Height(t)
		// The next kill comes at another point of a block's way each time: when
		// the node has one block more, or two, and so on.
		nodes.WaitFor(t, 60*time.Second, "blocks to kill in between", func() bool { return node.Height(t) > height+int64(round) })
		p.Kill()
		miner.Kill()
	}

	begin := time.Now()
	p = start(t, dir, "pool", "--config", config)
	nodes.WaitFor(t, startLimit, "the pool is ready again", func() bool { return p.ready(t) })
	t.Logf("ready %s after the restart", time.Since(begin).Round(time.Millisecond))
	settledBlocks(t, p, node.RPC)
	p.stop(t)
	wantBooksOnChain(t, dir, node.RPC)

	if pending := p.unanswered(t); len(pending) > 0 {
		t.Errorf("blocks that never got an answer: %v", pending)
	}
}
