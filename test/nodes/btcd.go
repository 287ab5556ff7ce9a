package nodes

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// btcdModule is built with the version that go.mod names.
const btcdModule = "github.com/btcsuite/btcd"

// rewardAddress is where the nodes themselves mine to: the P2WPKH address of
// the private key 1, which anybody can spend.
const rewardAddress = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"

// Btcd is a btcd on regtest.
type Btcd struct {
	*Process
	RPC

	program, dir string
}

// buildBtcd compiles btcd once per version and returns the program's path.
var buildBtcd = sync.OnceValues(func() (string, error) {
	list := exec.Command("go", "list", "-m", "-f", "{{.Version}}", btcdModule)
	list.Dir = Root()
	version, err := list.Output()
	if err != nil {
		return "", fmt.Errorf("ask for the version of btcd: %w", err)
	}

	program := filepath.Join(Cache(), "bin", "btcd-"+strings.TrimSpace(string(version)))
	err = locked("btcd", func() error {
		if _, err := os.Stat(program); err == nil {
			return nil
		}
		build := exec.Command("go", "build", "-o", program, btcdModule)
		build.Dir = Root()
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("build btcd: %w\n%s", err, out)
		}
		return nil
	})
	return program, err
})

// StartBtcd starts a btcd on regtest with an empty chain. It is ended with the
// test.
func StartBtcd(t testing.TB) *Btcd {
	t.Helper()
	b := NewBtcd(t)
	b.Restart(t)
	return b
}

// NewBtcd prepares a btcd with an empty chain without starting it: its address
// is known, and nobody answers there until Restart.
func NewBtcd(t testing.TB) *Btcd {
	t.Helper()
	program, err := buildBtcd()
	if err != nil {
		t.Fatal(err) // it is a dependency of this repository: there is no excuse
	}
	return &Btcd{
		program: program,
		dir:     t.TempDir(),
		RPC:     RPC{URL: "http://127.0.0.1:" + strconv.Itoa(FreePort(t)), User: "user", Password: "password"},
	}
}

// Restart starts btcd, on the same port and data as before when it was ended
// with Stop or Kill.
func (b *Btcd) Restart(t testing.TB) {
	t.Helper()
	if b.Process != nil && b.Running() {
		t.Fatal("btcd is still running")
	}
	b.Process = Start(t, "btcd", b.program,
		"--regtest", "--nolisten", "--notls", "--nodnsseed",
		"--datadir="+b.dir, "--logdir="+filepath.Join(b.dir, "logs"), "--configfile="+filepath.Join(b.dir, "btcd.conf"),
		"--rpclisten="+b.URL[len("http://"):], "--rpcuser="+b.User, "--rpcpass="+b.Password,
		"--miningaddr="+rewardAddress)
	b.waitUntilReady(t, b.RPC)
}

// Generate makes btcd mine blocks to an address of its own.
func (b *Btcd) Generate(t testing.TB, blocks int) {
	t.Helper()
	Ask[[]string](t, b.RPC, "generate", blocks)
}

// waitUntilReady returns when the node answers, and fails the test when it ends
// or stays silent.
func (p *Process) waitUntilReady(t testing.TB, r RPC) {
	t.Helper()
	var last error
	WaitFor(t, 60*time.Second, p.Name+" answers getblockchaininfo", func() bool {
		if !p.Running() {
			t.Fatalf("%s ended at its start: %v\n%s", p.Name, p.err, p.Output())
		}
		last = r.Call(nil, "getblockchaininfo")
		return last == nil
	})
}
