package hub

import (
	"encoding/json"

	"github.com/poolscope/poolscope/internal/fleet"
)

// Agent is what is known of an agent now. The members up to Pool are those of
// the contract.
type Agent struct {
	AgentID   string       `json:"agent_id" example:"agent-us-west-1"`
	LastSeen  string       `json:"last_seen" format:"date-time" doc:"When its newest telemetry was sent, by the agent's clock" example:"2024-01-07T12:34:56.789000Z"`
	ConnState string       `json:"conn_state" doc:"connected, reconnecting or error, as the agent says" example:"connected"`
	Stats     fleet.Stats  `json:"stats"`
	Pool      fleet.Target `json:"pool_target"`

	State       string  `json:"state" enum:"live,silent" doc:"silent: nothing came for three intervals"`
	ReceivedAt  string  `json:"received_at" format:"date-time" doc:"When its newest telemetry came, by our clock"`
	FirstSeen   string  `json:"first_seen" format:"date-time"`
	SilentSince *string `json:"silent_since" nullable:"true" format:"date-time"`
	PublicKey   string  `json:"public_key" doc:"Nostr key that signs its telemetry, hexadecimal"`
	LastError   *string `json:"last_error" nullable:"true"`
	Errors      int     `json:"errors" doc:"In its newest telemetry, ten at most"`

	AcceptRate  *float64 `json:"accept_rate" nullable:"true" doc:"accepted / (accepted + rejected)"`
	ClockOffset *float64 `json:"clock_offset_ms" nullable:"true" doc:"Our clock less the agent's, with the time that its fastest telemetry took"`
	TipDelay    *Delay   `json:"tip_delay,omitempty" doc:"How much later than the first agent it sees a new block; left out without another agent to compare with, or with a clock more than two seconds off"`

	Report *fleet.Report `json:"report,omitempty" doc:"What only this program's agents tell"`
}

// Delay is how much later than the first agent one sees new blocks, in
// milliseconds, over the newest 32 blocks that more than one agent saw.
type Delay struct {
	Last   float64 `json:"last_ms"`
	Median float64 `json:"p50_ms"`
	Blocks int     `json:"blocks" doc:"That are compared"`
	First  int     `json:"first" doc:"That it saw first"`
}

// Detail is the answer to who asks for one agent.
type Detail struct {
	AgentID string          `json:"agent_id"`
	Latest  fleet.Telemetry `json:"latest" doc:"Newest telemetry, whole"`
	Agent   Agent           `json:"agent"`
}

// History is what an agent told, the newest first.
type History struct {
	AgentID string            `json:"agent_id"`
	History []json.RawMessage `json:"history"`
}

// Series is an agent over time, for charts.
type Series struct {
	AgentID string     `json:"agent_id"`
	Since   string     `json:"since" format:"date-time"`
	Until   string     `json:"until" format:"date-time"`
	Step    float64    `json:"step_s" doc:"Seconds of one point"`
	Points  []Point    `json:"points" doc:"The oldest first; steps without telemetry are left out"`
	Tips    []TipPoint `json:"tips" doc:"New blocks that another agent saw, too, the oldest first"`
}

// Point is one step of a series. Times are those of the step's newest telemetry,
// as medians and percentiles of what the agent measured until then.
type Point struct {
	At        string   `json:"at" format:"date-time" doc:"Beginning of the step"`
	Telemetry int      `json:"telemetry" doc:"Events in the step"`
	Connected float64  `json:"connected" doc:"Part of them that said connected, 0 to 1"`
	Attempted uint64   `json:"attempted" doc:"Submits in the step"`
	Accepted  uint64   `json:"accepted"`
	Rejected  uint64   `json:"rejected"`
	P50       *float64 `json:"submit_p50_ms" nullable:"true"`
	P95       *float64 `json:"submit_p95_ms" nullable:"true"`
	P99       *float64 `json:"submit_p99_ms" nullable:"true"`
	Connect   *float64 `json:"connect_ms" nullable:"true"`
}

// TipPoint is when an agent saw a new block.
type TipPoint struct {
	At       string  `json:"at" format:"date-time"`
	PrevHash string  `json:"prev_hash"`
	Height   int64   `json:"height"`
	Delay    float64 `json:"delay_ms" doc:"After the first agent; 0: it was the first"`
	Agents   int     `json:"agents" doc:"That saw it"`
}

