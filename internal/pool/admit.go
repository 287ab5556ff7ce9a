package pool

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/poolscope/poolscope/internal/abuse"
	"github.com/poolscope/poolscope/internal/proxyproto"
	"github.com/poolscope/poolscope/internal/stratum"
)

// Bounds of connections that are no sessions yet.
const (
	// proxyHeaderTimeout is how long a proxy may take for its header. It sends
	// it with its first packet.
	proxyHeaderTimeout = 5 * time.Second
	maxLobby           = 4096 // connections of proxies without their header
)

// remoteOf is the peer of a connection; the zero value when it is no socket.
func remoteOf(nc net.Conn) netip.AddrPort {
	if tcp, ok := nc.RemoteAddr().(*net.TCPAddr); ok {
		a := tcp.AddrPort()
		return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
	}
	return netip.AddrPort{}
}

// refuse closes a connection that never was a session.
func (p *Pool) refuse(nc net.Conn, why stratum.CloseReason) {
	p.counters.close(why)
	_ = nc.Close()
}

// introduce reads who a proxy brings, in a goroutine of its own. Only a trusted
// proxy is listened to: who may send a header may claim any address.
func (p *Pool) introduce(nc net.Conn, from *port) {
	proxy := remoteOf(nc)
	if !slices.ContainsFunc(from.TrustedProxies, func(n netip.Prefix) bool { return n.Contains(proxy.Addr()) }) {
		p.refuse(nc, stratum.CloseUntrustedProxy)
		return
	}
	if why := p.inLobby(nc, p.lobby, maxLobby, func() { p.readProxyHeader(nc, proxy, from) }); why != stratum.CloseUnknown {
		p.refuse(nc, why)
	}
}

// readProxyHeader reads a header and not a byte more, since the TLS handshake
// may follow. What a proxy says of itself (health checks) or does not know is a
// connection of the proxy, which is not to be banned for its clients.
func (p *Pool) readProxyHeader(nc net.Conn, proxy netip.AddrPort, from *port) {
	if nc.SetReadDeadline(time.Now().Add(proxyHeaderTimeout)) != nil {
		p.refuse(nc, stratum.CloseReset)
		return
	}
	header, err := proxyproto.Read(nc)
	switch {
	case errors.Is(err, io.EOF), isReset(err):
		p.refuse(nc, stratum.CloseByPeer) // a health check that only connects
		return
	case err != nil:
		p.log.Debug("no PROXY header", "remote", proxy.String(), "err", err)
		p.refuse(nc, stratum.CloseProxyHeader)
		return
	case nc.SetReadDeadline(time.Time{}) != nil:
		p.refuse(nc, stratum.CloseReset)
		return
	}
	remote, exempt := header.Source, false
	if header.Local {
		remote, exempt = proxy, true
	}
	p.admit(nc, remote, exempt, from)
}

// admit lets a connection in, or not, by what is known of where it comes from.
// Someone who is banned is told so, as far as that is cheap.
func (p *Pool) admit(nc net.Conn, remote netip.AddrPort, exempt bool, from *port) {
	visit, refusal := p.watch.Admit(remote.Addr(), exempt, time.Now())
	switch refusal.Reason {
	case stratum.CloseUnknown:
		p.enter(nc, remote, visit, from)
	case stratum.CloseBanned:
		p.counters.close(stratum.CloseBanned)
		if p.inLobby(nc, p.farewells, maxFarewells, func() { p.turnAway(nc, refusal.Ban, from) }) != stratum.CloseUnknown {
			_ = nc.Close()
		}
	default:
		p.refuse(nc, refusal.Reason)
	}
}

// inLobby runs do in a goroutine of its own while the connection is kept in a
// set of at most so many, so that the end of the pool ends it.
func (p *Pool) inLobby(nc net.Conn, set map[net.Conn]struct{}, most int, do func()) stratum.CloseReason {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.stopping:
		return stratum.CloseShutdown
	case len(set) >= most:
		return stratum.CloseTooMany
	}
	set[nc] = struct{}{}
	p.wg.Go(func() {
		defer func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			delete(set, nc)
		}()
		do()
	})
	return stratum.CloseUnknown
}

// clearLobby closes what is in the lobby. Nothing comes in after stopping.
func (p *Pool) clearLobby() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, set := range []map[net.Conn]struct{}{p.lobby, p.farewells} {
		for nc := range set {
			_ = nc.Close()
		}
	}
}

// BanAddress bans a block of addresses for a time, 0 until it is lifted, and
// closes the connections from there.
func (p *Pool) BanAddress(block netip.Prefix, d time.Duration, reason string) (abuse.Ban, error) {
	b, err := p.watch.Ban(block, d, reason, time.Now())
	if err != nil {
		return b, err
	}
	for _, s := range p.snapshotSessions() {
		if block.Contains(s.remote.Addr()) {
			s.conn.CloseAfterFlush(stratum.CloseBanned)
		}
	}
	return b, nil
}

// Bans lists the bans in force, those that last longest first.
func (p *Pool) Bans() []abuse.Ban { return p.watch.Status(time.Now()).Bans }

// LiftBan ends the ban of a block of addresses. The error is
// abuse.ErrNotBanned when there is none of exactly that block.
func (p *Pool) LiftBan(block netip.Prefix) error { return p.watch.Lift(block, time.Now()) }
