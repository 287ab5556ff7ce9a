package relay

import (
	"encoding"

	"github.com/poolscope/poolscope/internal/endpoint"
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

// ParseUpstream reads a pool's address as endpoint.Parse does, with
// DefaultPort when there is none.
func ParseUpstream(text string) (Upstream, error) {
	e, err := endpoint.Parse(text)
	if err != nil {
		return Upstream{}, err
	}
	if e.Port == 0 {
		e.Port = DefaultPort
	}
	return Upstream{Host: e.Host, Port: e.Port, TLS: e.TLS}, nil
}

func (u Upstream) endpoint() endpoint.Endpoint {
	return endpoint.Endpoint{Host: u.Host, Port: u.Port, TLS: u.TLS}
}

// Address is what to dial: host:port.
func (u Upstream) Address() string { return u.endpoint().Address() }

// String is the address in its usual form, which ParseUpstream reads.
func (u Upstream) String() string { return u.endpoint().String() }

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
