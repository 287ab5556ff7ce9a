package adminapi

import (
	"context"
	"net/http"
	"time"

	"github.com/poolscope/poolscope/internal/api/access"
)

// State is the response of GET /api/admin/state: how the program around the pool
// is doing. Parts that it does not have are left out.
type State struct {
	Version    string    `json:"version"`
	Commit     string    `json:"commit,omitempty"`
	Go         string    `json:"go"`
	StartedAt  time.Time `json:"started_at"`
	UptimeSec  float64   `json:"uptime_sec"`
	ConfigFile string    `json:"config_file"` // "" without one
	DataDir    string    `json:"data_dir"`
	Database   string    `json:"database"` // path

	Sizes  Sizes  `json:"sizes"`
	Config Reload `json:"config"`

	Backup    *BackupState  `json:"backup,omitempty"`
	Providers []Provider    `json:"providers"` // ways to sign in
	Discord   *DiscordState `json:"discord,omitempty"`
	Price     *PriceState   `json:"price,omitempty"`

	LogLinesLost   uint64            `json:"log_lines_lost"`  // that the log file did not take
	ActionsDropped uint64            `json:"actions_dropped"` // of the audit trail
	Refused        map[string]uint64 `json:"refused"`         // requests that were turned away since of who asked, by reason
	SignIns        map[string]uint64 `json:"sign_ins"`        // attempts to sign in, by result
}

// Sizes are what things take on disk, in bytes, as of At.
type Sizes struct {
	At       time.Time `json:"at"`
	DataDir  int64     `json:"data_dir"`          // all that is in it
	Database int64     `json:"database"`          // with its log
	Blocks   int64     `json:"blocks"`            // found blocks
	Capture  int64     `json:"capture"`           // captured messages and recorded wires
	Backups  int64     `json:"backups"`           // those in the data folder
	Partial  bool      `json:"partial,omitempty"` // there are more files than are counted
}

// Reload is what became of the configuration since the start.
type Reload struct {
	Applied uint64 `json:"reloads_applied"`
	Refused uint64 `json:"reloads_refused"`
	Waiting int    `json:"restart_keys"` // changed keys that wait for a restart
}

// BackupState is how backups are doing.
type BackupState struct {
	Running   bool           `json:"running"`
	Encrypted bool           `json:"encrypted"`
	EverySec  float64        `json:"every_sec"` // 0: only when asked for
	Targets   []BackupTarget `json:"targets"`
}

// BackupTarget is where backups go.
type BackupTarget struct {
	Name        string    `json:"name"`
	Location    string    `json:"location"`
	LastSuccess time.Time `json:"last_success,omitzero"`
	LastError   string    `json:"last_error,omitempty"`
}

// Provider is a way to sign in.
type Provider struct {
	ID    string `json:"id"`    // local, clerk, or the name of an OpenID Connect provider
	State string `json:"state"` // ready, or not_reached while the provider was never reached
	// Failed counts requests to the provider that failed.
	Failed uint64 `json:"failed,omitempty"`
}

// DiscordState is how Discord's bot is doing.
type DiscordState struct {
	Connected bool      `json:"connected"`
	Refused   bool      `json:"refused,omitempty"` // Discord does not take the token
	Name      string    `json:"name,omitempty"`
	Since     time.Time `json:"since,omitzero"`
	Delivered uint64    `json:"delivered"` // messages
	Dropped   uint64    `json:"dropped"`
}

// PriceState is how the price feed is doing.
type PriceState struct {
	Value    float64   `json:"value,omitempty"`
	Currency string    `json:"currency,omitempty"`
	At       time.Time `json:"at,omitzero"`
	Fetched  uint64    `json:"fetched"`
	Failed   uint64    `json:"failed"`
}

// serveState answers GET /api/admin/state.
func (a *API) serveState(w http.ResponseWriter, r *http.Request, _ access.Viewer) {
	if a.src.State == nil {
		missing(w, "the state")
		return
	}
	access.SendJSON(w, a.log, http.StatusOK, a.src.State(r.Context()))
}

// StateSource tells the state of the program.
type StateSource func(context.Context) *State
