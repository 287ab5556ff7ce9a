package api

import (
	"net/http"
	"net/http/pprof"
	"strconv"
)

// route is one entry of the HTTP interface. Its pattern is also its label in
// the metrics, so that no request can invent labels.
type route struct {
	pattern string
	serve   http.HandlerFunc
}

// table lists every route. All of them are read with GET or HEAD.
func (s *Server) table() []route {
	view := func(v *view) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { s.serveView(w, r, v) }
	}
	return []route{
		{"/api/overview", view(s.overview)},
		{"/api/pool-page", view(s.poolPage)},
		{"/api/node", view(s.node)},
		{"/api/server", view(s.server)},
		{"/api/pool-hashrate", s.serveHashrate},
		{"/api/blocks", s.serveBlocks},
		{"/api/status", view(s.status)},
		{"/api/history", s.serveHistory},
		{"/api/live", s.serveLive},
		{"/api/", notFound},
		{"/api", notFound},
		{"/healthz", s.serveHealth},
		{"/readyz", s.serveReady},
		{"/metrics", s.guard(s.serveMetrics)},
		{"/debug/pprof/", s.guard(pprof.Index)},
		{"/debug/pprof/cmdline", s.guard(notFound)}, // the command line may hold secrets
		{"/debug/pprof/profile", s.guard(pprof.Profile)},
		{"/debug/pprof/symbol", s.guard(pprof.Symbol)},
		{"/debug/pprof/trace", s.guard(pprof.Trace)},
		{"/debug/", s.guard(notFound)},
		{"/", s.static.serve},
	}
}

// routes puts the table behind one multiplexer. The method is checked here and
// not by the multiplexer's own patterns: with those, a POST to an API path
// would fall through to "/".
func (s *Server) routes() *http.ServeMux {
	mux := http.NewServeMux()
	for _, rt := range s.table() {
		mux.HandleFunc(rt.pattern, func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodGet && r.Method != http.MethodHead {
				w.Header().Set("Allow", "GET, HEAD")
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
	s.serveView(w, r, s.blocks[limit])
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
