package app

import (
	"cmp"
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
	"sync/atomic"
	"time"

	"github.com/poolscope/poolscope/internal/abuse"
	"github.com/poolscope/poolscope/internal/account/saved"
	"github.com/poolscope/poolscope/internal/api"
	"github.com/poolscope/poolscope/internal/api/adminapi"
	"github.com/poolscope/poolscope/internal/backup"
	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/config"
	"github.com/poolscope/poolscope/internal/ledger"
	"github.com/poolscope/poolscope/internal/node"
	"github.com/poolscope/poolscope/internal/notify"
	"github.com/poolscope/poolscope/internal/pool"
	"github.com/poolscope/poolscope/internal/price"
	"github.com/poolscope/poolscope/internal/store"
	"github.com/poolscope/poolscope/internal/telemetry"
	"github.com/poolscope/poolscope/ui"
)

// sampleEvery is the time between two looks at the system's load and memory.
const sampleEvery = 2 * time.Second

// PoolOptions are what a pool needs of the program that it runs in.
type PoolOptions struct {
	Config *config.Config
	// Source is what Config was read from, and will be read from again.
	Source config.Source
	Logs   *telemetry.Logs
	Build  telemetry.Build
	// Out is told what a person needs to know.
	Out io.Writer

	// Requests are the operator's, while the pool runs.
	Requests <-chan Request
	// Program is what an upgrade starts.
	Program Program
	// Inherited are the sockets that TakeSockets found.
	Inherited *Sockets
}

// RunPool runs a pool until ctx ends: node client, Stratum, books and HTTP. At
// an upgrade it does not return: the new program takes its place.
func RunPool(ctx context.Context, o PoolOptions) error {
	next, err := runPool(ctx, o)
	if next == nil || ctx.Err() != nil {
		return errors.Join(err, next.drop())
	}
	if err != nil {
		o.Logs.Logger().Error("failure before the upgrade", "err", err)
	}
	return o.Program.become(next)
}

// runPool returns the sockets to hand over when an upgrade was asked for.
func runPool(ctx context.Context, o PoolOptions) (next *Sockets, err error) {
	cfg, log := o.Config, o.Logs.Logger()
	release, err := openDataDir(cfg.DataDir)
	if err != nil {
		return nil, err
	}
	defer release()
	for _, warning := range cfg.Warnings() {
		log.Warn("configuration", "warning", warning)
	}
	p := &poolParts{cfg: cfg, log: log, logs: o.Logs, inherited: o.Inherited, source: o.Source, calls: make(chan func(context.Context, *desk))}
	if err := p.bind(ctx, o.Build); err != nil {
		return nil, err
	}
	defer p.close()
	p.paceGarbage()
	ports := p.ports()
	if err := ports.write(cfg.DataDir); err != nil {
		return nil, err
	}
	printAddresses(o.Out, "poolscope pool "+o.Build.Version, cfg.DataDir, ports)
	p.scope.printFleet(o.Out)
	printToken(o.Out, p.newToken, p.newToken != "")
	p.people.print(o.Out)
	log.Info("pool started", "version", o.Build.Version, "stratum", p.stratumAddresses(), "http", ports.HTTP)
	tellSystemd(log, "READY=1")
	stopping := context.AfterFunc(ctx, func() {
		log.Info("pool stops: miners are told")
		tellSystemd(log, "STOPPING=1")
	})
	defer stopping()

	ctx, stop := context.WithCancel(ctx)
	defer stop()
	desk := &desk{pool: p, load: o.Source.Load, calls: p.calls, program: o.Program, requests: o.Requests, stop: stop}
	err = runStages(ctx, log, append(p.keeping(), append(p.front(), part{"operator's desk", desk.run}))...)
	if desk.handOver != nil {
		p.leave()
	}
	return desk.handOver, err
}

// poolParts is everything that a pool is made of, bound and ready to run.
type poolParts struct {
	cfg     *config.Config                // in force; a reload replaces it
	inForce atomic.Pointer[config.Config] // cfg, for other goroutines than the desk's
	source  config.Source
	calls   chan func(context.Context, *desk) // to the operator's desk; nil without one
	log     *slog.Logger
	logs    *telemetry.Logs // nil where a test has none
	reloads reloads
	store   *store.SQLite
	people  *people
	ledger  *ledger.Ledger
	nodes   *node.Nodes
	watch   *abuse.Watch
	scope   *scopeParts
	pool    *pool.Pool
	feed    *feed
	sampler *telemetry.Sampler
	price   *price.Feed   // nil without
	discord *discordParts // nil without
	backups *backup.Service
	alerts  *notify.Center
	api     *api.Server
	admin   *adminapi.API
	saved   *saved.Service

	inherited  *Sockets // nil without
	stratum    []net.Listener
	stratumTLS []net.Listener
	listeners  []net.Listener // in the order of cfg.Listeners
	http       net.Listener
	https      net.Listener // nil without
	tls        *tls.Config  // nil without TLS
	cert       atomic.Pointer[pool.Certificate]
	newToken   string // the scope's access token when it was made just now
}

