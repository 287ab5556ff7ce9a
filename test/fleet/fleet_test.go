package fleet

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/fleet"
	"github.com/poolscope/poolscope/internal/fleet/agent"
	"github.com/poolscope/poolscope/internal/fleet/hub"
	"github.com/poolscope/poolscope/internal/nostr"
	"github.com/poolscope/poolscope/test/nodes"
	"github.com/poolscope/poolscope/test/program"
)

// limit is for what takes seconds, on a busy machine.
const limit = 90 * time.Second

// address is an address of regtest, whose workers the agents are.
const address = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"

// demo is the program, as its users see it.
type demo struct {
	*program.Server
	t     *testing.T
	token string
}

// startDemo runs the demo with one slow miner, who is behind the scope, and
// whose shares are therefore easy.
func startDemo(t *testing.T) *demo {
	t.Helper()
	dir := t.TempDir()
	d := &demo{t: t, Server: program.Start(t, binary, dir, "demo", "--http", "127.0.0.1:0", "--stratum", "127.0.0.1:0", "--stratum-tls", "",
		"--scope", "127.0.0.1:0", "--node-rpc", "127.0.0.1:0", "--node-zmq", "127.0.0.1:0", "--block-interval", "20s", "--miners", "1", "--max-hashrate", "20000")}
	token, err := os.ReadFile(filepath.Join(dir, "scope-token"))
	if err != nil {
		t.Fatal(err)
	}
	d.token = strings.TrimSpace(string(token))
	return d
}

