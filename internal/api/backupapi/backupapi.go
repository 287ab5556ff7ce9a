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
	// listFor is how long a list is shown again: storages take money for it.
	listFor = 30 * time.Second
	// listWait is how long a request waits for a list that is being made; then it
	// shows the one before.
	listWait = time.Second
)

// API answers /api/admin/backups.
type API struct {
	gate    *access.Gate
	backups Backups
	trail   account.Trail
	log     *slog.Logger
	now     func() time.Time
	mux     *http.ServeMux

	mu      sync.Mutex
	listing chan struct{} // closed when the list is there; nil when none is made
	listed  time.Time
	made    uint64 // successes when it was listed
	list    []backup.Backup
	failed  string
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
// made since. A storage that is slow to answer does not hold the page up: who
// asks meanwhile gets the list before, and is told that another is on its way.
func (a *API) latest(ctx context.Context, made uint64) (list []backup.Backup, failed string) {
	a.mu.Lock()
	if now := a.now(); a.listing == nil && (a.listed.IsZero() || made != a.made || now.Sub(a.listed) > listFor) {
		a.listing = make(chan struct{})
		go a.relist(context.WithoutCancel(ctx), a.listing, made)
	}
	listing := a.listing
	a.mu.Unlock()
	if listing != nil {
		timer := time.NewTimer(listWait)
		defer timer.Stop()
		select {
		case <-listing:
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.listing != nil {
		return a.list, "the list is being made; a storage has not answered yet"
	}
	return a.list, a.failed
}

// relist asks all storages; they have a limit of their own. Nothing else runs
// while it does.
func (a *API) relist(ctx context.Context, done chan struct{}, made uint64) {
	defer func() {
		if v := recover(); v != nil {
			a.log.Error("listing backups panicked", "panic", v)
		}
		a.mu.Lock()
		a.listed, a.made, a.listing = a.now(), made, nil
		a.mu.Unlock()
		close(done)
	}()
	list, err := a.backups.List(ctx)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.list, a.failed = list, ""
	if err != nil {
		a.failed = err.Error()
	}
}

// run asks for a backup now.
func (a *API) run(w http.ResponseWriter, r *http.Request, v access.Viewer) {
	asked := a.backups.Ask()
	if a.trail != nil {
		a.trail.Record(r.Context(), v.Action("backup.run", "", ""))
	}
	access.SendJSON(w, a.log, http.StatusAccepted, map[string]bool{"asked": asked})
}
