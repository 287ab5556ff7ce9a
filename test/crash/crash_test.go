package crash

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/poolscope/poolscope/test/audit"
	"github.com/poolscope/poolscope/test/nodes"
	"github.com/poolscope/poolscope/test/program"
)

// longLife is how long the books need to be written at least once.
const longLife = 3200 * time.Millisecond

// rounds is how often the pool is killed.
func rounds(t *testing.T) int {
	if text := os.Getenv("POOLSCOPE_CRASH_ROUNDS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if testing.Short() {
		return 20
	}
	return 200
}

// seed makes the moments of the kills repeatable, as far as a scheduler lets.
func seed(t *testing.T) uint64 {
	if text := os.Getenv("POOLSCOPE_CRASH_SEED"); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	return rand.Uint64()
}

// round is a test whose processes end with the round: one that lived on to the
// end of the test would be two hundred.
type round struct {
	testing.TB
	cleanups []func()
}

// Cleanup is called by what ends with the round.
func (r *round) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }

func (r *round) end() {
	for _, f := range slices.Backward(r.cleanups) {
		f()
	}
}

// TestKilled kills the pool at random moments: mostly some time after its
// miners got to work, now and then while it is still starting and has blocks to
// replay. No block that it saw may be missing afterwards, and nothing may be in
// the books that did not happen.
func TestKilled(t *testing.T) {
	began, seed := time.Now(), seed(t)
	t.Logf("POOLSCOPE_CRASH_SEED=%d", seed)
	random := rand.New(rand.NewPCG(seed, 0))

	// A block takes the two miners about fifty milliseconds, a share five.
	devnet := program.Start(t, poolscope, t.TempDir(), "devnet", "--rpc", "127.0.0.1:0", "--zmq", "127.0.0.1:0",
		"--block-interval", "50ms", "--hashrate", "800000", "--tx-rate", "5", "--log-level", "warn")
	dir := t.TempDir()
	config := writeConfig(t, devnet)

	all := &audit.Log{}
	var starts []time.Duration
	found := map[string]bool{} // hashes that the pool logged
	total := rounds(t)
	for n := range total {
		r := &round{TB: t}
		if n%8 == 7 {
			killDuringStart(r, dir, config, time.Duration(random.Int64N(int64(250*time.Millisecond))), found)
		} else {
			life := 20*time.Millisecond + time.Duration(random.Int64N(int64(280*time.Millisecond)))
			if n%16 == 3 {
				life += longLife // so that the books are written, too
			}
			starts = append(starts, killAtWork(r, dir, config, life, all, found))
		}
		r.end()
	}
	t.Logf("%d kills in %s; start to first job at a miner: median %s, 99 %% %s, longest %s", total, time.Since(began).Round(time.Second),
		quantile(starts, 0.5), quantile(starts, 0.99), quantile(starts, 1))

	// Once more, to replay what is left.
	p := program.Start(t, poolscope, dir, poolArguments(config)...)
	nodes.WaitFor(t, time.Minute, "an answer for every block", func() bool { return len(unanswered(t, dir)) == 0 })
	p.Stop(t, 10*time.Second)
	if code := p.ExitCode(); code != 0 {
		t.Errorf("the pool ended with code %d", code)
	}
	audit.Compare(t, audit.ReadChain(t, devnet.Node()), audit.ReadBooks(t, dir), all, found)
}

// killAtWork lets miners work for some time before the kill. It returns how long
// the pool took to give them work.
func killAtWork(r *round, dir, config string, life time.Duration, all *audit.Log, found map[string]bool) time.Duration {
	r.Helper()
	began := time.Now()
	p := program.Start(r, poolscope, dir, poolArguments(config)...)
	ctx, cancel := context.WithCancel(context.Background())
	var miners sync.WaitGroup
	started := make(chan struct{})
	begin := sync.OnceFunc(func() { close(started) })
	for _, worker := range audit.Workers() {
		miners.Go(func() { audit.Mine(ctx, p.Stratum, worker, all, begin) })
	}
	select {
	case <-started:
	case <-p.Done():
		r.Fatalf("the pool ended by itself:\n%s", p.Output())
	case <-time.After(program.StartLimit):
		r.Fatal("no work for the miners")
	}
	took := time.Since(began)
	time.Sleep(life)
	p.Kill()
	cancel()
	miners.Wait()
	audit.ReadLog(p.Output(), found)
	return took
}

// killDuringStart kills the pool while it opens its books, replays blocks, and
// asks its node for work.
func killDuringStart(r *round, dir, config string, life time.Duration, found map[string]bool) {
	r.Helper()
	arguments := poolArguments(config)
	p := nodes.Start(r, "poolscope pool", append([]string{poolscope, arguments[0], "--data-dir", dir}, arguments[1:]...)...)
	time.Sleep(life)
	p.Kill()
	audit.ReadLog(p.Output(), found)
}

func poolArguments(config string) []string {
	return append([]string{"pool"}, program.AnyPorts("--config", config)...)
}

// writeConfig makes shares ten times as easy as blocks, for everybody.
func writeConfig(t *testing.T, devnet *program.Server) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "poolscope.toml")
	genesis := nodes.Ask[string](t, devnet.Node(), "getblockhash", 0)
	text := fmt.Sprintf(`
[difficulty]
start = 0.000001
min = 0.000001
vardiff = false
[network]
chain = "regtest"
genesis = %q
[[node]]
url = "http://%s"
cookie_file = %q
zmq_hashblock = "tcp://%s"
zmq_rawblock = "tcp://%s"
`, genesis, devnet.NodeRPC, devnet.NodeCookie, devnet.NodeZMQ, devnet.NodeZMQ)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// unanswered lists the files of found blocks that no node has answered yet.
func unanswered(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "blocks", "*.hex"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// quantile of durations, rounded for people.
func quantile(d []time.Duration, q float64) time.Duration {
	if len(d) == 0 {
		return 0
	}
	d = slices.Sorted(slices.Values(d))
	return d[min(len(d)-1, int(q*float64(len(d))))].Round(time.Millisecond)
}
