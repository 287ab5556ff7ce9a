package fleet

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/fleet"
	"github.com/poolscope/poolscope/internal/fleet/agent"
	"github.com/poolscope/poolscope/internal/fleet/hub"
	"github.com/poolscope/poolscope/internal/nostr"
	nostrrelay "github.com/poolscope/poolscope/internal/nostr/relay"
	"github.com/poolscope/poolscope/internal/scope/capture"
	"github.com/poolscope/poolscope/internal/scope/replay"
	"github.com/poolscope/poolscope/test/nodes"
	"github.com/poolscope/poolscope/test/relay"
)

// taker is a pool that accepts everything and remembers it.
type taker struct {
	net.Listener
	mu   sync.Mutex
	jobs map[string]int // submits by job
}

func startTaker(t *testing.T) *taker {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &taker{Listener: l, jobs: make(map[string]int)}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(conn)
		}
	}()
	return p
}

func (p *taker) serve(conn net.Conn) {
	defer conn.Close()
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		var m struct {
			ID     int
			Method string
			Params []any
		}
		if json.Unmarshal(lines.Bytes(), &m) != nil {
			return
		}
		result := "true"
		switch m.Method {
		case "mining.subscribe":
			result = `[[],"00000001",4]`
		case "mining.submit":
			p.mu.Lock()
			p.jobs[fmt.Sprint(m.Params[1])]++
			p.mu.Unlock()
		}
		if _, err := fmt.Fprintf(conn, `{"id":%d,"result":%s,"error":null}`+"\n", m.ID, result); err != nil {
			return
		}
	}
}

// always are the switches of a scope whose sessions all broadcast.
type always struct{}

func (always) Settings(string) replay.Settings {
	return replay.Settings{Broadcast: true, RepeatCount: 1}
}
func (always) Change(string, replay.Change) (replay.Settings, error) {
	return replay.Settings{}, nil
}

// TestACutRelayLosesAndDoublesNothing cuts the scope and the agent off the relay,
// each for a while of its own and then both, while shares come. (Ten minutes of
// cut, on a clock that is moved, are in internal/nostr/client.)
func TestACutRelayLosesAndDoublesNothing(t *testing.T) {
	server := httptest.NewServer(nostrrelay.New(nostrrelay.Config{}))
	defer server.Close()
	target := strings.TrimPrefix(server.URL, "http://")
	scopeWire, agentWire := relay.Start(t, target), relay.Start(t, target)
	pool := startTaker(t)
	quiet := slog.New(slog.DiscardHandler)

	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	defer func() { cancel(); running.Wait() }()
	join := func() (*fleet.Member, nostr.SecretKey) {
		key, err := nostr.NewSecretKey()
		if err != nil {
			t.Fatal(err)
		}
		m, err := fleet.NewMember("run1", fleet.DefaultKinds(), key, nostr.SecretKey{})
		if err != nil {
			t.Fatal(err)
		}
		return m, key
	}
	ours, _ := join()
	h, err := hub.New(hub.Config{
		Member: ours, Relays: []string{"ws://" + scopeWire.Addr()}, Switches: always{},
		Session: func(string) (capture.Session, bool) { return capture.Session{}, true },
	}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	running.Go(func() { _ = h.Run(ctx) })
	theirs, _ := join()
	a, err := agent.New(agent.Config{
		Pool: pool.Addr().String(), User: "w", Own: true, Relays: []string{"ws://" + agentWire.Addr()}, Member: theirs, Authors: []string{ours.Public().String()},
		ID: "a", Mode: fleet.ModeReplay, Rate: 1000, Interval: 200 * time.Millisecond,
	}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	running.Go(func() { _ = a.Run(ctx) })
	nodes.WaitFor(t, limit, "the agent is connected and known", func() bool {
		agents := h.Agents()
		return len(agents) == 1 && agents[0].ConnState == fleet.StateConnected
	})

	shares := 0
	publish := func(n int) {
		for range n {
			shares++
			h.Captured(&capture.Message{
				Session: "s", N: uint64(shares), Direction: capture.MinerToPool, Method: "mining.submit", ID: "4", Received: time.Now(),
				Raw: fmt.Appendf(nil, `{"id":4,"method":"mining.submit","params":["w","job%d","00","65","ab"]}`+"\n", shares),
			})
			time.Sleep(2 * time.Millisecond)
		}
	}
	for _, wires := range [][]*relay.Relay{{scopeWire}, {agentWire}, {scopeWire, agentWire}} {
		publish(20)
		for _, w := range wires {
			w.Set(relay.Reset)
		}
		publish(60)
		for _, w := range wires {
			w.Set(relay.None)
		}
		publish(20)
	}
	nodes.WaitFor(t, limit, "all shares were submitted", func() bool { return a.Telemetry().Stats.Accepted >= uint64(shares) })
	time.Sleep(500 * time.Millisecond) // for a double to show
	pool.mu.Lock()
	defer pool.mu.Unlock()
	for n := 1; n <= shares; n++ {
		if times := pool.jobs[fmt.Sprintf("job%d", n)]; times != 1 {
			t.Errorf("share %d was submitted %d times", n, times)
		}
	}
	tel := a.Telemetry()
	if status := h.Status(); status.Relays[0].Connects < 2 || status.Relays[0].Dropped > 0 || len(status.Published.Dropped) > 0 || tel.Stats.Received != uint64(shares) {
		t.Errorf("%+v, %d received", status.Relays[0], tel.Stats.Received)
	}
	nodes.WaitFor(t, limit, "the scope hears of it", func() bool { return h.Agents()[0].Stats.Accepted == uint64(shares) })
}
