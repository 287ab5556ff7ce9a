package hub

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/fleet"
	"github.com/poolscope/poolscope/internal/nostr"
	"github.com/poolscope/poolscope/internal/scope/capture"
	"github.com/poolscope/poolscope/internal/scope/replay"
)

var (
	quiet = slog.New(slog.NewTextHandler(io.Discard, nil))
	begin = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
)

func secret(t testing.TB, n int) nostr.SecretKey {
	t.Helper()
	k, err := nostr.ParseSecretKey(fmt.Sprintf("%064x", n))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func member(t testing.TB, run string, n int) *fleet.Member {
	t.Helper()
	m, err := fleet.NewMember(run, fleet.DefaultKinds(), secret(t, n), nostr.SecretKey{})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// switches are those of a test's sessions.
type switches struct {
	mu  sync.Mutex
	all map[string]replay.Settings
}

func (s *switches) Settings(session string) replay.Settings {
	s.mu.Lock()
	defer s.mu.Unlock()
	if one, ok := s.all[session]; ok {
		return one
	}
	return replay.DefaultSettings()
}

func (s *switches) Change(session string, c replay.Change) (replay.Settings, error) {
	one := s.Settings(session)
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.Broadcast != nil {
		one.Broadcast = *c.Broadcast
	}
	s.all[session] = one
	return one, nil
}

// stage is a hub with a clock that the test moves, and no relay.
type stage struct {
	*Hub
	t        *testing.T
	now      time.Time
	switches *switches
	sessions map[string]capture.Session
}

func newStage(t *testing.T, change func(*Config)) *stage {
	t.Helper()
	s := &stage{t: t, now: begin, switches: &switches{all: map[string]replay.Settings{}}, sessions: map[string]capture.Session{}}
	cfg := Config{
		Member: member(t, "run1", 1), Switches: s.switches, Now: func() time.Time { return s.now },
		Session: func(id string) (capture.Session, bool) { one, ok := s.sessions[id]; return one, ok },
	}
	if change != nil {
		change(&cfg)
	}
	h, err := New(cfg, quiet)
	if err != nil {
		t.Fatal(err)
	}
	s.Hub = h
	return s
}

// tell gives the hub telemetry of an agent, sent now by the agent's clock.
func (s *stage) tell(author int, t fleet.Telemetry, sent time.Time) {
	s.t.Helper()
	s.received("telemetry", s.event(author, t, sent, sent))
}

// event is telemetry of an agent whose content has another time than the event.
func (s *stage) event(author int, t fleet.Telemetry, sent, created time.Time) *nostr.Event {
	s.t.Helper()
	t.RunID, t.Time = "run1", fleet.FormatTime(sent)
	if t.ConnState == "" {
		t.ConnState = fleet.StateConnected
	}
	content, err := t.Encode()
	if err != nil {
		s.t.Fatal(err)
	}
	e, err := member(s.t, "run1", author).Seal(fleet.TypeTelemetry, content, created)
	if err != nil {
		s.t.Fatal(err)
	}
	return e
}

func (s *stage) agent(id string) Agent {
	s.t.Helper()
	d, ok := s.Agent(id)
	if !ok {
		s.t.Fatalf("agent %s is not known", id)
	}
	return d.Agent
}

func told(id string, accepted uint64) fleet.Telemetry {
	return fleet.Telemetry{AgentID: id, Stats: fleet.Stats{Attempted: accepted + 1, Accepted: accepted, Rejected: 1}}
}

func TestAgentsFallSilentThenExpire(t *testing.T) {
	s := newStage(t, nil)
	s.tell(2, told("a", 9), s.now)
	if a := s.agent("a"); a.State != "live" || *a.AcceptRate != 0.9 || a.SilentSince != nil || a.PublicKey != secret(t, 2).Public().String() {
		t.Errorf("%+v", a)
	}
	s.now = begin.Add(15 * time.Second)
	if changes := s.registry.sweep(s.now); len(changes) != 0 {
		t.Errorf("after three intervals of five seconds: %v", changes)
	}
	s.now = begin.Add(16 * time.Second)
	if changes := s.registry.sweep(s.now); len(changes) != 1 || changes[0].state != "silent" {
		t.Errorf("later: %v", changes)
	}
	if a := s.agent("a"); a.State != "silent" || *a.SilentSince != fleet.FormatTime(begin) {
		t.Errorf("%+v", a)
	}
	if changes := s.registry.sweep(s.now); len(changes) != 0 {
		t.Errorf("told twice: %v", changes)
	}
	s.now = begin.Add(time.Hour + time.Second)
	if changes := s.registry.sweep(s.now); len(changes) != 1 || changes[0].state != "expired" || len(s.Agents()) != 0 || s.Status().Telemetry.Expired != 1 {
		t.Errorf("after an hour: %v", changes)
	}
}

func TestAnAgentsOwnIntervalCounts(t *testing.T) {
	s := newStage(t, nil)
	slow := told("slow", 1)
	slow.Report = &fleet.Report{Interval: 60}
	s.tell(2, slow, s.now)
	s.now = begin.Add(3 * time.Minute)
	if changes := s.registry.sweep(s.now); len(changes) != 0 {
		t.Errorf("an agent that tells once a minute is silent after three: %v", changes)
	}
}

func TestLateTelemetryDoesNotReplaceNewer(t *testing.T) {
	s := newStage(t, nil)
	s.now = begin.Add(time.Minute)
	s.tell(2, told("a", 5), s.now)
	s.tell(2, told("a", 3), s.now.Add(-10*time.Second))
	if a := s.agent("a"); a.Stats.Accepted != 5 || s.Status().Telemetry.Late != 1 || s.Status().Telemetry.Taken != 2 {
		t.Errorf("%+v", a)
	}
}

// TestAnIDBelongsToItsKey keeps a second key from speaking for a live agent, and
// lets an agent that was started anew with another key go on.
func TestAnIDBelongsToItsKey(t *testing.T) {
	s := newStage(t, nil)
	s.tell(2, told("a", 5), s.now)
	s.tell(3, told("a", 900), s.now)
	if a := s.agent("a"); a.Stats.Accepted != 5 || s.gate.Refused()[string(AgentIDTaken)] != 1 {
		t.Errorf("%+v, %v", a, s.gate.Refused())
	}
	s.now = begin.Add(20 * time.Second)
	s.registry.sweep(s.now)
	s.tell(3, told("a", 1), s.now)
	if a := s.agent("a"); a.Stats.Accepted != 1 || a.State != "live" {
		t.Errorf("%+v", a)
	}
}

func TestAgentsAreBounded(t *testing.T) {
	s := newStage(t, func(c *Config) { c.MaxAgents = 2 })
	for _, id := range []string{"a", "b", "c"} {
		s.tell(2, told(id, 1), s.now)
	}
	if len(s.Agents()) != 2 || s.gate.Refused()[string(TooManyAgents)] != 1 {
		t.Errorf("%d agents, %v", len(s.Agents()), s.gate.Refused())
	}
}

// TestRefusedTelemetryIsCounted sends what is not to be believed.
func TestRefusedTelemetryIsCounted(t *testing.T) {
	s := newStage(t, func(c *Config) { c.Authors = []string{secret(t, 2).Public().String()} })
	send := func(run string, author int, content string, at time.Time) {
		e, err := member(t, run, author).Seal(fleet.TypeTelemetry, []byte(content), at)
		if err != nil {
			t.Fatal(err)
		}
		s.received("telemetry", e)
	}
	good, _ := (&fleet.Telemetry{RunID: "run1", AgentID: "a", Time: fleet.FormatTime(s.now)}).Encode()
	send("run2", 2, string(good), s.now)
	send("run1", 3, string(good), s.now)
	send("run1", 2, string(good), s.now.Add(-time.Hour))
	send("run1", 2, string(good), s.now.Add(time.Hour))
	send("run1", 2, `{"x":"`+strings.Repeat("x", 70_000)+`"}`, s.now)
	send("run1", 2, `{}`, s.now)
	send("run1", 2, strings.Replace(string(good), "run1", "run9", 1), s.now)
	want := map[string]uint64{"foreign_run": 1, "author": 1, "stale": 1, "future": 1, "oversized": 1, "malformed": 2}
	if got := s.Status().Telemetry.Refused; fmt.Sprint(got) != fmt.Sprint(want) || len(s.Agents()) != 0 {
		t.Errorf("refused %v, want %v", got, want)
	}
}

func seesTip(id string, digit string, at time.Time) fleet.Telemetry {
	tel := told(id, 1)
	tel.Report = &fleet.Report{Region: "region-" + id, Tips: []fleet.Tip{{PrevHash: strings.Repeat(digit, 64), Height: 100, SeenAt: fleet.FormatTime(at)}}}
	return tel
}

// TestWhoSeesABlockFirst compares agents whose telemetry comes in any order.
func TestWhoSeesABlockFirst(t *testing.T) {
	s := newStage(t, nil)
	s.tell(2, seesTip("far", "a", begin.Add(-900*time.Millisecond)), s.now)
	if tips := s.Status().Tips; len(tips) != 0 || s.agent("far").TipDelay != nil {
		t.Errorf("one agent is compared with itself: %v", tips)
	}
	s.tell(3, seesTip("near", "a", begin.Add(-1000*time.Millisecond)), s.now)
	s.tell(4, seesTip("wrong", "a", begin.Add(-6*time.Minute)), s.now.Add(-5*time.Minute)) // its clock is
	tips := s.Status().Tips
	if len(tips) != 1 || len(tips[0].Seen) != 2 || tips[0].Seen[0].AgentID != "near" || tips[0].Seen[1].Delay != 100 || tips[0].Seen[1].Region != "region-far" {
		t.Fatalf("%+v", tips)
	}
	s.tell(2, seesTip("far", "b", begin.Add(-100*time.Millisecond)), s.now)
	s.tell(3, seesTip("near", "b", begin.Add(-50*time.Millisecond)), s.now)
	if d := s.agent("near").TipDelay; d == nil || d.First != 1 || d.Blocks != 2 || d.Last != 50 || d.Median != 0 {
		t.Errorf("near: %+v", d)
	}
	if a := s.agent("wrong"); a.TipDelay != nil || *a.ClockOffset < 300_000 {
		t.Errorf("wrong: %+v, offset %v", a.TipDelay, *a.ClockOffset)
	}
}

// share captures a mining.submit.
func (s *stage) share(session string, n int, line string) {
	s.Captured(&capture.Message{
		Session: session, N: uint64(n), Direction: capture.MinerToPool, Method: "mining.submit", ID: "4", Peer: "192.0.2.1:5",
		Received: begin, Raw: []byte(line + "\n"), Worker: "u.w",
	})
}

const submitLine = `{"id":4, "method":"mining.submit","params":["u.w","j1","00","65","ab"]}`

// published are the share events that wait to be signed.
func (s *stage) published() (events []fleet.Share, refused []string) {
	for {
		select {
		case task := <-s.publisher.queue:
			e, why := s.publisher.event(task)
			if why != "" {
				refused = append(refused, why)
				continue
			}
			share, err := fleet.ParseShare([]byte(e.Content), "run1")
			if err != nil || e.Verify() != nil {
				s.t.Fatalf("%v: %s", err, e.Content)
			}
			events = append(events, *share)
		default:
			return events, refused
		}
	}
}

func TestSharesOfBroadcastingSessionsArePublished(t *testing.T) {
	s := newStage(t, nil)
	s.sessions["on"] = capture.Session{Opening: capture.Opening{ID: "on", Origin: capture.OriginProxy, Pool: "Pool.example"}}
	s.switches.all["on"] = replay.Settings{Broadcast: true, RepeatCount: 3}
	s.share("off", 1, submitLine)
	s.share("on", 1, submitLine)
	s.share("on", 2, `{"id":5,"method":"mining.submit","params":{"worker":"w"}}`)
	s.share("on", 3, submitLine)
	events, refused := s.published()
	if len(events) != 2 || !slices.Equal(refused, []string{DropParameters}) {
		t.Fatalf("%d events, refused %v", len(events), refused)
	}
	e := events[0]
	if e.Seq != 1 || events[1].Seq != 3 || e.RepeatCount != 3 || e.Pool != (fleet.Target{Host: "pool.example", Port: 3333}) || e.Context.SessionID != "on" ||
		string(e.Stratum.ID) != "4" || e.Time != "2026-11-22T10:00:00.000000Z" {
		t.Errorf("%+v", e)
	}
	// Nobody on a public relay learns who mines, unless it is asked for.
	if string(e.Stratum.Params[0]) != `"withheld"` || e.Context.MinerPeer != "withheld" {
		t.Errorf("names are published: %s %s", e.Stratum.Params, e.Context.MinerPeer)
	}
	named := newStage(t, func(c *Config) { c.Names = true })
	named.switches.all["on"] = replay.Settings{Broadcast: true, RepeatCount: 1}
	named.share("on", 1, submitLine)
	if events, _ := named.published(); len(events) != 1 || string(events[0].Stratum.Params[0]) != `"u.w"` || events[0].Context.MinerPeer != "192.0.2.1:5" {
		t.Errorf("%+v", events)
	}
}

// TestAgentsSharesAreNotPublished keeps shares from going round for ever.
func TestAgentsSharesAreNotPublished(t *testing.T) {
	s := newStage(t, nil)
	for _, agent := range []string{"poolscope-agent/1", "hashscope_agent/w.hashscope_agent12345"} {
		s.sessions[agent] = capture.Session{UserAgent: agent}
		s.switches.all[agent] = replay.Settings{Broadcast: true, RepeatCount: 1}
		s.share(agent, 1, submitLine)
	}
	if events, refused := s.published(); len(events) != 0 || !slices.Equal(refused, []string{DropAgent, DropAgent}) {
		t.Errorf("%v, refused %v", events, refused)
	}
}

// TestWorkersBroadcastFromTheStart switches sessions of a worker on, once, and
// leaves those of the tap, which shows the same shares once more.
func TestWorkersBroadcastFromTheStart(t *testing.T) {
	s := newStage(t, func(c *Config) { c.Workers = []string{"u.w"} })
	s.sessions["proxy"] = capture.Session{Opening: capture.Opening{Origin: capture.OriginProxy}}
	s.sessions["tap"] = capture.Session{Opening: capture.Opening{Origin: capture.OriginTap}}
	s.share("proxy", 1, submitLine)
	s.share("tap", 1, submitLine)
	if events, _ := s.published(); len(events) != 1 || !s.switches.Settings("proxy").Broadcast || s.switches.Settings("tap").Broadcast {
		t.Errorf("%v", events)
	}
	off := false
	if _, err := s.switches.Change("proxy", replay.Change{Broadcast: &off}); err != nil {
		t.Fatal(err)
	}
	s.share("proxy", 2, submitLine)
	if events, _ := s.published(); len(events) != 0 {
		t.Errorf("what was switched off is on again: %v", events)
	}
}

func TestSharesThatFindTheQueueFullAreCounted(t *testing.T) {
	s := newStage(t, nil)
	s.switches.all["on"] = replay.Settings{Broadcast: true, RepeatCount: 1}
	for n := range maxWaiting + 5 {
		s.share("on", n, submitLine)
	}
	if p := s.Status().Published; p.Dropped[DropQueueFull] != 5 || p.Waiting != maxWaiting {
		t.Errorf("%+v", p)
	}
}

// TestTelemetrySurvivesARestart opens the same file again.
func TestTelemetrySurvivesARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "folder", "fleet.db")
	open := func() *Store {
		store, err := OpenStore(path, StoreConfig{}, quiet)
		if err != nil {
			t.Fatal(err)
		}
		return store
	}
	store := open()
	s := newStage(t, func(c *Config) { c.Store = store })
	for n := range 30 {
		s.now = begin.Add(time.Duration(n) * 10 * time.Second)
		for i, id := range []string{"a", "b"} {
			tel := seesTip(id, fmt.Sprintf("%x", n%16), s.now.Add(time.Duration(i)*5*time.Millisecond-time.Second))
			tel.Stats.Accepted = uint64(10 * (n + 1))
			tel.Report.SubmitMS = &fleet.Quantiles{Count: 1, P50: float64(n)}
			s.tell(2+i, tel, s.now)
		}
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}

	store = open()
	defer func() { _ = store.Close() }()
	again := newStage(t, func(c *Config) {
		c.Store = store
		c.Now = func() time.Time { return begin.Add(5 * time.Minute) }
	})
	again.now = begin.Add(5 * time.Minute)
	if a := again.agent("a"); a.Stats.Accepted != 300 || a.State != "live" || len(again.Agents()) != 2 {
		t.Errorf("%+v", a)
	}
	h, ok, err := again.History(context.Background(), "a", 3)
	if err != nil || !ok || len(h.History) != 3 {
		t.Fatalf("%v %v %+v", err, ok, h)
	}
	var newest fleet.Telemetry
	if json.Unmarshal(h.History[0], &newest) != nil || newest.Stats.Accepted != 300 {
		t.Errorf("the newest is not first: %s", h.History[0])
	}
	series, ok, err := again.Series(context.Background(), "a", 5*time.Minute, 5)
	if err != nil || !ok || len(series.Points) != 5 {
		t.Fatalf("%v %v %+v", err, ok, series)
	}
	var accepted uint64
	for _, p := range series.Points {
		accepted += p.Accepted
		if p.Telemetry != 6 || p.Connected != 1 {
			t.Errorf("%+v", p)
		}
	}
	if accepted != 290 || *series.Points[4].P50 != 29 { // what was before the first telemetry is of no step
		t.Errorf("%d accepted, %+v", accepted, series.Points[4])
	}
	if b, _, _ := again.Series(context.Background(), "b", 5*time.Minute, 5); len(b.Tips) != 15 || b.Tips[0].Delay != 5 || b.Tips[0].Agents != 2 {
		t.Errorf("%+v", b.Tips)
	}
	if _, ok, err := again.History(context.Background(), "nobody", 3); ok || err != nil {
		t.Errorf("nobody has a history: %v", err)
	}
}

