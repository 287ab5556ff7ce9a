package fleet

import (
	"fmt"
	"math"
	"strings"
	"time"
	"unicode"
)

// Connection states of an agent. HashScope's agents say the first and the last.
const (
	StateConnected    = "connected"
	StateReconnecting = "reconnecting" // pool or relay are gone, and are tried again
	StateError        = "error"        // the pool refuses the agent
)

// Modes of an agent.
const (
	ModeReplay = "replay" // others' shares as they are
	ModeMine   = "mine"   // its own valid shares
)

// Telemetry is what an agent tells of itself every few seconds. The members up
// to Errors are HashScope's.
type Telemetry struct {
	Schema    string   `json:"schema" example:"hashscope.v1"`
	RunID     string   `json:"run_id" doc:"Name of the run"`
	AgentID   string   `json:"agent_id" example:"agent-us-west-1"`
	Time      string   `json:"ts" format:"date-time" doc:"When it was sent, by the agent's clock"`
	Pool      Target   `json:"pool_target"`
	ConnState string   `json:"conn_state" doc:"connected, reconnecting or error" example:"connected"`
	Stats     Stats    `json:"stats"`
	Errors    []string `json:"errors" doc:"The newest ten at most"`

	Report *Report `json:"poolscope,omitempty" doc:"What only this program's agents tell"`
}

// Stats are HashScope's counters, since the agent started.
type Stats struct {
	Received    uint64   `json:"share_events_received_total" example:"1523"`
	Attempted   uint64   `json:"submits_attempted_total" example:"1520"`
	Accepted    uint64   `json:"submits_accepted_total" example:"1450"`
	Rejected    uint64   `json:"submits_rejected_total" example:"70"`
	LastLatency *float64 `json:"last_submit_latency_ms" nullable:"true" example:"42"`
	PerSecond1m *float64 `json:"submits_per_second_1min" nullable:"true" doc:"Over the last minute"`
	PerSecond10 *float64 `json:"submits_per_second_10sec" nullable:"true" doc:"Over the last ten seconds"`
}

// Report is what our agents tell besides. Times are of the agent's clock.
type Report struct {
	Version   string  `json:"version" doc:"Of the agent's program"`
	Mode      string  `json:"mode" enum:"replay,mine" doc:"replay: others' shares as they are. mine: its own valid shares"`
	Region    string  `json:"region" doc:"Where it says that it is; empty when it does not say" example:"eu-central"`
	StartedAt string  `json:"started_at" format:"date-time"`
	Interval  float64 `json:"interval_s" doc:"Seconds between two telemetry events"`

	Connects    uint64     `json:"connects_total" doc:"Connections to the pool, signed in"`
	ConnectMS   *float64   `json:"connect_ms" nullable:"true" doc:"Newest connection: TCP and TLS, milliseconds"`
	HandshakeMS *float64   `json:"handshake_ms" nullable:"true" doc:"Newest connection: from connected to authorized, milliseconds"`
	Difficulty  *float64   `json:"difficulty" nullable:"true" doc:"That the pool asks for"`
	SubmitMS    *Quantiles `json:"submit_ms,omitempty" doc:"From submit to answer, of the newest 1024"`

	Rejects    map[string]uint64 `json:"rejects" doc:"Rejected submits by the pool's words"`
	Unanswered uint64            `json:"unanswered_total" doc:"Submits that the pool did not answer"`
	Pending    int               `json:"pending" doc:"Submits that wait for their answer"`
	Queue      Queue             `json:"queue" doc:"Share events that wait to be submitted"`
	Refused    map[string]uint64 `json:"refused" doc:"Events that were not taken, by reason"`
	Relays     int               `json:"relays_connected"`
	Unsent     uint64            `json:"telemetry_dropped_total" doc:"Telemetry that left a relay's full queue unsent"`

	Load Load  `json:"load" doc:"What is asked of the agent, and what it does"`
	Tips []Tip `json:"tips" doc:"Newest blocks that jobs were built on, the newest last"`
}

// Quantiles of measured times, in milliseconds.
type Quantiles struct {
	Count int     `json:"count" doc:"That were measured, 1024 at most"`
	P50   float64 `json:"p50"`
	P95   float64 `json:"p95"`
	P99   float64 `json:"p99"`
	Max   float64 `json:"max"`
}

// Queue is a bounded queue.
type Queue struct {
	Waiting int    `json:"waiting"`
	Limit   int    `json:"limit"`
	Dropped uint64 `json:"dropped_total" doc:"That found it full"`
}

// Load is what an agent is to do.
type Load struct {
	Rate       float64 `json:"rate" doc:"Shares per second: aimed at in mine, the most in replay"`
	Difficulty float64 `json:"difficulty" doc:"Least difficulty of its shares in mine; 0: that of the pool"`
	Ordered    bool    `json:"ordered" doc:"By the scope; else by the agent's own flags"`
	Hashrate   float64 `json:"hashrate" doc:"Hashes per second that it takes"`
}

// Tip is the first job on a block.
type Tip struct {
	PrevHash string `json:"prev_hash" doc:"The block that the job builds on"`
	Height   int64  `json:"height" doc:"Of the block to be found; 0 when the coinbase hides it"`
	SeenAt   string `json:"seen_at" format:"date-time" doc:"When its first job came"`
}

