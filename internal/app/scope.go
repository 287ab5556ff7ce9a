package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/poolscope/poolscope/internal/api"
	"github.com/poolscope/poolscope/internal/api/access"
	"github.com/poolscope/poolscope/internal/api/scopeapi"
	"github.com/poolscope/poolscope/internal/config"
	"github.com/poolscope/poolscope/internal/fleet/hub"
	"github.com/poolscope/poolscope/internal/scope/audit"
	"github.com/poolscope/poolscope/internal/scope/capture"
	"github.com/poolscope/poolscope/internal/scope/journal"
	"github.com/poolscope/poolscope/internal/scope/relay"
	"github.com/poolscope/poolscope/internal/scope/replay"
	"github.com/poolscope/poolscope/internal/telemetry"
	"github.com/poolscope/poolscope/ui"
)

// journalDir is the journal's folder in the data folder.
const journalDir = "capture"

const mebibyte = 1 << 20

// scopeParts is everything that a scope is made of: what relays, keeps, checks
// and shows lines. In a pool it may be without a proxy, for the tap alone.
type scopeParts struct {
	cfg *config.Config
	log *slog.Logger

	listeners []net.Listener
	secure    []net.Listener // miners speak TLS there
	tls       *tls.Config    // theirs; to be set when there are any

	journal  *journal.Journal // nil without
	library  *journal.Library
	auditor  *audit.Auditor
	recorder *capture.Recorder
	relay    *relay.Server // nil without a proxy
	replay   *replay.Service
	live     *liveSessions
	feed     *scopeapi.Feed
	api      *scopeapi.API

	run        string     // name of this run, never empty
	fleet      *hub.Hub   // nil without relays
	fleetStore *hub.Store // nil without
}

// scopeSurroundings are what a scope needs of the program that it runs in.
type scopeSurroundings struct {
	build   telemetry.Build
	ownPool string // host:port of the pool in this program; "" without one
	chain   audit.Chain
	http    net.Addr // where the API is reached
	token   string
	people  *people // nil without accounts
}

// listenScope binds the addresses of the proxy, or takes those that another
// process left.
func listenScope(cfg *config.Config, inherited *Sockets, log *slog.Logger) (_ *scopeParts, err error) {
	s := &scopeParts{cfg: cfg, log: log.With("part", "scope")}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	for _, address := range cfg.Scope.Listen {
		l, err := inherited.listen(roleScope, address)
		if err != nil {
			return nil, err
		}
		s.listeners = append(s.listeners, l)
	}
	for _, address := range cfg.Scope.TLSListen {
		l, err := inherited.listen(roleScopeTLS, address)
		if err != nil {
			return nil, err
		}
		s.secure = append(s.secure, l)
	}
	return s, nil
}

// open makes the parts behind the addresses. After an error it holds on to
// nothing but the addresses.
func (s *scopeParts) open(o scopeSurroundings) error {
	upstreams, err := upstreamsOf(s.cfg, o.ownPool)
	if err != nil {
		return err
	}
	ownPools := s.cfg.Scope.OwnPools
	if o.ownPool != "" {
		ownPools = append(slices.Clone(ownPools), o.ownPool)
	}
	own, err := replay.OwnPools(ownPools)
	if err != nil {
		return fmt.Errorf("scope.own_pools: %w", err)
	}

	var sinks []capture.Sink
	var firstSeq uint64
	if s.cfg.Scope.Journal {
		if s.journal, err = journal.Open(journalConfigOf(s.cfg), s.log); err != nil {
			return fmt.Errorf("open journal: %w", err)
		}
		firstSeq = s.journal.LastSeq() + 1
		sinks = append(sinks, s.journal)
	}
	s.auditor = audit.New(audit.Config{
		Chain:   o.chain,
		Payouts: s.cfg.Scope.PayoutAddresses,
		OwnPool: o.ownPool,
		Rules:   audit.Rules{PoolSilent: silenceOf(s.cfg)},
	}, s.log)
	s.feed = scopeapi.NewFeed(scopeapi.FeedConfig{})
	s.live = &liveSessions{}
	s.replay = replay.New(replay.Config{Sessions: s.live, Store: s.live, Own: own, Log: s.log})
	if s.run = s.cfg.Scope.RunID; s.run == "" {
		s.run = capture.NewID()
	}
	if err := s.openFleet(); err != nil {
		return fmt.Errorf("fleet: %w", err)
	}
	sinks = append(sinks, s.auditor, s.feed, s.replay)
	if s.fleet != nil {
		sinks = append(sinks, s.fleet)
	}
	s.recorder = capture.New(captureConfigOf(s.cfg, s.auditor, firstSeq), s.log, sinks...)
	s.library = journal.NewLibrary(s.recorder.Store(), s.journal)
	if len(upstreams) > 0 {
		if s.relay, err = relay.New(relayConfigOf(s.cfg, upstreams), s.recorder, s.log); err != nil {
			return err
		}
	}
	s.live.relay, s.live.store, s.live.library = s.relay, s.recorder.Store(), s.library
	return nil
}

