package discordapi

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/poolscope/poolscope/internal/account"
	"github.com/poolscope/poolscope/internal/account/link"
	"github.com/poolscope/poolscope/internal/api"
	"github.com/poolscope/poolscope/internal/api/access"
)

// Links are what this package asks of the links. *link.Service is them.
type Links interface {
	NewCode(ctx context.Context, userID string) (code string, expires time.Time, err error)
	ClearCode(ctx context.Context, userID, code string) (cleared bool, err error)
	Link(ctx context.Context, userID string) (link.Link, error)
	SetEnabled(ctx context.Context, userID string, enabled bool) error
	Unlink(ctx context.Context, userID string) error
}

var _ Links = (*link.Service)(nil)

// Config says what there is.
type Config struct {
	Gate      *access.Gate
	Links     Links         // nil: Discord is not configured; all but GET /api/discord is answered with 404
	Trail     account.Trail // may be nil
	InviteURL string        // to the Discord server; "" for none
}

// API is the part of the HTTP interface.
type API struct {
	config Config
	log    *slog.Logger
	mux    *http.ServeMux
	routes []string
}

var _ api.Part = (*API)(nil)

// New returns the part.
func New(c Config, log *slog.Logger) *API {
	a := &API{config: c, log: log, mux: http.NewServeMux()}
	a.handle(http.MethodPost, "/api/discord/notify-enabled", a.configured(a.setEnabled))
	a.handle(http.MethodPost, "/api/saved-workers/one-time-code", a.configured(a.newCode))
	a.handle(http.MethodPost, "/api/saved-workers/one-time-code/clear", a.configured(a.clearCode))
	a.handle(http.MethodGet, "/api/discord", a.show)
	a.handle(http.MethodPost, "/api/discord/unlink", a.configured(a.unlink))
	return a
}

// Patterns implements [api.Part].
func (a *API) Patterns() []string { return a.routes }

func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.mux.ServeHTTP(w, r) }

// configured answers with 404 where there is no Discord.
func (a *API) configured(handler func(http.ResponseWriter, *http.Request, access.Viewer)) func(http.ResponseWriter, *http.Request, access.Viewer) {
	if a.config.Links != nil {
		return handler
	}
	return func(w http.ResponseWriter, _ *http.Request, _ access.Viewer) {
		http.Error(w, "not found", http.StatusNotFound)
	}
}

// handle registers a route of signed-in people: the method is checked first,
// then who asks.
func (a *API) handle(method, path string, handler func(http.ResponseWriter, *http.Request, access.Viewer)) {
	signedIn := a.config.Gate.User(handler)
	a.routes = append(a.routes, path)
	a.mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != method && (method != http.MethodGet || r.Method != http.MethodHead) {
			w.Header().Set("Allow", method)
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		signedIn(w, r)
	})
}

// setEnabled answers POST /api/discord/notify-enabled.
func (a *API) setEnabled(w http.ResponseWriter, r *http.Request, v access.Viewer) {
	body, ok := access.ReadBody(w, r)
	if !ok {
		return
	}
	enabled, given := body.Bool("enabled")
	if !given {
		http.Error(w, "missing enabled", http.StatusBadRequest)
		return
	}
	if err := a.config.Links.SetEnabled(r.Context(), v.UserID(), enabled); err != nil {
		a.fail(w, r, err)
		return
	}
	detail := "off"
	if enabled {
		detail = "on"
	}
	a.record(r, v, "discord.notify", "", detail)
	access.SendJSON(w, a.log, http.StatusOK, map[string]any{"ok": true, "enabled": enabled})
}

// newCode answers POST /api/saved-workers/one-time-code.
func (a *API) newCode(w http.ResponseWriter, r *http.Request, v access.Viewer) {
	code, expires, err := a.config.Links.NewCode(r.Context(), v.UserID())
	if err != nil {
		a.fail(w, r, err)
		return
	}
	a.record(r, v, "discord.code", "", "") // never the code itself
	access.SendJSON(w, a.log, http.StatusOK, map[string]any{"code": code, "expires_at": expires.UTC().Truncate(time.Millisecond)})
}

// clearCode answers POST /api/saved-workers/one-time-code/clear.
func (a *API) clearCode(w http.ResponseWriter, r *http.Request, v access.Viewer) {
	body, ok := access.ReadBody(w, r)
	if !ok {
		return
	}
	cleared, err := a.config.Links.ClearCode(r.Context(), v.UserID(), body.Text("code"))
	if err != nil {
		a.fail(w, r, err)
		return
	}
	access.SendJSON(w, a.log, http.StatusOK, map[string]any{"cleared": cleared})
}

// status is the response of GET /api/discord.
type status struct {
	Configured    bool      `json:"configured"` // whether the pool has a bot at Discord
	Registered    bool      `json:"registered"`
	NotifyEnabled bool      `json:"notify_enabled"`
	Name          string    `json:"name,omitempty"` // of the account at Discord when it was linked
	LinkedAt      time.Time `json:"linked_at,omitzero"`
	InviteURL     string    `json:"invite_url,omitempty"`
}

// show answers GET /api/discord, also where there is no Discord: every account's
// page asks, and for a browser a 404 is a fault.
func (a *API) show(w http.ResponseWriter, r *http.Request, v access.Viewer) {
	if a.config.Links == nil {
		access.SendJSON(w, a.log, http.StatusOK, status{})
		return
	}
	l, err := a.config.Links.Link(r.Context(), v.UserID())
	if err != nil && !errors.Is(err, link.ErrNotLinked) {
		a.fail(w, r, err)
		return
	}
	access.SendJSON(w, a.log, http.StatusOK, status{Configured: true, Registered: err == nil, NotifyEnabled: l.Enabled, Name: l.DiscordName, LinkedAt: l.Linked, InviteURL: a.config.InviteURL})
}

// unlink answers POST /api/discord/unlink.
func (a *API) unlink(w http.ResponseWriter, r *http.Request, v access.Viewer) {
	l, err := a.config.Links.Link(r.Context(), v.UserID())
	if err == nil {
		err = a.config.Links.Unlink(r.Context(), v.UserID())
	}
	if err != nil {
		a.fail(w, r, err)
		return
	}
	a.record(r, v, "discord.unlink", l.DiscordID, l.DiscordName)
	access.SendJSON(w, a.log, http.StatusOK, map[string]any{"ok": true})
}

// record keeps what a viewer did in the audit trail.
func (a *API) record(r *http.Request, v access.Viewer, name, target, detail string) {
	if a.config.Trail != nil {
		a.config.Trail.Record(r.Context(), v.Action(name, target, detail))
	}
}

// fail answers with what an error means.
func (a *API) fail(w http.ResponseWriter, r *http.Request, err error) {
	var tooMany *link.TooManyError
	switch {
	case errors.As(err, &tooMany):
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(tooMany.Wait.Seconds()))))
		http.Error(w, "too many requests", http.StatusTooManyRequests)
	case errors.Is(err, link.ErrNotLinked):
		http.Error(w, "not found", http.StatusNotFound)
	case errors.Is(err, link.ErrNoAccount): // removed a moment ago
		http.Error(w, "unauthorized", http.StatusUnauthorized)
	case r.Context().Err() != nil: // nobody waits for an answer
	default:
		a.log.Error("Discord link", "path", r.URL.Path, "err", err)
		http.Error(w, "internal error", http.StatusInternalServerError)
	}
}