// Encode writes the content, HashScope's members first and in its order.
func (t *Telemetry) Encode() ([]byte, error) {
	c := *t
	c.Schema = Schema
	if c.Errors == nil {
		c.Errors = []string{}
	}
	return encode(&c)
}

// ParseTelemetry reads the content of a telemetry event of a run and bounds what
// is in it. It fails with ErrContent.
func ParseTelemetry(content []byte, run string) (*Telemetry, time.Time, error) {
	var t Telemetry
	if err := decode(content, &t); err != nil {
		return nil, time.Time{}, err
	}
	at, ok := ParseTime(t.Time)
	switch {
	case t.Schema != Schema:
		return nil, at, fmt.Errorf("%w: schema", ErrContent)
	case t.RunID != run:
		return nil, at, fmt.Errorf("%w: run_id", ErrContent)
	case CheckAgentID(t.AgentID) != nil:
		return nil, at, fmt.Errorf("%w: agent_id", ErrContent)
	case !ok:
		return nil, at, fmt.Errorf("%w: ts", ErrContent)
	case !t.Stats.valid() || t.Pool.Port < 0 || t.Pool.Port > 65535:
		return nil, at, fmt.Errorf("%w: a number is out of range", ErrContent)
	}
	t.Pool.Host, t.ConnState = Clip(t.Pool.Host, maxHostText), Clip(t.ConnState, maxWord)
	if len(t.Errors) > maxErrors {
		t.Errors = t.Errors[len(t.Errors)-maxErrors:]
	}
	if t.Errors == nil {
		t.Errors = []string{}
	}
	for i := range t.Errors {
		t.Errors[i] = Clip(t.Errors[i], maxErrText)
	}
	if t.Report != nil && !t.Report.bound() {
		return nil, at, fmt.Errorf("%w: poolscope", ErrContent)
	}
	return &t, at, nil
}

// CheckAgentID says whether an agent may have this id: 1 to 128 bytes of text
// that can be seen as it is, and none that means another place in a path.
func CheckAgentID(id string) error {
	if id == "" || id == "." || id == ".." || len(id) > maxID || !printable(id) {
		return fmt.Errorf("%w: agent_id has 1 to %d bytes of visible characters, and is neither . nor .. itself", ErrContent, maxID)
	}
	return nil
}

// maxCount keeps sums of counters from overflowing.
const maxCount = 1 << 53

func (s *Stats) valid() bool {
	return max(s.Received, s.Attempted, s.Accepted, s.Rejected) < maxCount &&
		sensible(s.LastLatency) && sensible(s.PerSecond1m) && sensible(s.PerSecond10)
}

// sensible says whether a measured number is absent, or neither negative nor
// absurd.
func sensible(v *float64) bool { return v == nil || *v >= 0 && *v < 1e15 }

// bound brings texts and lists into their bounds; false when a number is out of
// its own.
func (r *Report) bound() bool {
	r.Version, r.Mode, r.Region = Clip(r.Version, maxWord), Clip(r.Mode, maxWord), Clip(r.Region, maxWord)
	r.StartedAt = Clip(r.StartedAt, maxWord)
	r.Rejects, r.Refused = boundCounts(r.Rejects), boundCounts(r.Refused)
	if len(r.Tips) > maxTips {
		r.Tips = r.Tips[len(r.Tips)-maxTips:]
	}
	for i := range r.Tips {
		tip := &r.Tips[i]
		if _, ok := ParseTime(tip.SeenAt); !ok || len(tip.PrevHash) != 64 || strings.Trim(tip.PrevHash, "0123456789abcdef") != "" {
			return false
		}
	}
	if r.Tips == nil {
		r.Tips = []Tip{}
	}
	if q := r.SubmitMS; q != nil && (!sensible(&q.P50) || !sensible(&q.P95) || !sensible(&q.P99) || !sensible(&q.Max)) {
		return false
	}
	return sensible(&r.Interval) && sensible(r.ConnectMS) && sensible(r.HandshakeMS) && sensible(r.Difficulty) &&
		sensible(&r.Load.Rate) && sensible(&r.Load.Difficulty) && sensible(&r.Load.Hashrate) &&
		max(r.Connects, r.Unanswered, r.Unsent, r.Queue.Dropped) < maxCount &&
		min(r.Pending, r.Queue.Waiting, r.Queue.Limit, r.Relays) >= 0
}

// boundCounts keeps as many reasons as there is room for; the rest is "other".
func boundCounts(in map[string]uint64) map[string]uint64 {
	out := make(map[string]uint64, len(in))
	for why, n := range in {
		AddCount(out, why, n)
	}
	return out
}

// AddCount adds to the count of a reason, or of "other" when there are as many
// reasons as anybody can look at.
func AddCount(counts map[string]uint64, why string, n uint64) {
	why = Clip(why, maxWord)
	if _, known := counts[why]; !known && len(counts) >= maxReasons-1 {
		why = "other"
	}
	counts[why] = min(counts[why]+min(n, maxCount), maxCount)
}

// Clip makes another's text fit for pages and logs: valid UTF-8 without control
// characters, those of the direction of writing among them, of a bounded length in bytes.
func Clip(s string, most int) string {
	if len(s) > most {
		s = s[:most]
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, ""))
}

// Round rounds milliseconds to microseconds, as contents have them.
func Round(ms float64) float64 { return math.Round(ms*1000) / 1000 }
