//go:build unix

package pool

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// A block is answered when it is on disk, and what the miner sent after it is
// answered after that: cpuminer gives all its shares one id, and takes the first
// answer for the first share (R-U7). New work does not wait for the disk.
func TestAnswersWaitForTheBlockBeforeThem(t *testing.T) {
	for _, transport := range []string{"loop", "goroutine"} {
		t.Run(transport, func(t *testing.T) {
			r := newRig(t, false, func(c *Config) { c.Difficulty.Vardiff = false })
			r.newTip()
			var m *testMiner
			if transport == "loop" {
				m = r.connect(t)
			} else {
				server, client := net.Pipe()
				r.pool.Accept(server, ListenerOptions{})
				m = newTestMiner(t, client)
			}
			m.start(alice, "x")

			// A disk that hangs: nobody reads from the pipe that the block's
			// first file is.
			block := m.solve(m.job, m.job.ofBlock(), "", 0)
			hash := block.header.BlockHash().String()
			stuck := filepath.Join(r.dir, fmt.Sprintf("%d-%s.json", r.height, hash))
			if err := syscall.Mkfifo(stuck, 0o600); err != nil {
				t.Fatal(err)
			}
			way := filepath.Join(r.dir, "out")
			if err := os.Link(stuck, way); err != nil {
				t.Fatal(err)
			}

			bad := block
			bad.nonce = "nonsense"
			var lines strings.Builder
			for _, share := range []testShare{block, bad, block} {
				params, err := json.Marshal(share.params(m.user))
				if err != nil {
					t.Fatal(err)
				}
				fmt.Fprintf(&lines, `{"id":4,"method":"mining.submit","params":%s}`+"\n", params)
			}
			m.send(lines.String() + `{"id":5,"method":"mining.ping","params":[]}` + "\n")
			eventually(t, "block is on its way", func() bool { return r.pool.blocks.busy(bitcoin.Hash(block.header.BlockHash())) })
			r.newTip()
			var got []string
			for len(got) < 5 {
				var reply message
				if err := json.Unmarshal([]byte(m.line()), &reply); err != nil {
					t.Fatal(err)
				}
				switch {
				case string(reply.ID) == "5":
					got = append(got, "pong")
				case string(reply.ID) == "4":
					got = append(got, verdict(t, reply))
				case reply.Method == "mining.notify":
					got = append(got, "work")
				}
			}
			if text := strings.Join(got, "|"); text != "work||Invalid nonce|Duplicate|pong" {
				t.Errorf("answers: %s", text)
			}

			// Now the disk comes back.
			f, err := os.OpenFile(way, os.O_RDONLY|syscall.O_NONBLOCK, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			eventually(t, "the late file", func() bool {
				_, err := os.Stat(strings.TrimSuffix(stuck, ".json") + ".hex")
				return err == nil
			})
		})
	}
}

// A pool that stops waits a little longer than for anything else until a block
// that was found in its last moment is on disk: the next start sends it.
func TestShutdownWaitsForTheDisk(t *testing.T) {
	r := newRig(t, false)
	r.newTip()
	m := r.connect(t)
	m.start(alice, "x")
	block := m.solve(m.job, m.job.ofBlock(), "", 0)
	saved := filepath.Join(r.dir, fmt.Sprintf("%d-%s", r.height, block.header.BlockHash()))
	if err := syscall.Mkfifo(saved+".json", 0o600); err != nil {
		t.Fatal(err)
	}
	params, err := json.Marshal(block.params(m.user))
	if err != nil {
		t.Fatal(err)
	}
	m.send(fmt.Sprintf(`{"id":4,"method":"mining.submit","params":%s}`+"\n", params))
	eventually(t, "block is on its way", func() bool { return r.pool.blocks.busy(bitcoin.Hash(block.header.BlockHash())) })
	go func() {
		time.Sleep(grace + drainTime + lastSave/4)
		f, err := os.Open(saved + ".json")
		if err == nil {
			defer f.Close()
			_, err = io.Copy(io.Discard, f)
		}
		if err != nil {
			t.Error(err)
		}
	}()
	r.stop()
	for _, dir := range []string{"", acceptedDir} {
		if _, err := os.Stat(filepath.Join(r.dir, dir, filepath.Base(saved)+".hex")); err == nil {
			return
		}
	}
	t.Error("the pool stopped while a block was not on disk yet")
}
