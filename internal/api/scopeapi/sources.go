package scopeapi

import (
	"context"
	"time"

	"github.com/poolscope/poolscope/internal/account"
	"github.com/poolscope/poolscope/internal/api/access"
	"github.com/poolscope/poolscope/internal/scope/audit"
	"github.com/poolscope/poolscope/internal/scope/capture"
	"github.com/poolscope/poolscope/internal/scope/journal"
	"github.com/poolscope/poolscope/internal/scope/replay"
)

// Config of an API. The zero value of each field stands for its default.
type Config struct {
	// Token is what everything that changes or sends wants, and everything that
	// does not come from this machine. Empty refuses all of that.
	Token string
	// Public says that the server listens beyond loopback. Then reading wants the
	// token from everybody: behind a proxy that tells nothing of itself all the
	// world looks like this machine.
	Public bool
	// Gate knows the operators who are signed in; nil knows nobody.
	Gate *access.Gate
	// Trail is told what operators change and send; it may be nil.
	Trail account.Trail
	// Version of the program, in the OpenAPI document.
	Version string
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
// journal. *journal.Library is one.
type Messages interface {
	Find(ctx context.Context, f capture.Filter) (page []*capture.Message, next uint64, complete bool, err error)
	FindSkipping(ctx context.Context, f capture.Filter) (page []*capture.Message, next uint64, skip int, complete bool, err error)
	Message(ctx context.Context, id string) (*capture.Message, error)
	Session(ctx context.Context, id string) (capture.Session, error)
	Sessions(ctx context.Context, f journal.SessionFilter) (page []capture.Session, next string, err error)
	Gaps(ctx context.Context, session string, limit int) ([]journal.Gap, error)
	SessionMessages(ctx context.Context, session string, from uint64, limit int) ([]*capture.Message, error)
}

var _ Messages = (*journal.Library)(nil)

// Replay sends messages once more, and keeps the settings of sessions.
// *replay.Service is one.
type Replay interface {
	Replay(ctx context.Context, m *capture.Message, modified string) (replay.Result, error)
	Settings(session string) replay.Settings
	Change(session string, c replay.Change) (replay.Settings, error)
	AutoReplay(session string) replay.Progress
	Status() replay.Status
}

var _ Replay = (*replay.Service)(nil)

// Disconnecter ends live sessions.
type Disconnecter interface {
	// Disconnect closes both sides of a session. It reports false when it is
	// not live.
	Disconnect(session string) bool
}

// Audit tells what was found out about sessions. *audit.Archive is one.
type Audit interface {
	Facts(session string) (audit.Facts, bool)
	// LiveFacts are Facts of sessions that are in memory.
	LiveFacts(session string) (audit.Facts, bool)
	Difficulty(session string) (audit.DifficultyTimeline, bool)
	Jobs(session string, before uint64, limit int) (audit.Page[audit.Job], bool)
	Shares(session string, before uint64, limit int) (audit.Page[audit.Share], bool)
	Alarms(f audit.AlarmFilter) audit.AlarmPage
	Compare(first, second string) (audit.Comparison, bool)
}

var (
	_ Audit = (*audit.Auditor)(nil)
	_ Audit = (*audit.Archive)(nil)
)

// Tap switches what is captured of our own pool's connections.
type Tap interface {
	// TapMode is "off", "all" or "worker:NAME".
	TapMode() string
	// SetTapMode changes it. It fails when there is no pool to watch.
	SetTapMode(mode string) error
}

// Part is a part of the scope that tells what it does: what it dropped, refused
// and lost above all.
type Part struct {
	Name   string     // snake_case
	Status func() any // encoded as JSON; its numbers are metrics, too
}

// Sources are what the API shows and steers. Each may be nil: then what needs
// it answers 503.
type Sources struct {
	Messages Messages
	Replay   Replay
	Audit    Audit
	Sessions Disconnecter
	Tap      Tap
	Fleet    Fleet
	Recorder *capture.Recorder
	Parts    []Part
}
