package relay

import (
	"encoding"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// DefaultPort is the port of a pool whose address names none.
const DefaultPort = 3333

// Upstream is a pool to relay to, and how.
type Upstream struct {
	Host string // a name in lower case, or an IP address without brackets
	Port uint16
	TLS  bool

	Insecure      bool   // the pool's certificate is not verified
	ServerName    string // the certificate's name, and SNI; empty is Host
	ProxyProtocol int    // version of the PROXY header that the pool is sent first: 1 or 2, 0 for none
}

// schemes says which ones mean TLS. Those of HTTP are read as people write
// them: the protocol is Stratum all the same.
var schemes = map[string]bool{
	"stratum+tcp": false, "stratum": false, "tcp": false, "http": false,
	"stratum+ssl": true, "stratum+tls": true, "ssl": true, "tls": true, "https": true,
}

// ParseUpstream reads a pool's address in any of the forms that people use:
//
//	stratum+tcp://host:port   also stratum://, tcp://, http://
//	stratum+ssl://host:port   also stratum+tls://, ssl://, tls://, https://: TLS
//	host:port, host           no TLS; DefaultPort when there is no port
//	[2001:db8::1]:3333, [2001:db8::1], 2001:db8::1
//
// Letter case does not matter. A user name before the host (user@, user:pass@)
// and a path after it are dropped. An IPv6 address without brackets has no
// port: all of it is the address.
func ParseUpstream(text string) (Upstream, error) {
	rest := strings.TrimSpace(text)
	if rest == "" {
		return Upstream{}, ErrUpstreamEmpty
	}

	var u Upstream
	if scheme, after, ok := strings.Cut(rest, "://"); ok {
		if u.TLS, ok = schemes[strings.ToLower(scheme)]; !ok {
			return Upstream{}, fmt.Errorf("%w: %q (known are stratum+tcp, stratum+ssl, tcp and ssl)", ErrUpstreamScheme, scheme)
		}
		rest = after
	}
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		rest = rest[:end]
	}
	rest = rest[strings.LastIndexByte(rest, '@')+1:]

	host, port, hasPort, err := splitHost(rest)
	if err != nil {
		return Upstream{}, fmt.Errorf("%w: %q", err, text)
	}
	u.Port = DefaultPort
	if hasPort {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 || port[0] == '+' {
			return Upstream{}, fmt.Errorf("%w: %q is no number from 1 to 65535 (in %q)", ErrUpstreamPort, port, text)
		}
		u.Port = uint16(n)
	}
	if u.Host, err = normalHost(host); err != nil {
		return Upstream{}, fmt.Errorf("%w (in %q)", err, text)
	}
	return u, nil
}

// splitHost takes host and port apart. The host keeps no brackets.
func splitHost(s string) (host, port string, hasPort bool, err error) {
	if strings.HasPrefix(s, "[") {
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return "", "", false, fmt.Errorf("%w: a bracket is not closed", ErrUpstreamHost)
		}
		host, rest := s[1:end], s[end+1:]
		if !strings.Contains(host, ":") {
			return "", "", false, fmt.Errorf("%w: brackets are for IPv6 addresses", ErrUpstreamHost)
		}
		if rest == "" {
			return host, "", false, nil
		}
		if rest[0] != ':' {
			return "", "", false, fmt.Errorf("%w: %q after the bracket", ErrUpstreamHost, rest)
		}
		return host, rest[1:], true, nil
	}
	if strings.Count(s, ":") > 1 {
		return s, "", false, nil
	}
	host, port, hasPort = strings.Cut(s, ":")
	return host, port, hasPort, nil
}

// normalHost checks a host and writes it in its usual form.
func normalHost(host string) (string, error) {
	if strings.Contains(host, ":") {
		address, err := netip.ParseAddr(strings.Replace(host, "%25", "%", 1)) // as URLs write zones
		if err != nil {
			return "", fmt.Errorf("%w: %q is no IPv6 address; one with a port is written [address]:port", ErrUpstreamHost, host)
		}
		if zone := address.Zone(); strings.ContainsFunc(zone, notInNames) {
			return "", fmt.Errorf("%w: zone %q", ErrUpstreamHost, zone)
		}
		return address.String(), nil
	}
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	switch {
	case name == "":
		return "", fmt.Errorf("%w: there is none", ErrUpstreamHost)
	case len(name) > 253:
		return "", fmt.Errorf("%w: it is longer than a name can be", ErrUpstreamHost)
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || strings.ContainsFunc(label, notInNames) {
			return "", fmt.Errorf("%w: %q is no name", ErrUpstreamHost, host)
		}
	}
	return name, nil
}

// notInNames says which characters no name of a host has. Underscores are not
// allowed in host names, but in use.
func notInNames(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
}

// Address is what to dial: host:port.
func (u Upstream) Address() string { return net.JoinHostPort(u.Host, strconv.Itoa(int(u.Port))) }

// String is the address in its usual form, which ParseUpstream reads.
func (u Upstream) String() string {
	if u.TLS {
		return "stratum+ssl://" + u.Address()
	}
	return "stratum+tcp://" + u.Address()
}

// MarshalText gives String.
func (u Upstream) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

var _ encoding.TextMarshaler = Upstream{}

// serverName is the name that the pool's certificate must bear.
func (u Upstream) serverName() string {
	if u.ServerName != "" {
		return u.ServerName
	}
	return u.Host
}
