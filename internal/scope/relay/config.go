package relay

import (
	"crypto/tls"
	"crypto/x509"
	"net/netip"
	"time"
)

// ReconnectMode says what becomes of a pool's client.reconnect.
type ReconnectMode string

const (
	// ReconnectHold keeps the line from the miner, which would follow it past
	// the proxy. It is captured, without a time of forwarding. After the time
	// that the pool asked for, a few seconds at most, both sides are closed,
	// and the miner connects to the proxy again. If the pool named a host that
	// is its own by all appearances (same host, or same domain), the miner's
	// next session goes there; otherwise it goes to the configured pools. This
	// is the only line of a pool that a miner does not get.
	ReconnectHold ReconnectMode = "hold"
	// ReconnectPass relays the line like any other. Miners that follow it are
	// gone.
	ReconnectPass ReconnectMode = "pass"
)

// Config says where to relay to. Zero values are the defaults.
type Config struct {
	Upstreams []Upstream // in the order of preference; at least one

	ConnectTimeout time.Duration // for one upstream with its TLS handshake; 5 s
	Backoff        time.Duration // how long an upstream that failed is tried after the others; 30 s
	MaxConnections int           // of miners at the same time; 16384
	StallTimeout   time.Duration // how long a side may take nothing of what is sent to it; 30 s
	Reconnect      ReconnectMode // ReconnectHold

	// RootCAs are the authorities that the certificates of pools are verified
	// with; nil are the system's.
	RootCAs *x509.CertPool
}

// ListenerOptions are the rules for the miners of one listener.
type ListenerOptions struct {
	// TLS is spoken with miners, after the PROXY header; nil is plain TCP. A
	// listener that does TLS itself needs none.
	TLS *tls.Config
	// ProxyProtocol expects a PROXY header, of version 1 or 2, from proxies of
	// TrustedProxies and refuses everybody else.
	ProxyProtocol  bool
	TrustedProxies []netip.Prefix
}

const (
	defaultConnectTimeout = 5 * time.Second
	defaultBackoff        = 30 * time.Second
	defaultMaxConnections = 16384
	defaultStallTimeout   = 30 * time.Second
)

// withDefaults fills in what is not set.
func (c Config) withDefaults() Config {
	if c.ConnectTimeout <= 0 {
		c.ConnectTimeout = defaultConnectTimeout
	}
	if c.Backoff <= 0 {
		c.Backoff = defaultBackoff
	}
	if c.MaxConnections <= 0 {
		c.MaxConnections = defaultMaxConnections
	}
	if c.StallTimeout <= 0 {
		c.StallTimeout = defaultStallTimeout
	}
	if c.Reconnect == "" {
		c.Reconnect = ReconnectHold
	}
	return c
}
