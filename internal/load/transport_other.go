//go:build !linux

package load

import (
	"net"

	"github.com/poolscope/poolscope/internal/miner"
)

// newTransport returns the transport that works everywhere.
func newTransport(e miner.Endpoint, address *net.TCPAddr, cfg *Config, h handler) (transport, error) {
	return newGoTransport(e, address, cfg, h), nil
}
