package adminapi

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/poolscope/poolscope/internal/account"
	"github.com/poolscope/poolscope/internal/api/access"
)

// Sources are what the operators' part asks and commands. Gate and Trail are
// needed; what else is nil is answered with 503.
type Sources struct {
	Gate  *access.Gate
	Trail account.Trail

	Pool  Pool
	Notes NoteStore
	Logs  Logs
	Audit Audit
	// Settings is the configuration.
	Settings Settings
	// State is the state of the program.
	State StateSource
	// StrikeLimit is the number of points at which a connection is dropped.
	StrikeLimit func() float64

	Log *slog.Logger
	Now func() time.Time // default time.Now
}

// API answers the routes below /api/admin.
type API struct {
	src    Sources
	log    *slog.Logger
	now    func() time.Time
	mux    *http.ServeMux
	routes map[string]methods

	miners minersView
	notes  notes
}

// methods are the handlers of a route by method; HEAD is answered as GET is.
type methods map[string]http.HandlerFunc

// New returns the operators' part. It starts nothing.
func New(src Sources) *API {
	a := &API{src: src, log: src.Log, now: src.Now, mux: http.NewServeMux()}
	if a.now == nil {
		a.now = time.Now
	}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	gate := src.Gate
	a.routes = map[string]methods{
		"/api/admin/miners":                  {http.MethodGet: gate.Operator(a.serveMiners)},
		"/api/admin/miners/{connection}":     {http.MethodDelete: gate.Operator(a.serveDisconnect)},
		"/api/admin/miners/{connection}/ban": {http.MethodPost: gate.Operator(a.serveBan)},
		"/api/admin/notes/{hash}":            {http.MethodPut: gate.Operator(a.servePutNote)},
		"/api/admin/logs":                    {http.MethodGet: gate.Operator(a.serveLogs)},
		"/api/admin/logs/level":              {http.MethodPut: gate.Operator(a.serveLogLevel)},
		"/api/admin/audit":                   {http.MethodGet: gate.Operator(a.serveAudit)},
		"/api/admin/settings":                {http.MethodGet: gate.Operator(a.serveSettings), http.MethodPost: gate.Confirmed(a.serveSaveSettings)},
		"/api/admin/settings/check":          {http.MethodPost: gate.Operator(a.serveCheckSettings)},
		"/api/admin/state":                   {http.MethodGet: gate.Operator(a.serveState)},
		"/api/admin/restart":                 {http.MethodPost: gate.Confirmed(a.serveRestart)},
	}
	for pattern, by := range a.routes {
		a.mux.HandleFunc(pattern, by.serve)
	}
	return a
}

// Patterns are the routes.
func (a *API) Patterns() []string { return slices.Sorted(maps.Keys(a.routes)) }

// ServeHTTP answers a request for one of the routes.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.mux.ServeHTTP(w, r) }

// serve picks the handler of the method, or answers 405.
func (m methods) serve(w http.ResponseWriter, r *http.Request) {
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if serve, ok := m[method]; ok {
		serve(w, r)
		return
	}
	allowed := slices.Sorted(maps.Keys(m))
	if slices.Contains(allowed, http.MethodGet) {
		allowed = append(allowed, http.MethodHead)
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
}

// record keeps an action of a viewer in the audit trail.
func (a *API) record(ctx context.Context, v access.Viewer, name, target, detail string, failed bool) {
	if a.src.Trail == nil {
		return
	}
	action := v.Action(name, target, detail)
	action.At, action.Failed = a.now(), failed
	a.src.Trail.Record(ctx, action)
}

// missing answers for a part that is not there.
func missing(w http.ResponseWriter, what string) {
	http.Error(w, what+" is not to be had here", http.StatusServiceUnavailable)
}
