package miner

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"net"
	"runtime"
	"strings"
	"sync"
	"time"
)

// DefaultUserAgent is what the miner calls itself.
const DefaultUserAgent = "poolscope-miner/1"

// maxThreads bounds Config.Threads.
const maxThreads = 1024

// Config says where to mine and how hard.
type Config struct {
	// Pool is the address of the pool, in any form that ParseEndpoint takes.
	Pool string
	// User is the worker name, usually a Bitcoin address, optionally followed
	// by a dot and a name for this miner.
	User string
	// Password is sent as it is; many pools read options such as d=1024 in it.
	// Empty means x.
	Password string
	// UserAgent is what the miner calls itself; empty means DefaultUserAgent.
	UserAgent string
	// Threads is the number of hashing threads; 0 means one per processor.
	Threads int
	// MaxHashrate limits all threads together, in hashes per second; 0 means no
	// limit.
	MaxHashrate float64
	// InsecureTLS accepts any certificate. It is meant for pools with a
	// self-signed one, and gives up the protection against whoever sits between.
	InsecureTLS bool
	// SuggestDifficulty is sent with mining.suggest_difficulty; 0 sends none.
	SuggestDifficulty float64
	// ReconnectMin and ReconnectMax bound the wait before the next attempt to
	// connect; 0 means one second and one minute.
	ReconnectMin, ReconnectMax time.Duration
	// OnEvent, if set, is told what happens. It is called from the miner's own
	// goroutines, several at a time, and must return quickly.
	OnEvent func(Event)
}

// validate fills in defaults and reports everything that is wrong at once.
func (c *Config) validate() error {
	var problems []error
	bad := func(format string, args ...any) {
		problems = append(problems, fmt.Errorf("%w: "+format, append([]any{ErrBadConfig}, args...)...))
	}
	if c.User == "" {
		bad("no user: it is usually the Bitcoin address to be paid")
	}
	if c.Threads < 0 || c.Threads > maxThreads {
		bad("threads must be from 0 to %d, not %d", maxThreads, c.Threads)
	}
	if c.MaxHashrate < 0 || math.IsNaN(c.MaxHashrate) || math.IsInf(c.MaxHashrate, 0) {
		bad("the highest hashrate must not be %v", c.MaxHashrate)
	}
	if c.SuggestDifficulty < 0 || math.IsNaN(c.SuggestDifficulty) || math.IsInf(c.SuggestDifficulty, 0) {
		bad("the suggested difficulty must not be %v", c.SuggestDifficulty)
	}
	if c.Threads == 0 {
		c.Threads = runtime.NumCPU()
	}
	if c.Password == "" {
		c.Password = "x"
	}
	if c.UserAgent == "" {
		c.UserAgent = DefaultUserAgent
	}
	if c.ReconnectMin <= 0 {
		c.ReconnectMin = time.Second
	}
	if c.ReconnectMax <= 0 {
		c.ReconnectMax = time.Minute
	}
	c.ReconnectMax = max(c.ReconnectMax, c.ReconnectMin)
	return errors.Join(problems...)
}

// Miner is a CPU miner. Its methods may be called from any goroutine.
type Miner struct {
	cfg      Config
	endpoint Endpoint
	log      *slog.Logger
	stats    counters
	board    board
	threads  []*thread

	// Replaced by tests.
	dial func(ctx context.Context, e Endpoint) (net.Conn, error)
	rand func() float64
}

// New checks the configuration and returns a miner that does nothing until Run.
// It fails with ErrBadPool and ErrBadConfig, both if both apply.
func New(cfg Config, log *slog.Logger) (*Miner, error) {
	endpoint, err := ParseEndpoint(cfg.Pool)
	if err := errors.Join(err, cfg.validate()); err != nil {
		return nil, err
	}
	m := &Miner{cfg: cfg, endpoint: endpoint, log: log, rand: rand.Float64}
	m.dial = func(ctx context.Context, e Endpoint) (net.Conn, error) { return e.Dial(ctx, cfg.InsecureTLS) }
	m.stats.onEvent = cfg.OnEvent
	m.stats.s.Threads = cfg.Threads
	m.stats.s.Pool = endpoint.String()
	for range cfg.Threads {
		m.threads = append(m.threads, &thread{
			board:   &m.board,
			hasher:  NewHasher(),
			pacer:   pacer{rate: cfg.MaxHashrate / float64(cfg.Threads)},
			discard: m.stats.discarded,
		})
	}
	return m, nil
}

// Run mines until ctx ends, connecting again whenever the connection is lost.
// It returns nil. It may be called once.
func (m *Miner) Run(ctx context.Context) error {
	m.stats.update(func(s *Stats) { s.StartedAt = time.Now() })

	var wg sync.WaitGroup
	for _, t := range m.threads {
		wg.Go(func() { t.run(ctx) })
	}
	wg.Go(func() { m.measure(ctx) })
	m.connect(ctx)
	wg.Wait()
	return nil
}

// Stats returns a copy of the statistics.
func (m *Miner) Stats() Stats { return m.stats.view(m.hashes()) }

func (m *Miner) hashes() (sum uint64) {
	for _, t := range m.threads {
		sum += t.hashes.Load()
	}
	return sum
}

// measure samples the hash count every second.
func (m *Miner) measure(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	m.stats.sample(time.Now(), m.hashes())
	for {
		select {
		case <-tick.C:
			m.stats.sample(time.Now(), m.hashes())
		case <-ctx.Done():
			return
		}
	}
}

// connect keeps one session after the other until ctx ends.
func (m *Miner) connect(ctx context.Context) {
	wait := backoff{min: m.cfg.ReconnectMin, max: m.cfg.ReconnectMax, rand: m.rand}
	endpoint := m.endpoint
	for {
		started := time.Now()
		err := m.session(ctx, endpoint)
		if ctx.Err() != nil {
			return
		}
		why := explain(err)
		m.stats.disconnected(why)
		m.stats.event(Event{Kind: EventDisconnected, Text: why})

		// A connection that held longer than the longest wait was a good one.
		if time.Since(started) > m.cfg.ReconnectMax {
			wait.reset()
		}
		delay := wait.next()
		endpoint = m.endpoint
		var asked *reconnectError
		if errors.As(err, &asked) {
			delay = max(delay, asked.wait)
			if asked.endpoint != nil {
				endpoint.Port = asked.endpoint.Port
			}
		}
		m.log.Warn("not connected to pool", "reason", why, "retry_in", delay.Round(time.Millisecond).String())

		timer := time.NewTimer(delay)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

// session makes one connection and serves it to its end.
func (m *Miner) session(ctx context.Context, e Endpoint) error {
	m.stats.dialling(e.String())
	conn, err := m.dial(ctx, e)
	if err != nil {
		return err
	}
	return newSession(&m.cfg, conn, e.Host, &m.board, &m.stats, m.log).run(ctx)
}

// explain puts an error into words for people.
func explain(err error) string {
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	switch {
	case errors.As(err, &unknown), errors.As(err, &name):
		return err.Error() + "; if the pool's certificate is self-signed and the network is your own, accept any certificate"
	case strings.Contains(err.Error(), "first record does not look like a TLS handshake"):
		return err.Error() + "; the pool speaks plain Stratum there: use stratum+tcp://"
	}
	return clip(err.Error())
}
