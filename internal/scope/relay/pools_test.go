package relay

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/proxyproto"
)

// refusing is an upstream that nobody listens at.
func refusing(t *testing.T) (Upstream, string) {
	t.Helper()
	l := listen(t, "127.0.0.1:0")
	u := upstreamOf(t, l)
	_ = l.Close()
	return u, l.Addr().String()
}

func TestPoolUnreachable(t *testing.T) {
	u, address := refusing(t)
	b := newBench(t, Config{Upstreams: []Upstream{u}}, ListenerOptions{})
	miner := b.dial()
	say(t, miner, "hello\n")
	if _, err := readEnd(t, miner); err != nil && !errors.Is(err, syscall.ECONNRESET) {
		t.Error(err)
	}
	s := b.ended()
	if s.Reason != string(ReasonPoolUnreachable) || s.Pool != address || s.PoolPeer != "" || s.Connected {
		t.Errorf("session %+v", s)
	}
	st := b.server.Stats()
	one := st.Upstreams[0]
	if text, err := json.Marshal(st); err != nil || !strings.Contains(string(text), `"upstream":"stratum+tcp://`+address+`"`) || !strings.Contains(string(text), `"pool_unreachable":1`) {
		t.Errorf("%s, %v", text, err)
	}
	if st.Closed[ReasonPoolUnreachable] != 1 || one.Healthy || !one.Resting || one.Dials != 1 || one.Failures != 1 || !strings.Contains(one.LastError, "refused") || one.FailedAt.IsZero() {
		t.Errorf("%+v", st)
	}
}

// A pool that accepts and says nothing is given up after the connect timeout.
func TestDeadPoolTimesOut(t *testing.T) {
	u := upstreamOf(t, listen(t, "127.0.0.1:0"))
	u.TLS = true
	b := newBench(t, Config{Upstreams: []Upstream{u}, ConnectTimeout: 50 * time.Millisecond}, ListenerOptions{})
	if took, err := readEnd(t, b.dial()); err != nil || took < 40*time.Millisecond {
		t.Errorf("%v after %v", err, took)
	}
	if s := b.ended(); s.Reason != string(ReasonPoolUnreachable) {
		t.Errorf("ended for %q", s.Reason)
	}
}

// A miner that leaves while a dead pool is dialled ends its session at once.
func TestMinerLeavesDeadPool(t *testing.T) {
	for _, reset := range []bool{false, true} {
		u := upstreamOf(t, listen(t, "127.0.0.1:0"))
		u.TLS = true
		b := newBench(t, Config{Upstreams: []Upstream{u}, ConnectTimeout: time.Minute}, ListenerOptions{})
		miner := b.dial()
		b.session()
		want := ReasonMinerClosed
		if reset {
			say(t, miner, "x\n")
			_ = miner.SetLinger(0)
			want = ReasonMinerReset
		}
		_ = miner.Close()
		if s := b.ended(); s.Reason != string(want) {
			t.Errorf("ended for %q, want %q", s.Reason, want)
		}
		if st := b.server.Stats(); st.Upstreams[0].Failures != 0 {
			t.Error("the pool is blamed for it")
		}
	}
}

// TestFailover kills the preferred pool: new sessions go to the next one, and
// return when it is back and has rested.
func TestFailover(t *testing.T) {
	first, second := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
	b := newBench(t, Config{Upstreams: []Upstream{upstreamOf(t, first), upstreamOf(t, second)}, Backoff: time.Hour}, ListenerOptions{})
	relayed := func(l net.Listener) {
		t.Helper()
		miner := b.dial()
		pool := accept(t, l)
		say(t, miner, "a\n")
		hear(t, pool, "a\n")
		if name, peer := b.session().Upstream(); name != l.Addr().String() || peer != name {
			t.Errorf("the session's pool is %s, %s; want %s", name, peer, l.Addr())
		}
		_ = miner.Close()
		_ = pool.Close()
		if s := b.ended(); s.Pool != l.Addr().String() || s.PoolPeer != s.Pool {
			t.Errorf("recorded with the pool %s, %s; want %s", s.Pool, s.PoolPeer, l.Addr())
		}
	}
	relayed(first)
	_ = first.Close()
	relayed(second)
	if st := b.server.Stats().Upstreams; st[0].Healthy || st[0].Failures != 1 || !st[1].Healthy {
		t.Errorf("%+v", st)
	}

	first = listen(t, first.Addr().String())
	relayed(second) // the first one rests
	if n := b.server.Stats().Upstreams[0].Dials; n != 2 {
		t.Errorf("the resting pool was dialled: %d dials", n)
	}
	b.server.pools.mu.Lock()
	b.server.pools.all[0].failedAt = time.Now().Add(-2 * time.Hour)
	b.server.pools.mu.Unlock()
	relayed(first)
	if st := b.server.Stats().Upstreams; !st[0].Healthy || st[0].Resting {
		t.Errorf("%+v", st)
	}
}

