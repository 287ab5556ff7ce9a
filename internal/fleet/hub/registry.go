package hub

import (
	"cmp"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/poolscope/poolscope/internal/fleet"
)

const (
	// silentIntervals is after how many missed telemetry events an agent is silent,
	// leastSilence after how long at the earliest.
	silentIntervals = 3
	leastSilence    = 15 * time.Second
	// usualInterval is that of agents that do not tell theirs.
	usualInterval = 5 * time.Second
	// maxInterval bounds what an agent may say of its interval.
	maxInterval = 10 * time.Minute
	// maxOffset is how wrong a clock may be for its times to be compared.
	maxOffset = 2 * time.Second
	// offsetSamples is how much telemetry an agent's clock is known from.
	offsetSamples = 20
)

// Reasons why telemetry is refused besides those of the gate.
const (
	TooManyAgents fleet.Reason = "too_many_agents"
	AgentIDTaken  fleet.Reason = "agent_id_taken" // another key is live under this id
)

// registry is the agents that are known.
type registry struct {
	maxAgents   int
	expireAfter time.Duration

	mu      sync.Mutex
	agents  map[string]*agent
	tips    tipBook
	taken   uint64
	late    uint64
	expired uint64
}

// agent is one of them.
type agent struct {
	id, author string
	first      time.Time // when it was first heard of, by our clock
	received   time.Time
	at         time.Time // of latest, by its clock
	latest     *fleet.Telemetry
	silent     bool
	offsets    []time.Duration // received − at, of the newest telemetry
}

func newRegistry(maxAgents int, expireAfter time.Duration) *registry {
	return &registry{maxAgents: maxAgents, expireAfter: expireAfter, agents: make(map[string]*agent)}
}

// take takes telemetry. It returns the sightings of blocks in it that are new,
// or why it is refused. newest is false for telemetry that comes late.
func (r *registry) take(author string, t *fleet.Telemetry, at, now time.Time) (tips []tipRecord, newest bool, why fleet.Reason) {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := r.agents[t.AgentID]
	switch {
	case a == nil && len(r.agents) >= r.maxAgents:
		return nil, false, TooManyAgents
	case a == nil:
		a = &agent{id: t.AgentID, author: author, first: now}
		r.agents[t.AgentID] = a
	case a.author != author && !a.silent:
		return nil, false, AgentIDTaken
	case a.author != author:
		a.author, a.offsets, a.at = author, nil, time.Time{}
	}
	r.taken++
	if a.offsets = append(a.offsets, now.Sub(at)); len(a.offsets) > offsetSamples {
		a.offsets = a.offsets[1:]
	}
	if t.Report != nil && a.clockIsRight() {
		for _, tip := range t.Report.Tips {
			if seen, ok := fleet.ParseTime(tip.SeenAt); ok && !seen.After(at) && r.tips.saw(a.id, tip, seen) {
				tips = append(tips, tipRecord{block: tip.PrevHash, agent: a.id, height: tip.Height, seen: seen})
			}
		}
	}
	// Who is silent is heard again whatever the time of what came before: that
	// time may have been wrong.
	if at.Before(a.at) && !a.silent {
		r.late++
		return tips, false, fleet.Taken
	}
	a.latest, a.at, a.received, a.silent = t, at, now, false
	return tips, true, fleet.Taken
}

// restore takes what was stored before the program started.
func (r *registry) restore(rec record, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.agents) < r.maxAgents {
		a := &agent{id: rec.agent, author: rec.author, first: rec.received, received: rec.received, at: rec.at, latest: rec.telemetry}
		a.silent = a.isSilent(now)
		r.agents[a.id] = a
	}
}

// change is an agent that fell silent or expired.
type change struct {
	agent string
	state string // "silent" or "expired"
}

// sweep marks agents that are silent, and forgets those that are for too long.
func (r *registry) sweep(now time.Time) (changes []change) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, a := range r.agents {
		switch {
		case now.Sub(a.received) > r.expireAfter && a.isSilent(now):
			delete(r.agents, id)
			r.expired++
			changes = append(changes, change{id, "expired"})
		case !a.silent && a.isSilent(now):
			a.silent = true
			changes = append(changes, change{id, "silent"})
		}
	}
	return changes
}

