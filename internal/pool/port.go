package pool

import (
	"crypto/tls"
	"net/netip"

	"github.com/poolscope/poolscope/internal/stratum"
)

// ListenerOptions are the rules of one address that miners connect to. The zero
// value is plain Stratum with the pool's own limits.
type ListenerOptions struct {
	// Name is shown to people; it may be empty.
	Name string
	// TLS makes every connection start with a TLS handshake; nil is plain TCP.
	TLS *tls.Config

	// ProxyProtocol makes every connection start with a PROXY protocol header,
	// version 1 or 2, which tells the miner's own address. It is believed only
	// from peers in TrustedProxies.
	ProxyProtocol  bool
	TrustedProxies []netip.Prefix

	// Start, Min and Max replace the pool's difficulties of that name for the
	// connections of this listener, each unless it is 0. A Start of the
	// listener's own also goes before what kinds of miners usually get: who
	// offers a port for large miners means it.
	Start, Min, Max float64

	// MaxConnections bounds the connections that came in here, 0 leaves it to
	// the pool's bound, which counts in any case.
	MaxConnections int
}

// port is one address that miners connect to, with what is known of it.
type port struct {
	ListenerOptions
	shown       Listener // of one that listens
	connections int      // open ones; guarded by Pool.mu
}

// full says why a port takes no more connections. Pool.mu is held.
func (o *port) fullLocked() (stratum.CloseReason, bool) {
	if o.MaxConnections > 0 && o.connections >= o.MaxConnections {
		return stratum.CloseTooMany, true
	}
	return stratum.CloseUnknown, false
}

// limits are the difficulties of a port.
func (o *port) limits(pool DifficultyConfig) DifficultyConfig {
	if o.Start > 0 {
		pool.Start = o.Start
	}
	if o.Min > 0 {
		pool.Min = o.Min
	}
	if o.Max > 0 {
		pool.Max = o.Max
	}
	return pool
}
