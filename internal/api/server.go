package api

import (
	"compress/gzip"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/poolscope/poolscope/internal/api/access"
	"github.com/poolscope/poolscope/internal/ledger"
	"github.com/poolscope/poolscope/internal/telemetry"
)

// Config of a Server. The zero value of each field stands for its default.
type Config struct {
	// UI holds the page, index.html at its root; nil serves none.
	UI fs.FS
	// Token protects what is not public pool statistics: /metrics,
	// /debug/pprof/, names in full. Empty lets clients on this machine in, those
	// who know the scope's token, and signed-in operators. With one, addresses of
	// the operator's own network are left out of /api/status.
	Token string
	// Proxies are trusted to tell in X-Forwarded-For whose requests they pass on.
	Proxies []netip.Prefix
	// MaxLive bounds the number of WebSockets; default 1000.
	MaxLive int
	// MaxConnections bounds the number of HTTP connections; default 4096.
	MaxConnections int
	// StaleTemplate is the age from which a template makes the pool not
	// ready; default 90 s, three times the node package's heartbeat.
	StaleTemplate time.Duration
	// Now is the clock; default time.Now.
	Now func() time.Time
}

// Limits of the HTTP server.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 15 * time.Second
	writeTimeout      = 30 * time.Second
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 16 << 10
	maxBodyBytes      = 64 << 10
	// shutdownTimeout is how long requests in flight may take to end. The whole
	// program has two seconds.
	shutdownTimeout = 400 * time.Millisecond
)

// Server answers HTTP requests from read models. Its methods may be called by
// any goroutine.
type Server struct {
	cfg     Config
	src     Sources
	log     *slog.Logger
	started time.Time
	now     func() time.Time

	static  *static
	hub     *hub
	metrics *serverMetrics
	gate    *access.Gate
	token   atomic.Pointer[string] // Config.Token, until SetToken
	panics  atomic.Uint64
	refused atomic.Uint64 // connections above MaxConnections
	handler http.Handler

	// The views by what they answer; the sets are fixed here.
	overview, poolPage, node, server *view
	hashrate, hashrateHistory        *view
	status                           *view
	blocks                           [maxBlocks + 1]*view // by limit; index 0 is not used
	history                          map[string]*view     // by range
	workers                          struct{ public, full *view }

	directory directory
	shelf     *shelf        // charts of workers
	pages     chan struct{} // holds a value for each worker that is looked up
}

// New returns a server for the sources. It starts nothing.
func New(cfg Config, src Sources, log *slog.Logger) *Server {
	if cfg.MaxLive <= 0 {
		cfg.MaxLive = 1000
	}
	if cfg.MaxConnections <= 0 {
		cfg.MaxConnections = 4096
	}
	if cfg.StaleTemplate <= 0 {
		cfg.StaleTemplate = 90 * time.Second
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}

	s := &Server{cfg: cfg, src: src, log: log, started: cfg.Now(), now: cfg.Now, shelf: newShelf(), pages: make(chan struct{}, maxPages)}
	if s.gate = src.Gate; s.gate == nil {
		s.gate = access.NewGate(nil)
	}
	s.SetToken(cfg.Token)
	s.makeViews()
	s.static = newStatic(cfg.UI, log)
	s.hub = newHub(cfg.MaxLive, s.liveTopics(), s.now, log)
	s.metrics = newServerMetrics(s)
	if src.Scope != nil {
		src.Scope.Document(documented())
	}
	s.handler = s.middleware(s.routes())
	return s
}

// SetToken replaces Config.Token, from the next request on, and takes over the
// scope's.
func (s *Server) SetToken(token string) {
	scope := ""
	if s.src.Scope != nil {
		scope = s.src.Scope.Token()
	}
	s.token.Store(&token)
	s.gate.SetTokens(token, scope)
}

