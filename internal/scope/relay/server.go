package relay

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/poolscope/poolscope/internal/proxyproto"
	"github.com/poolscope/poolscope/internal/scope/capture"
)

// introduction is how long a miner's proxy and its TLS handshake may take.
const introduction = 10 * time.Second

// Bounds of the log lines about single miners.
const (
	notesPerSecond = 5
	notesAtOnce    = 50
)

// Server relays the connections of miners to pools. It listens to nothing by
// itself: connections are given to it with Serve or Accept.
type Server struct {
	cfg      Config
	recorder *capture.Recorder
	log      *slog.Logger
	pools    *pools
	redirect redirects
	notes    *rate.Limiter
	leftOut  atomic.Uint64 // notes since the last one in the log

	mu       sync.Mutex // guards the next two
	sessions map[string]*Session
	open     int // connections, those that are no sessions yet included

	closed       tally
	total        atomic.Uint64 // sessions ever
	panics       atomic.Uint64
	toPool       atomic.Uint64 // bytes of miners that were forwarded
	toMiner      atomic.Uint64 // bytes of pools that were forwarded
	injected     atomic.Uint64
	answered     atomic.Uint64
	lateAnswers  atomic.Uint64
	forgotten    atomic.Uint64
	reconnects   atomic.Uint64
	redirections atomic.Uint64
}

// New returns a server. It starts nothing.
func New(cfg Config, recorder *capture.Recorder, log *slog.Logger) (*Server, error) {
	if len(cfg.Upstreams) == 0 {
		return nil, ErrNoUpstream
	}
	for _, u := range cfg.Upstreams {
		if u.ProxyProtocol < 0 || u.ProxyProtocol > 2 {
			return nil, fmt.Errorf("relay: %s: there is no version %d of the PROXY protocol", u, u.ProxyProtocol)
		}
	}
	cfg = cfg.withDefaults()
	if cfg.Reconnect != ReconnectHold && cfg.Reconnect != ReconnectPass {
		return nil, fmt.Errorf("relay: unknown reconnect mode %q: it is %q or %q", cfg.Reconnect, ReconnectHold, ReconnectPass)
	}
	return &Server{
		cfg:      cfg,
		recorder: recorder,
		log:      log,
		pools:    newPools(cfg.Upstreams, cfg.Backoff),
		notes:    rate.NewLimiter(notesPerSecond, notesAtOnce),
		sessions: make(map[string]*Session),
	}, nil
}

// Serve relays the connections of a listener until ctx ends, or the listener
// fails. It closes the listener and returns when all of its sessions have
// ended; those that live when ctx ends are closed.
func (s *Server) Serve(ctx context.Context, l net.Listener, o ListenerOptions) error {
	var sessions sync.WaitGroup
	defer sessions.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	defer l.Close()
	sessions.Go(func() { s.watchStalls(ctx) })
	for pause := time.Duration(0); ; {
		nc, err := l.Accept()
		switch {
		case err == nil:
			pause = 0
			sessions.Go(func() { s.Accept(ctx, nc, o) })
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("relay: accept: %w", err)
		default: // no more file descriptors, for instance
			pause = min(pause+10*time.Millisecond, time.Second)
			s.log.Warn("accept failed", "err", err)
			select {
			case <-time.After(pause):
			case <-ctx.Done():
			}
		}
	}
}

// Accept relays one connection until it ends, or ctx does.
func (s *Server) Accept(ctx context.Context, nc net.Conn, o ListenerOptions) {
	if !s.enter() {
		s.closed.add(ReasonTooMany)
		_ = nc.Close()
		return
	}
	defer s.leave()
	defer func() {
		if v := recover(); v != nil {
			s.panicked("", v)
			s.closed.add(ReasonPanic)
			_ = nc.Close()
		}
	}()

	ends, nc, why := s.introduce(ctx, nc, o)
	if why != "" {
		if ctx.Err() != nil {
			why = ReasonShutdown
		}
		s.closed.add(why)
		_ = nc.Close()
		return
	}
	s.newSession(newWire(nc), ends).run(ctx)
}