// serve makes the API. The tap is nil without a pool.
func (s *scopeParts) serve(o scopeSurroundings, tap scopeapi.Tap) {
	sources := scopeapi.Sources{
		Messages: s.library,
		Replay:   s.replay,
		Sessions: s.live,
		Audit:    audit.NewArchive(s.auditor, s.library),
		Recorder: s.recorder,
		Tap:      tap,
		Fleet:    s.fleetSource(),
		Parts: []scopeapi.Part{
			{Name: "audit", Status: func() any { return s.auditor.Status() }},
			{Name: "replay", Status: func() any { return s.replay.Status() }},
		},
	}
	if s.journal != nil {
		sources.Parts = append(sources.Parts, scopeapi.Part{Name: "journal", Status: func() any { return s.journal.Stats() }})
	}
	if s.fleet != nil {
		sources.Parts = append(sources.Parts, scopeapi.Part{Name: "fleet", Status: func() any { return s.fleet.Counts() }})
	}
	if own, ok := tap.(tapSwitch); ok {
		sources.Parts = append(sources.Parts, scopeapi.Part{Name: "tap", Status: func() any { return own.pool.Tap() }})
	}
	if s.relay != nil {
		sources.Parts = append(sources.Parts, scopeapi.Part{Name: "relay", Status: func() any { return s.relay.Stats() }})
	}
	config := scopeapi.Config{
		Token: o.token, Public: o.http != nil && !access.IsLoopback(o.http.String()) || access.IsPublic(s.cfg.HTTP.PublicURL), Version: o.build.Version, Settings: s.settings(o),
	}
	if o.people != nil {
		config.Gate, config.Trail = o.people.gate, o.people.accounts
	}
	s.api = scopeapi.New(config, sources, s.feed, s.log)
}

// keeping is the stage that must outlive the rest: what was captured is written
// down last.
func (s *scopeParts) keeping() []stage {
	stages := []stage{{{"capture", s.recorder.Run}, {"audit", s.auditor.Run}}}
	if s.journal != nil {
		stages = slices.Insert(stages, 0, stage{{"journal", s.journal.Run}})
	}
	return stages
}

// front is what faces miners and pools.
func (s *scopeParts) front() stage {
	parts := stage{{"replay", s.replay.Run}}
	if s.fleet != nil {
		parts = append(parts, part{"fleet", s.fleet.Run})
	}
	options := relay.ListenerOptions{ProxyProtocol: s.cfg.Scope.AcceptProxy, TrustedProxies: s.cfg.Scope.Proxies()}
	for _, l := range s.listeners {
		parts = append(parts, part{"scope listener", func(ctx context.Context) error { return s.relay.Serve(ctx, l, options) }})
	}
	secure := options
	secure.TLS = s.tls
	for _, l := range s.secure {
		parts = append(parts, part{"scope TLS listener", func(ctx context.Context) error { return s.relay.Serve(ctx, l, secure) }})
	}
	return parts
}

// close releases what listenScope and open took; parts that ran have ended by
// then.
func (s *scopeParts) close() {
	for _, l := range slices.Concat(s.listeners, s.secure) {
		_ = l.Close()
	}
	s.closeFleet(s.log)
	if s.journal != nil {
		if err := closeInTime(s.journal.Close); err != nil {
			s.log.Error("journal not closed cleanly", "err", err)
		}
	}
}

// address is where miners connect to, "" without a proxy.
func (s *scopeParts) address() string {
	if all := slices.Concat(s.listeners, s.secure); len(all) > 0 {
		return all[0].Addr().String()
	}
	return ""
}

// settings are what GET /api/config shows.
func (s *scopeParts) settings(o scopeSurroundings) scopeapi.Settings {
	c := &s.cfg.Scope
	out := scopeapi.Settings{
		RunID: s.run, NostrEnabled: s.fleet != nil, CaptureMaxMessages: c.CaptureMaxMessages, CaptureMaxPerSession: c.CaptureMaxPerSession,
		Journal: s.journal != nil, KeepPasswords: c.KeepPasswords, LoadTests: o.ownPool != "" || len(c.OwnPools) > 0, Version: o.build.Version,
	}
	out.ListenHost, out.ListenPort = hostAndPort(s.address())
	if o.http != nil {
		_, out.APIPort = hostAndPort(o.http.String())
	}
	if s.relay != nil {
		for i, upstream := range s.relay.Stats().Upstreams {
			out.Pools = append(out.Pools, upstream.Upstream.String())
			if i == 0 {
				u := upstream.Upstream
				scheme := "stratum+tcp://"
				if u.TLS {
					scheme = "stratum+ssl://"
				}
				out.PoolHost, out.PoolPort = scheme+u.Host, int(u.Port)
			}
		}
	}
	return out
}