func TestOrderOfPools(t *testing.T) {
	p := newPools([]Upstream{{Host: "a"}, {Host: "b"}, {Host: "c"}}, time.Minute)
	now := time.Unix(1700000000, 0)
	order := func(at time.Time) (names string) {
		for _, one := range p.order(at) {
			names += one.Host
		}
		return names
	}
	broken := errors.New("broken")
	for _, step := range []struct {
		host  int
		err   error
		after time.Duration
		want  string
	}{
		{0, broken, 0, "bca"},
		{1, broken, 30 * time.Second, "cab"},
		{2, broken, 40 * time.Second, "abc"}, // all rest: the usual order
		{1, nil, 50 * time.Second, "bac"},
		{1, nil, 61 * time.Second, "abc"},
		{1, nil, 101 * time.Second, "abc"},
	} {
		p.tried(p.all[step.host], 0, step.err, now.Add(step.after))
		if got := order(now.Add(step.after)); got != step.want {
			t.Errorf("after %v: %s, want %s", step.after, got, step.want)
		}
	}
}

func TestNoSockets(t *testing.T) {
	refused := &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	none := &net.OpError{Op: "dial", Err: os.NewSyscallError("socket", syscall.EMFILE)}
	if noSockets(refused) || noSockets(nil) || !noSockets(none) || !noSockets(fmt.Errorf("dial: %w", none)) {
		t.Error("wrong")
	}
}

func TestIPv6(t *testing.T) {
	l, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Skip("no IPv6 here:", err)
	}
	defer func() { _ = l.Close() }()
	b := newBench(t, Config{Upstreams: []Upstream{upstreamOf(t, l)}}, ListenerOptions{})
	miner := b.dial()
	pool := accept(t, l)
	say(t, miner, "a\n")
	hear(t, pool, "a\n")
	if pool, peer := b.session().Upstream(); pool != l.Addr().String() || peer != l.Addr().String() {
		t.Errorf("connected to %s, %s", pool, peer)
	}
}

// certified is a certificate for 127.0.0.1, and who signed it.
func certified(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	s := httptest.NewUnstartedServer(nil)
	s.StartTLS()
	defer s.Close()
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return &tls.Config{Certificates: s.TLS.Certificates}, roots
}

// TestTLS speaks TLS on both sides; the end of a stream passes through both.
func TestTLS(t *testing.T) {
	server, roots := certified(t)
	for _, minerEnds := range []bool{true, false} {
		pool := listen(t, "127.0.0.1:0")
		u := upstreamOf(t, pool)
		u.TLS = true
		b := newBench(t, Config{Upstreams: []Upstream{u}, RootCAs: roots}, ListenerOptions{TLS: server})
		accepted := make(chan *tls.Conn)
		go func() {
			nc, err := pool.Accept()
			if err != nil {
				t.Error(err)
			}
			secure := tls.Server(nc, server)
			_ = secure.SetDeadline(time.Now().Add(patience))
			if err := secure.Handshake(); err != nil {
				t.Error(err)
			}
			accepted <- secure
		}()
		first := tls.Client(b.dial(), &tls.Config{RootCAs: roots, ServerName: "127.0.0.1"})
		if err := first.Handshake(); err != nil {
			t.Fatal(err)
		}
		second := <-accepted
		t.Cleanup(func() { _ = second.NetConn().Close() })
		if !minerEnds {
			first, second = second, first
		}
		question := strings.Repeat("a long question ", 10000) + "\n"
		go func() { _, _ = io.WriteString(first, question) }()
		hear(t, second, question)
		_ = first.CloseWrite()
		if _, err := second.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("the other side reads %v", err)
		}
		say(t, second, "the last answer\n")
		hear(t, first, "the last answer\n")
		_ = second.Close()
		if _, err := first.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("at last %v", err)
		}
		want := ReasonPoolClosed
		if minerEnds {
			want = ReasonMinerClosed
		}
		if s := b.ended(); s.Reason != string(want) || s.Messages != 2 {
			t.Errorf("session %+v", s)
		}
	}
}

// A pool's certificate must be good, unless the operator says otherwise.
func TestCertificateIsVerified(t *testing.T) {
	server, roots := certified(t)
	for name, tc := range map[string]struct {
		roots *x509.CertPool
		set   func(*Upstream)
		fine  bool
	}{
		"unknown":                {nil, func(*Upstream) {}, false},
		"unknown, but allowed":   {nil, func(u *Upstream) { u.Insecure = true }, true},
		"known":                  {roots, func(*Upstream) {}, true},
		"of somebody else":       {roots, func(u *Upstream) { u.ServerName = "pool.test" }, false},
		"of the name that's set": {roots, func(u *Upstream) { u.ServerName = "example.com" }, true},
	} {
		t.Run(name, func(t *testing.T) {
			pool := tls.NewListener(listen(t, "127.0.0.1:0"), server)
			u := upstreamOf(t, pool)
			u.TLS = true
			tc.set(&u)
			b := newBench(t, Config{Upstreams: []Upstream{u}, RootCAs: tc.roots}, ListenerOptions{})
			miner := b.dial()
			nc, err := pool.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = nc.Close() }()
			_ = nc.SetDeadline(time.Now().Add(patience))
			if tc.fine {
				go func() { _, _ = io.WriteString(nc, "hello\n") }()
				hear(t, miner, "hello\n")
				return
			}
			go func() { _, _ = nc.Read(make([]byte, 1)) }() // shakes hands
			if _, err := readEnd(t, miner); err != nil {
				t.Error(err)
			}
			if s, st := b.ended(), b.server.Stats(); s.Reason != string(ReasonPoolUnreachable) || !strings.Contains(st.Upstreams[0].LastError, "certificate") {
				t.Errorf("ended for %q: %s", s.Reason, st.Upstreams[0].LastError)
			}
		})
	}
}