// enter counts a connection in, if there is room.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open >= s.cfg.MaxConnections {
		return false
	}
	s.open++
	return true
}

func (s *Server) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open--
}

// ends are both ends of a miner's connection, as the outermost proxy saw it.
type ends struct{ miner, listener netip.AddrPort }

// introduce learns who connects and speaks TLS with it. A reason says why it
// is refused.
func (s *Server) introduce(ctx context.Context, nc net.Conn, o ListenerOptions) (ends, net.Conn, Reason) {
	who := ends{addrPort(nc.RemoteAddr()), addrPort(nc.LocalAddr())}
	if _, secure := nc.(*tls.Conn); !o.ProxyProtocol && o.TLS == nil && !secure {
		return who, nc, ""
	}
	ctx, cancel := context.WithTimeout(ctx, introduction)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = nc.SetDeadline(time.Unix(1, 0)) })
	defer stop()

	if o.ProxyProtocol {
		if !slices.ContainsFunc(o.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(who.miner.Addr()) }) {
			return who, nc, ReasonUntrustedProxy
		}
		header, err := proxyproto.Read(nc)
		switch {
		case errors.Is(err, io.EOF):
			return who, nc, ReasonMinerClosed // a health check that only connects
		case err != nil:
			s.log.Debug("no PROXY header", "remote", who.miner.String(), "err", err)
			return who, nc, ReasonProxyHeader
		}
		if !header.Local {
			who = ends{header.Source, header.Destination}
		}
	}
	if o.TLS != nil {
		nc = tls.Server(nc, o.TLS)
	}
	if secure, ok := nc.(*tls.Conn); ok {
		if err := secure.HandshakeContext(ctx); err != nil {
			s.log.Debug("TLS handshake failed", "remote", who.miner.String(), "err", err)
			return who, nc, ReasonTLSHandshake
		}
	}
	return who, nc, ""
}

// newSession registers a session: it is listed from now on, whether or not a
// pool is found for it.
func (s *Server) newSession(miner *wire, who ends) *Session {
	session := &Session{
		server:    s,
		id:        capture.NewID(),
		ends:      who,
		miner:     miner,
		connected: make(chan struct{}),
		ended:     make(chan struct{}),
	}
	session.dialing, session.stopDial = context.WithCancel(context.Background())
	session.minerText = addrText(miner.RemoteAddr())
	if who.miner.IsValid() {
		session.minerText = who.miner.String()
	}
	session.private.server = s
	session.uplink.session = session
	session.chosen = s.pools.order(time.Now())[0].Address()
	s.mu.Lock()
	s.sessions[session.id] = session // first: who sees it listed may ask for it
	s.mu.Unlock()
	session.tape = s.recorder.Open(capture.Opening{
		ID:       session.id,
		Origin:   capture.OriginProxy,
		Miner:    session.minerText,
		Listener: addrText(miner.LocalAddr()),
		Pool:     session.chosen,
		At:       time.Now(),
	})
	s.total.Add(1)
	return session
}

// forget takes a session off the list of those that live.
func (s *Server) forget(session *Session, why Reason) {
	s.mu.Lock()
	delete(s.sessions, session.id)
	s.mu.Unlock()
	s.closed.add(why)
}

// Session returns a live session.
func (s *Server) Session(id string) (*Session, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	session, ok := s.sessions[id]
	return session, ok
}

// note logs what happened to one miner, unless there is too much of that.
func (s *Server) note(message string, arguments ...any) {
	if !s.notes.Allow() {
		s.leftOut.Add(1)
		return
	}
	if left := s.leftOut.Swap(0); left > 0 {
		arguments = append(arguments, "left_out_before", left)
	}
	s.log.Warn(message, arguments...)
}

// panicked counts and logs a mistake of ours.
func (s *Server) panicked(session string, v any) {
	s.panics.Add(1)
	s.log.Error("relay failed", "session", session, "panic", v, "stack", string(debug.Stack()))
}
