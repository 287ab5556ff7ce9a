// Package access tells who sent an HTTP request: this machine or another, a
// page of this server or of another site, somebody who knows the token.
package access

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// IsLocal reports whether a request comes from this machine, names it by a
// loopback name, so that no other site's page can have sent it under a name of
// its own, and did not come through a proxy, which makes everybody's requests
// look like this machine's. Not every proxy tells: HTTP/1.0 is what nginx speaks
// by default and browsers do not, so it is never local. A proxy that speaks 1.1,
// names us by a loopback name and tells nothing cannot be known; see
// [Gate.SetPublicURL].
func IsLocal(r *http.Request) bool {
	return IsLoopback(r.RemoteAddr) && IsLoopback(r.Host) && r.ProtoAtLeast(1, 1) && !IsForwarded(r.Header)
}

// IsPublic reports whether people find the page at an address, such as
// "https://pool.example", that is not this machine alone. "" is none.
func IsPublic(address string) bool {
	u, err := url.Parse(address)
	return address != "" && (err != nil || !IsLoopback(u.Host))
}

// IsFollowedLink reports whether a request that another site caused is a person's
// who follows a link to a page of ours: that is no script, and no script sees the
// answer. A frame is none, nor is what programs ask for and may cost much.
func IsFollowedLink(r *http.Request) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	if r.Header.Get("Sec-Fetch-Mode") != "navigate" || r.Header.Get("Sec-Fetch-Dest") != "document" {
		return false
	}
	for _, below := range []string{"/api", "/debug", "/metrics"} {
		if rest, ok := strings.CutPrefix(r.URL.Path, below); ok && (rest == "" || rest[0] == '/') {
			return false
		}
	}
	return true
}

// IsForwarded reports whether a proxy passed the request on. Proxies tell so by
// Forwarded (RFC 7239), Via (RFC 9110 section 7.6.3) or the older fields that
// are no standard; those that tell nothing cannot be known.
func IsForwarded(h http.Header) bool {
	for name := range h { // in canonical form
		switch {
		case name == "Forwarded", name == "Via", name == "X-Real-Ip", strings.HasPrefix(name, "X-Forwarded-"):
			return true
		}
	}
	return false
}

// IsLoopback reports whether host, with or without a port, is this machine.
func IsLoopback(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.Trim(host, "[]")
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

// IsSameOrigin reports whether a request comes from a page of this server, or
// from no page at all. Browsers let any page open a WebSocket to any server
// and tell the page's origin; refusing others is the server's part (RFC 6455
// section 10.2).
func IsSameOrigin(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, r.Host)
}

// Bearer is the token of a request's Authorization header (RFC 6750), "" when
// it has none.
func Bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// IsToken compares a token with the right one. The time it takes tells nothing
// of either. No token at all is never right.
func IsToken(given, want string) bool {
	if want == "" {
		return false
	}
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(want))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}
