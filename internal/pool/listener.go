package pool

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/poolscope/poolscope/internal/abuse"
	"github.com/poolscope/poolscope/internal/stratum"
)

// Times of the transport.
const (
	tlsHandshakeTimeout = 20 * time.Second
	keepAliveIdle       = 45 * time.Second
	keepAliveInterval   = 15 * time.Second
	keepAliveCount      = 4
	acceptBackoff       = 50 * time.Millisecond
)

// Serve accepts miners on a listener, by the rules of its options, until it is
// closed or ctx ends.
func (p *Pool) Serve(ctx context.Context, l net.Listener, o ListenerOptions) error {
	from := p.addListener(l, o)
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	trouble := ""
	for {
		nc, err := l.Accept()
		switch {
		case err == nil:
			p.accept(nc, from)
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("accept miners: %w", err)
		default:
			// Too many open files, or a peer that was gone before it was
			// accepted. It passes; until then it is told once.
			if err.Error() != trouble {
				trouble = err.Error()
				p.log.Warn("miner not accepted", "err", err)
			}
			p.events.add(time.Now(), "listener", err.Error())
			time.Sleep(acceptBackoff)
		}
	}
}

func (p *Pool) addListener(l net.Listener, o ListenerOptions) *port {
	scheme := "stratum+tcp://"
	if o.TLS != nil {
		scheme = "stratum+ssl://"
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	address := l.Addr().String()
	from := &port{ListenerOptions: o, shown: Listener{Name: o.Name, URL: scheme + address, Addr: address, TLS: o.TLS != nil}}
	p.ports = append(p.ports, from)
	return from
}

// Accept serves one connection, by the rules of the options, until its end. It
// returns at once.
func (p *Pool) Accept(nc net.Conn, o ListenerOptions) {
	p.accept(nc, &port{ListenerOptions: o})
}

func (p *Pool) accept(nc net.Conn, from *port) {
	if tcp, ok := nc.(*net.TCPConn); ok {
		// A connection that takes no options is on its way out; its reader
		// will notice.
		_ = tcp.SetNoDelay(true)
		_ = tcp.SetKeepAliveConfig(net.KeepAliveConfig{
			Enable: true, Idle: keepAliveIdle, Interval: keepAliveInterval, Count: keepAliveCount,
		})
	}
	if from.ProxyProtocol {
		p.introduce(nc, from)
		return
	}
	p.admit(nc, remoteOf(nc), false, from)
}

// enter makes a session of a connection that may come in.
func (p *Pool) enter(nc net.Conn, remote netip.AddrPort, visit abuse.Visit, from *port) {
	if from.TLS != nil {
		nc = tls.Server(nc, from.TLS)
	}
	s, refusal := p.newSession(nc, remote, visit, from)
	if s == nil {
		p.watch.Leave(&visit, false, "", time.Now())
		p.refuse(nc, refusal)
		return
	}
	if s.member != nil {
		s.member.Start(nil)
		return
	}
	go p.serve(s, nc)
}

// newSession registers a connection, or says why it is refused.
func (p *Pool) newSession(nc net.Conn, remote netip.AddrPort, visit abuse.Visit, from *port) (*session, stratum.CloseReason) {
	address := abuse.BlockOf(remote.Addr())

	cfg := p.config()
	p.mu.Lock()
	defer p.mu.Unlock()
	if why, full := from.fullLocked(); full {
		return nil, why
	}
	switch {
	case p.stopping:
		return nil, stratum.CloseShutdown
	case p.gate.closed.Load():
		return nil, stratum.CloseNodeDown
	case cfg.MaxConnections > 0 && len(p.sessions) >= cfg.MaxConnections,
		p.mostMiners > 0 && len(p.sessions)+len(p.farewells) >= p.mostMiners:
		return nil, stratum.CloseTooMany
	case cfg.MaxPerAddress > 0 && p.perAddress[address] >= cfg.MaxPerAddress:
		return nil, stratum.CloseTooManyFromAddress
	}
	for p.sessions[p.nextID] != nil || p.moved[p.nextID] != nil || p.resumables.byExtranonce[p.nextID] != nil {
		p.nextID++
	}
	s := &session{pool: p, port: from, remote: remote, visit: visit, tls: from.TLS != nil, connectedAt: time.Now(), mask: cfg.VersionMask, device: &anyMiner}
	binary.BigEndian.PutUint32(s.extranonce1[:], p.nextID)
	s.id, s.slot = hex.EncodeToString(s.extranonce1[:]), s.extranonce1[extranonce1Size-1]
	p.sessions[p.nextID] = s
	p.perAddress[address]++
	from.connections++
	p.nextID++
	p.wg.Add(1)
	p.connections.Add(1)
	if s.tls {
		p.tlsConnections.Add(1)
	}
	if s.member = p.takeLocked(nc, s); s.member != nil {
		s.conn, s.socket = &s.member.Conn, s.member
	} else {
		s.stream, s.request = stratum.NewStream(nc, s.id), new(stratum.Request)
		s.conn, s.socket = &s.stream.Conn, socketOf(nc)
	}
	if from.ProxyProtocol {
		s.socket = nil // it tells of the proxy
	}
	s.tapFirst()
	s.beginCaptureLocked() // nobody else knows the session yet
	// A miner must be done with its handshake in time; afterwards it may be
	// silent for as long as its socket is alive, which keep-alives and the jobs
	// that it takes show. A connection that takes no deadline is on its way out.
	_ = s.conn.SetReadDeadline(s.connectedAt.Add(handshakeTimeout))
	return s, stratum.CloseUnknown
}

// serve runs a session to its end, whatever happens in it.
func (p *Pool) serve(s *session, nc net.Conn) {
	defer p.endSession(s)
	p.guard(s, func() {
		if secure, ok := nc.(*tls.Conn); ok && !s.handshake(secure) {
			return
		}
		s.run()
	})
}

// handshake makes the TLS handshake, in bounded time.
func (s *session) handshake(secure *tls.Conn) bool {
	ctx, cancel := context.WithTimeout(context.Background(), tlsHandshakeTimeout)
	defer cancel()
	if err := secure.HandshakeContext(ctx); err != nil {
		s.logger().Debug("TLS handshake failed", "err", err)
		s.conn.Close(stratum.CloseTLSHandshake)
		return false
	}
	return true
}

// guard keeps a panic of one session from ending the others.
func (p *Pool) guard(s *session, do func()) {
	defer func() {
		if fault := recover(); fault != nil {
			p.faulted(s, fault)
		}
	}()
	do()
}

// faulted closes a session that panicked.
func (p *Pool) faulted(s *session, fault any) {
	p.counters.panics.Add(1)
	p.log.Error("session failed", "session", s.id, "panic", fault, "stack", string(debug.Stack()))
	p.events.add(time.Now(), "session", fmt.Sprintf("internal error in session %s: %v", s.id, fault))
	s.conn.Close(stratum.ClosePanic)
}

func (p *Pool) endSession(s *session) {
	defer p.wg.Done()
	s.conn.Close(stratum.CloseByPeer)
	s.endTap(time.Now())
	left := s.close(time.Now())
	reason := s.conn.Reason()
	p.counters.close(reason)
	p.watch.Leave(&s.visit, misbehaved(reason), s.offence(reason), time.Now())
	s.logger().Debug("session ended", "reason", reason)

	p.mu.Lock()
	defer p.mu.Unlock()
	extranonce1 := binary.BigEndian.Uint32(s.extranonce1[:])
	delete(p.sessions, extranonce1)
	if p.moved[s.number()] == s {
		delete(p.moved, s.number())
	}
	if left != nil {
		p.resumables.addLocked(extranonce1, left)
	}
	s.port.connections--
	address := abuse.BlockOf(s.remote.Addr())
	if p.perAddress[address]--; p.perAddress[address] <= 0 {
		delete(p.perAddress, address)
	}
	p.connections.Add(-1)
	if s.tls {
		p.tlsConnections.Add(-1)
	}
}

func (p *Pool) snapshotSessions() []*session {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := make([]*session, 0, len(p.sessions))
	for _, s := range p.sessions {
		all = append(all, s)
	}
	return all
}

func isTimeout(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }

func isReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.ETIMEDOUT) || errors.Is(err, syscall.EPIPE)
}
