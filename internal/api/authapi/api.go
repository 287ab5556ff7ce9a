package authapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"github.com/poolscope/poolscope/internal/account"
	"github.com/poolscope/poolscope/internal/api/access"
)

// Config of an API. Functions may be nil.
type Config struct {
	Service *account.Service
	Gate    *access.Gate
	Log     *slog.Logger
	// External are other ways to sign in than with a password of ours.
	External External
	// IsOwner reports whether a user has proven to own a worker.
	IsOwner func(ctx context.Context, userID string) bool
	// SavedWorkers counts the saved workers by user.
	SavedWorkers func(ctx context.Context) (map[string]int, error)
}

// API answers what is below /api/auth and /api/admin/accounts.
type API struct {
	cfg      Config
	accounts *account.Service
	gate     *access.Gate
	log      *slog.Logger
	mux      *http.ServeMux
	patterns []string
}

// New returns an API. It starts nothing.
func New(cfg Config) *API {
	a := &API{cfg: cfg, accounts: cfg.Service, gate: cfg.Gate, log: cfg.Log, mux: http.NewServeMux()}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	for _, rt := range append(a.ownRoutes(), a.externalRoutes()...) {
		a.patterns = append(a.patterns, rt.pattern)
		a.mux.Handle(rt.pattern, rt.methods)
	}
	return a
}

// Patterns are the routes, in the syntax of http.ServeMux without a method.
func (a *API) Patterns() []string { return a.patterns }

// ServeHTTP answers a request.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.mux.ServeHTTP(w, r) }

// route is a path and who answers there, by method.
type route struct {
	pattern string
	methods methods
}

// methods answer requests by their method; GET stands for HEAD, too.
type methods map[string]http.HandlerFunc

// ServeHTTP answers with 405 to other methods.
func (m methods) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if serve := m[method]; serve != nil {
		serve(w, r)
		return
	}
	var allowed []string
	for _, name := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		if m[name] == nil {
			continue
		}
		allowed = append(allowed, name)
		if name == http.MethodGet {
			allowed = append(allowed, http.MethodHead)
		}
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
}

// ownRoutes are those of local accounts and of sessions of every kind.
func (a *API) ownRoutes() []route {
	return []route{
		{"/api/auth/session", methods{http.MethodGet: a.serveSession}},
		{"/api/auth/sign-in", methods{http.MethodPost: a.gate.Open(a.signIn)}},
		{"/api/auth/sign-out", methods{http.MethodPost: a.gate.Open(a.signOut)}},
		{"/api/auth/register", methods{http.MethodPost: a.gate.Open(a.register)}},
		{"/api/auth/confirm", methods{http.MethodPost: a.gate.User(a.confirm)}},
		{"/api/auth/password", methods{http.MethodPost: a.gate.User(a.changePassword)}},
		{"/api/auth/sessions", methods{http.MethodGet: a.gate.User(a.listSessions), http.MethodDelete: a.gate.User(a.endOtherSessions)}},
		{"/api/auth/sessions/{id}", methods{http.MethodDelete: a.gate.User(a.endSession)}},
		{"/api/admin/accounts", methods{http.MethodGet: a.gate.Operator(a.listAccounts), http.MethodPost: a.gate.Confirmed(a.addAccount)}},
		{"/api/admin/accounts/{id}", methods{http.MethodPatch: a.gate.Confirmed(a.changeAccount), http.MethodDelete: a.gate.Confirmed(a.removeAccount)}},
		{"/api/admin/accounts/{id}/password", methods{http.MethodPost: a.gate.Confirmed(a.resetPassword)}},
		{"/api/admin/accounts/{id}/sessions", methods{http.MethodDelete: a.gate.Confirmed(a.endAccountSessions)}},
	}
}

// okAnswer is the answer of what was done and has nothing to tell.
type okAnswer struct {
	OK bool `json:"ok"`
}

// refuse answers with what went wrong.
func (a *API) refuse(w http.ResponseWriter, err error) {
	var weak *account.WeakPasswordError
	var busy *account.BusyError
	var status int
	switch {
	case errors.As(err, &busy):
		w.Header().Set("Retry-After", strconv.Itoa(busy.Seconds()))
		status = http.StatusTooManyRequests
	case errors.As(err, &weak), errors.Is(err, account.ErrName), errors.Is(err, account.ErrEmail), errors.Is(err, account.ErrRole):
		status = http.StatusBadRequest
	case errors.Is(err, account.ErrCredentials), errors.Is(err, account.ErrDisabled):
		status = http.StatusUnauthorized
	case errors.Is(err, account.ErrClosed):
		status = http.StatusForbidden
	case errors.Is(err, account.ErrUnknown), errors.Is(err, account.ErrNoSession):
		status = http.StatusNotFound
	case errors.Is(err, account.ErrTaken), errors.Is(err, account.ErrLastOperator), errors.Is(err, account.ErrNoPassword):
		status = http.StatusConflict
	case errors.Is(err, account.ErrFull):
		status = http.StatusInsufficientStorage
	default:
		a.log.Error("accounts not reached", "err", err)
		http.Error(w, "the accounts cannot be reached now; try again", http.StatusServiceUnavailable)
		return
	}
	http.Error(w, err.Error(), status)
}
