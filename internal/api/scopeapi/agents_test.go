package scopeapi

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/fleet"
	"github.com/poolscope/poolscope/internal/fleet/hub"
	"github.com/poolscope/poolscope/internal/nostr"
	"github.com/poolscope/poolscope/internal/nostr/client"
	"github.com/poolscope/poolscope/internal/nostr/relay"
	"github.com/poolscope/poolscope/internal/scope/capture"
)

// fleetBench is a bench with a hub at a relay, and somebody who tells telemetry.
type fleetBench struct {
	*bench
	tell func(id string, accepted uint64, at time.Time)
}

func newFleetBench(t *testing.T) *fleetBench {
	t.Helper()
	r := relay.New(relay.Config{})
	server := httptest.NewServer(r)
	address := "ws" + strings.TrimPrefix(server.URL, "http")
	join := func() *fleet.Member {
		key, err := nostr.NewSecretKey()
		if err != nil {
			t.Fatal(err)
		}
		m, err := fleet.NewMember("test-run-123", fleet.DefaultKinds(), key, nostr.SecretKey{})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	store, err := hub.OpenStore(filepath.Join(t.TempDir(), "fleet.db"), hub.StoreConfig{}, log)
	if err != nil {
		t.Fatal(err)
	}
	h, err := hub.New(hub.Config{
		Member: join(), Relays: []string{address}, Switches: newFakeReplay(), Store: store,
		Session: func(string) (capture.Session, bool) { return capture.Session{}, false },
	}, log)
	if err != nil {
		t.Fatal(err)
	}
	agents := join()
	speaker, err := client.New(client.Config{Relays: []string{address}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{}, 2)
	go func() { _ = h.Run(ctx); done <- struct{}{} }()
	go func() { speaker.Run(ctx); done <- struct{}{} }()
	t.Cleanup(func() {
		cancel()
		<-done
		<-done
		r.Close()
		server.Close()
		_ = store.Close()
	})
	b := &fleetBench{bench: newBench(t, func(_ *Config, s *Sources) { s.Fleet = h })}
	b.tell = func(id string, accepted uint64, at time.Time) {
		t.Helper()
		tel := fleet.Telemetry{
			RunID: "test-run-123", AgentID: id, Time: fleet.FormatTime(at), Pool: fleet.Target{Host: "pool.example.com", Port: 3333},
			ConnState: "connected", Stats: fleet.Stats{Attempted: accepted, Accepted: accepted}, Errors: []string{"Pool connection lost"},
		}
		content, err := tel.Encode()
		if err != nil {
			t.Fatal(err)
		}
		e, err := agents.Seal(fleet.TypeTelemetry, content, at)
		if err != nil {
			t.Fatal(err)
		}
		speaker.Publish(e)
	}
	return b
}

// heard waits until an agent is known to have so many shares accepted.
func (b *fleetBench) heard(id string, accepted uint64) {
	b.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		w := b.get("/api/agents/" + url.PathEscape(id))
		if w.Code == http.StatusOK && read[hub.Detail](b.t, w).Latest.Stats.Accepted == accepted {
			return
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
}

// TestFleetByTheContract reads the members that the contract names, with their
// types.
func TestFleetByTheContract(t *testing.T) {
	b := newFleetBench(t)
	at := time.Now().Add(-10 * time.Second).Truncate(time.Microsecond)
	for n := range 5 {
		b.tell("agent-us-west-1", uint64(n), at.Add(time.Duration(n)*time.Second))
	}
	b.heard("agent-us-west-1", 4)

	list := read[[]map[string]any](t, b.get("/api/agents"))
	if len(list) != 1 {
		t.Fatalf("%v", list)
	}
	a := list[0]
	pool, _ := a["pool_target"].(map[string]any)
	stats, _ := a["stats"].(map[string]any)
	if a["agent_id"] != "agent-us-west-1" || pool["host"] != "pool.example.com" || pool["port"] != 3333.0 || a["conn_state"] != "connected" ||
		a["last_seen"] != fleet.FormatTime(at.Add(4*time.Second)) {
		t.Errorf("%v", a)
	}
	for name, want := range map[string]any{
		"share_events_received_total": 0.0, "submits_attempted_total": 4.0, "submits_accepted_total": 4.0, "submits_rejected_total": 0.0,
		"last_submit_latency_ms": nil, "submits_per_second_1min": nil, "submits_per_second_10sec": nil,
	} {
		if got, there := stats[name]; !there || got != want {
			t.Errorf("%s is %v (there: %t), not %v", name, got, there, want)
		}
	}

	one := read[map[string]any](t, b.get("/api/agents/agent-us-west-1"))
	latest, _ := one["latest"].(map[string]any)
	if errors, _ := latest["errors"].([]any); one["agent_id"] != "agent-us-west-1" || len(errors) != 1 || latest["schema"] != "hashscope.v1" {
		t.Errorf("%v", one)
	}
	history := read[struct {
		AgentID string `json:"agent_id"`
		History []fleet.Telemetry
	}](t, b.get("/api/agents/agent-us-west-1/history?limit=2"))
	if len(history.History) != 2 || history.History[0].Stats.Accepted != 4 || history.History[1].Stats.Accepted != 3 {
		t.Errorf("%+v", history)
	}
	if series := read[hub.Series](t, b.get("/api/agents/agent-us-west-1/series?range=15m&points=10")); len(series.Points) == 0 || series.Step != 90 {
		t.Errorf("%+v", series)
	}
	wantDetail(t, b.get("/api/agents/agent-us-west-2"), http.StatusNotFound, "Agent not found")
	wantDetail(t, b.get("/api/agents/agent-us-west-2/history"), http.StatusNotFound, "Agent not found")
}

// TestOddAgentIDs asks for agents whose ids do not fit into a path as they are.
func TestOddAgentIDs(t *testing.T) {
	b := newFleetBench(t)
	for n, id := range []string{"a/b", "a b", "%2f", "ü", "a?b#c", "..."} {
		b.tell(id, uint64(n+1), time.Now())
		b.heard(id, uint64(n+1))
	}
}

// TestAgentFeedIsLive gets all agents first, then each telemetry.
func TestAgentFeedIsLive(t *testing.T) {
	b := newFleetBench(t)
	b.tell("a", 1, time.Now().Add(-time.Second))
	b.heard("a", 1)
	conn := b.listen("/api/ws/agents", nil)
	first := next(t, conn)
	if agents, _ := first["agents"].([]any); first["type"] != "init" || len(agents) != 1 {
		t.Errorf("%v", first)
	}
	b.tell("a", 2, time.Now())
	frame := next(t, conn)
	data, _ := frame["data"].(map[string]any)
	if frame["type"] != "telemetry" || frame["agent_id"] != "a" || data["conn_state"] != "connected" || frame["agent"] == nil {
		t.Errorf("%v", frame)
	}
}

// TestOrders are given and taken back by who has the token.
func TestOrders(t *testing.T) {
	b := newFleetBench(t)
	wantDetail(t, b.serve(request(http.MethodPut, "/api/fleet/order", `{"rate":1,"difficulty":0}`)), http.StatusUnauthorized, "Not authenticated: send Authorization: Bearer TOKEN")
	status := read[hub.Status](t, b.send(http.MethodPut, "/api/fleet/order", `{"rate":1.5,"difficulty":0.25,"agents":["a"]}`))
	if o := status.Order; o == nil || o.Rate != 1.5 || o.Difficulty != 0.25 || len(o.Agents) != 1 || !status.Enabled || status.RunID != "test-run-123" {
		t.Errorf("%+v", status)
	}
	for body, code := range map[string]int{`{"rate":-1,"difficulty":0}`: 422, `{"difficulty":0}`: 422, `{"rate":1001,"difficulty":0}`: 422, `{"rate":1,"difficulty":1e16}`: 422, `{"rate":1,"difficulty":1e400}`: 422} {
		if w := b.send(http.MethodPut, "/api/fleet/order", body); w.Code != code || !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s: %d %s", body, w.Code, w.Body)
		}
	}
	// Each of these would be for the whole fleet if it were taken.
	for body, where := range map[string]string{
		`{"rate":1,"difficulty":0,"agents":["a",1]}`: `["body","agents",1]`, `{"rate":1,"difficulty":0,"agents":"a"}`: `["body","agents"]`,
		`{"rate":1,"difficulty":0,"agents":null}`: `["body","agents"]`, `{"rate":1,"difficulty":0,"agent":["a"]}`: `["body","agent"]`,
		`{"rate":1,"difficulty":0,"agents":[` + strings.Repeat(`"a",`, 1000) + `"a"]}`: `["body","agents"]`,
	} {
		if w := b.send(http.MethodPut, "/api/fleet/order", body); w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), `"loc":`+where) {
			t.Errorf("%.60s: %d %s", body, w.Code, w.Body)
		}
	}
	if o := read[hub.Status](t, b.get("/api/fleet")).Order; o == nil || o.Rate != 1.5 {
		t.Errorf("a refused order changed the one in force: %+v", o)
	}
	if status := read[hub.Status](t, b.send(http.MethodDelete, "/api/fleet/order", "")); status.Order != nil {
		t.Errorf("%+v", status.Order)
	}
}
