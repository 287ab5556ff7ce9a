package agent

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"math"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/poolscope/poolscope/internal/fleet"
	"github.com/poolscope/poolscope/internal/miner"
	"github.com/poolscope/poolscope/internal/nostr"
	"github.com/poolscope/poolscope/internal/nostr/client"
)

// Agent is an agent. Make one with New; it works while Run runs.
type Agent struct {
	cfg      Config
	endpoint miner.Endpoint
	log      *slog.Logger
	relays   *client.Pool
	shares   *fleet.Gate
	orders   *fleet.Gate
	counts   counters
	queue    chan *fleet.Share
	dial     func(ctx context.Context, e miner.Endpoint) (net.Conn, error)

	mu       sync.Mutex
	started  time.Time
	session  *session      // signed in; nil without
	changed  chan struct{} // closed when session changes
	refused  bool          // the pool refuses us
	order    *fleet.Order
	ordered  time.Time // when it was given, by the scope's clock
	lapses   time.Time // when the order does
	hashes   uint64    // since measured
	measured time.Time
	hashrate float64 // until measured
}

// New checks the configuration and makes an agent. It starts nothing.
func New(cfg Config, log *slog.Logger) (*Agent, error) {
	endpoint, err := cfg.validate()
	if err != nil {
		return nil, err
	}
	a := &Agent{
		cfg: cfg, endpoint: endpoint, log: log,
		shares:  fleet.NewGate(cfg.Member, fleet.GateConfig{Authors: cfg.Authors, Now: cfg.Now}),
		orders:  fleet.NewGate(cfg.Member, fleet.GateConfig{Authors: cfg.Authors, Now: cfg.Now, MaxAge: fleet.OrderLease, Seen: 100}),
		queue:   make(chan *fleet.Share, cfg.Queue),
		changed: make(chan struct{}),
	}
	a.dial = func(ctx context.Context, e miner.Endpoint) (net.Conn, error) { return e.Dial(ctx, cfg.Insecure) }
	// Shares from now on, since those of before may have been submitted by the
	// agent that ran before this one; the order that still holds.
	now := cfg.Now()
	a.relays, err = client.New(client.Config{
		Relays: cfg.Relays, Key: cfg.Key, Received: a.received, Now: cfg.Now, HTTPClient: cfg.HTTPClient, Log: log,
		Subscriptions: []client.Subscription{{
			ID: "shares",
			Filters: []nostr.Filter{
				cfg.Member.Filter(now, cfg.Authors, cfg.HashScope, fleet.TypeShare),
				cfg.Member.Filter(now.Add(-fleet.OrderLease), cfg.Authors, cfg.HashScope, fleet.TypeOrder),
			},
		}},
	})
	if err != nil {
		return nil, errors.Join(ErrConfig, err)
	}
	return a, nil
}

// Run works until ctx ends, connecting to pool and relays again whenever a
// connection is lost. It returns nil. It may be called once.
func (a *Agent) Run(ctx context.Context) error {
	now := a.cfg.Now()
	a.mu.Lock()
	a.started, a.measured = now, now
	a.mu.Unlock()
	var all sync.WaitGroup
	all.Go(func() { a.relays.Run(ctx) })
	all.Go(func() { a.connect(ctx) })
	if a.cfg.Mode == fleet.ModeMine {
		all.Go(func() { a.mine(ctx) })
	} else {
		all.Go(func() { a.replay(ctx) })
	}
	a.report(ctx)
	all.Wait()
	return nil
}

// received takes an event of a relay. It waits for nothing.
func (a *Agent) received(_ string, e *nostr.Event) {
	if e.Kind == a.cfg.Member.Kinds().Order {
		a.receivedOrder(e)
		return
	}
	content, why := a.shares.Open(fleet.TypeShare, e)
	if why != fleet.Taken {
		return
	}
	share, err := fleet.ParseShare(content, a.cfg.Member.Run())
	if err != nil {
		a.shares.Refuse(fleet.Malformed)
		return
	}
	a.counts.mu.Lock()
	defer a.counts.mu.Unlock()
	a.counts.received++
	if a.cfg.Mode == fleet.ModeMine {
		return
	}
	select {
	case a.queue <- share:
	default:
		a.counts.queueDropped++
	}
}

