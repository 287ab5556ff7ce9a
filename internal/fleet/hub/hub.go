package hub

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/poolscope/poolscope/internal/fleet"
	"github.com/poolscope/poolscope/internal/nostr"
	"github.com/poolscope/poolscope/internal/nostr/client"
	"github.com/poolscope/poolscope/internal/scope/capture"
)

// Config is what a hub works with. Zero numbers and durations stand for their
// defaults.
type Config struct {
	Member  *fleet.Member
	Key     nostr.SecretKey // of Member, for relays that ask who we are
	Relays  []string
	Authors []string // public keys of agents, hexadecimal; empty: everybody

	HashScope bool     // also take the telemetry of HashScope's agents
	Names     bool     // publish names and addresses of miners although they are not encrypted
	Workers   []string // whose sessions at the proxy broadcast from their first share on

	Switches Switches
	Session  func(id string) (capture.Session, bool)
	Store    *Store

	MaxAgents   int           // 1000
	ExpireAfter time.Duration // of silence; 1 h
	HTTPClient  *http.Client  // connects to relays; http.DefaultClient
	Now         func() time.Time
}

const (
	sweepEvery    = time.Second
	maintainEvery = 5 * time.Minute
	// lookBack is how far back telemetry is asked for at the start.
	lookBack = 2 * time.Minute
	// maxSkew is how far the time in a telemetry may be from that of its event.
	// Agents take both from the same clock at the same time.
	maxSkew = time.Minute
)

// Hub is the scope's side of a fleet. Make one with New; it works while Run
// runs. It is one of the recorder's sinks.
type Hub struct {
	cfg       Config
	log       *slog.Logger
	gate      *fleet.Gate
	registry  *registry
	publisher *publisher
	relays    *client.Pool
	watchers  watchers

	saying sync.Mutex // held from looking at the order until it is published: none overtakes a newer one
	mu     sync.Mutex // guards the next two
	order  *Order     // in force
	orders uint64
}

// New makes a hub and reads what was stored of the agents. It starts nothing.
func New(cfg Config, log *slog.Logger) (*Hub, error) {
	if cfg.MaxAgents <= 0 {
		cfg.MaxAgents = 1000
	}
	if cfg.ExpireAfter <= 0 {
		cfg.ExpireAfter = time.Hour
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	h := &Hub{
		cfg: cfg, log: log,
		gate:     fleet.NewGate(cfg.Member, fleet.GateConfig{Authors: cfg.Authors, Now: cfg.Now}),
		registry: newRegistry(cfg.MaxAgents, cfg.ExpireAfter),
	}
	var err error
	h.relays, err = client.New(client.Config{
		Relays: cfg.Relays, Key: cfg.Key, Received: h.received, Now: cfg.Now, HTTPClient: cfg.HTTPClient, Log: log,
		Subscriptions: []client.Subscription{{
			ID:      "telemetry",
			Filters: []nostr.Filter{cfg.Member.Filter(cfg.Now().Add(-lookBack), cfg.Authors, cfg.HashScope, fleet.TypeTelemetry)},
		}},
	})
	if err != nil {
		return nil, err
	}
	h.publisher = &publisher{
		member: cfg.Member, switches: cfg.Switches, session: cfg.Session, publish: h.relays.Publish,
		names: cfg.Names, workers: cfg.Workers, now: cfg.Now, log: log,
		queue: make(chan task, maxWaiting), seqs: make(map[string]uint64), dropped: make(map[string]uint64),
	}
	if cfg.Store != nil {
		if err := h.restore(); err != nil {
			return nil, fmt.Errorf("read the fleet's file: %w", err)
		}
	}
	return h, nil
}

// restore knows the agents again that told something lately, and what relays may
// send once more.
func (h *Hub) restore() error {
	now, run := h.cfg.Now(), h.cfg.Member.Run()
	known, err := h.cfg.Store.events(run, now.Add(-lookBack-maxSkew), fleet.MaxSeen)
	if err != nil {
		return err
	}
	for _, id := range known {
		h.gate.Remember(id)
	}
	all, err := h.cfg.Store.latest(run, now.Add(-h.cfg.ExpireAfter), h.cfg.MaxAgents)
	if err != nil {
		return err
	}
	for _, rec := range all {
		t, at, err := fleet.ParseTelemetry(rec.content, run)
		if err != nil {
			continue // an earlier version took it
		}
		rec.telemetry, rec.at = t, at
		h.registry.restore(rec, now)
	}
	return nil
}

// Captured takes a new message of the recorder.
func (h *Hub) Captured(m *capture.Message) { h.publisher.captured(m) }

// Updated does nothing: a share is published as it was sent.
func (h *Hub) Updated(*capture.Message) {}

// SessionChanged forgets sessions that ended.
func (h *Hub) SessionChanged(s capture.Session) {
	if !s.Live() {
		h.publisher.ended(s.ID)
	}
}

var _ capture.Sink = (*Hub)(nil)

// Run publishes and receives until ctx ends.
func (h *Hub) Run(ctx context.Context) error {
	var all sync.WaitGroup
	all.Go(func() { h.relays.Run(ctx) })
	all.Go(func() { h.publisher.run(ctx) })
	all.Go(func() { h.command(ctx) })
	h.maintain(ctx)
	all.Wait()
	return nil
}

// maintain looks after silence and the store.
func (h *Hub) maintain(ctx context.Context) {
	look := time.NewTicker(sweepEvery)
	defer look.Stop()
	clean := time.NewTicker(maintainEvery)
	defer clean.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-look.C:
			for _, c := range h.registry.sweep(h.cfg.Now()) {
				h.watchers.send(c.frame())
			}
			if h.cfg.Store != nil {
				_ = h.cfg.Store.Flush() // it logs and counts its failures
			}
		case <-clean.C:
			if h.cfg.Store == nil {
				continue
			}
			if err := h.cfg.Store.sweep(h.cfg.Now()); err != nil {
				h.log.Warn("old telemetry is not deleted", "err", err)
			}
		}
	}
}

