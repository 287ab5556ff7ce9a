// Package endpoint reads the addresses of Stratum servers, in all the forms that
// people write them. It dials nothing.
package endpoint

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// Errors of Parse. They are wrapped with the text that is at fault.
var (
	ErrEmpty  = errors.New("the pool's address is empty")
	ErrScheme = errors.New("unknown scheme of a pool's address")
	ErrHost   = errors.New("bad host in a pool's address")
	ErrPort   = errors.New("bad port in a pool's address")
)

// Endpoint is where a Stratum server listens.
type Endpoint struct {
	Host string // a name in lower case, or an IP address without brackets
	Port uint16 // 0 when the address named none
	TLS  bool
}

// schemes says which ones mean TLS. Those of HTTP are read as people write
// them: the protocol is Stratum all the same.
var schemes = map[string]bool{
	"stratum+tcp": false, "stratum": false, "tcp": false, "http": false,
	"stratum+ssl": true, "stratum+tls": true, "stratumssl": true, "stratums": true, "ssl": true, "tls": true, "https": true,
}

// Parse reads an address in any of these forms:
//
//	stratum+tcp://host:port   also stratum://, tcp://, http://
//	stratum+ssl://host:port   also stratum+tls://, ssl://, tls://, https://: TLS
//	host:port, host           no TLS
//	[2001:db8::1]:3333, [2001:db8::1], 2001:db8::1
//
// Letter case does not matter. A user name before the host (user@, user:pass@)
// and a path or options (#xnsub) after it are dropped; errors do not repeat them.
// An IPv6 address without brackets has no port: all of it is the address.
func Parse(text string) (Endpoint, error) {
	rest := strings.TrimSpace(text)
	if rest == "" {
		return Endpoint{}, ErrEmpty
	}
	var e Endpoint
	if scheme, after, ok := strings.Cut(rest, "://"); ok {
		scheme = strings.ToLower(scheme)
		if e.TLS, ok = schemes[scheme]; !ok {
			if scheme == "stratum2+tcp" || scheme == "stratum+tcp2" {
				return Endpoint{}, fmt.Errorf("%w: %q is Stratum V2, which is not spoken here", ErrScheme, scheme)
			}
			return Endpoint{}, fmt.Errorf("%w: %q (known are stratum+tcp, stratum+ssl, tcp and ssl)", ErrScheme, scheme)
		}
		rest = after
	}
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		rest = rest[:end]
	}
	rest = rest[strings.LastIndexByte(rest, '@')+1:]

	host, port, hasPort, err := splitHost(rest)
	if err != nil {
		return Endpoint{}, fmt.Errorf("%w (in %q)", err, rest)
	}
	if hasPort {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 || port[0] == '+' {
			return Endpoint{}, fmt.Errorf("%w: %q: the port must be a number from 1 to 65535 (in %q)", ErrPort, port, rest)
		}
		e.Port = uint16(n)
	}
	if e.Host, err = normalHost(host); err != nil {
		return Endpoint{}, fmt.Errorf("%w (in %q)", err, rest)
	}
	return e, nil
}

// splitHost takes host and port apart. The host keeps no brackets.
func splitHost(s string) (host, port string, hasPort bool, err error) {
	if strings.HasPrefix(s, "[") {
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return "", "", false, fmt.Errorf("%w: a bracket is not closed", ErrHost)
		}
		host, rest := s[1:end], s[end+1:]
		if !strings.Contains(host, ":") {
			return "", "", false, fmt.Errorf("%w: brackets are for IPv6 addresses", ErrHost)
		}
		if rest == "" {
			return host, "", false, nil
		}
		if rest[0] != ':' {
			return "", "", false, fmt.Errorf("%w: %q after the bracket", ErrHost, rest)
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
			return "", fmt.Errorf("%w: %q is no IPv6 address; one with a port is written [address]:port", ErrHost, host)
		}
		if zone := address.Zone(); strings.ContainsFunc(zone, notInNames) {
			return "", fmt.Errorf("%w: zone %q", ErrHost, zone)
		}
		return address.String(), nil
	}
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	switch {
	case name == "":
		return "", fmt.Errorf("%w: there is none", ErrHost)
	case len(name) > 253:
		return "", fmt.Errorf("%w: it is longer than a name can be", ErrHost)
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || strings.ContainsFunc(label, notInNames) {
			return "", fmt.Errorf("%w: %q is no name", ErrHost, host)
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
func (e Endpoint) Address() string { return net.JoinHostPort(e.Host, strconv.Itoa(int(e.Port))) }

// String is the address in its usual form, which Parse reads.
func (e Endpoint) String() string {
	if e.TLS {
		return "stratum+ssl://" + e.Address()
	}
	return "stratum+tcp://" + e.Address()
}