// bind takes the addresses and makes what is behind them. After an error it
// holds on to nothing.
func (p *poolParts) bind(ctx context.Context, build telemetry.Build) error {
	err := p.listen()
	if err == nil {
		err = p.open(ctx, build)
	}
	if err != nil {
		p.close()
	}
	return err
}

// open makes the parts behind the addresses.
func (p *poolParts) open(ctx context.Context, build telemetry.Build) (err error) {
	cfg, log := p.cfg, p.log
	if p.store, err = openStore(ctx, cfg.DatabasePath(), log); err != nil {
		return err
	}
	if p.people, err = openPeople(ctx, cfg, p.store, log); err != nil {
		return err
	}
	p.ledger = ledger.New(p.store, ledger.Options{}, log.With("part", "ledger"))
	if err := p.ledger.Load(ctx); err != nil {
		return fmt.Errorf("read the books: %w", err)
	}
	nodeConfig, err := nodeConfigOf(cfg)
	if err != nil {
		return err
	}
	if p.nodes, err = node.New(nodeConfig, log.With("part", "node")); err != nil {
		return err
	}
	poolConfig, err := poolConfigOf(cfg)
	if err != nil {
		return err
	}
	p.watch = abuse.New(poolConfig.Abuse, p.store, log.With("part", "pool"))
	if err := p.watch.Load(ctx, time.Now()); err != nil {
		return err
	}
	poolConfig.Watch = p.watch
	poolConfig.Version = build.Version
	token, newToken, err := scopeToken(cfg)
	if err != nil {
		return err
	}
	if newToken {
		p.newToken = token
	}
	chain := newScopeChain(p.nodes)
	surroundings := scopeSurroundings{build: build, ownPool: p.ownPool(), chain: chain, http: p.http.Addr(), token: token, people: p.people}
	if err := p.scope.open(surroundings); err != nil {
		return err
	}
	poolConfig.TapSink = tapSink{p.scope.recorder}
	p.saved = p.newSaved()
	poolConfig.Authorized = heardOf(p.saved)
	if p.pool, err = pool.New(poolConfig, nodeConfig.Network, p.nodes, p.ledger, log.With("part", "pool")); err != nil {
		return err
	}
	if err := p.saved.Load(ctx); err != nil {
		return err
	}
	p.inherit()
	p.scope.serve(surroundings, tapSwitch{p.pool, p.paceGarbage})
	p.feed = &feed{templates: p.nodes.Templates(), tips: p.nodes.Tips(), pool: takers{chain, p.pool}, log: log.With("part", "templates")}
	p.sampler = telemetry.NewSampler(sampleEvery)
	p.price = newPriceFeed(cfg, log)
	if p.discord, err = openDiscord(ctx, cfg, p.store, p.people.accounts, log); err != nil {
		return err
	}
	p.alerts = newAlerts(cfg, p.alertSources(), log)
	if err := p.discord.use(ctx, p.alerts, p.store.Alerts()); err != nil {
		return err
	}
	if p.backups, err = newBackups(cfg, build, p.backupFailed, log); err != nil {
		return err
	}
	p.openAdmin(build)
	p.api = api.New(api.Config{UI: ui.FS(), Token: cfg.HTTP.Token.Reveal(), Proxies: cfg.HTTP.Proxies()}, api.Sources{
		Ledger:   p.ledger,
		Pool:     p.pool.Status,
		Node:     p.nodes.Status,
		System:   p.sampler.System,
		Price:    p.price.Price,
		Figures:  p.figures(),
		Bans:     p.pool,
		Miners:   p.pool,
		Note:     p.admin.Note,
		Captures: p.pool,
		Panics:   p.panics,
		Desk:     p.deskStatus,
		Build:    build,
		Scope:    p.scope.api,
		Gate:     p.people.gate,
		Trail:    p.people.accounts,
		Owns:     p.saved.Owns,
		Parts:    p.peopleParts(),
	}, log.With("part", "http"))
	return nil
}

// panics counts those that parts outside of the HTTP server survived, by part.
func (p *poolParts) panics() []pool.Count {
	counts := append([]pool.Count{{Name: "templates", Count: p.feed.panics.Load()}}, p.pool.Status().Panics...)
	if status := p.nodes.Status(); status != nil {
		counts = append(counts, pool.Count{Name: "node", Count: status.Faults})
	}
	return counts
}