// makeViews makes the fixed set of cached responses.
func (s *Server) makeViews() {
	plain := func(build func(m moment) any) func(time.Time) (any, error) {
		return func(now time.Time) (any, error) { return build(s.read(now)), nil }
	}
	s.overview = newView(periodOverview, func(now time.Time) (any, error) {
		began := time.Now()
		page := buildOverview(s.read(now))
		page.RenderDuration = time.Since(began).Nanoseconds()
		return page, nil
	})
	s.poolPage = newView(periodPoolPage, plain(func(m moment) any { return buildPoolPage(m) }))
	s.node = newView(periodNode, plain(func(m moment) any { return buildNodePage(m) }))
	s.server = newView(periodServer, plain(func(m moment) any { return buildServerPage(m, s.system()) }))
	s.hashrate = newView(periodHashrate, plain(func(m moment) any { return buildHashrate(m, false) }))
	s.hashrateHistory = newView(periodHashrate, plain(func(m moment) any { return buildHashrate(m, true) }))
	s.status = newView(periodStatus, plain(func(m moment) any { return s.buildStatus(m) }))
	s.workers.public = newView(periodWorkers, plain(func(m moment) any { return buildWorkers(m, false) }))
	s.workers.full = newView(periodWorkers, plain(func(m moment) any { return buildWorkers(m, true) }))
	s.workers.public.level, s.workers.full.level = gzip.BestSpeed, gzip.BestSpeed // megabytes, every few seconds
	for limit := minBlocks; limit <= maxBlocks; limit++ {
		s.blocks[limit] = newView(periodBlocks, plain(func(m moment) any { return buildBlocks(m, limit) }))
		s.blocks[limit].edition = s.blocksEdition
	}
	s.history = make(map[string]*view)
	for _, hr := range historyRanges() {
		s.history[hr.name] = newView(hr.every, func(now time.Time) (any, error) { return s.buildHistory(now, ledger.PoolName, hr) })
	}
}

// blocksEdition changes with the list of blocks: who has seen a block through
// /api/live finds it in /api/blocks, too. The ledger makes a new list for each
// change, so its place in memory tells them apart.
func (s *Server) blocksEdition() any {
	if blocks := s.read(s.now()).ledger.Blocks; len(blocks) > 0 {
		return &blocks[0]
	}
	return nil
}

// liveTopics are the views that /api/live sends, as of each second. There the
// overview's render_duration is 0: it would differ each time although nothing
// else does.
func (s *Server) liveTopics() []topic {
	return []topic{
		{"overview", func(now time.Time) any { return buildOverview(s.read(now)) }},
		{"hashrate", func(now time.Time) any { return buildHashrate(s.read(now), false) }},
		{"blocks", func(now time.Time) any { return buildBlocks(s.read(now), defaultBlocks) }},
		{"status", func(now time.Time) any { return s.buildStatus(s.read(now)) }},
	}
}

func (s *Server) buildStatus(m moment) *statusPage {
	return buildStatus(m, s.src.Build.Version, *s.token.Load() != "")
}

// system returns the latest sample of the process, zeros when nobody samples.
func (s *Server) system() telemetry.System {
	if s.src.System == nil {
		return telemetry.System{}
	}
	return s.src.System()
}

// Handler returns the whole HTTP interface, for a test or another server.
func (s *Server) Handler() http.Handler { return s.handler }

// Serve answers requests on ln until ctx ends, then lets those in flight end
// within 0.4 s, says goodbye to WebSockets, closes ln and returns nil. It
// returns an error when ln fails before that. It may be called for several
// listeners at once.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	return s.serve(ctx, ln, s.handler)
}

// ServeRedirect sends whoever asks on ln to HTTPS on the port of secure, with
// 307, so that a POST stays one. It ends as Serve does.
func (s *Server) ServeRedirect(ctx context.Context, ln net.Listener, secure net.Addr) error {
	_, port, err := net.SplitHostPort(secure.String())
	if err != nil {
		return err
	}
	return s.serve(ctx, ln, redirectToHTTPS(port))
}

func (s *Server) serve(ctx context.Context, ln net.Listener, handler http.Handler) error {
	// Requests, and with them WebSockets, see base end.
	base, cancel := context.WithCancel(ctx)
	defer cancel()
	srv := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		BaseContext:       func(net.Listener) context.Context { return base },
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}

	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(newLimitListener(ln, s.cfg.MaxConnections, &s.refused)) }()
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
	}

	cancel()
	grace, stop := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer stop()
	if srv.Shutdown(grace) != nil {
		// Somebody is slow; all that can be done is to hang up.
		_ = srv.Close()
	}
	s.hub.wait(grace)
	if s.src.Scope != nil {
		s.src.Scope.Wait(grace)
	}
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return err
}