// patience is how long nothing may come of an agent.
func (a *agent) patience() time.Duration {
	interval := usualInterval
	if a.latest.Report != nil && a.latest.Report.Interval > 0 {
		interval = time.Duration(min(a.latest.Report.Interval, maxInterval.Seconds()) * float64(time.Second))
	}
	return max(silentIntervals*interval, leastSilence)
}

func (a *agent) isSilent(now time.Time) bool { return now.Sub(a.received) > a.patience() }

// offset is our clock less the agent's, as far as that can be known: the least
// of what lay between sending and receiving.
func (a *agent) offset() (d time.Duration, known bool) {
	if len(a.offsets) == 0 {
		return 0, false
	}
	return slices.Min(a.offsets), true
}

func (a *agent) clockIsRight() bool {
	d, known := a.offset()
	return known && d.Abs() <= maxOffset
}

// list is all agents by their id.
func (r *registry) list() []Agent {
	r.mu.Lock()
	defer r.mu.Unlock()
	delays := r.tips.delays()
	all := make([]Agent, 0, len(r.agents))
	for _, a := range r.agents {
		all = append(all, a.view(delays))
	}
	slices.SortFunc(all, func(a, b Agent) int { return cmp.Compare(a.AgentID, b.AgentID) })
	return all
}

// one is one agent.
func (r *registry) one(id string) (Detail, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := r.agents[id]
	if a == nil {
		return Detail{}, false
	}
	return Detail{AgentID: id, Latest: *a.latest, Agent: a.view(r.tips.delays())}, true
}

// view is the agent as the API shows it.
func (a *agent) view(delays map[string]Delay) Agent {
	t := a.latest
	v := Agent{
		AgentID: a.id, LastSeen: fleet.FormatTime(a.at), ConnState: t.ConnState, Stats: t.Stats, Pool: t.Pool,
		State: "live", ReceivedAt: fleet.FormatTime(a.received), FirstSeen: fleet.FormatTime(a.first), PublicKey: a.author,
		Errors: len(t.Errors), Report: t.Report,
	}
	if a.silent {
		since := fleet.FormatTime(a.received)
		v.State, v.SilentSince = "silent", &since
	}
	if len(t.Errors) > 0 {
		v.LastError = &t.Errors[len(t.Errors)-1]
	}
	if all := t.Stats.Accepted + t.Stats.Rejected; all > 0 {
		rate := float64(t.Stats.Accepted) / float64(all)
		v.AcceptRate = &rate
	}
	if d, known := a.offset(); known {
		ms := fleet.Round(float64(d) / 1e6)
		v.ClockOffset = &ms
	}
	if d, ok := delays[a.id]; ok {
		v.TipDelay = &d
	}
	return v
}

// totals sums the agents up.
func (r *registry) totals() (t Totals) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, a := range r.agents {
		s := &a.latest.Stats
		t.Agents++
		t.Received += s.Received
		t.Attempted += s.Attempted
		t.Accepted += s.Accepted
		t.Rejected += s.Rejected
		if a.silent {
			t.Silent++
			continue
		}
		t.Live++
		if a.latest.ConnState == fleet.StateConnected {
			t.Connected++
		}
		if s.PerSecond1m != nil {
			t.Rate1m += *s.PerSecond1m
		}
		if s.PerSecond10 != nil {
			t.Rate10s += *s.PerSecond10
		}
	}
	t.Rate1m, t.Rate10s = fleet.Round(t.Rate1m), fleet.Round(t.Rate10s)
	return t
}

// newestTips are the blocks that more than one agent saw, the newest first.
func (r *registry) newestTips() []Tip {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.tips.list(func(id string) string {
		if a := r.agents[id]; a != nil && a.latest.Report != nil {
			return a.latest.Report.Region
		}
		return ""
	})
}

// frame is what WebSockets get of an agent's telemetry.
func (r *registry) frame(id string, content []byte) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := r.agents[id]
	if a == nil {
		return nil
	}
	text, err := json.Marshal(struct {
		Type    string          `json:"type"`
		AgentID string          `json:"agent_id"`
		Data    json.RawMessage `json:"data"`
		Agent   Agent           `json:"agent"`
	}{"telemetry", id, content, a.view(r.tips.delays())})
	if err != nil {
		return nil
	}
	return text
}