func hostAndPort(address string) (host string, port int) {
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0
	}
	port, _ = strconv.Atoi(text) // what a socket says of itself is a number
	return host, port
}

// upstreamsOf are the pools that miners are passed on to; the one in this
// program when none is configured and there is a proxy.
func upstreamsOf(cfg *config.Config, ownPool string) ([]relay.Upstream, error) {
	c := &cfg.Scope
	if len(c.Listen)+len(c.TLSListen) == 0 {
		return nil, nil
	}
	texts := c.Pools
	if len(texts) == 0 {
		if ownPool == "" {
			return nil, &config.InvalidError{Problems: []config.Problem{{Key: "scope.pools", Message: "must name a pool: this one has no plain Stratum address that the scope could pass miners on to"}}}
		}
		texts = []string{ownPool}
	}
	var all []relay.Upstream
	for _, text := range texts {
		u, err := relay.ParseUpstream(text)
		if err != nil {
			return nil, fmt.Errorf("scope.pools: %w", err)
		}
		u.Insecure, u.ProxyProtocol = c.Insecure, c.SendProxy
		all = append(all, u)
	}
	return all, nil
}

func relayConfigOf(cfg *config.Config, upstreams []relay.Upstream) relay.Config {
	return relay.Config{
		Upstreams:      upstreams,
		ConnectTimeout: cfg.Scope.ConnectTimeout,
		MaxConnections: cfg.Scope.MaxConnections,
		Reconnect:      relay.ReconnectMode(cfg.Scope.Reconnect),
	}
}

// gatherLines is how long captured lines may come together before they are
// looked at: what people and the journal see is later by as much, and whoever
// relays is spared a switch of threads for each line.
const gatherLines = time.Millisecond

func captureConfigOf(cfg *config.Config, analyst capture.Analyst, firstSeq uint64) capture.Config {
	limits := capture.DefaultLimits()
	limits.Messages, limits.PerSession = cfg.Scope.CaptureMaxMessages, cfg.Scope.CaptureMaxPerSession
	limits.Bytes = cfg.Scope.CaptureMaxMegabytes * mebibyte
	return capture.Config{
		Limits: limits, MaxLine: cfg.Scope.CaptureMaxLine, KeepPasswords: cfg.Scope.KeepPasswords,
		Analyst: analyst, FirstSeq: firstSeq, Gather: gatherLines,
	}
}

// silenceOf is the time without a job that is an alarm; below zero for never.
func silenceOf(cfg *config.Config) time.Duration {
	if cfg.Scope.SilenceAfter == 0 {
		return -1
	}
	return cfg.Scope.SilenceAfter
}

func journalConfigOf(cfg *config.Config) journal.Config {
	c := &cfg.Scope
	return journal.Config{
		Dir: filepath.Join(cfg.DataDir, journalDir), MaxAge: c.JournalKeepFor,
		MaxSize: int64(c.JournalMaxMegabytes) * mebibyte, MinFree: int64(c.JournalMinFreeMegabytes) * mebibyte,
	}
}

// faults are what keeps a scope without a pool from being of use.
func (s *scopeParts) faults() (all []api.Fault) {
	upstreams := s.relay.Stats().Upstreams
	if !slices.ContainsFunc(upstreams, func(u relay.UpstreamStats) bool { return u.Healthy }) {
		all = append(all, api.Fault{Check: "upstream", Reason: "no pool could be connected to: " + upstreams[0].LastError})
	}
	if s.journal != nil {
		if stats := s.journal.Stats(); stats.State != journal.StateOK {
			all = append(all, api.Fault{Check: "journal", Reason: "captured lines are not kept on disk: " + stats.LastError})
		}
	}
	return all
}

// liveSessions finds the sessions that are relayed now.
type liveSessions struct {
	relay   *relay.Server // nil without a proxy
	store   *capture.Store
	library *journal.Library
}

// Live returns a session that is relayed now.
func (l *liveSessions) Live(id string) (replay.Live, bool) {
	if l.relay == nil {
		return nil, false
	}
	return l.relay.Session(id)
}

