package scopeapi

import (
	"context"
	"encoding/json"
	"io"
	"time"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

// Config of an API. The zero value of each field stands for its default.
type Config struct {
	// Token is what everything that changes or sends wants, and everything that
	// does not come from this machine. Empty refuses all of that.
	Token string
	// Version of the program, in the OpenAPI document.
	Version string
	// MaxClients bounds the WebSockets; default 256.
	MaxClients int
	// Settings are shown by GET /api/config.
	Settings Settings
	// Now is the clock; default time.Now.
	Now func() time.Time
}

// Settings are what may be shown of the configuration. The first eight are the
// contract's.
type Settings struct {
	ListenHost         string `json:"listen_host" doc:"Address that miners connect to" example:"0.0.0.0"`
	ListenPort         int    `json:"listen_port" doc:"Port that miners connect to" example:"3333"`
	PoolHost           string `json:"pool_host" doc:"First pool, as configured" example:"stratum+tcp://pool.example.com"`
	PoolPort           int    `json:"pool_port" doc:"Port of the first pool" example:"3333"`
	APIPort            int    `json:"api_port" doc:"Port of this API" example:"8000"`
	CaptureMaxMessages int    `json:"capture_max_messages" doc:"Messages kept in memory" example:"50000"`
	NostrEnabled       bool   `json:"nostr_enabled" doc:"Whether share events are published"`
	RunID              string `json:"run_id" doc:"Name of this run" example:"test-run-123"`

	CaptureMaxPerSession int      `json:"capture_max_per_session" doc:"Messages of one session kept in memory" example:"10000"`
	Pools                []string `json:"pools" doc:"All pools in their order, as configured, without passwords"`
	Journal              bool     `json:"journal" doc:"Whether messages are kept on disk"`
	KeepPasswords        bool     `json:"keep_passwords" doc:"Whether passwords of mining.authorize are recorded"`
	LoadTests            bool     `json:"load_tests" doc:"Whether a pool is listed as the user's own, so that load features act on it"`
	Version              string   `json:"version" doc:"Version of the program"`
}

// Messages finds sessions and messages: those in memory, and those in the
// journal.
type Messages interface {
	// Sessions lists sessions in the order in which they began.
	Sessions() []capture.Session
	// Session returns one session.
	Session(id string) (capture.Session, bool)
	// Message returns the nth message of a session, nil when there is none.
	Message(session string, n uint64) *capture.Message
	// Find returns messages, newest first, and the cursor of the next page, 0
	// when there is none.
	Find(f capture.Filter) (page []*capture.Message, next uint64)
}

// Audit tells what was found out about sessions. What it returns is encoded as
// JSON; ok is false when the session is not known.
type Audit interface {
	Facts(session string) (facts any, ok bool)
	Jobs(session string) (jobs any, ok bool)
	Shares(session string) (shares any, ok bool)
	Difficulty(session string) (timeline any, ok bool)
	// Alarms lists the alarms of a session, or with "" of all.
	Alarms(session string) (alarms any, ok bool)
	Compare(a, b string) (comparison any, ok bool)
}

// Replay sends captured messages once more.
type Replay interface {
	// Replay sends a message to the pool, or the text modified in its place,
	// and waits for the answer.
	Replay(ctx context.Context, m *capture.Message, modified string) (Replayed, error)
}

// Replayed is how a replay ended.
type Replayed struct {
	Response json.RawMessage // five members, nulls included; nil without an answer
	Failure  string          // why there is none, "" when there is
	Latency  time.Duration
}

// AutoReplay sends each share of a session several times.
type AutoReplay interface {
	// SetAutoReplay switches it for a session, and says how often.
	SetAutoReplay(session string, enabled bool, count int)
	// AutoReplay is the state of a session, encoded as JSON.
	AutoReplayProgress(session string) any
}

// Disconnecter ends live sessions.
type Disconnecter interface {
	// Disconnect closes both sides of a session. It reports false when it is
	// not live.
	Disconnect(session string) bool
}

// Exporter writes sessions as files.
type Exporter interface {
	// Export writes a session in the format jsonl, pcapng or csv.
	Export(ctx context.Context, w io.Writer, session, format string) error
}

// Tap switches what is captured of our own pool's connections.
type Tap interface {
	// Tap is the mode "off", "all" or "worker", and the worker's name.
	Tap() (mode, worker string)
	// SetTap changes it.
	SetTap(mode, worker string) error
}

// Counter is a named number of a part of the scope.
type Counter struct {
	Name  string `json:"name"`
	Value uint64 `json:"value"`
}

// Part is a part of the scope with what it counts: drops, rejects, losses.
type Part struct {
	Name     string
	Counters func() []Counter
}

// Sources are what the API shows and steers. Each may be nil: then what needs
// it answers 503.
type Sources struct {
	Messages   Messages
	Audit      Audit
	Explain    func(m *capture.Message) any // of package decode; encoded as JSON
	Replay     Replay
	AutoReplay AutoReplay
	Sessions   Disconnecter
	Export     Exporter
	Tap        Tap
	Recorder   *capture.Recorder
	Parts      []Part
}
