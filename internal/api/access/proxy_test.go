package access

import (
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

// TestClientOf: only trusted proxies say who asks, and only about what they saw
// themselves.
func TestClientOf(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128"), netip.MustParsePrefix("10.0.0.0/24")}
	for _, test := range []struct{ what, from, forwarded, want string }{
		{"no proxy", "192.0.2.1:5", "", "192.0.2.1:5"},
		{"a stranger who claims to be one", "192.0.2.1:5", "203.0.113.7", "192.0.2.1:5"},
		{"a proxy", "127.0.0.1:5", "203.0.113.7", "203.0.113.7:0"},
		{"a proxy, IPv6", "[::1]:5", "2001:db8::7", "[2001:db8::7]:0"},
		{"a proxy that listens on both", "[::ffff:127.0.0.1]:5", "[2001:db8::7]", "[2001:db8::7]:0"},
		{"a client that made up an address", "127.0.0.1:5", "198.51.100.1, 203.0.113.7", "203.0.113.7:0"},
		{"a client that made up junk", "127.0.0.1:5", "junk, 203.0.113.7", "203.0.113.7:0"},
		{"two proxies", "127.0.0.1:5", "203.0.113.7, 10.0.0.2", "203.0.113.7:0"},
		{"two header lines", "127.0.0.1:5", "198.51.100.1\n203.0.113.7,10.0.0.2", "203.0.113.7:0"},
		{"a proxy that passes on junk", "127.0.0.1:5", "203.0.113.7, junk", "127.0.0.1:5"},
		{"a proxy that tells nothing", "127.0.0.1:5", "", "127.0.0.1:5"},
		{"this machine through its own proxy", "127.0.0.1:5", "127.0.0.1", "127.0.0.1:5"},
		{"a socket without an address", "@", "203.0.113.7", "@"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = test.from
		if test.forwarded != "" {
			r.Header["X-Forwarded-For"] = strings.Split(test.forwarded, "\n")
		}
		if got := ClientOf(r, proxies); got != test.want {
			t.Errorf("%s: %s, want %s", test.what, got, test.want)
		}
		if got := ClientOf(r, nil); got != test.from {
			t.Errorf("%s, no proxies: %s", test.what, got)
		}
	}
}

func FuzzClientOf(f *testing.F) {
	f.Add("203.0.113.7, 10.0.0.2")
	f.Add(",,[::1%eth0]")
	proxies := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	f.Fuzz(func(t *testing.T, forwarded string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = "127.0.0.1:5"
		r.Header["X-Forwarded-For"] = []string{forwarded}
		if got := ClientOf(r, proxies); got != r.RemoteAddr {
			if at, err := netip.ParseAddrPort(got); err != nil || at.Addr().IsLoopback() && at.Addr().Is4() || at.Addr().Zone() != "" {
				t.Errorf("%q: %s, %v", forwarded, got, err)
			}
		}
		// A forwarded request is never this machine's.
		r.Host = "localhost"
		r.RemoteAddr = ClientOf(r, proxies)
		if IsLocal(r) {
			t.Errorf("%q is this machine's", forwarded)
		}
	})
}
