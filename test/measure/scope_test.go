package measure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/load"
	"github.com/poolscope/poolscope/test/nodes"
	"github.com/poolscope/poolscope/test/program"
)

// proxyKind is a proxy that is measured: parts of the scope, or the program.
type proxyKind struct {
	name    string
	parts   string // of runScope
	program bool   // all of it, as `poolscope scope`
	stalled int    // clients of the program's WebSocket that read nothing
	rates   bool   // measure lines a second, too
}

// A ring of 50,000 messages is full in all of them before they are measured.
var proxyKinds = []proxyKind{
	{name: "relay and recorder", parts: "fill=60000", rates: true},
	{name: "with the audit", parts: "audit,fill=60000", rates: true},
	{name: "with audit and journal", parts: "audit,journal,fill=60000", rates: true},
	{name: "the same, 1,000,000 messages captured before", parts: "audit,journal,fill=1000000"},
	{name: "`poolscope scope`", program: true, rates: true},
	{name: "the same, 100 stalled WebSocket clients", program: true, stalled: 100},
}

// What is read off a proxy, in the order of the table's columns.
var proxyMetrics = []metric{
	{what: "added p50, µs", target: "≤ 80"},
	{what: "added p99, µs", target: "≤ 300"},
	{what: "direct p50 → through, µs"},
	{what: "CPU per line at 10,000/s, µs", digits: 1},
	{what: "CPU per line, one at a time, µs", digits: 1},
	{what: "lines/s on one core, one at a time", target: "≥ 100,000"},
	{what: "CPU per line, in bursts of 32, µs", digits: 1},
	{what: "lines/s on one core, in bursts", target: "≥ 100,000"},
	{what: "miner closes → pool's side closed, ms", digits: 1, target: "≤ 100"},
	{what: "pool closes → miner's side closed, ms", digits: 1, target: "≤ 100"},
}

const (
	addedP50 = iota
	addedP99
	throughP50
	cpuOpen
	cpuSingle
	rateSingle
	cpuBurst
	rateBurst
	minerCloses
	poolCloses
)

// proxyTable holds figures by proxy and metric.
type proxyTable struct {
	kinds   []string
	values  map[string][][]float64
	skipped int
}

func (p *proxyTable) add(kind string, metric int, v float64) {
	if p.values[kind] == nil {
		p.kinds = append(p.kinds, kind)
		if p.values == nil {
			p.values = map[string][][]float64{}
		}
		p.values[kind] = make([][]float64, len(proxyMetrics))
	}
	p.values[kind][metric] = append(p.values[kind][metric], v)
}

// String is the table, in Markdown.
func (p *proxyTable) String() string {
	var b strings.Builder
	for _, list := range [][]string{append([]string{"what"}, append(slices.Clone(p.kinds), "target")...), slices.Repeat([]string{"---"}, len(p.kinds)+2)} {
		b.WriteString("| " + strings.Join(list, " | ") + " |\n")
	}
	for i, m := range proxyMetrics {
		fmt.Fprintf(&b, "| %s |", m.what)
		for _, kind := range p.kinds {
			fmt.Fprintf(&b, " %s |", m.show(p.values[kind][i]))
		}
		fmt.Fprintf(&b, " %s |\n", m.target)
	}
	if p.skipped > 0 {
		fmt.Fprintf(&b, "\n%d proxies were not measured again: the time was over.\n", p.skipped)
	}
	return b.String()
}

// startProxy runs a proxy in front of a pool, on so many cores.
func startProxy(t *testing.T, kind proxyKind, pool string, cores int) *server {
	t.Helper()
	limit := fmt.Sprint("GOMAXPROCS=", cores)
	if kind.program {
		return startScope(t, kind.stalled, pool, limit)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := nodes.Start(t, "scope", "env", limit, self, "scope", "stratum+tcp://"+pool, kind.parts)
	nodes.WaitFor(t, program.StartLimit, "the proxy's address", func() bool { return strings.Contains(p.Output(), "\n") })
	return &server{process: p, address: strings.TrimSpace(p.Output())}
}

// stop ends a proxy. It must have recorded every line.
func (s *server) stop(t *testing.T) {
	t.Helper()
	s.process.Stop(t, 10*time.Second)
	if text := s.process.Output(); strings.Contains(text, "lost ") && !strings.Contains(text, "lost 0 chunks") {
		t.Errorf("the scope says: %s", text)
	}
}

// startScope runs the program in front of a pool, with so many clients of its
// WebSocket that take nothing.
func startScope(t *testing.T, stalled int, pool, limit string) *server {
	t.Helper()
	dir := t.TempDir()
	p := nodes.Start(t, "poolscope scope", "env", limit, poolscope, "scope", "--data-dir", dir,
		"--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--pool", "stratum+tcp://"+pool)
	var ports struct{ Scope, HTTP string }
	nodes.WaitFor(t, program.StartLimit, "ports.json", func() bool {
		text, err := os.ReadFile(filepath.Join(dir, "ports.json"))
		return err == nil && json.Unmarshal(text, &ports) == nil && ports.Scope != ""
	})
	for range stalled {
		stall(t, ports.HTTP)
	}
	return &server{p, ports.Scope, ports.HTTP}
}

// stall opens a WebSocket and reads nothing of it but the answer.
func stall(t *testing.T, address string) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.(*net.TCPConn).SetReadBuffer(4096); err != nil {
		t.Fatal(err)
	}
	_, err = fmt.Fprintf(conn, "GET /api/ws HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", address)
	if err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, len("HTTP/1.1 101"))
	if _, err := io.ReadFull(conn, answer); err != nil || string(answer) != "HTTP/1.1 101" {
		t.Fatalf("the WebSocket answers %q, %v", answer, err)
	}
}