// receivedOrder takes what the scope orders, if it is no older than what we know.
// It holds from now on, whatever the two clocks say. There is one order at a
// time: one that is for others only ends ours.
func (a *Agent) receivedOrder(e *nostr.Event) {
	content, why := a.orders.Open(fleet.TypeOrder, e)
	if why != fleet.Taken {
		return
	}
	order, at, until, err := fleet.ParseOrder(content, a.cfg.Member.Run())
	if err != nil {
		a.orders.Refuse(fleet.Malformed)
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if at.Before(a.ordered) || a.cfg.MaxRate == 0 {
		return
	}
	if !order.For(a.cfg.ID) {
		order = nil
	}
	a.order, a.ordered, a.lapses = order, at, a.cfg.Now().Add(until.Sub(at))
}

// load is what is to be done now.
func (a *Agent) load() fleet.Load {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.order != nil && a.cfg.Now().Before(a.lapses) {
		return fleet.Load{Rate: min(a.order.Rate, a.cfg.MaxRate), Difficulty: max(a.order.Difficulty, a.cfg.Difficulty), Ordered: true}
	}
	return fleet.Load{Rate: a.cfg.Rate, Difficulty: a.cfg.Difficulty}
}

// current is the session that is signed in, nil without one, and a channel that
// is closed when that changes.
func (a *Agent) current() (*session, <-chan struct{}) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.session, a.changed
}

// setSession says which session is signed in.
func (a *Agent) setSession(s *session) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.session = s
	if s != nil {
		a.refused = false
	}
	close(a.changed)
	a.changed = make(chan struct{})
}

// signedIn waits for a session; nil when ctx ended.
func (a *Agent) signedIn(ctx context.Context) *session {
	for {
		s, changed := a.current()
		if s != nil {
			return s
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		}
	}
}

// report publishes telemetry until ctx ends: at once, then at every interval.
func (a *Agent) report(ctx context.Context) {
	tick := time.NewTicker(a.cfg.Interval)
	defer tick.Stop()
	for {
		t := a.Telemetry()
		content, err := t.Encode()
		if err == nil {
			var e *nostr.Event
			if e, err = a.cfg.Member.Seal(fleet.TypeTelemetry, content, a.cfg.Now()); err == nil {
				a.relays.Publish(e)
			}
		}
		if err != nil {
			a.log.Warn("telemetry not published", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Telemetry is what the agent tells now.
func (a *Agent) Telemetry() fleet.Telemetry {
	now := a.cfg.Now()
	report := &fleet.Report{
		Version: a.cfg.Version, Mode: a.cfg.Mode, Region: a.cfg.Region, Interval: a.cfg.Interval.Seconds(),
		Load: a.load(), Refused: a.refusedEvents(), Queue: fleet.Queue{Waiting: len(a.queue), Limit: a.cfg.Queue},
	}
	for _, r := range a.relays.Status() {
		if r.State == "connected" {
			report.Relays++
		}
		report.Unsent += r.Dropped
	}
	a.mu.Lock()
	started, s, state := a.started, a.session, fleet.StateReconnecting
	switch {
	case a.refused:
		state = fleet.StateError
	case s != nil && report.Relays > 0:
		state = fleet.StateConnected
	}
	if span := now.Sub(a.measured).Seconds(); span >= 1 { // whoever asks more often gets the same
		a.hashrate = math.Round(float64(a.hashes) / span)
		a.hashes, a.measured = 0, now
	}
	report.Load.Hashrate = a.hashrate
	a.mu.Unlock()
	report.StartedAt = fleet.FormatTime(started)
	if s != nil {
		report.Difficulty = s.knownDifficulty()
	}

	c := &a.counts
	c.mu.Lock()
	defer c.mu.Unlock()
	report.Queue.Dropped, report.Unanswered, report.Connects = c.queueDropped, c.unanswered, c.connects
	report.ConnectMS, report.HandshakeMS, report.SubmitMS = c.connect, c.handshake, c.quantilesLocked()
	report.Pending = int(c.attempted - c.accepted - c.rejected - c.unanswered)
	report.Rejects, report.Tips = maps.Clone(c.rejects), slices.Clone(c.tips)
	if report.Rejects == nil {
		report.Rejects = map[string]uint64{}
	}
	if report.Tips == nil {
		report.Tips = []fleet.Tip{}
	}
	return fleet.Telemetry{
		RunID: a.cfg.Member.Run(), AgentID: a.cfg.ID, Time: fleet.FormatTime(now), Pool: a.target(), ConnState: state,
		Stats: fleet.Stats{
			Received: c.received, Attempted: c.attempted, Accepted: c.accepted, Rejected: c.rejected, LastLatency: c.last,
			PerSecond1m: c.rateLocked(rateSeconds, now, started), PerSecond10: c.rateLocked(10, now, started),
		},
		Errors: slices.Clone(c.errors), Report: report,
	}
}

// refusedEvents sums up what relays sent and was not taken, by reason.
func (a *Agent) refusedEvents() map[string]uint64 {
	out := a.shares.Refused()
	for why, n := range a.orders.Refused() {
		out[why] += n
	}
	for _, r := range a.relays.Status() {
		for why, n := range r.Refused {
			if n > 0 {
				out[why] += n
			}
		}
	}
	return out
}
