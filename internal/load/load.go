package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"runtime"
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
	maxPhase       = time.Hour
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
	// Connections is how many miners to be; default 100, at most 100,000.
	Connections int
	// InFlight is how many handshakes may be under way at once; default 64.
	InFlight int
	// HandshakeTimeout bounds all handshakes together; default 60 s.
	HandshakeTimeout time.Duration
	// Settle is the pause after the last handshake, before memory is read;
	// default 1 s.
	Settle time.Duration
	// Hold keeps the connections idle and measures what that costs; default
	// none.
	Hold time.Duration
	// Shares is how many shares each connection submits; 0 submits none. All
	// connections together send at most 2,000,000.
	Shares int
	// PrepareTimeout bounds the search for shares; default 2 min.
	PrepareTimeout time.Duration
	// Outstanding is how many submits a connection may have unanswered in the
	// closed loop; default 1.
	Outstanding int
	// Rate is the number of shares per second of all connections together in
	// the open loop; 0 means the closed loop.
	Rate float64
	// Duration bounds the timed window; default 60 s.
	Duration time.Duration
	// PID is the server's process, to measure its processor time and memory by
	// /proc; 0 means none.
	PID int
	// InsecureTLS accepts any certificate.
	InsecureTLS bool
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
	if c.PID < 0 {
		bad("the process id must not be %d", c.PID)
	}
	span("the handshake timeout", &c.HandshakeTimeout, time.Minute)
	span("settle", &c.Settle, time.Second)
	span("hold", &c.Hold, 0)
	span("the prepare timeout", &c.PrepareTimeout, 2*time.Minute)
	span("the duration", &c.Duration, time.Minute)

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
// over or ctx ends, and closes all connections. progress, if not nil, gets
// lines for people while it runs. With an error the report holds what was
// measured until then; it is nil if nothing could be started.
func Run(ctx context.Context, cfg Config, log *slog.Logger, progress io.Writer) (*Report, error) {
	cfg, err := cfg.withDefaults()
	endpoint, endpointErr := miner.ParseEndpoint(cfg.Pool)
	if err := errors.Join(endpointErr, err); err != nil {
		return nil, err
	}
	if err := checkFileLimit(cfg.Connections); err != nil {
		return nil, err
	}
	address, err := resolve(ctx, endpoint)
	if err != nil {
		return nil, err
	}
	if progress == nil {
		progress = io.Discard
	}
	r := newRunner(cfg, log, progress)
	if cfg.PID > 0 {
		if r.process, err = openProcess(cfg.PID); err != nil {
			return nil, err
		}
	}
	r.net, err = newTransport(endpoint, address, &cfg, r)
	if err != nil {
		return nil, err
	}
	defer r.net.shutdown()
	err = r.run(ctx)
	r.report.Alive = r.alive
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
	if err := r.connect(ctx); err != nil {
		return err
	}
	if err := r.settle(ctx); err != nil {
		return err
	}
	if r.cfg.Shares > 0 {
		if err := r.prepare(ctx); err != nil {
			return err
		}
		runtime.GC() // not during the timed window
		return r.submit(ctx)
	}
	return nil
}
