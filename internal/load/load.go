package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/poolscope/poolscope/internal/miner"
)

// Bounds of a run.
const (
	maxConnections = 100_000
	maxTotalShares = 2_000_000 // about 150 bytes each
	maxOutstanding = 10_000
	maxBlocks      = 200
	maxAddresses   = 250
	maxPhase       = time.Hour
	perSource      = 5000 // connections from one address, unless told otherwise
)

// Config says what load to put on which pool. Zero values mean the defaults
// named with each field.
type Config struct {
	// Pool is the address, in any form that miner.ParseEndpoint takes.
	Pool string
	// User is the worker name; %d is replaced by the number of the connection.
	User string
	// Password is sent as it is. Empty means d=0.0000001 where shares are to be
	// sent, a hint for pools that read options there, and x otherwise.
	Password string
	// UserAgent is sent with mining.subscribe; empty means poolscope-load/1.
	UserAgent string
	// SuggestDifficulty is sent before authorize. 0 means 0.0000001 where
	// shares are to be sent and none otherwise; negative sends none.
	SuggestDifficulty float64
	// SuggestLate sends it behind authorize instead: some pools hand out no
	// job before they hear it there.
	SuggestLate bool
	// VersionRolling asks for version rolling (BIP310), and rolls the version
	// of each share where the pool grants it.
	VersionRolling bool
	// Sources is the number of local addresses that connections come from
	// where the pool is on 127.0.0.0/8: 127.0.0.1, 127.0.0.2, and so on; at
	// most 250. 0 means one for every 5,000 connections.
	Sources int
	// Targets is the number of addresses that are connected to there: the
	// pool's and those behind it. For a pool that listens on all addresses;
	// default 1, at most 250.
	Targets int
	// Confirmed says that a person confirmed that the pool is theirs. Without
	// it nothing beyond this machine is loaded, apart from small loads on
	// private networks.
	Confirmed bool
	// Connections is how many miners to be; default 100, at most 100,000.
	Connections int
	// InFlight is how many handshakes may be under way at once; default 64.
	InFlight int
	// HandshakeTimeout bounds all handshakes together; default 30 s.
	HandshakeTimeout time.Duration
	// Settle is the pause after the last handshake, before memory is read;
	// default 1 s.
	Settle time.Duration
	// Hold keeps the connections idle and measures what that costs; default
	// none.
	Hold time.Duration
	// Blocks is how many blocks are mined through Node, to measure how each
	// reaches all miners; default none, at most 200.
	Blocks int
	// BlockGap is the pause after each; default 2 s.
	BlockGap time.Duration
	// Node is the JSON-RPC address of a regtest node that the pool is on,
	// http://user:password@host:port. Needed with Blocks.
	Node string
	// NodeCookie is the node's cookie file, instead of user and password.
	NodeCookie string
	// Shares is how many shares each connection submits; 0 submits none. All
	// connections together send at most 2,000,000.
	Shares int
	// Outstanding is how many submits a connection may have unanswered in the
	// closed loop; default 1.
	Outstanding int
	// Rate is the number of shares per second of all connections together in
	// the open loop; 0 means the closed loop.
	Rate float64
	// Duration bounds the whole run, all phases of it; default 2 min. What was
	// measured until then is reported.
	Duration time.Duration
	// PID is the server's process, to measure its processor time and memory by
	// /proc; 0 means none.
	PID int
	// InsecureTLS accepts any certificate.
	InsecureTLS bool
	// Through is the address of a proxy in front of the same pool. Every second
	// connection goes through it, the others directly, and both are compared.
	Through string
	// ThroughPID is the proxy's process, like PID.
	ThroughPID int

	proxy *net.TCPAddr // of Through, nil without
}

// lowDifficulty is what pools are asked for: a share takes 430 hashes.
const lowDifficulty = 1e-7