// listen binds the addresses, before anything is touched, so that a busy port
// is told first. Sockets that another process left are used where they fit.
func (p *poolParts) listen() error {
	defer p.inherited.dropRest(p.log)
	for _, address := range p.cfg.Stratum.Listen {
		l, err := p.inherited.listen(roleStratum, address)
		if err != nil {
			return err
		}
		p.stratum = append(p.stratum, l)
	}
	for _, address := range p.cfg.Stratum.TLSListen {
		l, err := p.inherited.listen(roleStratumTLS, address)
		if err != nil {
			return err
		}
		p.stratumTLS = append(p.stratumTLS, l)
	}
	for i := range p.cfg.Listeners {
		section := &p.cfg.Listeners[i]
		l, err := p.inherited.listenFor(listenerRole(section), "Stratum listener "+section.Title(), "listen in its [[listener]]", section.Listen)
		if err != nil {
			return err
		}
		p.listeners = append(p.listeners, l)
	}
	var err error
	if p.http, err = p.inherited.listen(roleHTTP, p.cfg.HTTP.Listen); err != nil {
		return err
	}
	if p.cfg.HTTP.TLSListen != "" {
		if p.https, err = p.inherited.listen(roleHTTPS, p.cfg.HTTP.TLSListen); err != nil {
			return err
		}
	}
	if p.scope, err = listenScope(p.cfg, p.inherited, p.log); err != nil {
		return err
	}
	if len(p.stratumTLS) > 0 || len(p.scope.secure) > 0 || p.https != nil || slices.ContainsFunc(p.cfg.Listeners, func(l config.Listener) bool { return l.TLS }) {
		certificate, err := certificateOf(p.cfg, time.Now())
		if err != nil {
			return err
		}
		p.cert.Store(certificate)
		p.tls = &tls.Config{
			MinVersion: tls.VersionTLS12,
			GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
				return p.cert.Load().GetCertificate(hello)
			},
		}
		p.scope.tls = p.tls
	}
	return nil
}

// certificateOf reads the configured certificate, or else one of the pool's own
// making.
func certificateOf(cfg *config.Config, now time.Time) (*pool.Certificate, error) {
	if file := cfg.Stratum.CertFile; file != "" {
		return pool.LoadCertificate(file, cfg.Stratum.KeyFile, now)
	}
	return pool.OwnCertificate(filepath.Join(cfg.DataDir, "tls_cert.pem"), filepath.Join(cfg.DataDir, "tls_key.pem"), now)
}

// openStore opens the database. A corrupted one is put aside, never deleted,
// since a pool without its history can still mine.
func openStore(ctx context.Context, path string, log *slog.Logger) (*store.SQLite, error) {
	s, err := store.OpenOrRecover(ctx, path, time.Now(), log.With("part", "store"))
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	return s, nil
}

// keeping are the stages that must outlive the rest: what miners earned, and
// what was captured, is written down last.
func (p *poolParts) keeping() []stage {
	return append([]stage{{{"ledger", p.ledger.Run}, {"bans", p.watch.Run}, p.people.keeping(p.log)}}, p.scope.keeping()...)
}

// ownPool is where the scope reaches this pool, "" without plain Stratum.
func (p *poolParts) ownPool() string {
	if len(p.stratum) == 0 {
		return ""
	}
	address := p.stratum[0].Addr().(*net.TCPAddr)
	if address.IP.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", strconv.Itoa(address.Port))
	}
	return address.String()
}

// front is the stage that faces the world.
func (p *poolParts) front() stage {
	parts := stage{
		{"node client", p.nodes.Run},
		{"pool", p.pool.Run},
		{"templates", p.feed.run},
		{"system sampler", p.sampler.Run},
	}
	parts = append(parts, p.scope.front()...)
	parts = append(parts, pricePart(p.price, p.log)...)
	parts = append(parts, p.discord.part(p.log)...)
	parts = append(parts, aside(part{"backups", p.backups.Run}, p.log), aside(part{"alerts", p.alerts.Run}, p.log))
	parts = append(parts, aside(part{"saved workers", p.saved.Run}, p.log))
	parts = append(parts, p.people.asking(p.log)...)
	parts = append(parts, webParts(p.api, p.http, p.https, p.tls)...)
	for _, l := range p.stratum {
		parts = append(parts, part{"Stratum listener", func(ctx context.Context) error { return p.pool.Serve(ctx, l, pool.ListenerOptions{}) }})
	}
	for _, l := range p.stratumTLS {
		parts = append(parts, part{"Stratum TLS listener", func(ctx context.Context) error { return p.pool.Serve(ctx, l, pool.ListenerOptions{TLS: p.tls}) }})
	}
	for i, l := range p.listeners {
		options := p.listenerOptions(&p.cfg.Listeners[i])
		parts = append(parts, part{"Stratum listener " + options.Name, func(ctx context.Context) error { return p.pool.Serve(ctx, l, options) }})
	}
	return parts
}