// frame is what WebSockets get of it.
func (c change) frame() []byte {
	text, _ := json.Marshal(struct {
		Type    string `json:"type"`
		AgentID string `json:"agent_id"`
		State   string `json:"state"`
	}{"state", c.agent, c.state}) // strings have a JSON form
	return text
}

// received takes an event of a relay. It waits for nothing.
func (h *Hub) received(_ string, e *nostr.Event) {
	content, why := h.gate.Open(fleet.TypeTelemetry, e)
	if why != fleet.Taken {
		return
	}
	t, at, err := fleet.ParseTelemetry(content, h.cfg.Member.Run())
	if err != nil {
		h.gate.Refuse(fleet.Malformed)
		return
	}
	switch skew := at.Sub(time.Unix(e.CreatedAt, 0)); {
	case skew > maxSkew:
		h.gate.Refuse(fleet.Future)
		return
	case skew < -maxSkew:
		h.gate.Refuse(fleet.Stale)
		return
	}
	// What was understood, not what was sent: nothing else reaches pages.
	if content, err = t.Encode(); err != nil {
		h.gate.Refuse(fleet.Malformed)
		return
	}
	now := h.cfg.Now()
	tips, newest, why := h.registry.take(e.PubKey, t, at, now)
	if why != fleet.Taken {
		h.gate.Refuse(why)
		return
	}
	if h.cfg.Store != nil {
		for i := range tips {
			tips[i].run = t.RunID
		}
		h.cfg.Store.put(record{event: e.ID, run: t.RunID, agent: t.AgentID, author: e.PubKey, at: at, received: now, telemetry: t, content: content}, tips)
	}
	if newest && h.watchers.any() {
		h.watchers.send(h.registry.frame(t.AgentID, content))
	}
}

// command says the order in force again and again. It begins with what holds
// now: agents may still follow an order of before this program's start.
func (h *Hub) command(ctx context.Context) {
	again := time.NewTicker(fleet.OrderRepeat)
	defer again.Stop()
	h.sayInForce(true)
	for {
		select {
		case <-ctx.Done():
			return
		case <-again.C:
			h.sayInForce(false)
		}
	}
}

// sayInForce publishes the order in force, and, when asked for, that there is
// none.
func (h *Hub) sayInForce(revoke bool) {
	h.saying.Lock()
	defer h.saying.Unlock()
	h.mu.Lock()
	order := h.order
	h.mu.Unlock()
	switch {
	case order != nil:
		h.say(order, fleet.OrderLease)
	case revoke:
		h.say(&Order{}, 0) // to all, and over at once
	}
}

// say publishes an order that holds for a while. Its caller holds saying.
func (h *Hub) say(o *Order, lease time.Duration) {
	now := h.cfg.Now()
	order := fleet.Order{
		RunID: h.cfg.Member.Run(), Time: fleet.FormatTime(now), Until: fleet.FormatTime(now.Add(lease)),
		Rate: o.Rate, Difficulty: o.Difficulty, Agents: o.Agents,
	}
	content, err := order.Encode()
	if err != nil {
		h.log.Error("order not published", "err", err)
		return
	}
	e, err := h.cfg.Member.Seal(fleet.TypeOrder, content, now)
	if err != nil {
		h.log.Error("order not published", "err", err)
		return
	}
	h.mu.Lock()
	h.orders++
	h.mu.Unlock()
	h.relays.Publish(e)
}

