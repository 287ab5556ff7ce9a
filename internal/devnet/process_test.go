package devnet

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// childEnv tells TestChildProcess that it is one.
const childEnv = "DEVNET_TEST_CHILD"

// TestChildProcess is a node of its own process, when the test below starts
// it as one.
func TestChildProcess(t *testing.T) {
	dir := os.Getenv(childEnv)
	if dir == "" {
		return
	}
	cfg := easy(t)
	cfg.DataDir, cfg.User, cfg.Password, cfg.TxRate = dir, "u", "p", 20
	n, err := New(cfg, quiet())
	if err != nil {
		fmt.Println("failed:", err)
		return
	}
	fmt.Println("listening:", n.RPCAddr())
	_ = n.Run(context.Background())
}

// child starts a node in another process and returns its RPC address, or
// what it says when it cannot start.
func child(t *testing.T, dir string) (cmd *exec.Cmd, said string) {
	t.Helper()
	cmd = exec.Command(os.Args[0], "-test.run=^TestChildProcess$", "-test.timeout=60s")
	cmd.Env = append(os.Environ(), childEnv+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return cmd, strings.TrimSpace(line)
}

// remote makes a Node that only knows how to be called.
func remote(t *testing.T, addr string) func(method string, params string) string {
	return func(method, params string) string {
		t.Helper()
		q, err := http.NewRequest(http.MethodPost, "http://"+addr, strings.NewReader(`{"id":1,"method":"`+method+`","params":`+params+`}`))
		if err != nil {
			t.Fatal(err)
		}
		q.SetBasicAuth("u", "p")
		r, err := http.DefaultClient.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = r.Body.Close() }()
		line, err := bufio.NewReader(r.Body).ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		return line
	}
}

func TestKilledProcessKeepsItsBlocks(t *testing.T) {
	dir := t.TempDir()
	var last string
	for range 3 {
		cmd, said := child(t, dir)
		addr, ok := strings.CutPrefix(said, "listening: ")
		if !ok {
			t.Fatal(said)
		}
		ask := remote(t, addr)
		if last != "" {
			if got := ask("getbestblockhash", "[]"); got != last {
				t.Fatalf("tip after a kill: %swant %s", got, last)
			}
		}

		// A second process is refused while the first one lives.
		if _, said := child(t, dir); !strings.HasPrefix(said, "failed: "+ErrLocked.Error()) {
			t.Fatalf("second process: %s", said)
		}
		if got := ask("generatetoaddress", `[4,"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"]`); !strings.Contains(got, `"error":null`) {
			t.Fatal(got)
		}
		last = ask("getbestblockhash", "[]")
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
	}
	cfg := easy(t)
	cfg.DataDir = dir
	n := start(t, cfg)
	if got := call[string](t, n, "getbestblockhash"); !strings.Contains(last, got) {
		t.Errorf("tip %s, want %s", got, last)
	}
	if got := call[int](t, n, "getblockcount"); got != premineBlocks+12 {
		t.Errorf("height %d, want %d", got, premineBlocks+12)
	}
}

func TestNothingIsLeftBehind(t *testing.T) {
	before := goleak.IgnoreCurrent()
	cfg := zmqConfig(t)
	cfg.TxRate = 100
	n := open(t, cfg)
	ended := make(chan error, 1)
	go func() { ended <- n.Run(context.Background()) }()
	sub := subscribe(t, n, "hashblock")
	go func() {
		// Ends with the node; the answer is of no interest.
		cookie, _ := os.ReadFile(n.CookieFile())
		user, password, _ := strings.Cut(string(cookie), ":")
		q, err := http.NewRequest(http.MethodPost, "http://"+n.RPCAddr(), strings.NewReader(
			`{"id":1,"method":"getblocktemplate","params":[{"rules":["segwit"],"longpollid":1}]}`))
		if err != nil {
			return
		}
		q.SetBasicAuth(user, password)
		if r, err := http.DefaultClient.Do(q); err == nil {
			_ = r.Body.Close()
		}
	}()
	mine(t, n, 1)
	receive(t, sub)

	began := time.Now()
	if err := n.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("closing took %v", took)
	}
	_ = sub.Close()
	http.DefaultClient.CloseIdleConnections()
	goleak.VerifyNone(t, before,
		// zmq4's subscriber sleeps in its connection reaper for a while.
		goleak.IgnoreAnyFunction("github.com/go-zeromq/zmq4.(*socket).connReaper"))
}
