package notify

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/alert"
)

// What counts as public, against a list by hand of what must not be reached.
func TestPublicAddresses(t *testing.T) {
	for _, a := range []string{
		"127.0.0.1", "127.8.8.8", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "100.64.0.1", "100.127.255.255",
		"192.0.0.1", "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255",
		"::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1", "100::1", "fc00::1", "fd00:ec2::254",
		"fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "2001:db8::1", "2001::1", "2001:0:7f00:1::", "2002:7f00:1::", "3fff::1", "5f00::1",
	} {
		if isPublic(netip.MustParseAddr(a)) {
			t.Errorf("%s counts as public", a)
		}
	}
	for _, a := range []string{"1.1.1.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "169.253.1.1", "198.20.0.1", "223.255.255.255", "::ffff:1.1.1.1", "2606:4700:4700::1111", "2a00:1450:4001::1"} {
		if !isPublic(netip.MustParseAddr(a)) {
			t.Errorf("%s does not count as public", a)
		}
	}
	for port, want := range map[uint16]bool{80: true, 443: true, 8443: true, 22: false, 25: false, 1023: false, 6379: true} {
		if allowedPort(port) != want {
			t.Errorf("port %d: %t", port, !want)
		}
		if err := guard("tcp", fmt.Sprintf("1.1.1.1:%d", port), nil); (err == nil) != want {
			t.Errorf("connecting to port %d: %v", port, err)
		}
	}
}

// All spellings of this machine are refused when the connection is made, those by
// name and those that a resolver or the kernel understands included.
func TestNobodyReachesThisMachine(t *testing.T) {
	hit := make(chan string, 10)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { hit <- r.Host }))
	defer server.Close()
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	client := newClient(true, &tls.Config{MinVersion: tls.VersionTLS12})
	for _, host := range []string{"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "0.0.0.0", "[::]", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost."} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+host+":"+port+"/", nil)
		if err != nil {
			continue // not even a URL
		}
		err = post(client, req)
		if err == nil {
			t.Errorf("%s was reached", host)
			continue
		}
		if strings.Contains(err.Error(), "127.0.0.1") || strings.Contains(err.Error(), port) {
			t.Errorf("%s: the error tells of the network: %v", host, err)
		}
	}
	if len(hit) > 0 {
		t.Errorf("the server was asked for %s", <-hit)
	}
	if err := post(newClient(true, &tls.Config{MinVersion: tls.VersionTLS12}), mustRequest(t, "http://127.0.0.1:"+port)); !errors.Is(err, errPrivate) || !IsPermanent(err) {
		t.Errorf("%v", err)
	}
}

// A machine with a public address has services there that a firewall keeps from
// strangers, but not from the machine itself.
func TestNobodyReachesThisMachineByItsPublicAddress(t *testing.T) {
	own := func() ([]net.Addr, error) {
		return []net.Addr{
			&net.IPNet{IP: net.ParseIP("1.2.3.4"), Mask: net.CIDRMask(24, 32)},
			&net.IPNet{IP: net.ParseIP("2a00:1450::5"), Mask: net.CIDRMask(64, 128)},
		}, nil
	}
	for address, allowed := range map[string]bool{
		"1.2.3.4:8332": false, "[::ffff:1.2.3.4]:8332": false, "[2a00:1450::5]:8332": false,
		"1.2.3.4:443": true, "[2a00:1450::5]:80": true, "1.2.3.5:8332": true, "[2a00:1450::6]:8332": true,
	} {
		if err := mayReach(address, own); (err == nil) != allowed {
			t.Errorf("%s: %v", address, err)
		}
	}
	if err := mayReach("1.2.3.5:8332", func() ([]net.Addr, error) { return nil, errors.New("no") }); err == nil {
		t.Error("nobody knows whether it is this machine's")
	}
}

func mustRequest(t *testing.T, to string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, to, nil)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// A name whose address changes between two questions is checked at the moment of
// connecting: the guard sees what is dialed, not what was asked before.
func TestNamesAreCheckedWhenTheyAreDialed(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	client := newClient(true, &tls.Config{MinVersion: tls.VersionTLS12})
	// A resolver of the test's: every name is this machine.
	transport := client.Transport.(*http.Transport)
	dialer := &net.Dialer{Control: guard, Resolver: &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		a, b := net.Pipe()
		go answerLoopback(a)
		return streamConn{b}, nil
	}}}
	transport.DialContext = dialer.DialContext
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	if err := post(client, mustRequest(t, "http://rebound.example:"+port)); !errors.Is(err, errPrivate) {
		t.Errorf("%v", err)
	}
}

