package relay

import (
	"bytes"
	"log/slog"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

func TestReconnectTarget(t *testing.T) {
	configured := Upstream{Host: "eu.pool.example", Port: 3333, TLS: true, ServerName: "pool.example"}
	peer := netip.MustParseAddr("192.0.2.7")
	for _, tc := range []struct {
		params, host string
		port         uint16
		safe         bool
	}{
		{`[]`, "eu.pool.example", 3333, true},
		{`null`, "eu.pool.example", 3333, true},
		{`["",0,0]`, "eu.pool.example", 3333, true},
		{`["eu.pool.example",3334,1]`, "eu.pool.example", 3334, true},
		{`["EU.Pool.Example.","3334"]`, "eu.pool.example", 3334, true},
		{`["us.pool.example",3333]`, "us.pool.example", 3333, true},
		{`["pool.example"]`, "pool.example", 3333, true},
		{`["stratum+tcp://us.pool.example",700]`, "us.pool.example", 700, true},
		{`["a.eu.pool.example"]`, "a.eu.pool.example", 3333, true},
		{`["192.0.2.7",3333]`, "192.0.2.7", 3333, true},
		{`["192.0.2.8",3333]`, "192.0.2.8", 3333, false},
		{`["pool.example.evil.test",3333]`, "pool.example.evil.test", 3333, false},
		{`["evilpool.example",3333]`, "evilpool.example", 3333, false},
		{`["localhost"]`, "localhost", 3333, false},
		{`["bad host"]`, "eu.pool.example", 3333, false},
		{`["eu.pool.example",99999]`, "eu.pool.example", 3333, false},
		{`[{"a":1}]`, "eu.pool.example", 3333, false},
		{`{"host":"x"}`, "eu.pool.example", 3333, false},
	} {
		asked := parseReconnect([]byte(`{"method":"client.reconnect","params":` + tc.params + `}`))
		target, safe := asked.target(configured, configured, peer)
		if target.Host != tc.host || target.Port != tc.port || safe != tc.safe || !target.TLS {
			t.Errorf("%s: %+v, safe %t", tc.params, target, safe)
		}
	}

	// The certificate that the operator named is asked for where it is meant.
	asked := parseReconnect([]byte(`{"params":["us.pool.example"]}`))
	if target, _ := asked.target(configured, configured, peer); target.serverName() != "us.pool.example" {
		t.Errorf("certificate of %s", target.serverName())
	}
	asked = parseReconnect([]byte(`{"params":["192.0.2.7"]}`))
	if target, _ := asked.target(configured, configured, peer); target.serverName() != "pool.example" {
		t.Errorf("certificate of %s", target.serverName())
	}
	if _, safe := parseReconnect([]byte(`{"params":["a.b.example"]}`)).target(Upstream{Host: "192.0.2.1"}, Upstream{Host: "192.0.2.1"}, peer); safe {
		t.Error("a name is as safe as an address")
	}
}

func TestReconnectWait(t *testing.T) {
	for params, want := range map[string]time.Duration{
		`["h",1,2]`: 2 * time.Second, `["h",1,"2"]`: 2 * time.Second, `["h",1,0.5]`: time.Second / 2, `["h",1,1e300]`: reconnectLatest,
		`["h",1,-1]`: 0, `["h",1,"soon"]`: 0, `["h",1]`: 0, `["h",1,null]`: 0,
	} {
		if got := parseReconnect([]byte(`{"params":` + params + `}`)).wait; got != want {
			t.Errorf("%s: %v", params, got)
		}
	}
}

func TestRegistrable(t *testing.T) {
	for host, want := range map[string]string{
		"pool.example": "pool.example", "a.b.pool.example": "pool.example", "pool.co.uk": "pool.co.uk", "a.pool.co.uk": "pool.co.uk", "co.uk": "",
		"pool.de": "pool.de", "eu.pool.de": "pool.de", "a.b.de": "a.b.de", "com": "", "localhost": "", "": "", "mine.duckdns.org": "", "x.github.io": "",
		"a.pool.info.pl": "pool.info.pl", "info.pl": "",
	} {
		if got := registrable(host); got != want {
			t.Errorf("%q: %q, want %q", host, got, want)
		}
	}
}

func TestRedirectsAreBounded(t *testing.T) {
	var r redirects
	now := time.Unix(1700000000, 0)
	miner := netip.MustParseAddr("192.0.2.1")
	from := &pool{}
	for i := range maxRedirects + 5 {
		r.put(miner, Upstream{Port: uint16(i)}, from, now)
	}
	if r.count != maxRedirects {
		t.Errorf("%d are kept", r.count)
	}
	if u, one := r.take(miner, now); one != from || u.Port != 0 {
		t.Errorf("%+v, %v", u, one)
	}
	r.put(netip.MustParseAddr("192.0.2.2"), Upstream{Port: 9}, from, now.Add(redirectsLast+time.Second))
	r.put(netip.MustParseAddr("192.0.2.3"), Upstream{Port: 9}, from, now.Add(redirectsLast+time.Second))
	if r.count != 2 || len(r.byMiner) != 2 {
		t.Errorf("%d are kept for %d miners after the old ones expired", r.count, len(r.byMiner))
	}
	if _, one := r.take(miner, now); one != nil {
		t.Error("an expired one is taken")
	}
	if _, one := r.take(netip.MustParseAddr("192.0.2.3"), now.Add(3*redirectsLast)); one != nil || r.count != 1 {
		t.Errorf("an old one is taken; %d left", r.count)
	}
}

// TestReconnectIsAnswered holds a client.reconnect back, lets the miner connect
// again, and goes where the pool said for it, once.
func TestReconnectIsAnswered(t *testing.T) {
	b := newBench(t, Config{}, ListenerOptions{})
	elsewhere := listen(t, "127.0.0.1:0")
	miner, pool := b.connect()
	first := b.session().ID()
	asked := `{"id":null,"method":"client.reconnect","params":["127.0.0.1",` + strconv.Itoa(int(upstreamOf(t, elsewhere).Port)) + `,0]}` + "\n"
	say(t, pool, "before\n"+asked+"after\n")
	hear(t, miner, "before\nafter\n")
	say(t, miner, "goodbye\n")
	hear(t, pool, "goodbye\n")
	if _, err := readEnd(t, miner); err != nil {
		t.Error(err)
	}
	if _, err := readEnd(t, pool); err != nil {
		t.Error(err)
	}
	s := b.ended()
	if s.Reason != string(ReasonClientReconnect) || s.Messages != 4 {
		t.Errorf("session %+v", s)
	}
	for n, forwarded := range []bool{true, false, true} {
		m := b.recorder.Store().Message(first, uint64(n+1))
		if m.Forwarded.IsZero() == forwarded || m.Direction != capture.PoolToMiner {
			t.Errorf("message %q was forwarded at %v", m.Raw, m.Forwarded)
		}
		if !forwarded && (string(m.Raw) != asked || m.Method != "client.reconnect") {
			t.Errorf("captured as %q", m.Raw)
		}
	}

	again := b.dial()
	side := accept(t, elsewhere)
	say(t, side, "here\n")
	hear(t, again, "here\n")
	b.connect() // a third time it is as usual
	if st := b.server.Stats(); st.Reconnects != 1 || st.Redirected != 1 || st.Closed[ReasonClientReconnect] != 1 {
		t.Errorf("%+v", st)
	}
}

// Nobody follows a pool to somebody else.
func TestReconnectToStranger(t *testing.T) {
	b := newBench(t, Config{}, ListenerOptions{})
	miner, pool := b.connect()
	say(t, pool, `{"method":"client.reconnect","params":["pool.evil.test",3333,0],"id":null}`+"\n")
	if _, err := readEnd(t, miner); err != nil {
		t.Error(err)
	}
	b.connect()
	_ = pool.Close()
}

// A pool that closes after its client.reconnect does not wait for us.
func TestReconnectAndClose(t *testing.T) {
	b := newBench(t, Config{}, ListenerOptions{})
	miner, pool := b.connect()
	say(t, pool, `{"method":"client.reconnect","params":["",0,3],"id":null}`+"\n")
	_ = pool.Close()
	if took, err := readEnd(t, miner); err != nil || took > 2*time.Second {
		t.Errorf("%v after %v", err, took)
	}
	if s := b.ended(); s.Reason != string(ReasonClientReconnect) {
		t.Errorf("ended for %q", s.Reason)
	}
}

func TestReconnectPasses(t *testing.T) {
	b := newBench(t, Config{Reconnect: ReconnectPass}, ListenerOptions{})
	miner, pool := b.connect()
	const line = `{"method":"client.reconnect","params":["pool.evil.test",3333,0],"id":null}` + "\n"
	say(t, pool, line)
	hear(t, miner, line)
	_ = miner.Close()
	if s := b.ended(); s.Reason != string(ReasonMinerClosed) || b.server.Stats().Reconnects != 0 {
		t.Errorf("ended for %q", s.Reason)
	}
}

// A name below the configured one is the same operator's, whatever the domain.
func TestReconnectBelow(t *testing.T) {
	u := Upstream{Host: "mine.duckdns.org", Port: 3333}
	for host, want := range map[string]bool{"a.mine.duckdns.org": true, "other.duckdns.org": false, "notmine.duckdns.org": false} {
		if _, safe := parseReconnect([]byte(`{"params":["`+host+`"]}`)).target(u, u, netip.Addr{}); safe != want {
			t.Errorf("%s: safe %t", host, safe)
		}
	}
}

// Whatever a pool says, what is followed is its own, with TLS.
func FuzzReconnect(f *testing.F) {
	for _, params := range []string{`["us.pool.example",3334,1]`, `["192.0.2.7","80","1e9"]`, `["evil.test.",-1]`, `[]`, `{}`, `["[::1]:5",0]`} {
		f.Add([]byte(`{"params":` + params + `}`))
	}
	u := Upstream{Host: "eu.pool.example", Port: 3333, TLS: true}
	peer := netip.MustParseAddr("192.0.2.7")
	f.Fuzz(func(t *testing.T, line []byte) {
		asked := parseReconnect(line)
		target, safe := asked.target(u, u, peer)
		own := target.Host == "pool.example" || strings.HasSuffix(target.Host, ".pool.example") || target.Host == peer.String()
		if safe && (!own || !target.TLS || target.Insecure || target.Port == 0) || asked.wait < 0 || asked.wait > reconnectLatest {
			t.Fatalf("%q: %+v, %+v", line, asked, target)
		}
		if _, err := ParseUpstream(target.String()); err != nil {
			t.Fatalf("%q: %s: %v", line, target, err)
		}
	})
}

// A pool that sends everybody away does not fill the log.
func TestNotesAreBounded(t *testing.T) {
	var log bytes.Buffer
	s := &Server{log: slog.New(slog.NewTextHandler(&log, nil)), notes: rate.NewLimiter(0, 3)}
	for range 5 {
		s.note("pool sent client.reconnect")
	}
	s.notes = rate.NewLimiter(0, 1)
	s.note("another")
	if lines := strings.Count(log.String(), "\n"); lines != 4 || !strings.Contains(log.String(), "left_out_before=2") {
		t.Errorf("%d lines:\n%s", lines, log.String())
	}
}
