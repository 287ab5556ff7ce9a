package savedapi

import (
	"context"
	"encoding/hex"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/poolscope/poolscope/internal/account"
	"github.com/poolscope/poolscope/internal/account/saved"
	"github.com/poolscope/poolscope/internal/api/access"
	"github.com/poolscope/poolscope/internal/ledger"
	"github.com/poolscope/poolscope/internal/scope/capture"
	"github.com/poolscope/poolscope/internal/scope/journal"
)

// Books are what this package reads of the books in memory. *ledger.Ledger is
// them.
type Books interface {
	Worker(name string) (ledger.WorkerDetail, bool)
	Snapshot() *ledger.Snapshot
}

// Store is what this package reads from disk.
type Store interface {
	// Workers reads the records of those of the named workers that the books know.
	Workers(ctx context.Context, names []string) ([]ledger.WorkerRecord, error)
	// WorkersOf lists the workers of a payout address, the last seen first.
	WorkersOf(ctx context.Context, address string, limit int) ([]string, error)
	// WorkSums adds up the work of workers in periods of so many minutes.
	WorkSums(ctx context.Context, names []string, from, to time.Time, minutes int) (map[string][]saved.WorkSum, error)
}

// Wire finds what the microscope captured. *journal.Library does.
type Wire interface {
	Session(ctx context.Context, id string) (capture.Session, error)
	Sessions(ctx context.Context, f journal.SessionFilter) (page []capture.Session, next string, err error)
	SessionMessages(ctx context.Context, session string, from uint64, limit int) ([]*capture.Message, error)
}

var (
	_ Books = (*ledger.Ledger)(nil)
	_ Wire  = (*journal.Library)(nil)
)

// Discord tells of a person's account there.
type Discord interface {
	// Linked reports whether a person linked an account, and wants messages there.
	Linked(ctx context.Context, userID string) (registered, enabled bool)
}

// Config is what an API needs. Discord, Wire, TapMode and Limits may be nil.
type Config struct {
	Gate    *access.Gate
	Saved   *saved.Service
	Trail   account.Trail
	Books   Books
	Store   Store
	Wire    Wire
	TapMode func() string // "off", "all" or "worker:NAME"
	Discord Discord       // nil: it is not configured
	// Limits bound the difficulty that an owner can order; a most of 0 is none.
	Limits func() (least, most float64)

	Log *slog.Logger
	Now func() time.Time // default time.Now
}

// API answers the routes below /api/saved-workers.
type API struct {
	cfg    Config
	saved  *saved.Service
	log    *slog.Logger
	now    func() time.Time
	mux    *http.ServeMux
	routes map[string]methods

	reading chan struct{} // holds a value for each history that is read
	imports *limits
	wires   *limits
	mu      sync.Mutex
	charts  map[string]chart // by user
}

type handler func(w http.ResponseWriter, r *http.Request, v access.Viewer)

// methods are the handlers of a route by method; HEAD is answered as GET is.
type methods map[string]handler

// New returns the part. It starts nothing.
func New(cfg Config) *API {
	a := &API{
		cfg: cfg, saved: cfg.Saved, log: cfg.Log, now: cfg.Now, mux: http.NewServeMux(),
		reading: make(chan struct{}, maxReadings), charts: make(map[string]chart),
		imports: newLimits(importsPerSecond, importsAtOnce), wires: newLimits(wiresPerSecond, wiresAtOnce),
	}
	if a.now == nil {
		a.now = time.Now
	}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	a.routes = map[string]methods{
		"/api/saved-workers":                        {http.MethodGet: a.serveList, http.MethodPost: a.serveSave},
		"/api/saved-workers/notify-enabled":         {http.MethodPost: a.serveNotify},
		"/api/saved-workers/import":                 {http.MethodPost: a.limited(a.imports, a.serveImport)},
		"/api/saved-workers/history":                {http.MethodGet: a.serveHistory},
		"/api/saved-workers/{hash}":                 {http.MethodDelete: a.serveRemove},
		"/api/saved-workers/{hash}/claim":           {http.MethodPost: a.serveClaim, http.MethodDelete: a.serveGiveUp},
		"/api/saved-workers/{hash}/claim/signature": {http.MethodPost: a.serveSignature},
		"/api/saved-workers/{hash}/restart":         {http.MethodPost: a.serveRestart},
		"/api/saved-workers/{hash}/difficulty":      {http.MethodPut: a.serveDifficulty},
		"/api/saved-workers/{hash}/wire":            {http.MethodGet: a.limited(a.wires, a.serveWire)},
		"/api/saved-workers/{hash}/wire/{session}":  {http.MethodGet: a.limited(a.wires, a.serveLines)},
	}
	for pattern, by := range a.routes {
		a.mux.HandleFunc(pattern, by.behind(cfg.Gate))
	}
	return a
}

