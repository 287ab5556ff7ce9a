package pool

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// proxied is a listener for connections with a PROXY header.
type proxied struct {
	address string
	secure  bool
}

// behindProxy opens one, for proxies of this machine.
func (r *rig) behindProxy(t testing.TB, change ...func(*ListenerOptions)) proxied {
	t.Helper()
	o := ListenerOptions{ProxyProtocol: true, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	for _, f := range change {
		f(&o)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := r.pool.Serve(ctx, l, o); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { cancel(); serving.Wait() })
	return proxied{l.Addr().String(), o.TLS != nil}
}

// open connects and sends a header.
func (p proxied) open(t testing.TB, header string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", p.address)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, header); err != nil {
		t.Fatal(err)
	}
	return conn
}

// connect opens the connection of a miner from an address.
func (p proxied) connect(t testing.TB, address string) *testMiner {
	t.Helper()
	return newTestMiner(t, p.open(t, fmt.Sprintf("PROXY TCP4 %s 192.0.2.1 40000 3333\r\n", address)))
}

// remotes are the addresses that the sessions seem to come from.
func (r *rig) remotes() map[string]bool {
	all := make(map[string]bool)
	for _, s := range r.pool.snapshotSessions() {
		all[s.remote.String()] = true
	}
	return all
}

const (
	header4 = "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c" + "\xcb\x00\x71\x07" + "\xc0\x00\x02\x01" + "\x9c\x40" + "\x0d\x05"
	local2  = "\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00"
)

func TestProxyHeadersNameTheMiner(t *testing.T) {
	for name, tc := range map[string]struct{ header, want string }{
		"version 1":       {"PROXY TCP4 203.0.113.7 192.0.2.1 40000 3333\r\n", "203.0.113.7:40000"},
		"version 1, IPv6": {"PROXY TCP6 2001:db8::7 2001:db8::1 40000 3333\r\n", "[2001:db8::7]:40000"},
		"version 2":       {header4, "203.0.113.7:40000"},
		"unknown":         {"PROXY UNKNOWN\r\n", ""},
		"local":           {local2, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, false)
			r.newTip()
			conn := r.behindProxy(t).open(t, tc.header)
			m := newTestMiner(t, conn)
			m.start(alice, "x")
			if got := m.share(); got != "" {
				t.Error(got)
			}
			want := tc.want
			if want == "" {
				want = conn.LocalAddr().String() // the proxy's own
			}
			if got := r.remotes(); len(got) != 1 || !got[want] {
				t.Errorf("comes from %v, want %s", got, want)
			}
		})
	}
}

// The header comes first, then the TLS handshake.
func TestTLSBehindAProxy(t *testing.T) {
	cert, err := OwnCertificate(t.TempDir()+"/c", t.TempDir()+"/k", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t, false)
	r.newTip()
	p := r.behindProxy(t, func(o *ListenerOptions) { o.TLS = cert.Config() })
	m := newTestMiner(t, tls.Client(p.open(t, header4), &tls.Config{InsecureSkipVerify: true}))
	m.start(alice, "x")
	if got := m.share(); got != "" {
		t.Error(got)
	}
	if got := r.remotes(); !got["203.0.113.7:40000"] {
		t.Errorf("comes from %v", got)
	}
	// Who is banned is told so through TLS, too.
	ban, err := r.pool.BanAddress(netip.MustParsePrefix("203.0.113.7/32"), time.Hour, "")
	if err != nil {
		t.Fatal(err)
	}
	newTestMiner(t, tls.Client(p.open(t, header4), &tls.Config{InsecureSkipVerify: true})).wantTurnedAway(ban.Until)
}

func TestBadProxyHeaders(t *testing.T) {
	r := newRig(t, false)
	p := r.behindProxy(t)
	for i, header := range []string{
		`{"id":1,"method":"mining.subscribe","params":[]}` + "\n",
		"PROXY TCP4 1.2.3.4 5.6.7.8 99999 1\r\n",
		"\r\n\r\n\x00\r\nQUIT\n\x31\x11\x00\x0cxxxxxxxxxxxx",
	} {
		newTestMiner(t, p.open(t, header)).wantEnd()
		eventually(t, "counted", func() bool { return r.closes("bad_proxy_header") == uint64(i+1) })
	}
	// A proxy that only looks whether somebody is there.
	p.open(t, "").Close()
	eventually(t, "counted", func() bool { return r.closes("closed_by_miner") == 1 })

	// Somebody else may not send one, nor connect without one.
	other := r.behindProxy(t, func(o *ListenerOptions) { o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")} })
	newTestMiner(t, other.open(t, header4)).wantEnd()
	none := r.behindProxy(t, func(o *ListenerOptions) { o.TrustedProxies = nil })
	newTestMiner(t, none.open(t, "")).wantEnd()
	eventually(t, "counted", func() bool { return r.closes("untrusted_proxy") == 2 })
	if n := len(r.remotes()); n != 0 {
		t.Errorf("%d sessions", n)
	}
	// On a listener without the protocol a header is a line that is no JSON.
	m := r.connect(t)
	m.send(header4 + "\n")
	m.send("PROXY TCP4 203.0.113.7 192.0.2.1 40000 3333\r\n")
	if got := r.remotes(); got["203.0.113.7:40000"] {
		t.Error("anybody can claim any address")
	}
}

// A proxy that does not say whom it brings is not waited for, and the end of
// the pool does not wait either.
func TestSilentProxy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, true)
		open := func() net.Conn {
			server, client := net.Pipe()
			proxy := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9}
			r.pool.Accept(addressed{server, proxy}, ListenerOptions{ProxyProtocol: true, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}})
			return client
		}
		silent := newTestMiner(t, open())
		silent.send("PROXY TCP4 203.0.")
		start := time.Now()
		silent.wantEnd()
		if took := time.Since(start); took != proxyHeaderTimeout {
			t.Errorf("waited for %v", took)
		}
		if got := r.closes("bad_proxy_header"); got != 1 {
			t.Errorf("%v", r.pool.counters.closeCounts())
		}
		late := newTestMiner(t, open())
		start = time.Now()
		r.stop()
		late.wantEnd()
		if took := time.Since(start); took > drainTime {
			t.Errorf("the end took %v", took)
		}
	})
}

// Farewells to banned addresses are bounded in number, lines and time.
func TestFarewellsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, true)
		if _, err := r.pool.BanAddress(netip.MustParsePrefix(attacker+"/32"), 0, ""); err != nil {
			t.Fatal(err)
		}
		var waiting []*testMiner
		for range maxFarewells {
			waiting = append(waiting, r.connectFrom(t, attacker))
		}
		r.connectFrom(t, attacker).wantEnd()
		start := time.Now()
		for _, m := range waiting {
			m.wantEnd()
		}
		if took := time.Since(start); took != farewellTimeout {
			t.Errorf("they stayed for %v", took)
		}
		if got := r.closes("banned"); got != maxFarewells+1 {
			t.Errorf("%d counted", got)
		}
		m := r.connectFrom(t, attacker)
		for range farewellLines {
			if got := m.call("mining.ping"); len(got.Error) != 3 || got.Error[1] != "Banned" {
				t.Fatalf("%+v", got)
			}
		}
		m.wantEnd()
		r.stop()
	})
}