// close releases what newPoolParts took; parts that ran have ended by then.
func (p *poolParts) close() {
	for _, l := range slices.Concat(p.stratum, p.stratumTLS, p.listeners) {
		_ = l.Close()
	}
	for _, l := range []net.Listener{p.http, p.https} {
		if l != nil {
			_ = l.Close()
		}
	}
	if p.scope != nil {
		p.scope.close()
	}
	if p.store != nil {
		if err := closeInTime(p.store.Close); err != nil {
			p.log.Error("database not closed cleanly", "err", err)
		}
	}
}

// stratumAddresses are those of all listeners for miners.
func (p *poolParts) stratumAddresses() []string {
	var all []string
	for _, l := range slices.Concat(p.stratum, p.stratumTLS, p.listeners) {
		all = append(all, l.Addr().String())
	}
	return all
}

func (p *poolParts) ports() *Ports {
	ports := &Ports{HTTP: p.http.Addr().String(), Scope: p.scope.address()}
	if len(p.stratum) > 0 {
		ports.Stratum = p.stratum[0].Addr().String()
	}
	if len(p.stratumTLS) > 0 {
		ports.StratumTLS = p.stratumTLS[0].Addr().String()
	}
	for i, l := range p.listeners {
		if ports.Listeners == nil {
			ports.Listeners = make(map[string]string)
		}
		ports.Listeners[p.cfg.Listeners[i].Title()] = l.Addr().String()
	}
	return ports
}

func nodeConfigOf(cfg *config.Config) (node.Config, error) {
	out := node.Config{Network: bitcoin.Network(cfg.Network.Chain)}
	if cfg.Network.Genesis != "" {
		genesis, err := bitcoin.ParseHash(cfg.Network.Genesis)
		if err != nil {
			return out, fmt.Errorf("network.genesis: %w", err)
		}
		out.ExpectedGenesis = &genesis
	}
	for _, n := range cfg.Nodes {
		out.Nodes = append(out.Nodes, node.NodeConfig{
			Name:         n.Name,
			URL:          n.URL,
			User:         n.User,
			Password:     n.Password.Reveal(),
			CookieFile:   n.CookieFile,
			ZMQHashBlock: n.ZMQHashBlock,
			ZMQRawBlock:  n.ZMQRawBlock,
		})
	}
	if len(out.Nodes) == 0 {
		return out, errors.New("no [[node]] is configured")
	}
	return out, nil
}

func poolConfigOf(cfg *config.Config) (pool.Config, error) {
	mask, err := strconv.ParseUint(cmp.Or(cfg.Version.Mask, "0"), 16, 32)
	if err != nil {
		return pool.Config{}, fmt.Errorf("version.mask: %w", err)
	}
	tap, err := pool.ParseTapMode(cfg.Scope.Tap)
	if err != nil {
		return pool.Config{}, fmt.Errorf("scope.tap: %w", err)
	}
	return pool.Config{
		Payout: pool.PayoutConfig{
			FeePercent:      cfg.Payout.FeePercent,
			FeeAddress:      cfg.Payout.FeeAddress,
			DonationPercent: cfg.Payout.DonationPercent,
			DonationAddress: cfg.Payout.DonationAddress,
		},
		Difficulty: pool.DifficultyConfig{
			Start:           cfg.Difficulty.Start,
			Min:             cfg.Difficulty.Min,
			Max:             cfg.Difficulty.Max,
			SharesPerMinute: cfg.Difficulty.SharesPerMinute,
			Vardiff:         cfg.Difficulty.Vardiff,
		},
		Tag:            cfg.Coinbase.Tag,
		MaxCoinbase:    cfg.Coinbase.MaxSize,
		VersionMask:    uint32(mask),
		TipFirst:       cfg.Stratum.TipFirst,
		Provisional:    cfg.Stratum.Provisional,
		FailoverAfter:  time.Duration(cfg.Stratum.FailoverAfter) * time.Second,
		MaxConnections: cfg.Stratum.MaxConnections,
		MaxPerAddress:  cfg.Stratum.MaxConnectionsPerAddress,
		Abuse: abuse.Config{
			StrikeLimit:  cfg.Abuse.StrikeLimit,
			BanAfter:     cfg.Abuse.BanAfter,
			BanTime:      cfg.Abuse.BanTime,
			MaxBanTime:   cfg.Abuse.MaxBanTime,
			ConnectBurst: cfg.Abuse.ConnectBurst,
			ConnectRate:  cfg.Abuse.ConnectsPerSecond,
			MaxPending:   cfg.Abuse.MaxUnauthorizedPerAddress,
			Trusted:      cfg.Abuse.TrustedNetworks(),
		},
		BlockDir:   filepath.Join(cfg.DataDir, "blocks"),
		CaptureDir: filepath.Join(cfg.DataDir, "captures"),
		Tap:        tap,
	}, nil
}