// do makes a request, and reads the JSON of its answer.
func (d *demo) do(method, path, body string, into any) {
	d.t.Helper()
	request, err := http.NewRequestWithContext(d.t.Context(), method, "http://"+d.HTTP+path, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	if method != http.MethodGet {
		request.Header.Set("Authorization", "Bearer "+d.token)
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		d.t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		d.t.Fatalf("%s %s: %d %s %v", method, path, response.StatusCode, answer, err)
	}
	if into != nil {
		if err := json.Unmarshal(answer, into); err != nil {
			d.t.Fatalf("%s %s: %v", method, path, err)
		}
	}
}

// agents runs agents in this process until the test ends.
func (d *demo) agents(count int, of func(n int) agent.Config) []*agent.Agent {
	d.t.Helper()
	var status hub.Status
	d.do(http.MethodGet, "/api/fleet", "", &status)
	scope, err := nostr.ParsePublicKey(status.PublicKey)
	if err != nil {
		d.t.Fatal(err)
	}
	all := make([]*agent.Agent, count)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	d.t.Cleanup(func() { cancel(); running.Wait() })
	for n := range all {
		key, err := nostr.NewSecretKey()
		if err != nil {
			d.t.Fatal(err)
		}
		cfg := of(n)
		if cfg.Member, err = fleet.NewMember(status.RunID, fleet.DefaultKinds(), key, nostr.SecretKey{}); err != nil {
			d.t.Fatal(err)
		}
		cfg.Key, cfg.Authors, cfg.Version = key, []string{scope.String()}, "test"
		if cfg.Relays == nil {
			cfg.Relays = []string{d.relay()}
		}
		cfg.Own, cfg.Pool, cfg.User = true, d.Stratum, address+"."+cfg.ID
		if all[n], err = agent.New(cfg, slog.New(slog.DiscardHandler)); err != nil {
			d.t.Fatal(err)
		}
		running.Go(func() { _ = all[n].Run(ctx) })
	}
	return all
}

func (d *demo) relay() string {
	d.t.Helper()
	var status hub.Status
	d.do(http.MethodGet, "/api/fleet", "", &status)
	return status.Relays[0].URL
}

// broadcasting is the session behind the scope.
func (d *demo) broadcasting() string {
	d.t.Helper()
	var id string
	nodes.WaitFor(d.t, limit, "the demo's session broadcasts", func() bool {
		var list []struct {
			ID        string `json:"session_id"`
			Origin    string
			Broadcast bool `json:"broadcast_enabled"`
		}
		d.do(http.MethodGet, "/api/sessions", "", &list)
		for _, s := range list {
			if s.Origin == "proxy" && s.Broadcast {
				id = s.ID
			}
		}
		return id != ""
	})
	return id
}

// books are what the pool counted for each worker.
func (d *demo) books() map[string][2]uint64 {
	d.t.Helper()
	var page struct {
		Workers []struct {
			Name               string
			Accepted, Rejected uint64
		}
	}
	d.do(http.MethodGet, "/api/workers", "", &page)
	out := make(map[string][2]uint64)
	for _, w := range page.Workers {
		out[w.Name] = [2]uint64{w.Accepted, w.Rejected}
	}
	return out
}

// TestFiftyAgents runs fifty agents against the demo's pool, half of them with
// shares of others and half with their own, and compares three accounts: the
// agents', the pool's, and what the scope heard.
func TestFiftyAgents(t *testing.T) {
	d := startDemo(t)
	const count = 50
	mode := func(n int) string {
		if n%2 == 0 {
			return fleet.ModeMine
		}
		return fleet.ModeReplay
	}
	all := d.agents(count, func(n int) agent.Config {
		cfg := agent.Config{ID: fmt.Sprintf("agent%02d", n), Region: fmt.Sprintf("region-%d", n%5), Mode: mode(n), Rate: 50, Interval: 2 * time.Second}
		if cfg.Mode == fleet.ModeMine {
			cfg.Rate, cfg.MaxRate, cfg.Hashrate = 0.001, 1, 20_000 // the scope orders
		}
		return cfg
	})
	session := d.broadcasting()
	nodes.WaitFor(t, limit, "the scope knows all agents, connected", func() bool {
		var status hub.Status
		d.do(http.MethodGet, "/api/fleet", "", &status)
		return status.Totals.Connected >= count // and the demo's own two
	})
	d.do(http.MethodPost, "/api/sessions/"+session+"/repeat-count", `{"repeat_count":2}`, nil)
	d.do(http.MethodPut, "/api/fleet/order", `{"rate":0.5,"difficulty":0}`, nil)
	nodes.WaitFor(t, limit, "every agent has submitted a few shares", func() bool {
		for _, a := range all {
			if a.Telemetry().Stats.Attempted < 4 {
				return false
			}
		}
		return true
	})
	d.do(http.MethodPut, "/api/fleet/order", `{"rate":0,"difficulty":0}`, nil)
	d.do(http.MethodPost, "/api/sessions/"+session+"/broadcast/disable", "", nil)

	still := func() (sum uint64, pending int) {
		for _, a := range all {
			tel := a.Telemetry()
			sum += tel.Stats.Attempted
			pending += tel.Report.Pending + tel.Report.Queue.Waiting
		}
		return sum, pending
	}
	last, since := uint64(0), time.Now()
	nodes.WaitFor(t, limit, "all is answered", func() bool {
		sum, pending := still()
		if sum != last || pending > 0 {
			last, since = sum, time.Now()
		}
		return time.Since(since) > 3*time.Second
	})

	var accepted, rejected uint64
	nodes.WaitFor(t, limit, "the pool's account is each agent's", func() bool {
		books := d.books()
		for n, a := range all {
			s := a.Telemetry().Stats
			if books[fmt.Sprintf("%s.agent%02d", address, n)] != [2]uint64{s.Accepted, s.Rejected} {
				return false
			}
		}
		return true
	})
	for n, a := range all {
		tel := a.Telemetry()
		accepted, rejected = accepted+tel.Stats.Accepted, rejected+tel.Stats.Rejected
		if tel.Report.Unanswered > 0 || tel.Stats.Attempted != tel.Stats.Accepted+tel.Stats.Rejected {
			t.Errorf("agent %d: %+v, %d unanswered", n, tel.Stats, tel.Report.Unanswered)
		}
		if mode(n) == fleet.ModeMine && (tel.Stats.Accepted == 0 || tel.Report.SubmitMS == nil) {
			t.Errorf("agent %d mines, and the pool took nothing: %+v %v", n, tel.Stats, tel.Report.Rejects)
		}
		if mode(n) == fleet.ModeReplay && (tel.Stats.Accepted > 0 || tel.Stats.Attempted < tel.Stats.Received || tel.Stats.Attempted > 2*tel.Stats.Received) {
			t.Errorf("agent %d submits shares that are not its own: %+v", n, tel.Stats)
		}
	}
	nodes.WaitFor(t, limit, "the scope has heard the same", func() bool {
		var list []hub.Agent
		d.do(http.MethodGet, "/api/agents", "", &list)
		heard := make(map[string]fleet.Stats)
		for _, a := range list {
			heard[a.AgentID] = a.Stats
		}
		for n, a := range all {
			s, h := a.Telemetry().Stats, heard[fmt.Sprintf("agent%02d", n)]
			if s.Accepted != h.Accepted || s.Rejected != h.Rejected || s.Received != h.Received {
				return false
			}
		}
		return true
	})
	t.Logf("%d accepted, %d rejected", accepted, rejected)
}