// Patterns are the routes.
func (a *API) Patterns() []string { return slices.Sorted(maps.Keys(a.routes)) }

// ServeHTTP answers a request for one of the routes.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.mux.ServeHTTP(w, r) }

// behind picks the handler of the method, or answers 405; then it asks the gate.
func (m methods) behind(gate *access.Gate) http.HandlerFunc {
	allowed := slices.Sorted(maps.Keys(m))
	if slices.Contains(allowed, http.MethodGet) {
		allowed = append(allowed, http.MethodHead)
	}
	allow := strings.Join(allowed, ", ")
	behind := make(map[string]http.HandlerFunc, len(m))
	for method, serve := range m {
		behind[method] = gate.User(serve)
	}
	if serve, ok := behind[http.MethodGet]; ok {
		behind[http.MethodHead] = serve
	}
	return func(w http.ResponseWriter, r *http.Request) {
		serve, ok := behind[r.Method]
		if !ok {
			w.Header().Set("Allow", allow)
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		serve(w, r)
	}
}

// hashOf is the hash of the path or of a body, in lower case; false when it is
// none.
func hashOf(text string) (hash string, ok bool) {
	raw, err := hex.DecodeString(text)
	return strings.ToLower(text), err == nil && len(raw) == 32
}

// worker is the worker that the path names, among those that the viewer saved.
// Without one it has answered: 400 or 404.
func (a *API) worker(w http.ResponseWriter, r *http.Request, v access.Viewer) (saved.Saved, bool) {
	hash, ok := hashOf(r.PathValue("hash"))
	if !ok {
		http.Error(w, "invalid hash", http.StatusBadRequest)
		return saved.Saved{}, false
	}
	s, err := a.saved.Get(v.UserID(), hash)
	if err != nil {
		a.refuse(w, err)
		return s, false
	}
	return s, true
}

// refuse answers for an error.
func (a *API) refuse(w http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	switch {
	case errors.Is(err, saved.ErrNotSaved):
		status = http.StatusNotFound
	case errors.Is(err, saved.ErrNotOwned):
		status = http.StatusForbidden
	case errors.Is(err, saved.ErrLimit):
		status = http.StatusConflict
	case errors.Is(err, saved.ErrFull):
		status = http.StatusInsufficientStorage
	case errors.Is(err, saved.ErrTooMany):
		w.Header().Set("Retry-After", "60")
		status = http.StatusTooManyRequests
	case errors.Is(err, saved.ErrName), errors.Is(err, saved.ErrNoClaim), errors.Is(err, saved.ErrAddress):
		status = http.StatusBadRequest
	case errors.Is(err, context.Canceled):
		return // nobody is there any more
	default:
		a.log.Warn("saved workers", "err", err)
		http.Error(w, "internal error", status)
		return
	}
	http.Error(w, err.Error(), status)
}

// record keeps what a viewer does in the audit trail.
func (a *API) record(r *http.Request, v access.Viewer, name, worker, detail string, failed bool) {
	if a.cfg.Trail == nil {
		return
	}
	action := v.Action(name, worker, detail)
	action.At, action.Failed = a.now(), failed
	a.cfg.Trail.Record(r.Context(), action)
}