// withDefaults fills in defaults and reports all problems at once.
func (c Config) withDefaults() (Config, error) {
	var problems []error
	bad := func(format string, args ...any) {
		problems = append(problems, fmt.Errorf("%w: "+format, append([]any{ErrBadConfig}, args...)...))
	}
	count := func(name string, v *int, def, most int) {
		if *v == 0 {
			*v = def
		}
		if *v < 0 || *v > most {
			bad("%s must be from 1 to %d, not %d", name, most, *v)
		}
	}
	span := func(name string, v *time.Duration, def time.Duration) {
		if *v == 0 {
			*v = def
		}
		if *v < 0 || *v > maxPhase {
			bad("%s must be from 0 to %v, not %v", name, maxPhase, *v)
		}
	}

	if c.User == "" {
		bad("no user: it is usually a Bitcoin address, and may hold %%d for the connection number")
	}
	count("connections", &c.Connections, 100, maxConnections)
	count("handshakes in flight", &c.InFlight, 64, maxConnections)
	count("outstanding", &c.Outstanding, 1, maxOutstanding)
	if c.Shares < 0 {
		bad("shares must not be %d", c.Shares)
	} else if c.Shares > maxTotalShares/max(c.Connections, 1) {
		bad("%d connections with %d shares each are more than %d shares", c.Connections, c.Shares, maxTotalShares)
	}
	if c.Rate < 0 || c.Rate > 1e8 || math.IsNaN(c.Rate) {
		bad("the rate must not be %v", c.Rate)
	}
	if c.PID < 0 || c.ThroughPID < 0 {
		bad("the process id must not be %d", min(c.PID, c.ThroughPID))
	}
	if c.ThroughPID > 0 && c.Through == "" {
		bad("the process of a proxy without the proxy's address")
	}
	if c.Through != "" && c.Connections < 2 {
		bad("to compare a proxy with the pool takes two connections at least")
	}
	count("sources", &c.Sources, min(1+(c.Connections-1)/perSource, maxAddresses), maxAddresses)
	count("targets", &c.Targets, 1, maxAddresses)
	if c.Blocks < 0 || c.Blocks > maxBlocks {
		bad("blocks must be from 0 to %d, not %d", maxBlocks, c.Blocks)
	}
	if c.Blocks > 0 && c.Node == "" {
		bad("blocks need the address of a node")
	}
	span("the handshake timeout", &c.HandshakeTimeout, 30*time.Second)
	span("settle", &c.Settle, time.Second)
	span("hold", &c.Hold, 0)
	span("the pause between blocks", &c.BlockGap, 2*time.Second)
	span("the duration", &c.Duration, 2*time.Minute)
	if c.Settle+c.Hold >= c.Duration {
		bad("settling and holding take the whole duration of %v", c.Duration)
	}

	if c.UserAgent == "" {
		c.UserAgent = "poolscope-load/1"
	}
	if c.SuggestDifficulty == 0 && c.Shares > 0 {
		c.SuggestDifficulty = lowDifficulty
	}
	if c.Password == "" {
		c.Password = "x"
		if c.Shares > 0 {
			c.Password = "d=0.0000001"
		}
	}
	return c, errors.Join(problems...)
}

// user returns the worker name of a connection.
func (c *Config) user(i int) string {
	return strings.ReplaceAll(c.User, "%d", strconv.Itoa(i))
}

// Run puts the load on the pool and measures. It blocks until all phases are
// over, the duration is, or ctx ends, and closes all connections. progress, if
// not nil, gets lines for people while it runs. With an error the report holds
// what was measured until then; it is nil if nothing could be started.
func Run(ctx context.Context, cfg Config, log *slog.Logger, progress io.Writer) (*Report, error) {
	cfg, err := cfg.withDefaults()
	endpoint, endpointErr := miner.ParseEndpoint(cfg.Pool)
	if err := errors.Join(endpointErr, err); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, cfg.Duration, errOver)
	defer cancel()
	address, err := resolve(ctx, endpoint)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(cfg.checkTarget(address.IP), cfg.openThrough(ctx, endpoint)); err != nil {
		return nil, err
	}
	if err := checkFileLimit(cfg.Connections); err != nil {
		return nil, err
	}
	if progress == nil {
		progress = io.Discard
	}
	r := newRunner(cfg, log, progress)
	if !address.IP.IsLoopback() {
		r.say("the pool is on another machine, %s: load only what is yours", address.IP)
	}
	if cfg.PID > 0 {
		if r.process, err = openProcess(cfg.PID); err != nil {
			return nil, err
		}
		if files := r.process.files(); files > 0 && files < cfg.Connections {
			r.say("the server may open %d files only: it cannot hold %d connections", files, cfg.Connections)
		}
	}
	if cfg.ThroughPID > 0 {
		if r.proxy, err = openProcess(cfg.ThroughPID); err != nil {
			return nil, err
		}
	}
	if cfg.Blocks > 0 {
		if r.source, err = newBlockSource(ctx, cfg.Node, cfg.NodeCookie); err != nil {
			return nil, err
		}
	}
	r.net, err = newTransport(endpoint, address, &cfg, r)
	if err != nil {
		return nil, err
	}
	defer r.net.shutdown()
	err = r.run(ctx)
	if errors.Is(err, errOver) {
		r.report.Cut, err = fmt.Sprintf("%s: %v were over", r.phase, cfg.Duration), nil
	}
	r.report.Alive = r.alive
	r.report.Fanout = r.fanoutOf()
	return r.report, err
}

// resolve looks the pool's name up once, for all connections.
func resolve(ctx context.Context, e miner.Endpoint) (*net.TCPAddr, error) {
	ips, err := net.DefaultResolver.LookupIPAddr(ctx, e.Host)
	if err != nil {
		return nil, fmt.Errorf("look up %s: %w", e.Host, err)
	}
	port, err := strconv.Atoi(e.Port)
	if err != nil {
		return nil, fmt.Errorf("port of %s: %w", e, err)
	}
	// The resolver's order is the order of preference.
	return &net.TCPAddr{IP: ips[0].IP, Port: port, Zone: ips[0].Zone}, nil
}

// run goes through the phases.
func (r *runner) run(ctx context.Context) error {
	phases := []struct {
		name   string
		wanted bool
		run    func(context.Context) error
	}{
		{"handshakes", true, r.connect},
		{"settling and holding", true, r.settle},
		{"fan-out of blocks", r.cfg.Blocks > 0, r.fanout},
		{"preparing shares", r.cfg.Shares > 0, r.prepare},
		{"submitting shares", r.cfg.Shares > 0, r.submit},
	}
	for _, p := range phases {
		if !p.wanted {
			continue
		}
		r.phase = p.name
		if err := p.run(ctx); err != nil {
			return err
		}
	}
	return nil
}
