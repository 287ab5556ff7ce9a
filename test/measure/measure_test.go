// Package measure runs the scenarios of docs/performance.md: a devnet with a
// full mempool, the pool on it, and `poolscope load` against the pool and,
// within the same minutes, against the floor, which is the least that a server
// of this kind can do. `make measure` prints the table.
//
// Figures drift from hour to hour, and on machines with a load generator and
// other programs beside the pool; so each scenario runs several times, the
// table shows medians with the smallest and the largest value, and the ratio to
// the floor says more than the figure. Nothing here is a pass or a failure but
// what must hold at any speed: every share accepted, every miner reached.
package measure

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/load"
	"github.com/poolscope/poolscope/test/nodes"
	"github.com/poolscope/poolscope/test/program"
)

// Flags of `make measure`.
var (
	full  = flag.Bool("measure", false, "measure at full size; otherwise everything is tiny, to see that it works")
	runs  = flag.Int("runs", 3, "runs of each scenario")
	only  = flag.String("scenario", "", "only the scenarios whose name holds this")
	limit = flag.Duration("limit", 4*time.Minute, "no run is begun after this")
	use   = flag.String("program", "", "measure this binary instead of building one")
)

// poolscope is the path of the program, built once.
var poolscope string

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "floor" {
		if err := runFloor(os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if len(os.Args) == 4 && os.Args[1] == "attack" {
		if err := runAttack(os.Stdout, os.Args[2], os.Args[3]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if len(os.Args) == 4 && os.Args[1] == "scope" {
		if err := runScope(os.Stdout, os.Args[2], strings.Split(os.Args[3], ",")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if len(os.Args) == 3 && os.Args[1] == "disk" {
		messages, err := strconv.Atoi(os.Args[2])
		if err == nil {
			err = runDisk(os.Stdout, messages)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	flag.Parse()
	if *use != "" {
		poolscope = *use
		os.Exit(m.Run())
	}
	os.Exit(program.Main(m, &poolscope))
}

// shareDifficulty makes a share 43 hashes of work for the generator. What a
// share costs the server does not depend on it.
const shareDifficulty = 1e-8

// worker is the name that miners sign in with. All are paid to one address, as
// most miners of a solo pool are.
const worker = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080.w%d"

// wantTxs is the number of transactions in a block template: with the coinbase
// more than 1,024, so that jobs have 11 merkle branches.
const wantTxs = 1100

// chain is a devnet whose mempool is full.
type chain struct {
	*program.Server
	txs int
}

// startChain runs a devnet and waits for its mempool. hashrate sets how many
// hashes a block takes: 20 times as many.
func startChain(t *testing.T, hashrate float64) *chain {
	t.Helper()
	c := &chain{Server: program.Start(t, poolscope, filepath.Join(t.TempDir(), "devnet"), "devnet", "--rpc", "127.0.0.1:0", "--zmq", "127.0.0.1:0",
		"--hashrate", fmt.Sprint(hashrate), "--block-interval", "20s", "--tx-rate", "500", "--log-level", "warn")}
	want, patience := wantTxs, 30*time.Second
	if !*full {
		want = 1
	}
	nodes.WaitFor(t, patience, fmt.Sprintf("%d transactions", want), func() bool {
		c.txs = nodes.Ask[struct{ Size int }](t, c.Node(), "getmempoolinfo").Size
		return c.txs >= want
	})
	if *full {
		// The traffic ends by itself when the coins are spent.
		for before := -1; before != c.txs; {
			before = c.txs
			time.Sleep(time.Second)
			c.txs = nodes.Ask[struct{ Size int }](t, c.Node(), "getmempoolinfo").Size
		}
	}
	return c
}

// server is what load is put on.
type server struct {
	process *nodes.Process
	address string
	http    string // "" without
}

// startPool runs a pool with an empty data folder. More may be sections of its
// configuration.
func startPool(t *testing.T, c *chain, more ...string) *server {
	t.Helper()
	dir := t.TempDir()
	config := filepath.Join(dir, "poolscope.toml")
	text := fmt.Sprintf(`[difficulty]
start = %[1]v
min = %[1]v
vardiff = false

[[node]]
url = "http://%[2]s"
cookie_file = %[3]q
zmq_hashblock = "tcp://%[4]s"
zmq_rawblock = "tcp://%[4]s"
%[5]s`, shareDifficulty, c.NodeRPC, c.NodeCookie, c.NodeZMQ, strings.Join(more, "\n"))
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p := program.Start(t, poolscope, filepath.Join(dir, "data"), append([]string{"pool"}, program.AnyPorts("--config", config)...)...)
	return &server{p.Process, p.Stratum, p.HTTP}
}

// startFloor runs the floor as a process of its own.
func startFloor(t *testing.T) *server {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := nodes.Start(t, "floor", self, "floor")
	nodes.WaitFor(t, program.StartLimit, "the floor's address", func() bool { return strings.Contains(p.Output(), "\n") })
	return &server{process: p, address: strings.TrimSpace(p.Output())}
}

// measure runs one scenario once against a server.
func measure(ctx context.Context, t *testing.T, s *server, cfg load.Config) (*load.Report, error) {
	t.Helper()
	cfg.Pool, cfg.User, cfg.PID = "stratum+tcp://"+s.address, worker, s.process.PID()
	cfg.SuggestDifficulty, cfg.Password = shareDifficulty, "x"
	cfg.Duration = max(cfg.Duration, time.Minute)
	r, err := load.Run(ctx, cfg, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		return nil, err
	}
	switch sh := r.Shares; {
	case r.Cut != "":
		return r, errors.New(r.Cut)
	case r.Handshakes.Failed > 0 || r.Alive != cfg.Connections:
		return r, fmt.Errorf("%d of %d connections lived to the end: %v", r.Alive, cfg.Connections, r.Errors)
	case sh != nil && sh.Accepted != sh.Sent:
		return r, fmt.Errorf("%d of %d shares accepted: %v", sh.Accepted, sh.Sent, sh.RejectedBy)
	case cfg.Blocks > 0 && (r.Fanout == nil || r.Fanout.Incomplete > 0 || r.Fanout.Tips != cfg.Blocks):
		return r, fmt.Errorf("not every block reached every miner: %+v", r.Fanout)
	}
	return r, nil
}

// firstHash is longer than the memory of a first start is kept (internal/account).
const firstHash = 6 * time.Second

// announcements are how many new tips the floor announces.
const announcements = 5

// measureAnnouncements is the floor's part of the fan-out: it has no node, and
// announces tips when it is told to.
func measureAnnouncements(ctx context.Context, t *testing.T, s *server, cfg load.Config) (*load.Report, error) {
	t.Helper()
	cfg.Blocks, cfg.Node, cfg.NodeCookie = 0, "", ""
	cfg.Hold = (announcements + 2) * 300 * time.Millisecond
	go func() {
		time.Sleep(cfg.Settle + 600*time.Millisecond)
		for range announcements {
			s.process.Signal(syscall.SIGUSR1)
			time.Sleep(300 * time.Millisecond)
		}
	}()
	r, err := measure(ctx, t, s, cfg)
	if err == nil && (r.Fanout == nil || r.Fanout.Incomplete > 0) {
		err = fmt.Errorf("not every tip reached every miner: %+v", r.Fanout)
	}
	return r, err
}

// TestMeasure is `make measure`. Without -measure it is a small proof that the
// scenarios and the floor work.
func TestMeasure(t *testing.T) {
	rounds := *runs
	if !*full {
		rounds = 1
	}
	ctx, cancel := context.WithTimeout(t.Context(), *limit+time.Minute)
	defer cancel()
	begin := time.Now()
	end := begin.Add(*limit)
	table := &results{}

	hard := startChain(t, 5e9) // no share is a block
	easy := startChain(t, 1e5) // blocks take a fraction of a second
	poolServer, floorServer := startPool(t, hard), startFloor(t)
	for round := range rounds {
		for _, s := range scenarios {
			if !strings.Contains(s.name, *only) {
				continue
			}
			if time.Now().After(end) {
				table.skipped++
				continue
			}
			target, least, cfg := poolServer, floorServer, s.load
			if !*full {
				cfg = tiny(cfg)
			}
			switch {
			case cfg.Blocks > 0:
				target = startPool(t, easy)
				cfg.Node, cfg.NodeCookie = "http://"+easy.NodeRPC, easy.NodeCookie
			case s.fresh:
				target, least = startPool(t, hard), startFloor(t)
				if *full {
					// The first start hashes the operator's password; that memory is given
					// back, and must not be taken for what miners need.
					time.Sleep(firstHash)
				}
			}
			if cfg.Blocks > 0 {
				least = startFloor(t)
			}
			for _, one := range []struct {
				name string
				*server
			}{{"pool", target}, {"floor", least}} {
				if *full {
					fmt.Fprintf(os.Stderr, "%4.0f s: run %d of %d: %s, %s\n", time.Since(begin).Seconds(), round+1, rounds, s.name, one.name)
				}
				var r *load.Report
				var err error
				if one.name == "floor" && cfg.Blocks > 0 {
					r, err = measureAnnouncements(ctx, t, one.server, cfg)
				} else {
					r, err = measure(ctx, t, one.server, cfg)
				}
				if err != nil {
					t.Errorf("%s, %s, run %d: %v", s.name, one.name, round+1, err)
					continue
				}
				table.add(s, one.name, r)
			}
			if target != poolServer {
				target.process.Stop(t, 10*time.Second)
			}
			if least != floorServer {
				least.process.Kill()
			}
		}
	}
	if *full {
		fmt.Print(machine(), fmt.Sprintf("Template: %d transactions. %d runs: median (smallest to largest).\n\n", hard.txs, rounds), table)
	}
	if len(table.figures) == 0 && *only == "" {
		t.Error("nothing was measured")
	}
}

// tiny is a scenario that takes a moment.
func tiny(c load.Config) load.Config {
	c.Connections, c.Shares = 10, min(c.Shares, 5)
	c.Settle, c.Hold, c.BlockGap = time.Millisecond, min(c.Hold, 10*time.Millisecond), time.Millisecond
	c.Blocks = min(c.Blocks, 1)
	return c
}
