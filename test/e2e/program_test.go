package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/poolscope/poolscope/test/nodes"
	"github.com/poolscope/poolscope/test/program"
)

// Times that the program must keep, with what it may take on a busy machine.
const (
	startLimit = program.StartLimit
	stopLimit  = 2 * time.Second // from SIGTERM to the end, by the issue
)

// running is a poolscope that serves: the demo or the pool.
type running struct{ *program.Server }

// start runs a serving sub-command in dataDir and returns when its addresses
// are known.
func start(t testing.TB, dataDir string, arguments ...string) *running {
	t.Helper()
	return &running{program.Start(t, binary, dataDir, append(arguments[:1:1], program.AnyPorts(arguments[1:]...)...)...)}
}

// demoFlags make a demo that is quick and leaves other programs' ports alone. It
// has no fleet, whose agents are workers of the pool, too.
func demoFlags(more ...string) []string {
	return append([]string{"demo", "--node-rpc", "127.0.0.1:0", "--node-zmq", "127.0.0.1:0", "--scope", "127.0.0.1:0", "--relay", "",
		"--block-interval", "3s", "--tx-rate", "3"}, more...)
}

// get decodes a JSON response of the program's HTTP server.
func get[T any](t *testing.T, p *running, path string) T {
	t.Helper()
	var value T
	status, body := fetch(t, p, path)
	if status != http.StatusOK {
		t.Fatalf("GET %s: %d %s", path, status, body)
	}
	if err := json.Unmarshal(body, &value); err != nil {
		t.Fatalf("GET %s: %v in %s", path, err, body)
	}
	return value
}

// httpClient opens a connection for each request, so that none is left idle at
// a program that is being stopped.
var httpClient = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

func fetch(t testing.TB, p *running, path string) (status int, body []byte) {
	t.Helper()
	resp, err := httpClient.Get("http://" + p.HTTP + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err = io.ReadAll(resp.Body); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, body
}

// ready reports whether /readyz says 200.
func (p *running) ready(t testing.TB) bool {
	t.Helper()
	status, _ := fetch(t, p, "/readyz")
	return status == http.StatusOK
}

// foundBlock is an element of GET /api/blocks, as far as we compare it.
type foundBlock struct {
	Height           int64     `json:"height"`
	Hash             string    `json:"hash"`
	Worker           string    `json:"worker"`
	Timestamp        time.Time `json:"timestamp"`
	ShareDiff        float64   `json:"share_diff"`
	PoolFeeSats      int64     `json:"pool_fee_sats"`
	WorkerPayoutSats int64     `json:"worker_payout_sats"`
	Confirmations    int64     `json:"confirmations"`
	Result           string    `json:"result"`
}

// blocks is GET /api/blocks, newest first.
func (p *running) blocks(t *testing.T) []foundBlock {
	t.Helper()
	return get[[]foundBlock](t, p, "/api/blocks?limit=100")
}

// unanswered lists the files of found blocks that no node has answered yet.
func (p *running) unanswered(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(p.DataDir, "blocks", "*.hex"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// overview is GET /api/overview, as far as we compare it.
type overview struct {
	ActiveMiners    int     `json:"active_miners"`
	SharesPerMinute float64 `json:"shares_per_minute"`
	PoolHashrate    float64 `json:"pool_hashrate"`
	PoolTag         string  `json:"pool_tag"`
	Workers         []struct {
		Name            string  `json:"name"`
		RollingHashrate float64 `json:"rolling_hashrate"`
		Accepted        uint64  `json:"accepted"`
	} `json:"workers"`
}

// accepted is the number of shares that the books hold as accepted from the
// workers that are connected.
func (o overview) accepted() uint64 {
	var n uint64
	for _, w := range o.Workers {
		n += w.Accepted
	}
	return n
}

// poolPage is GET /api/pool-page, as far as we compare it.
type poolPage struct {
	BlocksAccepted uint64 `json:"blocks_accepted"`
	BlocksErrored  uint64 `json:"blocks_errored"`
	ErrorHistory   []struct {
		Type    string `json:"type"`
		Message string `json:"message"`
	} `json:"error_history"`
}

// stop ends the program with SIGTERM and checks that it does so cleanly and in
// time.
func (p *running) stop(t testing.TB) {
	t.Helper()
	took := p.Stop(t, 10*time.Second)
	if took > stopLimit {
		t.Errorf("%s took %s to end, want at most %s", p.Name, took.Round(time.Millisecond), stopLimit)
	}
	if code := p.ExitCode(); code != 0 {
		t.Errorf("%s ended with code %d, want 0", p.Name, code)
	}
	if _, err := os.Stat(filepath.Join(p.DataDir, "ports.json")); err == nil {
		t.Error("ports.json tells of a program that has ended")
	}
}

// outcome is how a command ended that does not serve.
type outcome struct {
	code   int
	stdout string
	stderr string
}

// runToEnd runs a command that is expected to end by itself, soon.
func runToEnd(t *testing.T, arguments ...string) outcome {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary, arguments...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	timer := time.AfterFunc(startLimit, func() {
		_ = cmd.Process.Kill() // Wait tells the rest
	})
	defer timer.Stop()

	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("run poolscope %s: %v", strings.Join(arguments, " "), err)
	}
	return outcome{code: cmd.ProcessState.ExitCode(), stdout: stdout.String(), stderr: stderr.String()}
}

// wantFailure checks a command's exit code and that its message says what a
// person needs.
func (o outcome) wantFailure(t *testing.T, code int, words ...string) {
	t.Helper()
	var faults []string
	if o.code != code {
		faults = append(faults, fmt.Sprintf("exit code %d, want %d", o.code, code))
	}
	for _, w := range words {
		if !strings.Contains(o.stderr, w) {
			faults = append(faults, fmt.Sprintf("the message lacks %q", w))
		}
	}
	if len(faults) > 0 {
		t.Errorf("%s; standard error:\n%s", strings.Join(faults, ", "), o.stderr)
	}
}

// poolFile writes a configuration of a pool on nodes of our choosing.
func poolFile(t testing.TB, nodeSections ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "poolscope.toml")
	if err := os.WriteFile(path, []byte(strings.Join(nodeSections, "")), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// nodeSection is [[node]] for a node, with further lines.
func nodeSection(r nodes.RPC, lines ...string) string {
	s := fmt.Sprintf("[[node]]\nurl = %q\n", r.URL)
	if r.CookieFile != "" {
		s += fmt.Sprintf("cookie_file = %q\n", r.CookieFile)
	} else {
		s += fmt.Sprintf("user = %q\npassword = %q\n", r.User, r.Password)
	}
	return s + strings.Join(append(slices.Clone(lines), ""), "\n")
}

// mine runs the CPU miner at a pool. On regtest every second hash is a block,
// and the pool asks for nothing harder: a few hashes a second are plenty.
func mine(t *testing.T, p *running, user string) *nodes.Process {
	t.Helper()
	return nodes.Start(t, "miner", binary, "miner", "--pool", "stratum+tcp://"+p.Stratum, "--user", user,
		"--threads", "1", "--max-hashrate", "4")
}