// TestMeasureScope is the scope's part of `make measure`: what a proxy adds to
// the way to our own pool, share by share beside the direct way, and how many
// lines it can relay on one core to a server that costs little itself.
func TestMeasureScope(t *testing.T) {
	rounds := *runs
	if !*full {
		rounds = 1
	}
	ctx, cancel := context.WithTimeout(t.Context(), *limit+time.Minute)
	defer cancel()
	end := time.Now().Add(*limit)
	table := &proxyTable{}
	disk := measureDisk(t)
	chain := startChain(t, 5e9)
	pool, floor := startPool(t, chain), startFloor(t)
	for round := range rounds {
		for _, kind := range proxyKinds {
			if !strings.Contains("scope: "+kind.name, *only) {
				continue
			}
			if time.Now().After(end) {
				table.skipped++
				continue
			}
			if *full {
				fmt.Fprintf(os.Stderr, "run %d of %d: scope, %s\n", round+1, rounds, kind.name)
			}
			if err := measureProxy(ctx, t, kind, pool, floor, table); err != nil {
				t.Errorf("%s, run %d: %v", kind.name, round+1, err)
			}
		}
	}
	if *full {
		fmt.Print(machine(), fmt.Sprintf("Template: %d transactions. %d runs: median (smallest to largest).\n\n", chain.txs, rounds), table, "\nSustained: "+disk)
	}
	if len(table.kinds) == 0 && *only == "" {
		t.Error("nothing was measured")
	}
}

// measureDisk takes how many messages a second the recorder, the audit and the
// journal get to disk, in a process of their own.
func measureDisk(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	messages := "500000"
	if !*full {
		messages = "1000"
	}
	p := nodes.Start(t, "disk", self, "disk", messages)
	<-p.Done()
	text := p.Output()
	if p.ExitCode() != 0 || !strings.Contains(text, "("+messages+" messages") || !strings.Contains(text, " 0 dropped") {
		t.Errorf("not everything is on disk: %s", text)
	}
	return text
}

// measureProxy measures one proxy once.
func measureProxy(ctx context.Context, t *testing.T, kind proxyKind, pool, floor *server, table *proxyTable) error {
	t.Helper()
	if !*full {
		kind.parts, _, _ = strings.Cut(kind.parts, "fill=")
		kind.parts = strings.TrimSuffix(kind.parts, ",")
	}
	proxy := startProxy(t, kind, pool.address, runtime.NumCPU())
	defer proxy.stop(t)
	cfg := load.Config{Connections: 100, Shares: 400, Rate: 10_000, Settle: 500 * time.Millisecond,
		Through: "stratum+tcp://" + proxy.address, ThroughPID: proxy.process.PID()}
	if kind.program { // until its ring is full
		fill := load.Config{Connections: 100, Shares: 300, Outstanding: 32, Settle: time.Millisecond}
		if !*full {
			fill = tiny(fill)
		}
		if _, err := measure(ctx, t, proxy, fill); err != nil {
			return err
		}
	}
	if !*full {
		cfg = tiny(cfg)
	}
	r, err := measure(ctx, t, pool, cfg)
	if err != nil {
		return err
	}
	table.add(kind.name, addedP50, r.Through.Added.P50)
	table.add(kind.name, addedP99, r.Through.Added.P99)
	table.add(kind.name, throughP50, r.Through.Through.P50)
	table.add(kind.name, cpuOpen, r.Through.CPUMicrosPerLine)
	if err := measureCloses(kind, table, t); err != nil {
		return err
	}
	if !kind.rates {
		return nil
	}
	rated := startProxy(t, kind, floor.address, 1)
	defer rated.stop(t)
	for _, c := range []struct{ shares, outstanding, cpu, rate int }{{1500, 1, cpuSingle, rateSingle}, {5000, 32, cpuBurst, rateBurst}} {
		cfg := load.Config{Connections: 100, Shares: c.shares, Outstanding: c.outstanding, Settle: 200 * time.Millisecond}
		if !*full {
			cfg = tiny(cfg)
		}
		r, err := measure(ctx, t, rated, cfg)
		if err != nil {
			return err
		}
		table.add(kind.name, c.cpu, r.Shares.CPUMicrosPerShare/2)
		table.add(kind.name, c.rate, 2*r.Shares.PerSecond)
	}
	return nil
}

// measureCloses takes the time from the end of one side to that of the other.
func measureCloses(kind proxyKind, table *proxyTable, t *testing.T) error {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer l.Close()
	proxy := startProxy(t, kind, l.Addr().String(), runtime.NumCPU())
	defer proxy.stop(t)
	for n := range 10 {
		miner, err := net.Dial("tcp", proxy.address)
		if err != nil {
			return err
		}
		upstream, err := l.Accept()
		if err != nil {
			return err
		}
		closes, other, metric := miner, upstream, minerCloses
		if n%2 == 1 {
			closes, other, metric = upstream, miner, poolCloses
		}
		if _, err := io.WriteString(miner, hostileHello); err != nil {
			return err
		}
		if _, err := io.ReadFull(upstream, make([]byte, len(hostileHello))); err != nil {
			return err
		}
		begin := time.Now()
		_ = closes.Close()
		_ = other.SetReadDeadline(begin.Add(10 * time.Second))
		if _, err := other.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			return fmt.Errorf("the other side ends with %w", err)
		}
		table.add(kind.name, metric, float64(time.Since(begin).Microseconds())/1000)
		_ = other.Close()
	}
	return nil
}