// SetOrder tells the agents in mine mode what load to make from now on; nil
// leaves them to their own flags, also those that follow an order of before this
// program's start. It fails on numbers out of range.
func (h *Hub) SetOrder(o *Order) error {
	if o != nil {
		if err := (&fleet.Order{Rate: o.Rate, Difficulty: o.Difficulty, Agents: o.Agents}).Check(); err != nil {
			return err
		}
	}
	h.mu.Lock()
	h.order = o
	h.mu.Unlock()
	h.sayInForce(true)
	return nil
}

// Agents are those that are known, by their id.
func (h *Hub) Agents() []Agent { return h.registry.list() }

// Agent is one agent.
func (h *Hub) Agent(id string) (Detail, bool) { return h.registry.one(id) }

// History is what an agent told, the newest first; ok is false when there is
// nothing of it.
func (h *Hub) History(ctx context.Context, id string, limit int) (out History, ok bool, err error) {
	_, known := h.registry.one(id)
	if h.cfg.Store == nil {
		return History{}, false, nil
	}
	list, err := h.cfg.Store.history(ctx, h.cfg.Member.Run(), id, limit)
	if list == nil {
		list = []json.RawMessage{}
	}
	return History{AgentID: id, History: list}, known || len(list) > 0, err
}

// Series is an agent over time; ok is false when there is nothing of it.
func (h *Hub) Series(ctx context.Context, id string, span time.Duration, points int) (out Series, ok bool, err error) {
	if h.cfg.Store == nil {
		return Series{}, false, nil
	}
	_, known := h.registry.one(id)
	now := h.cfg.Now()
	out, found, err := h.cfg.Store.series(ctx, h.cfg.Member.Run(), id, now.Add(-span), now, points)
	return out, known || found, err
}

// Status is the fleet as a whole.
func (h *Hub) Status() Status {
	kinds := h.cfg.Member.Kinds()
	s := Status{
		Enabled: true, RunID: h.cfg.Member.Run(), PublicKey: h.cfg.Member.Public().Npub(), Encrypted: h.cfg.Member.Encrypted(),
		Kinds: EventKinds{kinds.Share, kinds.Telemetry, kinds.Order}, Relays: []Relay{},
		Totals: h.registry.totals(), Published: h.publisher.status(), Tips: h.registry.newestTips(),
	}
	for _, r := range h.relays.Status() {
		relay := Relay{
			URL: r.Relay, State: r.State, Connects: r.Connects, Waiting: r.Waiting, Dropped: r.Dropped, Accepted: r.Accepted,
			Received: r.Received, Rejected: counted(r.Rejected), Refused: counted(r.Refused),
		}
		if r.Error != "" {
			text := fleet.Clip(r.Error, 300)
			relay.LastError = &text
		}
		s.Relays = append(s.Relays, relay)
	}
	h.registry.mu.Lock()
	s.Telemetry = Received{Taken: h.registry.taken, Late: h.registry.late, Expired: h.registry.expired, Refused: h.gate.Refused()}
	h.registry.mu.Unlock()
	if h.cfg.Store != nil {
		s.Telemetry.Stored, s.Telemetry.Lost = h.cfg.Store.stored.Load(), h.cfg.Store.lost.Load()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	s.Published.Orders = h.orders
	if h.order != nil {
		order := *h.order
		order.Agents = slices.Clone(order.Agents)
		s.Order = &order
	}
	return s
}

// counted are the reasons that anything was counted for.
func counted(all map[string]uint64) map[string]uint64 {
	out := make(map[string]uint64)
	for why, n := range all {
		if n > 0 {
			out[why] = n
		}
	}
	return out
}

// Counts are the numbers of Status for metrics, without texts and lists.
func (h *Hub) Counts() map[string]any {
	s := h.Status()
	refused := maps.Clone(s.Telemetry.Refused)
	waiting, lost := 0, uint64(0)
	for _, r := range s.Relays {
		waiting += r.Waiting
		lost += r.Dropped
		for why, n := range r.Refused {
			refused["relay_"+why] += n
		}
	}
	s.Telemetry.Refused = refused
	return map[string]any{
		"totals": s.Totals, "published": s.Published, "telemetry": s.Telemetry, "relay_waiting": waiting, "relay_dropped": lost,
	}
}
