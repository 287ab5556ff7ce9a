package api

import (
	"net/http"
	"net/http/pprof"
	"slices"
	"strconv"
	"strings"
)

// route is one entry of the HTTP interface. Its pattern is also its label in
// the metrics, so that no request can invent labels.
type route struct {
	pattern string
	serve   http.HandlerFunc
	methods []string // nil for GET and HEAD
}

// readOnly are the methods of a route that changes nothing.
var readOnly = []string{http.MethodGet, http.MethodHead}

// anyMethod are the methods of a route that checks them itself.
var anyMethod = []string{"*"}

// table lists every route.
func (s *Server) table() []route {
	routes := append(s.ownTable(), s.scopeTable()...)
	for _, part := range s.src.Parts {
		for _, pattern := range part.Patterns() {
			routes = append(routes, route{pattern: pattern, serve: part.ServeHTTP, methods: anyMethod})
		}
	}
	return routes
}

// scopeTable lists the routes of the scope, if there is one.
func (s *Server) scopeTable() []route {
	if s.src.Scope == nil {
		return nil
	}
	routes := []route{{pattern: "/docs", serve: s.serveDocs}}
	for _, pattern := range s.src.Scope.Patterns() {
		routes = append(routes, route{pattern: pattern, serve: s.src.Scope.ServeHTTP, methods: anyMethod})
	}
	return routes
}

// ownTable lists the routes of the pool, the page and the process.
func (s *Server) ownTable() []route {
	view := func(v *view) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { s.serveView(w, r, v) }
	}
	return []route{
		{pattern: "/api/overview", serve: s.serveOverview},
		{pattern: "/api/pool-page", serve: view(s.poolPage)},
		{pattern: "/api/node", serve: view(s.node)},
		{pattern: "/api/server", serve: view(s.server)},
		{pattern: "/api/pool-hashrate", serve: s.serveHashrate},
		{pattern: "/api/blocks", serve: s.serveBlocks},
		{pattern: "/api/status", serve: view(s.status)},
		{pattern: "/api/history", serve: s.serveHistory},
		{pattern: "/api/workers", serve: s.serveWorkers},
		{pattern: "/api/workers/{id}", serve: s.serveWorker},
		{pattern: "/api/workers/{id}/history", serve: s.serveWorkerHistory},
		{pattern: "/api/live", serve: s.serveLive},
		{pattern: "/api/bans", serve: protect(s.guard(s.serveBans)), methods: []string{http.MethodGet, http.MethodHead, http.MethodPost}},
		{pattern: "/api/bans/{address...}", serve: protect(s.guard(s.serveLiftBan)), methods: []string{http.MethodDelete}},
		{pattern: "/api/debug/capture", serve: protect(s.guard(s.serveCapture)), methods: []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodDelete}},
		{pattern: "/api/", serve: notFound},
		{pattern: "/api", serve: notFound},
		{pattern: "/healthz", serve: s.serveHealth},
		{pattern: "/readyz", serve: s.serveReady},
		{pattern: "/metrics", serve: s.guard(s.serveMetrics)},
		{pattern: "/debug/pprof/", serve: s.guard(pprof.Index)},
		{pattern: "/debug/pprof/cmdline", serve: s.guard(notFound)}, // the command line may hold secrets
		{pattern: "/debug/pprof/profile", serve: s.guard(pprof.Profile)},
		{pattern: "/debug/pprof/symbol", serve: s.guard(pprof.Symbol)},
		{pattern: "/debug/pprof/trace", serve: s.guard(pprof.Trace)},
		{pattern: "/debug/", serve: s.guard(notFound)},
		{pattern: "/", serve: s.static.serve},
	}
}

// routes puts the table behind one multiplexer. The method is checked here and
// not by the multiplexer's own patterns: with those, a POST to an API path
// would fall through to "/".
func (s *Server) routes() *http.ServeMux {
	mux := http.NewServeMux()
	for _, rt := range s.table() {
		methods := rt.methods
		if methods == nil {
			methods = readOnly
		}
		allow := strings.Join(methods, ", ")
		mux.HandleFunc(rt.pattern, func(w http.ResponseWriter, r *http.Request) {
			if !slices.Contains(methods, r.Method) && !slices.Equal(methods, anyMethod) {
				w.Header().Set("Allow", allow)
				http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
				return
			}
			rt.serve(w, r)
		})
	}
	return mux
}

func notFound(w http.ResponseWriter, _ *http.Request) {
	http.Error(w, "not found", http.StatusNotFound)
}

// serveOverview answers GET /api/overview.
func (s *Server) serveOverview(w http.ResponseWriter, r *http.Request) {
	s.serveNames(w, r, s.overview, func(m moment) any { return buildOverview(m) })
}

// serveHashrate answers GET /api/pool-hashrate. The contract knows one value
// of include_history, 1; every other means no.
func (s *Server) serveHashrate(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Get("include_history") == "1" {
		s.serveView(w, r, s.hashrateHistory)
		return
	}
	s.serveView(w, r, s.hashrate)
}

// serveBlocks answers GET /api/blocks. A limit that is not a number of 1 to
// 100 is refused: who asks for 1000 must not believe that the 10 blocks of a
// silent default are all there are.
func (s *Server) serveBlocks(w http.ResponseWriter, r *http.Request) {
	limit := defaultBlocks
	if q := r.URL.Query(); q.Has("limit") {
		n, err := strconv.Atoi(q.Get("limit"))
		if err != nil || n < minBlocks || n > maxBlocks {
			http.Error(w, "limit must be a number from 1 to 100", http.StatusBadRequest)
			return
		}
		limit = n
	}
	s.serveNames(w, r, s.blocks[limit], func(m moment) any { return buildBlocks(m, limit) })
}

// serveHistory answers GET /api/history.
func (s *Server) serveHistory(w http.ResponseWriter, r *http.Request) {
	v := s.history[r.URL.Query().Get("range")]
	if v == nil {
		http.Error(w, "range must be 6m, 24h or 30d", http.StatusBadRequest)
		return
	}
	s.serveView(w, r, v)
}
