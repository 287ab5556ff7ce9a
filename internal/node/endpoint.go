package node

import (
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// endpoint is where a node's RPC server is, without credentials.
type endpoint struct {
	url     string // as HTTP wants it
	address string // host:port, for people
}

// parseEndpoint reads a node's URL. User and password inside of it are split
// off. The URL is never part of an error.
func parseEndpoint(raw string, network bitcoin.Network) (e endpoint, user, password string, err error) {
	raw = strings.TrimSpace(raw)
	if raw == "" {
		return e, "", "", fmt.Errorf("%w: it is empty", ErrURL)
	}
	if !strings.Contains(raw, "://") {
		raw = "http://" + raw
	}
	u, err := url.Parse(raw)
	if err != nil {
		return e, "", "", fmt.Errorf("%w: it cannot be parsed", ErrURL)
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return e, "", "", fmt.Errorf("%w: it must start with http:// or https://", ErrURL)
	}
	if u.Hostname() == "" {
		return e, "", "", fmt.Errorf("%w: it has no host", ErrURL)
	}
	if u.User != nil {
		user = u.User.Username()
		password, _ = u.User.Password()
	}
	port := u.Port()
	if port == "" {
		port = defaultPort(network)
	}
	e.address = net.JoinHostPort(u.Hostname(), port)

	// Rebuilt from its parts, so that no credential, query or fragment stays.
	clean := url.URL{Scheme: u.Scheme, Host: e.address, Path: u.Path, RawPath: u.RawPath}
	if clean.Path == "" {
		clean.Path = "/"
	}
	e.url = clean.String()
	return e, user, password, nil
}

// defaultPort is the RPC port of Bitcoin Core on a network.
func defaultPort(n bitcoin.Network) string {
	switch n {
	case bitcoin.Testnet3:
		return "18332"
	case bitcoin.Testnet4:
		return "48332"
	case bitcoin.Signet:
		return "38332"
	case bitcoin.Regtest:
		return "18443"
	default:
		return "8332"
	}
}