// Tip is a new block and who saw it when.
type Tip struct {
	PrevHash  string     `json:"prev_hash"`
	Height    int64      `json:"height"`
	FirstSeen string     `json:"first_seen" format:"date-time"`
	Seen      []Sighting `json:"seen" doc:"The first first"`
}

// Sighting is one agent's first job on a block.
type Sighting struct {
	AgentID string  `json:"agent_id"`
	Region  string  `json:"region"`
	Delay   float64 `json:"delay_ms" doc:"After the first agent"`
}

// Order is the load that the agents in mine mode are asked for.
type Order struct {
	Rate       float64  `json:"rate" minimum:"0" maximum:"1000" doc:"Shares per second of each agent; 0: rest"`
	Difficulty float64  `json:"difficulty" minimum:"0" maximum:"1e15" doc:"Least difficulty of their shares; 0: that of the pool"`
	Agents     []string `json:"agents,omitempty" maxItems:"1000" nullable:"false" doc:"Ids of those that it is for; all when left out"`
}

// Relay is the connection to a relay.
type Relay struct {
	URL       string            `json:"url"`
	State     string            `json:"state" enum:"connecting,connected,waiting"`
	Connects  uint64            `json:"connects"`
	Waiting   int               `json:"waiting" doc:"Events that it has not said OK to"`
	Dropped   uint64            `json:"dropped" doc:"Events that left the full queue unsent"`
	Accepted  uint64            `json:"accepted" doc:"Events that it said OK to"`
	Received  uint64            `json:"received" doc:"Events that it sent and that were new"`
	Rejected  map[string]uint64 `json:"rejected" doc:"Our events, by the first word of its reason"`
	Refused   map[string]uint64 `json:"refused" doc:"Its messages, by our reason: forged signatures among them"`
	LastError *string           `json:"last_error" nullable:"true"`
}

// Totals are sums over the agents that are known.
type Totals struct {
	Agents    int     `json:"agents"`
	Live      int     `json:"live"`
	Silent    int     `json:"silent"`
	Connected int     `json:"connected" doc:"Live, and connected as they say"`
	Received  uint64  `json:"share_events_received_total"`
	Attempted uint64  `json:"submits_attempted_total"`
	Accepted  uint64  `json:"submits_accepted_total"`
	Rejected  uint64  `json:"submits_rejected_total"`
	Rate1m    float64 `json:"submits_per_second_1min" doc:"Of live agents"`
	Rate10s   float64 `json:"submits_per_second_10sec" doc:"Of live agents"`
}

// Status is the fleet as a whole.
type Status struct {
	Enabled   bool       `json:"enabled" doc:"Relays are configured"`
	RunID     string     `json:"run_id"`
	PublicKey string     `json:"public_key" doc:"The scope's Nostr key, as npub: agents take only its events (--author)"`
	Encrypted bool       `json:"encrypted" doc:"Contents are encrypted with the fleet's key"`
	Kinds     EventKinds `json:"kinds"`
	Relays    []Relay    `json:"relays"`
	Totals    Totals     `json:"totals"`
	Published Published  `json:"published"`
	Telemetry Received   `json:"telemetry"`
	Order     *Order     `json:"order,omitempty" doc:"In force; left out: agents keep to their own flags"`
	Tips      []Tip      `json:"tips" doc:"Newest blocks that more than one agent saw, the newest first, 32 at most"`
}

// EventKinds are the Nostr kinds of the fleet's events.
type EventKinds struct {
	Share     int `json:"share"`
	Telemetry int `json:"telemetry"`
	Order     int `json:"order"`
}

// Published counts what the scope published.
type Published struct {
	Shares  uint64            `json:"shares" doc:"Share events"`
	Orders  uint64            `json:"orders" doc:"Orders, with their repetitions and revocations"`
	Waiting int               `json:"waiting" doc:"Shares that wait to be signed"`
	Dropped map[string]uint64 `json:"dropped" doc:"Shares that were not published, by reason"`
}

// Received counts telemetry.
type Received struct {
	Taken   uint64            `json:"taken"`
	Late    uint64            `json:"late" doc:"Older than the agent's newest"`
	Refused map[string]uint64 `json:"refused" doc:"By reason"`
	Stored  uint64            `json:"stored"`
	Lost    uint64            `json:"lost" doc:"That could not be stored"`
	Expired uint64            `json:"expired" doc:"Agents that were silent for too long"`
}
