package relay

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/poolscope/poolscope/internal/proxyproto"
)

// pools are the upstreams and what is known of their health.
type pools struct {
	backoff time.Duration

	mu  sync.Mutex
	all []*pool // in the order of preference
}

// pool is an upstream with its health. Its fields are guarded by pools.mu.
type pool struct {
	Upstream
	live      int // sessions
	dials     uint64
	failures  uint64
	failed    bool // at the last attempt
	failedAt  time.Time
	lastError string
	took      time.Duration // the last successful dial
}

func newPools(upstreams []Upstream, backoff time.Duration) *pools {
	p := &pools{backoff: backoff}
	for _, u := range upstreams {
		p.all = append(p.all, &pool{Upstream: u})
	}
	return p
}

// order lists the upstreams as they are to be tried now: those that failed a
// short while ago come last.
func (p *pools) order(now time.Time) []*pool {
	p.mu.Lock()
	defer p.mu.Unlock()
	fine := make([]*pool, 0, len(p.all))
	var resting []*pool
	for _, one := range p.all {
		if one.failed && now.Sub(one.failedAt) < p.backoff {
			resting = append(resting, one)
		} else {
			fine = append(fine, one)
		}
	}
	return append(fine, resting...)
}

// tried notes the outcome of a dial. It reports whether that is news.
func (p *pools) tried(one *pool, took time.Duration, err error, now time.Time) (news bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	one.dials++
	news = one.failed != (err != nil)
	if one.failed = err != nil; one.failed {
		one.failures++
		one.failedAt, one.lastError = now, err.Error()
		return news
	}
	one.took = took
	return news
}

// joined notes that a session with an upstream began.
func (p *pools) joined(one *pool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	one.live++
}

// left notes that a session with an upstream ended.
func (p *pools) left(one *pool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	one.live--
}

// dial connects a session to the first upstream that can be connected to.
func (s *Server) dial(ctx context.Context, session *Session) (*wire, *pool, Upstream, error) {
	var all []error
	if target, one := s.redirect.take(session.ends.miner.Addr(), time.Now()); one != nil {
		session.choose(target)
		nc, err := s.dialOne(ctx, target, session.ends)
		if err == nil {
			s.redirections.Add(1)
			s.pools.joined(one)
			return nc, one, target, nil
		}
		s.note("pool sent a miner elsewhere, where nobody is", "session", session.id, "pool", target.String(), "err", err)
	}
	for _, one := range s.pools.order(time.Now()) {
		began := time.Now()
		session.choose(one.Upstream)
		nc, err := s.dialOne(ctx, one.Upstream, session.ends)
		if ctx.Err() != nil {
			if nc != nil {
				nc.close(false)
			}
			return nil, nil, Upstream{}, ctx.Err()
		}
		if noSockets(err) {
			return nil, nil, Upstream{}, err // no pool's fault
		}
		now := time.Now()
		if news := s.pools.tried(one, now.Sub(began), err, now); news && err != nil {
			s.log.Warn("pool unreachable", "pool", one.String(), "err", err)
		} else if news {
			s.log.Info("pool reachable again", "pool", one.String())
		}
		if err == nil {
			s.pools.joined(one)
			return nc, one, one.Upstream, nil
		}
		all = append(all, fmt.Errorf("%s: %w", one, err))
	}
	return nil, nil, Upstream{}, errors.Join(all...)
}

// noSockets says whether a dial failed for want of something on our side.
func noSockets(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.ENOBUFS) || errors.Is(err, syscall.ENOMEM)
}

// dialOne connects to an upstream: TCP, then the PROXY header, then TLS.
func (s *Server) dialOne(ctx context.Context, u Upstream, who ends) (w *wire, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.ConnectTimeout)
	defer cancel()
	dialer := net.Dialer{KeepAliveConfig: keepAlive}
	began := time.Now()
	nc, err := dialer.DialContext(ctx, "tcp", u.Address())
	if err != nil {
		return nil, err
	}
	roundTrip := time.Since(began)
	defer func() {
		if err != nil {
			_ = nc.Close()
			return
		}
		w.roundTrip = roundTrip
	}()
	if u.ProxyProtocol != 0 {
		header := proxyproto.Header{Version: u.ProxyProtocol, Source: who.miner, Destination: who.listener}
		header.Local = !who.miner.IsValid() || !who.listener.IsValid()
		if _, err := nc.Write(header.Append(nil)); err != nil {
			return nil, fmt.Errorf("send PROXY header: %w", err)
		}
	}
	if !u.TLS {
		return newWire(nc), nil
	}
	secure := tls.Client(nc, &tls.Config{
		ServerName:         u.serverName(),
		InsecureSkipVerify: u.Insecure,
		RootCAs:            s.cfg.RootCAs,
		MinVersion:         tls.VersionTLS12,
	})
	if err := secure.HandshakeContext(ctx); err != nil {
		return nil, fmt.Errorf("TLS handshake: %w", err)
	}
	return newWire(secure), nil
}
