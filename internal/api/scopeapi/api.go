package scopeapi

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// API answers the scope's requests. Its methods may be called by any goroutine.
type API struct {
	cfg     Config
	src     Sources
	log     *slog.Logger
	started time.Time
	token   atomic.Pointer[string]
	feed    *Feed
	cross   *http.CrossOriginProtection
	metrics metrics

	mux        *http.ServeMux
	operations []operation
	document   document

	refusals refusals
	panics   atomic.Uint64
}

// New returns the scope's API. It starts nothing. The feed is to be one of the
// recorder's sinks; nil stands for one that nobody feeds.
func New(cfg Config, src Sources, feed *Feed, log *slog.Logger) *API {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if feed == nil {
		feed = NewFeed(FeedConfig{})
	}
	a := &API{
		cfg:     cfg,
		src:     src,
		log:     log,
		started: cfg.Now(),
		feed:    feed,
		cross:   http.NewCrossOriginProtection(),
		metrics: newMetrics(),
		mux:     http.NewServeMux(),
	}
	a.SetToken(cfg.Token)
	api := humago.New(a.mux, huma.Config{OpenAPI: a.describe()})
	a.operations = a.table(api.OpenAPI().Components.Schemas)
	for _, op := range a.operations {
		if op.Path != openAPIPath {
			api.OpenAPI().AddOperation(&op.Operation)
		}
		api.Adapter().Handle(&op.Operation, func(ctx huma.Context) {
			r, w := humago.Unwrap(ctx)
			a.answer(&op, w, r)
		})
	}
	a.document.api = api.OpenAPI()
	return a
}

// SetToken replaces Config.Token, from the next request on.
func (a *API) SetToken(token string) { a.token.Store(&token) }

// Token is the token, for who else lets its holders in; "" without.
func (a *API) Token() string { return *a.token.Load() }

// Wait waits until the WebSockets have ended, whose requests have, or ctx ends.
func (a *API) Wait(ctx context.Context) { a.feed.Wait(ctx) }

// Patterns are what a server is to send here, as http.ServeMux takes them.
func (a *API) Patterns() []string {
	patterns := []string{openAPIPath, healthPath}
	for _, root := range []string{"agents", "alarms", "compare", "config", "fleet", "messages", "scope", "sessions", "ws"} {
		patterns = append(patterns, "/api/"+root, "/api/"+root+"/")
	}
	return patterns
}

// Routes are the patterns that ServeHTTP leaves in Request.Pattern, for metrics.
func (a *API) Routes() []string {
	routes := make([]string, len(a.operations))
	for i, op := range a.operations {
		routes[i] = op.Method + " " + op.Path
	}
	return routes
}

// operation is one method of one path: what the document says, and who answers.
type operation struct {
	huma.Operation
	body  *huma.Schema // of the request, nil for none
	exact bool         // members that the body's schema does not have are refused
	guard guard
	serve func(c *call) error
}

// ServeHTTP answers a request.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	out := &response{ResponseWriter: w}
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		if p == http.ErrAbortHandler { //nolint:errorlint // the value itself, as net/http has it
			panic(p)
		}
		a.panics.Add(1)
		a.log.Error("request panicked", "path", r.URL.Path, "panic", p, "stack", string(debug.Stack()))
		if out.started {
			// The client must not take half a response for a whole one.
			panic(http.ErrAbortHandler)
		}
		a.sendFailure(out, errInternal)
	}()
	if _, pattern := a.mux.Handler(r); pattern == "" {
		a.sendFailure(out, a.unrouted(out, r))
		return
	}
	a.mux.ServeHTTP(out, r)
}

// unrouted says why there is no route: no such path, or not with this method.
// A path that is known but for a slash at its end is sent there.
func (a *API) unrouted(w http.ResponseWriter, r *http.Request) error {
	if allowed := a.methods(r, *r.URL); len(allowed) > 0 {
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		return errMethod
	}
	bare := *r.URL
	bare.Path, bare.RawPath = strings.TrimRight(bare.Path, "/"), strings.TrimRight(bare.RawPath, "/")
	if bare.Path != r.URL.Path && len(a.methods(r, bare)) > 0 {
		w.Header().Set("Location", bare.RequestURI())
		return &failure{http.StatusTemporaryRedirect, nil}
	}
	return errNotFound
}

// methods are those that a path takes.
func (a *API) methods(r *http.Request, at url.URL) (allowed []string) {
	probe := r.Clone(r.Context())
	probe.URL = &at
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		probe.Method = method
		if _, pattern := a.mux.Handler(probe); pattern != "" {
			allowed = append(allowed, method)
		}
	}
	return allowed
}

// answer serves one operation: access, parameters, body, then the handler.
func (a *API) answer(op *operation, w http.ResponseWriter, r *http.Request) {
	bySession, err := a.admit(op, w, r)
	if err != nil {
		a.sendFailure(w, err)
		return
	}
	c := &call{api: a, w: w, r: r, bySession: bySession}
	err = c.read(op)
	if err == nil {
		err = op.serve(c)
	}
	a.record(op, r, err)
	if err != nil {
		a.sendFailure(w, err)
	}
}

// sendFailure answers with an error, if nothing was sent yet.
func (a *API) sendFailure(w http.ResponseWriter, err error) {
	var f *failure
	if !errors.As(err, &f) {
		a.log.Error("request failed", "err", err)
		_ = errors.As(errInternal, &f)
	}
	if out, ok := w.(*response); ok && out.started {
		// The client must not take half a response for a whole one.
		panic(http.ErrAbortHandler)
	}
	w.Header().Del("Content-Disposition")
	w.Header().Del("Trailer")
	if f.status == http.StatusTemporaryRedirect {
		w.WriteHeader(f.status)
		return
	}
	sendError(w, f)
}

// response notes whether something was sent.
type response struct {
	http.ResponseWriter
	started bool
}

// WriteHeader sends the header.
func (r *response) WriteHeader(status int) {
	r.started = true
	r.ResponseWriter.WriteHeader(status)
}

// Write sends a part of the body.
func (r *response) Write(b []byte) (int, error) {
	r.started = true
	return r.ResponseWriter.Write(b)
}

// Unwrap gives the WebSocket library and http.ResponseController what is below.
func (r *response) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// call is one request on its way through an operation.
type call struct {
	api    *API
	w      http.ResponseWriter
	r      *http.Request
	values map[string]any // parameters that were given, or have a default
	body   map[string]any // members of the body that were given

	bySession bool // who asks was let in since they are signed in
}

// json answers with a value.
func (c *call) json(value any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return c.raw(body)
}

// raw answers with JSON text.
func (c *call) raw(body []byte) error {
	c.header("application/json")
	// A client that went away is no news.
	_, _ = c.w.Write(body)
	return nil
}

func (c *call) header(contentType string) {
	h := c.w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Cache-Control", "no-store")
}

// path is a part of the path.
func (c *call) path(name string) string { return c.r.PathValue(name) }

func (c *call) text(name string) string {
	s, _ := c.values[name].(string)
	return s
}

func (c *call) integer(name string) int {
	n, _ := c.values[name].(int64)
	return int(n)
}

func (c *call) time(name string) time.Time {
	t, _ := c.values[name].(time.Time)
	return t
}