// A listener may speak TLS by itself. The handshake is not disturbed by the
// pool's being there before it is over.
func TestListenerWithTLS(t *testing.T) {
	server, roots := certified(t)
	b := newBench(t, Config{}, ListenerOptions{})
	l := tls.NewListener(listen(t, "127.0.0.1:0"), server)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := b.server.Serve(ctx, l, ListenerOptions{}); err != nil {
			t.Error(err)
		}
	}()
	defer func() { cancel(); <-done }()
	b.address = l.Addr().String()
	raw := b.dial()
	time.Sleep(50 * time.Millisecond) // a pool would be connected by now
	miner := tls.Client(raw, &tls.Config{RootCAs: roots, ServerName: "127.0.0.1"})
	if err := miner.Handshake(); err != nil {
		t.Fatal(err)
	}
	pool := accept(t, b.pool)
	say(t, miner, "hello\n")
	hear(t, pool, "hello\n")
	say(t, pool, "hello yourself\n")
	hear(t, miner, "hello yourself\n")
}

func TestMinerWithoutTLS(t *testing.T) {
	server, _ := certified(t)
	b := newBench(t, Config{}, ListenerOptions{TLS: server})
	miner := b.dial()
	say(t, miner, "{\"id\":1,\"method\":\"mining.subscribe\"}\n")
	_, _ = readEnd(t, miner)
	b.wait("the refusal", func() bool { return b.server.Stats().Closed[ReasonTLSHandshake] == 1 })
	if n := len(b.recorder.Store().Sessions()); n != 0 {
		t.Errorf("%d sessions", n)
	}
}

// TestProxyProtocol passes a miner's address in and out.
func TestProxyProtocol(t *testing.T) {
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	source, destination := netip.MustParseAddrPort("203.0.113.7:4711"), netip.MustParseAddrPort("192.0.2.1:3333")
	for version := 1; version <= 2; version++ {
		pool := listen(t, "127.0.0.1:0")
		u := upstreamOf(t, pool)
		u.ProxyProtocol = version
		b := newBench(t, Config{Upstreams: []Upstream{u}}, ListenerOptions{ProxyProtocol: true, TrustedProxies: loopback})
		miner := b.dial()
		header := proxyproto.Header{Version: 3 - version, Source: source, Destination: destination}
		say(t, miner, string(header.Append(nil))+"hello\n")
		side := accept(t, pool)
		got, err := proxyproto.Read(side)
		header.Version = version
		if err != nil || got != header {
			t.Errorf("the pool got %+v, %v", got, err)
		}
		hear(t, side, "hello\n")
		if s := b.session(); s.Miner() != source.String() {
			t.Errorf("the miner is %s", s.Miner())
		}
		say(t, side, "fine\n")
		hear(t, miner, "fine\n")
		_ = miner.Close()
		if s := b.ended(); s.Miner != source.String() || s.Messages != 2 {
			t.Errorf("session %+v", s)
		}

		bad := b.dial()
		say(t, bad, "{\"id\":1,\"method\":\"mining.subscribe\"}\n")
		_, _ = readEnd(t, bad)
		check := b.dial()
		_ = check.Close()
		b.wait("both refusals", func() bool {
			c := b.server.Stats().Closed
			return c[ReasonProxyHeader] == 1 && c[ReasonMinerClosed] == 2
		})
	}

	b := newBench(t, Config{}, ListenerOptions{ProxyProtocol: true, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}})
	_, _ = readEnd(t, b.dial())
	b.wait("the refusal", func() bool { return b.server.Stats().Closed[ReasonUntrustedProxy] == 1 })
}

// Without a proxy before us the pool is told the miner's own address.
func TestProxyHeaderOfDirectMiner(t *testing.T) {
	pool := listen(t, "127.0.0.1:0")
	u := upstreamOf(t, pool)
	u.ProxyProtocol = 2
	b := newBench(t, Config{Upstreams: []Upstream{u}}, ListenerOptions{})
	miner := b.dial()
	side := accept(t, pool)
	got, err := proxyproto.Read(side)
	if err != nil || got.Source.String() != miner.LocalAddr().String() || got.Destination.String() != b.address {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestBuffersAreReturned(t *testing.T) {
	b := newBench(t, Config{}, ListenerOptions{})
	miner, pool := b.connect()
	for _, size := range []int{1, smallBuffer - 1, smallBuffer, smallBuffer + 1, largeBuffer, 3 * largeBuffer, 1, 2} {
		block := bytes.Repeat([]byte("z"), size-1)
		block = append(block, '\n')
		go func() { _, _ = miner.Write(block) }()
		hear(t, pool, string(block))
	}
}
