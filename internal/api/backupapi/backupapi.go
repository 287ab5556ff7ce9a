package backupapi

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/poolscope/poolscope/internal/account"
	"github.com/poolscope/poolscope/internal/api/access"
	"github.com/poolscope/poolscope/internal/backup"
)

// Backups is what the API asks of the service. *backup.Service is one.
type Backups interface {
	Status() backup.Status
	List(ctx context.Context) ([]backup.Backup, error)
	Ask() bool
}

var _ Backups = (*backup.Service)(nil)

const (
	// listTimeout is how long storages may take to list what they have.
	listTimeout = 10 * time.Second
	// listFor is how long a list is shown again: storages take money for it.
	listFor = 30 * time.Second
)

// API answers /api/admin/backups.
type API struct {
	gate    *access.Gate
	backups Backups
	trail   account.Trail
	log     *slog.Logger
	now     func() time.Time
	mux     *http.ServeMux

	mu     sync.Mutex
	listed time.Time
	made   uint64 // successes when it was listed
	list   []backup.Backup
	failed string
}

// New returns the API. trail may be nil.
func New(gate *access.Gate, backups Backups, trail account.Trail, log *slog.Logger) *API {
	a := &API{gate: gate, backups: backups, trail: trail, log: log, now: time.Now, mux: http.NewServeMux()}
	read, run := gate.Operator(a.read), gate.Confirmed(a.run)
	a.mux.HandleFunc("/api/admin/backups", func(w http.ResponseWriter, r *http.Request) {
		switch r.Method {
		case http.MethodGet, http.MethodHead:
			read(w, r)
		case http.MethodPost:
			run(w, r)
		default:
			w.Header().Set("Allow", "GET, HEAD, POST")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		}
	})
	return a
}

// Patterns are the routes.
func (a *API) Patterns() []string { return []string{"/api/admin/backups"} }

// ServeHTTP implements [http.Handler].
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.mux.ServeHTTP(w, r) }

// page is the answer of GET.
type page struct {
	Enabled   bool         `json:"enabled"` // they are made by a schedule
	EverySec  int64        `json:"every_sec"`
	Encrypted bool         `json:"encrypted"`
	Running   bool         `json:"running"`
	Targets   []targetView `json:"targets"`
	Backups   []backupView `json:"backups"`
	ListError string       `json:"list_error,omitempty"`
}

type targetView struct {
	Name        string    `json:"name"`
	Location    string    `json:"location"`
	LastSuccess time.Time `json:"last_success,omitzero"`
	LastTry     time.Time `json:"last_try,omitzero"`
	LastError   string    `json:"last_error,omitempty"`
	Made        uint64    `json:"made"`
	Failed      uint64    `json:"failed"`
}

type backupView struct {
	Name       string              `json:"name"`
	Target     string              `json:"target"`
	At         time.Time           `json:"at"`
	Bytes      int64               `json:"bytes"`
	Encrypted  bool                `json:"encrypted"`
	Verified   bool                `json:"verified"`
	Generation []backup.Generation `json:"generation"`
}

// read tells what there is.
func (a *API) read(w http.ResponseWriter, r *http.Request, _ access.Viewer) {
	status := a.backups.Status()
	p := page{
		Enabled: status.Every > 0, EverySec: int64(status.Every / time.Second), Encrypted: status.Encrypted, Running: status.Running,
		Targets: []targetView{}, Backups: []backupView{},
	}
	made := uint64(0)
	for _, t := range status.Targets {
		made += t.OK
		p.Targets = append(p.Targets, targetView{
			Name: t.Name, Location: t.Location, LastSuccess: t.LastSuccess.UTC(), LastTry: t.LastTry.UTC(), LastError: t.LastError, Made: t.OK, Failed: t.Failed,
		})
	}
	list, failed := a.latest(r.Context(), made)
	p.ListError = failed
	for _, b := range list {
		v := backupView{Name: b.Name, Target: b.Target, At: b.At, Bytes: b.Bytes, Encrypted: b.Encrypted, Verified: b.Verified, Generation: b.Kept}
		if v.Generation == nil {
			v.Generation = []backup.Generation{}
		}
		p.Backups = append(p.Backups, v)
	}
	access.SendJSON(w, a.log, http.StatusOK, p)
}

// latest is the list of all archives, asked for again when it is old or one was
// made since. One asks at a time, the others wait for it.
func (a *API) latest(ctx context.Context, made uint64) ([]backup.Backup, string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if now := a.now(); a.listed.IsZero() || made != a.made || now.Sub(a.listed) > listFor {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), listTimeout)
		defer cancel()
		list, err := a.backups.List(ctx)
		a.list, a.failed, a.listed, a.made = list, "", now, made
		if err != nil {
			a.failed = err.Error()
		}
	}
	return a.list, a.failed
}

// run asks for a backup now.
func (a *API) run(w http.ResponseWriter, r *http.Request, v access.Viewer) {
	asked := a.backups.Ask()
	if a.trail != nil {
		a.trail.Record(r.Context(), v.Action("backup.run", "", ""))
	}
	access.SendJSON(w, a.log, http.StatusAccepted, map[string]bool{"asked": asked})
}
