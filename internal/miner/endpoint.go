package miner

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/poolscope/poolscope/internal/endpoint"
)

// Ports that are meant when an address names none.
const (
	DefaultPort    = "3333"
	DefaultTLSPort = "4333"
)

// dialTimeout bounds the TCP connection and the TLS handshake, each.
const dialTimeout = 15 * time.Second

// Endpoint is where a pool listens.
type Endpoint struct {
	Host string // name or address, lower case, without brackets
	Port string // decimal
	TLS  bool
}

// ParseEndpoint reads the address of a pool as endpoint.Parse does, but for what
// a miner would not mean: schemes of HTTP, and user names, which are a setting of
// their own. A missing port is 3333, or 4333 with TLS. It fails with ErrBadPool.
func ParseEndpoint(text string) (Endpoint, error) {
	parsed, err := endpoint.Parse(text)
	scheme, rest, _ := strings.Cut(strings.ToLower(strings.TrimSpace(text)), "://")
	switch {
	case err != nil:
		return Endpoint{}, fmt.Errorf("%w: %w", ErrBadPool, err)
	case rest != "" && strings.HasPrefix(scheme, "http"):
		return Endpoint{}, fmt.Errorf("%w: unknown scheme %q; use stratum+tcp:// or stratum+ssl://", ErrBadPool, scheme)
	case strings.Contains(text, "@"):
		return Endpoint{}, fmt.Errorf("%w: a user name in the address; it is a setting of its own", ErrBadPool)
	}
	e := Endpoint{Host: parsed.Host, Port: strconv.Itoa(int(parsed.Port)), TLS: parsed.TLS}
	switch {
	case parsed.Port != 0:
	case e.TLS:
		e.Port = DefaultTLSPort
	default:
		e.Port = DefaultPort
	}
	return e, nil
}

// Address returns host:port for dialling.
func (e Endpoint) Address() string { return net.JoinHostPort(e.Host, e.Port) }

// String returns the address with its scheme.
func (e Endpoint) String() string {
	if e.TLS {
		return "stratum+ssl://" + e.Address()
	}
	return "stratum+tcp://" + e.Address()
}

// Dial connects, with TCP keepalive and, where the endpoint says so, TLS. With
// insecure any certificate will do.
func (e Endpoint) Dial(ctx context.Context, insecure bool) (net.Conn, error) {
	d := net.Dialer{
		Timeout:         dialTimeout,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 45 * time.Second, Interval: 15 * time.Second, Count: 4},
	}
	conn, err := d.DialContext(ctx, "tcp", e.Address())
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", e, err)
	}
	if !e.TLS {
		return conn, nil
	}

	secured := tls.Client(conn, &tls.Config{ServerName: e.Host, InsecureSkipVerify: insecure, MinVersion: tls.VersionTLS12})
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	if err := secured.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("tls handshake with %s: %w", e, err)
	}
	return secured, nil
}
