// Package chaos runs the whole program with a fault relay on every wire: to two
// nodes' RPC servers, to their publishers, and to the miners. Whatever happens
// on one wire, the rest goes on; when it is over, all goes on; and no block and
// no goroutine is lost.
//
//	POOLSCOPE_CHAOS_SEED=7 go test -v ./test/chaos     the same faults in the same order
package chaos

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/poolscope/poolscope/test/audit"
	"github.com/poolscope/poolscope/test/nodes"
	"github.com/poolscope/poolscope/test/program"
	"github.com/poolscope/poolscope/test/relay"
)

// poolscope is the path of the program under test, built once.
var poolscope string

func TestMain(m *testing.M) { os.Exit(program.Main(m, &poolscope)) }

// patience is how long the pool may take to do what it should. Nothing here
// measures time: the machine may be busy.
const patience = 90 * time.Second

// strike is a fault on some wires for some time.
type strike struct {
	name   string
	fault  relay.Fault
	wires  []*relay.Relay
	miners bool // the wire to the miners is struck
}

// lab is a running pool with relays on its wires.
type lab struct {
	t              *testing.T
	devnet, pool   *program.Server
	first, second  *relay.Relay // RPC
	zmq, otherZMQ  *relay.Relay
	front          *relay.Relay // miners
	log            *audit.Log
	stopMiners     func()
	dir            string
	initialRoutine float64
}

func TestChaos(t *testing.T) {
	l := newLab(t)
	seed := rand.Uint64()
	if text := os.Getenv("POOLSCOPE_CHAOS_SEED"); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		seed = n
	}
	t.Logf("POOLSCOPE_CHAOS_SEED=%d", seed)
	random := rand.New(rand.NewPCG(seed, 0))

	l.waitForBlock("before any fault")
	l.initialRoutine = l.metric("go_goroutines")
	strikes := l.strikes()
	random.Shuffle(len(strikes), func(i, j int) { strikes[i], strikes[j] = strikes[j], strikes[i] })
	for _, s := range strikes {
		l.strike(s, 300*time.Millisecond+time.Duration(random.Int64N(int64(900*time.Millisecond))))
	}
	l.longOutage()

	nodes.WaitFor(t, patience, "as many goroutines as before", func() bool {
		return l.metric("go_goroutines") <= l.initialRoutine+4 // a call that is under way
	})
	if n := l.metric(`poolscope_panics_total{part="block"}`) + l.metric(`poolscope_panics_total{part="session"}`) + l.metric(`poolscope_panics_total{part="node"}`); n != 0 {
		t.Errorf("%v panics", n)
	}
	l.stopMiners()
	nodes.WaitFor(t, patience, "an answer for every block", func() bool {
		files, err := filepath.Glob(filepath.Join(l.dir, "blocks", "*.hex"))
		return err == nil && len(files) == 0
	})
	l.pool.Stop(t, 10*time.Second)
	found := map[string]bool{}
	audit.ReadLog(l.pool.Output(), found)
	audit.Compare(t, audit.ReadChain(t, l.devnet.Node()), audit.ReadBooks(t, l.dir), l.log, found)
}

// newLab starts everything, with one network behind two nodes' addresses.
func newLab(t *testing.T) *lab {
	t.Helper()
	l := &lab{t: t, log: &audit.Log{}, dir: t.TempDir()}
	l.devnet = program.Start(t, poolscope, t.TempDir(), "devnet", "--rpc", "127.0.0.1:0", "--zmq", "127.0.0.1:0",
		"--block-interval", "200ms", "--hashrate", "800000", "--tx-rate", "5", "--log-level", "warn")
	l.first, l.second = relay.Start(t, l.devnet.NodeRPC), relay.Start(t, l.devnet.NodeRPC)
	l.zmq, l.otherZMQ = relay.Start(t, l.devnet.NodeZMQ), relay.Start(t, l.devnet.NodeZMQ)

	genesis := nodes.Ask[string](t, l.devnet.Node(), "getblockhash", 0)
	text := fmt.Sprintf("[stratum]\nfailover_after = 20\n[difficulty]\nstart = 0.000002\nmin = 0.000002\nvardiff = false\n"+
		"[network]\nchain = \"regtest\"\ngenesis = %q\n", genesis)
	for i, wire := range []*relay.Relay{l.first, l.second} {
		z := []*relay.Relay{l.zmq, l.otherZMQ}[i]
		text += fmt.Sprintf("[[node]]\nname = \"node%d\"\nurl = \"http://%s\"\ncookie_file = %q\nzmq_hashblock = \"tcp://%s\"\nzmq_rawblock = \"tcp://%s\"\n",
			i+1, wire.Addr(), l.devnet.NodeCookie, z.Addr(), z.Addr())
	}
	config := filepath.Join(t.TempDir(), "poolscope.toml")
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	l.pool = program.Start(t, poolscope, l.dir, append([]string{"pool"}, program.AnyPorts("--config", config)...)...)
	l.front = relay.Start(t, l.pool.Stratum)

	ctx, cancel := context.WithCancel(context.Background())
	var miners sync.WaitGroup
	for _, worker := range audit.Workers() {
		miners.Go(func() {
			for ctx.Err() == nil {
				audit.Mine(ctx, l.front.Addr(), worker, l.log, func() {})
				select { // as firmware does, not at once
				case <-ctx.Done():
				case <-time.After(100 * time.Millisecond):
				}
			}
		})
	}
	l.stopMiners = sync.OnceFunc(func() {
		cancel()
		miners.Wait()
	})
	t.Cleanup(l.stopMiners)
	return l
}