func TestTheStoreIsBounded(t *testing.T) {
	store, err := OpenStore(filepath.Join(t.TempDir(), "fleet.db"), StoreConfig{KeepFor: time.Hour, MaxBytes: 300_000}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	count := func() (n int) {
		if err := store.db.QueryRow("SELECT count(*) FROM telemetry").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for n := range 1000 {
		tel := told("a", uint64(n))
		store.put(record{event: fmt.Sprint(n), agent: "a", at: begin, received: begin.Add(time.Duration(n) * time.Second), telemetry: &tel, content: []byte(`{"filler":"` + strings.Repeat("x", 400) + `"}`)}, nil)
	}
	if err := store.Flush(); err != nil || count() != 1000 {
		t.Fatal(err, count())
	}
	for range 20 {
		if err := store.sweep(begin.Add(10 * time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	if n := count(); n == 0 || n > 600 {
		t.Errorf("%d events are kept in 300 kB", n)
	}
	if err := store.sweep(begin.Add(2 * time.Hour)); err != nil || count() != 0 {
		t.Errorf("%d events are older than an hour, %v", count(), err)
	}
}

// TestWatchers gets a frame of each telemetry; who does not read is told so.
func TestWatchers(t *testing.T) {
	s := newStage(t, nil)
	w := s.Watch()
	defer w.Close()
	s.tell(2, told("a", 7), s.now)
	var frame struct {
		Type    string
		AgentID string `json:"agent_id"`
		Data    fleet.Telemetry
		Agent   Agent
	}
	if err := json.Unmarshal(<-w.Frames, &frame); err != nil || frame.Type != "telemetry" || frame.AgentID != "a" || frame.Data.Stats.Accepted != 7 || frame.Agent.State != "live" {
		t.Errorf("%v %+v", err, frame)
	}
	for n := range maxFrames + 10 {
		s.now = s.now.Add(time.Second)
		s.tell(2, told("a", uint64(n)), s.now)
	}
	if !w.Missed() || w.Missed() {
		t.Error("who missed frames is to be told once")
	}
	if n := len(w.Frames); n != 0 {
		t.Errorf("%d frames wait that are older than what is asked for anew", n)
	}
}
