package scopeapi

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/coder/websocket"
	"github.com/danielgtaylor/huma/v2"

	"github.com/poolscope/poolscope/internal/fleet"
	"github.com/poolscope/poolscope/internal/fleet/hub"
)

// Fleet is the agents, and what the scope tells them. *hub.Hub is one.
type Fleet interface {
	Agents() []hub.Agent
	Agent(id string) (hub.Detail, bool)
	History(ctx context.Context, id string, limit int) (h hub.History, ok bool, err error)
	Series(ctx context.Context, id string, span time.Duration, points int) (s hub.Series, ok bool, err error)
	Status() hub.Status
	SetOrder(o *hub.Order) error
	Watch() *hub.Watcher
}

var _ Fleet = (*hub.Hub)(nil)

// Bounds of what is told of an agent.
const (
	standardHistory = 50
	standardPoints  = 240
	maxPoints       = 1000
)

// seriesRanges are the spans of a series.
var seriesRanges = map[string]time.Duration{
	"15m": 15 * time.Minute, "1h": time.Hour, "6h": 6 * time.Hour, "24h": 24 * time.Hour, "7d": 7 * 24 * time.Hour,
}

// historyView documents hub.History.
type historyView struct {
	AgentID string            `json:"agent_id"`
	History []fleet.Telemetry `json:"history" doc:"The newest first"`
}

// agentFrame is a frame of /api/ws/agents.
type agentFrame struct {
	Type    string           `json:"type" enum:"init,telemetry,state,ping" doc:"init: all agents, at the beginning and after frames were missed. telemetry: of one agent. state: it fell silent or expired. ping: nothing else for 30 seconds"`
	Agents  []hub.Agent      `json:"agents,omitempty" doc:"Of init"`
	AgentID string           `json:"agent_id,omitempty" doc:"Of telemetry and state"`
	Data    *fleet.Telemetry `json:"data,omitempty" doc:"Of telemetry: all that the agent told"`
	Agent   *hub.Agent       `json:"agent,omitempty" doc:"Of telemetry: the agent as the list has it"`
	State   string           `json:"state,omitempty" enum:"silent,expired" doc:"Of state"`
}

func (b builder) agentOperations() []operation {
	agent := func() *huma.Param { return inPath("agent_id", "Id of an agent") }
	frames := b.op("GET", "/api/ws/agents", "live", "WebSocket: telemetry of the fleet", agentFrame{}, serveAgentFeed)
	frames = b.upgrading(frames)
	order := b.with(b.op("PUT", "/api/fleet/order", "agents", "Order load from the agents in mine mode", hub.Status{}, serveOrder), hub.Order{}, false)
	order.exact = true // with "agent" for "agents" it would be for the whole fleet
	order.Description = "Each agent then finds and submits so many valid shares of its own a second, at the pool that it was started for, within the bounds of its own flags. " +
		"The order is said again every 30 seconds and lapses after 90: without the scope the agents go back to their flags."
	return []operation{
		b.op("GET", "/api/agents", "agents", "List agents", []hub.Agent{}, serveAgents),
		b.op("GET", "/api/agents/{agent_id}", "agents", "One agent", hub.Detail{}, serveAgent, agent()),
		b.op("GET", "/api/agents/{agent_id}/history", "agents", "What an agent told, the newest first", historyView{}, serveAgentHistory, agent(),
			query("limit", "Most entries", integer(1, maxLimit, standardHistory))),
		b.op("GET", "/api/agents/{agent_id}/series", "agents", "An agent over time, for charts", hub.Series{}, serveAgentSeries, agent(),
			query("range", "How far back; 1h when left out", enum("15m", "1h", "6h", "24h", "7d")),
			query("points", "Most points", integer(1, maxPoints, standardPoints))),
		b.op("GET", "/api/fleet", "agents", "The fleet as a whole: relays, totals, new blocks, what was refused", hub.Status{}, serveFleet),
		order,
		b.op("DELETE", "/api/fleet/order", "agents", "Leave the agents to their own flags", hub.Status{}, serveNoOrder),
		frames,
	}
}

// serveAgents answers GET /api/agents.
func serveAgents(c *call) error {
	agents := []hub.Agent{}
	if c.api.src.Fleet != nil {
		agents = c.api.src.Fleet.Agents()
	}
	return c.json(agents)
}