// strikes are all faults on all wires that make sense.
func (l *lab) strikes() []strike {
	var all []strike
	for _, f := range []relay.Fault{relay.Delay, relay.Split, relay.Reset, relay.BlackHole, relay.HalfClose} {
		all = append(all,
			strike{name: "first node", fault: f, wires: []*relay.Relay{l.first, l.zmq}},
			strike{name: "RPC of both nodes", fault: f, wires: []*relay.Relay{l.first, l.second}},
			strike{name: "publishers", fault: f, wires: []*relay.Relay{l.zmq, l.otherZMQ}},
			strike{name: "miners", fault: f, wires: []*relay.Relay{l.front}, miners: true},
		)
	}
	return all
}

// strike sets a fault, sees that mining goes on as far as it can, takes the
// fault away and sees that all goes on.
func (l *lab) strike(s strike, d time.Duration) {
	l.t.Helper()
	began := time.Now()
	for _, w := range s.wires {
		w.Set(s.fault)
	}
	if !s.miners {
		// Whatever becomes of the nodes, miners have work and their shares count.
		l.waitForShares(s.name + ": " + s.fault.String())
	}
	time.Sleep(d)
	for _, w := range s.wires {
		w.Set(relay.None)
	}
	healed := time.Now()
	l.waitForBlock(s.name + ": " + s.fault.String())
	l.t.Logf("%-18s %-10s %5s long, next block %s after it", s.name, s.fault, healed.Sub(began).Round(10*time.Millisecond), time.Since(healed).Round(10*time.Millisecond))
}

// longOutage takes both nodes away until the pool sends its miners elsewhere,
// which it says; then everything comes back by itself.
func (l *lab) longOutage() {
	l.t.Helper()
	l.first.Set(relay.Reset)
	l.second.Set(relay.Reset)
	nodes.WaitFor(l.t, patience, "the pool says that it has no node", func() bool { return strings.Contains(l.readyz(), `"node"`) })
	nodes.WaitFor(l.t, patience, "the pool turns miners away", func() bool {
		return strings.Contains(l.readyz(), `"welcome"`) && l.metric("poolscope_connections") == 0
	})
	if l.metric("poolscope_sent_away_total") < 2 || l.metric("poolscope_turning_away") != 1 {
		l.t.Error("the metrics do not tell of it")
	}
	l.first.Set(relay.None)
	l.second.Set(relay.None)
	l.waitForBlock("long outage")
	nodes.WaitFor(l.t, patience, "the pool is ready", func() bool { return strings.Contains(l.readyz(), `"ready":true`) })
}

// waitForShares returns when more shares were accepted.
func (l *lab) waitForShares(when string) {
	l.t.Helper()
	before := l.log.Accepted()
	nodes.WaitFor(l.t, patience, "an accepted share ("+when+")", func() bool { return l.log.Accepted() > before+2 })
}

// waitForBlock returns when the chain grows by two blocks more: one may have
// been on its way.
func (l *lab) waitForBlock(when string) {
	l.t.Helper()
	node := l.devnet.Node()
	before := node.Height(l.t)
	nodes.WaitFor(l.t, patience, "blocks in the chain ("+when+")", func() bool { return node.Height(l.t) >= before+2 })
}

// get is the body of a response of the pool's HTTP server.
func (l *lab) get(path string) []byte {
	l.t.Helper()
	client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get("http://" + l.pool.HTTP + path)
	if err != nil {
		l.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		l.t.Fatal(err)
	}
	return body
}

func (l *lab) readyz() string { return string(l.get("/readyz")) }

// metric is the value of a line of /metrics.
func (l *lab) metric(name string) float64 {
	l.t.Helper()
	for lines := bufio.NewScanner(bytes.NewReader(l.get("/metrics"))); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			value, err := strconv.ParseFloat(rest, 64)
			if err != nil {
				l.t.Fatal(err)
			}
			return value
		}
	}
	l.t.Fatalf("there is no metric %s", name)
	return 0
}
