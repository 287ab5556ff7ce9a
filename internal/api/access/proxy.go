package access

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// ClientOf is where a request comes from, as host:port: the connection's own
// address, or, when that is a trusted proxy's, the last address in
// X-Forwarded-For that is not one. What stands before that, the client itself may
// have written. Port 0 stands for one that nobody told.
func ClientOf(r *http.Request, proxies []netip.Prefix) string {
	if len(proxies) == 0 || !isIn(r.RemoteAddr, proxies) {
		return r.RemoteAddr
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		address, err := netip.ParseAddr(strings.Trim(strings.TrimSpace(hop), "[]"))
		if err != nil {
			return r.RemoteAddr // no proxy says so
		}
		if address = address.Unmap().WithZone(""); !slices.ContainsFunc(proxies, func(p netip.Prefix) bool { return p.Contains(address) }) {
			return net.JoinHostPort(address.String(), "0")
		}
	}
	return r.RemoteAddr
}

// isIn reports whether host:port is in one of the networks.
func isIn(hostPort string, networks []netip.Prefix) bool {
	at, err := netip.ParseAddrPort(hostPort)
	if err != nil {
		return false
	}
	address := at.Addr().Unmap().WithZone("")
	return slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Contains(address) })
}