// serveAgent answers GET /api/agents/{agent_id}.
func serveAgent(c *call) error {
	if c.api.src.Fleet != nil {
		if d, ok := c.api.src.Fleet.Agent(c.path("agent_id")); ok {
			return c.json(d)
		}
	}
	return errAgentNotFound
}

// serveAgentHistory answers GET /api/agents/{agent_id}/history.
func serveAgentHistory(c *call) error {
	if c.api.src.Fleet == nil {
		return errAgentNotFound
	}
	h, ok, err := c.api.src.Fleet.History(c.r.Context(), c.path("agent_id"), c.integer("limit"))
	switch {
	case err != nil:
		return err
	case !ok:
		return errAgentNotFound
	}
	return c.json(h)
}

// serveAgentSeries answers GET /api/agents/{agent_id}/series.
func serveAgentSeries(c *call) error {
	if c.api.src.Fleet == nil {
		return errAgentNotFound
	}
	span, ok := seriesRanges[c.text("range")]
	if !ok {
		span = time.Hour
	}
	s, ok, err := c.api.src.Fleet.Series(c.r.Context(), c.path("agent_id"), span, c.integer("points"))
	switch {
	case err != nil:
		return err
	case !ok:
		return errAgentNotFound
	}
	return c.json(s)
}

// serveFleet answers GET /api/fleet. Without a fleet it says so.
func serveFleet(c *call) error {
	if c.api.src.Fleet == nil {
		return c.json(hub.Status{
			RunID: c.api.cfg.Settings.RunID, Relays: []hub.Relay{}, Tips: []hub.Tip{},
			Published: hub.Published{Dropped: map[string]uint64{}}, Telemetry: hub.Received{Refused: map[string]uint64{}},
		})
	}
	return c.json(c.api.src.Fleet.Status())
}

// serveOrder answers PUT /api/fleet/order.
func serveOrder(c *call) error {
	if c.api.src.Fleet == nil {
		return notRunning("The fleet")
	}
	text, err := json.Marshal(c.body)
	if err != nil {
		return err
	}
	var o hub.Order
	if err := json.Unmarshal(text, &o); err != nil {
		return fail(http.StatusBadRequest, "The order cannot be understood")
	}
	if err := c.api.src.Fleet.SetOrder(&o); err != nil {
		return fail(http.StatusBadRequest, err.Error())
	}
	return serveFleet(c)
}

// serveNoOrder answers DELETE /api/fleet/order.
func serveNoOrder(c *call) error {
	if c.api.src.Fleet == nil {
		return notRunning("The fleet")
	}
	if err := c.api.src.Fleet.SetOrder(nil); err != nil {
		return err
	}
	return serveFleet(c)
}

// serveAgentFeed answers GET /api/ws/agents.
func serveAgentFeed(c *call) error {
	return c.socket(noSession, func(ctx context.Context, conn *websocket.Conn, l *listener) error {
		watcher := &hub.Watcher{} // of nothing
		if c.api.src.Fleet != nil {
			watcher = c.api.src.Fleet.Watch()
			defer watcher.Close()
		}
		text, err := c.allAgents()
		if err != nil {
			return err
		}
		quiet := time.NewTimer(c.api.feed.cfg.AgentPing)
		defer quiet.Stop()
		for {
			if err := l.write(conn, text); err != nil {
				return err
			}
			quiet.Reset(c.api.feed.cfg.AgentPing)
			select {
			case <-ctx.Done():
				return nil
			case <-quiet.C:
				text = []byte(`{"type":"ping"}`)
			case text = <-watcher.Frames:
				if watcher.Missed() {
					if text, err = c.allAgents(); err != nil {
						return err
					}
				}
			}
		}
	})
}

// allAgents is the frame with all of them.
func (c *call) allAgents() ([]byte, error) {
	agents := []hub.Agent{}
	if c.api.src.Fleet != nil {
		agents = c.api.src.Fleet.Agents()
	}
	return json.Marshal(struct {
		Type   string      `json:"type"`
		Agents []hub.Agent `json:"agents"`
	}{"init", agents})
}
