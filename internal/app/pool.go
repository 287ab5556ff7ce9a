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
	"strconv"
	"time"

	"github.com/poolscope/poolscope/internal/api"
	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/config"
	"github.com/poolscope/poolscope/internal/ledger"
	"github.com/poolscope/poolscope/internal/node"
	"github.com/poolscope/poolscope/internal/pool"
	"github.com/poolscope/poolscope/internal/store"
	"github.com/poolscope/poolscope/internal/telemetry"
	"github.com/poolscope/poolscope/ui"
)

// sampleEvery is the time between two looks at the system's load and memory.
const sampleEvery = 2 * time.Second

// RunPool runs a pool until ctx ends: node client, Stratum, books and HTTP. It
// writes what a person needs to know to out.
func RunPool(ctx context.Context, cfg *config.Config, build telemetry.Build, log *slog.Logger, out io.Writer) error {
	release, err := openDataDir(cfg.DataDir)
	if err != nil {
		return err
	}
	defer release()
	for _, warning := range cfg.Warnings() {
		log.Warn("configuration", "warning", warning)
	}
	p, err := newPoolParts(ctx, cfg, build, log)
	if err != nil {
		return err
	}
	defer p.close()
	ports := p.ports()
	if err := ports.write(cfg.DataDir); err != nil {
		return err
	}
	printAddresses(out, "poolscope pool "+build.Version, cfg.DataDir, ports)
	return runStages(ctx, log, p.books(), p.front())
}

// poolParts is everything that a pool is made of, bound and ready to run.
type poolParts struct {
	cfg     *config.Config
	log     *slog.Logger
	store   *store.SQLite
	ledger  *ledger.Ledger
	nodes   *node.Nodes
	pool    *pool.Pool
	feed    *feed
	sampler *telemetry.Sampler
	api     *api.Server

	stratum    []net.Listener
	stratumTLS []net.Listener
	http       net.Listener
	https      net.Listener // nil without
	tls        *tls.Config
}

// newPoolParts binds the addresses first, so that a busy port is told before
// anything is touched.
func newPoolParts(ctx context.Context, cfg *config.Config, build telemetry.Build, log *slog.Logger) (*poolParts, error) {
	p := &poolParts{cfg: cfg, log: log}
	err := p.listen()
	if err == nil {
		err = p.open(ctx, build)
	}
	if err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

// open makes the parts behind the addresses.
func (p *poolParts) open(ctx context.Context, build telemetry.Build) (err error) {
	cfg, log := p.cfg, p.log
	if p.store, err = openStore(ctx, cfg.DatabasePath(), log); err != nil {
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
	if p.pool, err = pool.New(poolConfig, nodeConfig.Network, p.nodes, p.ledger, log.With("part", "pool")); err != nil {
		return err
	}
	p.feed = &feed{templates: p.nodes.Templates(), tips: p.nodes.Tips(), pool: p.pool, log: log.With("part", "templates")}
	p.sampler = telemetry.NewSampler(sampleEvery)
	p.api = api.New(api.Config{UI: ui.FS(), Token: cfg.HTTP.Token.Reveal()}, api.Sources{
		Ledger: p.ledger,
		Pool:   p.pool.Status,
		Node:   p.nodes.Status,
		System: p.sampler.System,
		Panics: p.panics,
		Build:  build,
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

func (p *poolParts) listen() error {
	for _, address := range p.cfg.Stratum.Listen {
		l, err := listen("Stratum", "--stratum", address)
		if err != nil {
			return err
		}
		p.stratum = append(p.stratum, l)
	}
	for _, address := range p.cfg.Stratum.TLSListen {
		l, err := listen("Stratum over TLS", "--stratum-tls", address)
		if err != nil {
			return err
		}
		p.stratumTLS = append(p.stratumTLS, l)
	}
	var err error
	if p.http, err = listen("HTTP", "--http", p.cfg.HTTP.Listen); err != nil {
		return err
	}
	if p.cfg.HTTP.TLSListen != "" {
		if p.https, err = listen("HTTPS", "http.tls_listen", p.cfg.HTTP.TLSListen); err != nil {
			return err
		}
	}
	if len(p.stratumTLS) > 0 || p.https != nil {
		certificate, err := p.certificate(time.Now())
		if err != nil {
			return err
		}
		p.tls = certificate.Config()
	}
	return nil
}

// certificate is the configured one, or else one of the pool's own making.
func (p *poolParts) certificate(now time.Time) (*pool.Certificate, error) {
	if file := p.cfg.Stratum.CertFile; file != "" {
		return pool.LoadCertificate(file, p.cfg.Stratum.KeyFile, now)
	}
	return pool.OwnCertificate(filepath.Join(p.cfg.DataDir, "tls_cert.pem"), filepath.Join(p.cfg.DataDir, "tls_key.pem"), now)
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

// books is the stage that must outlive the rest: what miners earned is written
// down last.
func (p *poolParts) books() stage {
	return stage{{"ledger", p.ledger.Run}}
}

// front is the stage that faces the world.
func (p *poolParts) front() stage {
	parts := stage{
		{"node client", p.nodes.Run},
		{"pool", p.pool.Run},
		{"templates", p.feed.run},
		{"system sampler", p.sampler.Run},
	}
	if p.https == nil {
		parts = append(parts, part{"HTTP server", func(ctx context.Context) error { return p.api.Serve(ctx, p.http) }})
	} else {
		parts = append(parts,
			part{"HTTPS server", func(ctx context.Context) error { return p.api.Serve(ctx, tls.NewListener(p.https, p.tls)) }},
			part{"HTTP redirect", func(ctx context.Context) error { return p.api.ServeRedirect(ctx, p.http, p.https.Addr()) }})
	}
	for _, l := range p.stratum {
		parts = append(parts, part{"Stratum listener", func(ctx context.Context) error { return p.pool.Serve(ctx, l, pool.ListenerOptions{}) }})
	}
	for _, l := range p.stratumTLS {
		parts = append(parts, part{"Stratum TLS listener", func(ctx context.Context) error { return p.pool.Serve(ctx, l, pool.ListenerOptions{TLS: p.tls}) }})
	}
	return parts
}

// close releases what newPoolParts took; parts that ran have ended by then.
func (p *poolParts) close() {
	for _, l := range append(append([]net.Listener{}, p.stratum...), p.stratumTLS...) {
		_ = l.Close()
	}
	for _, l := range []net.Listener{p.http, p.https} {
		if l != nil {
			_ = l.Close()
		}
	}
	if p.store != nil {
		if err := closeInTime(p.store.Close); err != nil {
			p.log.Error("database not closed cleanly", "err", err)
		}
	}
}

func (p *poolParts) ports() *Ports {
	ports := &Ports{HTTP: p.http.Addr().String()}
	if len(p.stratum) > 0 {
		ports.Stratum = p.stratum[0].Addr().String()
	}
	if len(p.stratumTLS) > 0 {
		ports.StratumTLS = p.stratumTLS[0].Addr().String()
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
	mask, err := strconv.ParseUint(cfg.Version.Mask, 16, 32)
	if err != nil {
		return pool.Config{}, fmt.Errorf("version.mask: %w", err)
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
		MaxConnections: cfg.Stratum.MaxConnections,
		MaxPerAddress:  cfg.Stratum.MaxConnectionsPerAddress,
		BlockDir:       filepath.Join(cfg.DataDir, "blocks"),
	}, nil
}
