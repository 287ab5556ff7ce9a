package miner

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
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

// ParseEndpoint reads the address of a pool: stratum+tcp://host:port and
// stratum+ssl://host:port, the short schemes stratum, tcp, stratum+tls, ssl and
// tls, or host:port alone. Upper case is accepted, IPv6 addresses stand in
// brackets, a missing port is 3333, or 4333 with TLS. It fails with ErrBadPool.
func ParseEndpoint(text string) (Endpoint, error) {
	var e Endpoint
	rest := strings.TrimSpace(text)
	if scheme, after, ok := strings.Cut(rest, "://"); ok {
		switch strings.ToLower(scheme) {
		case "stratum+tcp", "stratum", "tcp":
		case "stratum+ssl", "stratum+tls", "stratumssl", "stratums", "ssl", "tls":
			e.TLS = true
		case "stratum2+tcp", "stratum+tcp2":
			return Endpoint{}, fmt.Errorf("%w: %q is Stratum V2, which is not spoken here", ErrBadPool, text)
		default:
			return Endpoint{}, fmt.Errorf("%w: unknown scheme %q; use stratum+tcp:// or stratum+ssl://", ErrBadPool, scheme)
		}
		rest = after
	}

	// Some pools ask for options behind the port, such as #xnsub. What they
	// ask for is done anyway.
	rest, _, _ = strings.Cut(rest, "#")
	rest = strings.TrimSuffix(rest, "/")
	switch {
	case rest == "":
		return Endpoint{}, fmt.Errorf("%w: %q names no host", ErrBadPool, text)
	case strings.Contains(rest, "@"):
		return Endpoint{}, fmt.Errorf("%w: a user name in the address; it is a setting of its own", ErrBadPool)
	case strings.ContainsAny(rest, "/?\\ \t\"'"):
		return Endpoint{}, fmt.Errorf("%w: %q has something other than a port behind the host", ErrBadPool, text)
	}

	host, port, err := splitHostPort(rest)
	if err != nil {
		return Endpoint{}, fmt.Errorf("%w: %q: %w", ErrBadPool, text, err)
	}
	if port == "" {
		port = DefaultPort
		if e.TLS {
			port = DefaultTLSPort
		}
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return Endpoint{}, fmt.Errorf("%w: %q: the port must be a number from 1 to 65535", ErrBadPool, text)
	}
	if host == "" {
		return Endpoint{}, fmt.Errorf("%w: %q names no host", ErrBadPool, text)
	}
	e.Host, e.Port = strings.ToLower(host), strconv.FormatUint(n, 10)
	return e, nil
}

// splitHostPort is net.SplitHostPort with an optional port.
func splitHostPort(s string) (host, port string, err error) {
	if addr, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil && (addr.Is4() || strings.HasPrefix(s, "[") == strings.HasSuffix(s, "]")) {
		return addr.String(), "", nil
	}
	if !strings.Contains(s, ":") {
		return s, "", nil
	}
	return net.SplitHostPort(s)
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