// Session returns what is known of a session, live or ended, in memory or in the
// journal.
func (l *liveSessions) Session(id string) (capture.Session, bool) {
	if s, ok := l.store.Session(id); ok {
		return s, true
	}
	s, err := l.library.Session(context.Background(), id)
	return s, err == nil
}

// Disconnect closes both sides of a session.
func (l *liveSessions) Disconnect(id string) bool {
	if l.relay == nil {
		return false
	}
	s, ok := l.relay.Session(id)
	if ok {
		s.Disconnect(relay.ReasonDisconnected)
	}
	return ok
}

var (
	_ replay.Sessions       = (*liveSessions)(nil)
	_ replay.Store          = (*liveSessions)(nil)
	_ scopeapi.Disconnecter = (*liveSessions)(nil)
)

// RunScope runs a scope in front of other pools until ctx ends.
func RunScope(ctx context.Context, cfg *config.Config, build telemetry.Build, log *slog.Logger, out io.Writer) (err error) {
	paceGarbage(int64(cfg.Scope.CaptureMaxMegabytes) * mebibyte)
	release, err := openDataDir(cfg.DataDir)
	if err != nil {
		return err
	}
	defer release()
	for _, warning := range cfg.Warnings() {
		log.Warn("configuration", "warning", warning)
	}
	s, err := listenScope(cfg, nil, log)
	if err != nil {
		return err
	}
	defer s.close()
	if len(s.secure) > 0 || cfg.HTTP.TLSListen != "" {
		if s.tls, err = ownTLS(cfg); err != nil {
			return err
		}
	}
	web, err := listen("HTTP", "--http", cfg.HTTP.Listen)
	if err != nil {
		return err
	}
	defer web.Close()
	var secureWeb net.Listener
	if cfg.HTTP.TLSListen != "" {
		if secureWeb, err = listen("HTTPS", "http.tls_listen", cfg.HTTP.TLSListen); err != nil {
			return err
		}
		defer secureWeb.Close()
	}
	token, made, err := scopeToken(cfg)
	if err != nil {
		return err
	}

	books, err := openStore(ctx, filepath.Join(cfg.DataDir, scopeAccounts), log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeInTime(books.Close)) }()
	who, err := openPeople(ctx, cfg, books, log)
	if err != nil {
		return err
	}

	o := scopeSurroundings{build: build, http: web.Addr(), token: token, people: who}
	chain, nodeParts, err := scopeNodes(cfg, log)
	if err != nil {
		return err
	}
	if chain != nil {
		o.chain = chain
	}
	if err := s.open(o); err != nil {
		return err
	}
	s.serve(o, nil)
	sampler := telemetry.NewSampler(sampleEvery)
	server := api.New(api.Config{UI: ui.FS(), Token: cfg.HTTP.Token.Reveal(), Proxies: cfg.HTTP.Proxies()}, api.Sources{
		System: sampler.System, Build: build, Scope: s.api, Faults: s.faults,
		Gate: who.gate, Trail: who.accounts, Parts: who.parts(log), Figures: []func() []api.Figure{who.figures},
	}, log.With("part", "http"))

	ports := &Ports{HTTP: web.Addr().String(), Scope: s.address()}
	if err := ports.write(cfg.DataDir); err != nil {
		return err
	}
	printAddresses(out, "poolscope scope "+build.Version, cfg.DataDir, ports)
	for _, upstream := range s.relay.Stats().Upstreams {
		fmt.Fprintf(out, "  passes on to  %s\n", upstream.Upstream)
	}
	s.printFleet(out)
	printToken(out, token, made)
	who.print(out)
	log.Info("scope started", "version", build.Version, "miners", s.address(), "http", ports.HTTP)

	front := slices.Concat(s.front(), stage{{"system sampler", sampler.Run}}, who.asking(log), webParts(server, web, secureWeb, s.tls), nodeParts)
	return runStages(ctx, log, append(append(s.keeping(), stage{who.keeping(log)}), front)...)
}

// scopeToken is the configured token, or else one that was made for this data
// folder.
func scopeToken(cfg *config.Config) (token string, made bool, err error) {
	if token := cfg.HTTP.Token.Reveal(); token != "" {
		return token, false, nil
	}
	return scopeapi.LoadOrMakeToken(cfg.DataDir)
}

// printToken shows a new token to the person who started the program, once.
func printToken(out io.Writer, token string, made bool) {
	if made {
		fmt.Fprintf(out, "  access token for everything that changes or sends, shown this once: %s\n", token)
	}
}

// ownTLS is TLS with the configured certificate, or one of our own making.
func ownTLS(cfg *config.Config) (*tls.Config, error) {
	certificate, err := certificateOf(cfg, time.Now())
	if err != nil {
		return nil, err
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: certificate.GetCertificate}, nil
}
