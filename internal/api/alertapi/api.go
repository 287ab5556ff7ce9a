package alertapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/poolscope/poolscope/internal/account"
	"github.com/poolscope/poolscope/internal/alert"
	"github.com/poolscope/poolscope/internal/api/access"
	"github.com/poolscope/poolscope/internal/notify"
)

// Alerts is what the API asks of alerts. *notify.Center is one.
type Alerts interface {
	View(ctx context.Context, o notify.Owner, recent int) (notify.View, error)
	Services(o notify.Owner) []notify.Service
	Service(id string) (notify.Service, bool)
	Channel(ctx context.Context, o notify.Owner, id string) (alert.Channel, error)
	AddChannel(ctx context.Context, o notify.Owner, change notify.ChannelChange) (alert.Channel, error)
	ChangeChannel(ctx context.Context, o notify.Owner, id string, change notify.ChannelChange) (alert.Channel, error)
	DeleteChannel(ctx context.Context, o notify.Owner, id string) (alert.Channel, error)
	Test(ctx context.Context, o notify.Owner, id string) (alert.Channel, error)
	SendCode(ctx context.Context, o notify.Owner, id string) (alert.Channel, error)
	Confirm(ctx context.Context, o notify.Owner, id, code string) (alert.Channel, error)
	AddRule(ctx context.Context, o notify.Owner, change notify.RuleChange) (alert.Rule, error)
	ChangeRule(ctx context.Context, o notify.Owner, id string, change notify.RuleChange) (alert.Rule, error)
	DeleteRule(ctx context.Context, o notify.Owner, id string) (alert.Rule, error)
}

var _ Alerts = (*notify.Center)(nil)

// API answers /api/alerts.
type API struct {
	gate       *access.Gate
	alerts     Alerts
	trail      account.Trail
	alarmKinds []string
	log        *slog.Logger
	mux        *http.ServeMux
}

// New returns the API. trail may be nil; alarmKinds are those of the microscope
// that rules may be about.
func New(gate *access.Gate, alerts Alerts, trail account.Trail, alarmKinds []string, log *slog.Logger) *API {
	a := &API{gate: gate, alerts: alerts, trail: trail, alarmKinds: alarmKinds, log: log, mux: http.NewServeMux()}
	a.route("/api/alerts", map[string]handler{http.MethodGet: a.read})
	a.route("/api/alerts/channels", map[string]handler{http.MethodPost: a.proven(a.addChannel)})
	a.route("/api/alerts/channels/{id}", map[string]handler{http.MethodPatch: a.proven(a.changeChannel), http.MethodDelete: a.proven(a.deleteChannel)})
	a.route("/api/alerts/channels/{id}/test", map[string]handler{http.MethodPost: a.test})
	a.route("/api/alerts/channels/{id}/code", map[string]handler{http.MethodPost: a.sendCode})
	a.route("/api/alerts/channels/{id}/confirm", map[string]handler{http.MethodPost: a.confirm})
	a.route("/api/alerts/rules", map[string]handler{http.MethodPost: a.addRule})
	a.route("/api/alerts/rules/{id}", map[string]handler{http.MethodPatch: a.changeRule, http.MethodDelete: a.deleteRule})
	return a
}

// Patterns are the routes.
func (a *API) Patterns() []string { return []string{"/api/alerts", "/api/alerts/"} }

// ServeHTTP implements [http.Handler].
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.mux.ServeHTTP(w, r) }

// handler answers a request of somebody who is known.
type handler func(w http.ResponseWriter, r *http.Request, c caller)

// caller is who asks.
type caller struct {
	access.Viewer
	owner notify.Owner
}

// route answers one path: other methods get 405, and nobody but signed-in people
// and operators gets further.
func (a *API) route(pattern string, methods map[string]handler) {
	var allow []string
	for _, m := range []string{http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete} {
		if methods[m] == nil {
			continue
		}
		if allow = append(allow, m); m == http.MethodGet {
			allow = append(allow, http.MethodHead)
		}
	}
	a.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		method := r.Method
		if method == http.MethodHead {
			method = http.MethodGet
		}
		h := methods[method]
		if h == nil {
			w.Header().Set("Allow", strings.Join(allow, ", "))
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		serve := func(w http.ResponseWriter, r *http.Request, v access.Viewer) {
			h(w, r, caller{v, notify.Owner{UserID: v.UserID(), Operator: v.Operator()}})
		}
		if v := a.gate.Viewer(r); v.Session == nil && v.Operator() {
			a.gate.Operator(serve)(w, r) // this machine, or somebody with the token
			return
		}
		a.gate.User(serve)(w, r)
	})
}

// proven has whoever adds, changes or removes a channel of all operators prove
// who they are, as [access.Gate.Confirmed] does: it may hold another's secrets, and
// it decides where the pool's alerts go.
func (a *API) proven(h handler) handler {
	return func(w http.ResponseWriter, r *http.Request, c caller) {
		shared := c.owner.UserID == "" // what is added without an account is all operators'
		if id := r.PathValue("id"); id != "" {
			ch, err := a.alerts.Channel(r.Context(), c.owner, id)
			if err != nil && !errors.Is(err, alert.ErrNotFound) {
				a.fail(w, r, err)
				return
			}
			shared = err == nil && ch.UserID == ""
		}
		if !shared {
			h(w, r, c)
			return
		}
		a.gate.Confirmed(func(w http.ResponseWriter, r *http.Request, _ access.Viewer) { h(w, r, c) })(w, r)
	}
}

// record enters what somebody did into the audit trail.
func (a *API) record(r *http.Request, c caller, name, target, detail string, err error) {
	if a.trail == nil || errors.Is(err, alert.ErrNotFound) && !c.Operator() {
		return // what is not there tells nothing
	}
	action := c.Action(name, target, detail)
	action.At, action.Failed = time.Now(), err != nil
	a.trail.Record(r.Context(), action)
}

// fail answers with an error in words.
func (a *API) fail(w http.ResponseWriter, r *http.Request, err error) {
	code, text := http.StatusInternalServerError, "internal error"
	switch {
	case errors.Is(err, alert.ErrNotFound):
		code, text = http.StatusNotFound, "not found"
	case errors.Is(err, notify.ErrSettings):
		code, text = http.StatusBadRequest, strings.TrimPrefix(err.Error(), notify.ErrSettings.Error()+": ")
	case errors.Is(err, notify.ErrOperator), errors.Is(err, notify.ErrService), errors.Is(err, notify.ErrCode):
		code, text = http.StatusBadRequest, err.Error()
	case errors.Is(err, notify.ErrLimit):
		code, text = http.StatusConflict, err.Error()
	case errors.Is(err, notify.ErrTooMany):
		w.Header().Set("Retry-After", "3600")
		code, text = http.StatusTooManyRequests, "too many requests; try again in an hour"
	case errors.Is(err, notify.ErrTest):
		code, text = http.StatusBadGateway, err.Error()
	case r.Context().Err() != nil:
		return // nobody listens
	default:
		a.log.Error("request failed", "path", r.URL.Path, "err", err)
	}
	http.Error(w, text, code)
}