// streamConn makes the resolver speak DNS over a stream.
type streamConn struct{ net.Conn }

// answerLoopback answers DNS questions for addresses with 127.0.0.1 (RFC 1035;
// over TCP, with the length before each message).
func answerLoopback(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	for {
		var length [2]byte
		if _, err := conn.Read(length[:]); err != nil {
			return
		}
		query := make([]byte, int(length[0])<<8|int(length[1]))
		if _, err := conn.Read(query); err != nil {
			return
		}
		end := 12
		for query[end] != 0 {
			end += int(query[end]) + 1
		}
		question := query[12 : end+5]
		out := append([]byte{query[0], query[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, question...)
		if question[len(question)-3] == 1 { // A
			out[7] = 1
			out = append(out, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1)
		}
		if _, err := conn.Write(append([]byte{byte(len(out) >> 8), byte(len(out))}, out...)); err != nil {
			return
		}
	}
}

// Redirects are not followed, not even to where one might go.
func TestRedirectsAreNotFollowed(t *testing.T) {
	hit := false
	inner := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hit = true }))
	defer inner.Close()
	outer := httptest.NewServer(http.RedirectHandler(inner.URL, http.StatusTemporaryRedirect))
	defer outer.Close()
	c := free(t)
	ch, err := c.webhook(Opening{Operator: true, Settings: map[string]string{"webhook": outer.URL}})
	if err != nil {
		t.Fatal(err)
	}
	if err := ch.Send(t.Context(), testMessage()); !IsPermanent(err) || hit {
		t.Errorf("%v, followed %t", err, hit)
	}
}

// free is a catalog that may reach this machine.
func free(t *testing.T) *catalog {
	t.Helper()
	secure := &tls.Config{MinVersion: tls.VersionTLS12}
	return &catalog{cfg: CatalogConfig{AllowPrivate: true, TLS: secure}, guarded: newClient(true, secure), free: newClient(false, secure)}
}

func testMessage() Message {
	at := time.Date(2026, 3, 1, 12, 5, 3, 0, time.UTC)
	return compose("0123456789abcdef0123", []alert.Event{
		{Kind: alert.WorkerOffline, Key: "k1", At: at, Severity: alert.Warning, Worker: "addr.<b>@everyone", Text: "Offline >5m: addr.<b>@everyone", Values: map[string]any{"after_seconds": 300.0}},
	}, false)
}

// Only operators' channels leave the guarded way, and only when that is allowed.
func TestWhoMayReachPrivateNetworks(t *testing.T) {
	c := free(t)
	for _, o := range []struct{ operator, allowed, free bool }{{false, true, false}, {true, false, false}, {true, true, true}, {false, false, false}} {
		c.cfg.AllowPrivate = o.allowed
		if got := c.client(Opening{Operator: o.operator}) == c.free; got != o.free {
			t.Errorf("%+v", o)
		}
	}
	if _, err := c.webhook(Opening{Settings: map[string]string{"webhook": "http://example.org"}}); err == nil {
		t.Error("a person's channel goes without TLS")
	}
}

// Answers beyond all bounds are read as far as they may be, and slow ones end.
func TestHostileServices(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/endless":
			w.WriteHeader(http.StatusBadRequest)
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 64<<10)); err != nil {
					return
				}
			}
		case "/slow":
			<-r.Context().Done()
		}
	}))
	defer server.Close()
	c := free(t)
	if err := post(c.free, mustRequest(t, server.URL+"/endless")); !IsPermanent(err) {
		t.Errorf("endless: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := post(c.free, mustRequest(t, server.URL+"/slow").WithContext(ctx))
	if err == nil || IsPermanent(err) || strings.Contains(err.Error(), "127.0.0.1") {
		t.Errorf("slow: %v", err)
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for in, want := range map[string]time.Duration{"": 0, "120": 2 * time.Minute, "1.5": 1500 * time.Millisecond, "-1": 0, "soon": 0, "NaN": 0, "1e300": 0, "Sun, 01 Mar 2026 12:01:00 GMT": time.Minute, "Sun, 01 Mar 2020 12:01:00 GMT": 0} {
		if got := retryAfter(in, now); got != want {
			t.Errorf("%q: %v, want %v", in, got, want)
		}
	}
}
