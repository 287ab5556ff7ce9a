package replay

import (
	"fmt"
	"net/netip"

	"github.com/poolscope/poolscope/internal/scope/relay"
)

// OwnPools makes Config.Own of a list of pools, each in any form that
// relay.ParseUpstream reads. A session's pool is on the list when host and port
// are the same, of its name or of the address that it was resolved to. The host
// localhost stands for every loopback address, and so do 0.0.0.0 and [::], as a
// pool's own listener has them. Whether TLS is spoken does not matter.
func OwnPools(pools []string) (own func(pool, peer string) bool, err error) {
	var list []relay.Upstream
	for _, text := range pools {
		u, err := relay.ParseUpstream(text)
		if err != nil {
			return nil, fmt.Errorf("own pool: %w", err)
		}
		list = append(list, u)
	}
	return func(pool, peer string) bool {
		for _, u := range list {
			if sameName(u, pool) || sameAddress(u, peer) {
				return true
			}
		}
		return false
	}, nil
}

func sameName(own relay.Upstream, pool string) bool {
	u, err := relay.ParseUpstream(pool)
	return err == nil && u.Address() == own.Address()
}

func sameAddress(own relay.Upstream, peer string) bool {
	address, err := netip.ParseAddrPort(peer)
	if err != nil || address.Port() != own.Port {
		return false
	}
	if own.Host == "localhost" {
		return address.Addr().Unmap().IsLoopback()
	}
	ip, err := netip.ParseAddr(own.Host)
	if err != nil {
		return false
	}
	return ip.Unmap() == address.Addr().Unmap() || ip.IsUnspecified() && address.Addr().Unmap().IsLoopback()
}
