package pool

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolscope/poolscope/internal/abuse"
	"github.com/poolscope/poolscope/internal/store"
	"github.com/poolscope/poolscope/internal/stratum"
)

// Addresses of strangers (RFC 5737).
const (
	attacker  = "203.0.113.7"
	neighbour = "203.0.113.8"
)

// addressed is a connection that seems to come from somewhere else.
type addressed struct {
	net.Conn
	from net.Addr
}

func (c addressed) RemoteAddr() net.Addr { return c.from }

// connectFrom opens a connection in memory that seems to come from an address.
func (r *rig) connectFrom(t testing.TB, address string) *testMiner {
	t.Helper()
	server, client := net.Pipe()
	from := net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(address), 40000))
	r.pool.Accept(addressed{server, from}, ListenerOptions{})
	return newTestMiner(t, client)
}

func watchful(c *Config) { c.Abuse = abuse.Default() }

// junk sends shares that cannot be right until the pool hangs up, and returns
// how many it answered.
func (m *testMiner) junk() int {
	m.t.Helper()
	for n := 1; ; n++ {
		// A miner that is told to start anew gets a notify in between.
		if _, err := fmt.Fprintf(m.conn, `{"id":%d,"method":"mining.submit","params":["%s","%s","00","%08x","00000000"]}`+"\n", n, m.user, m.job.id, m.job.time); err != nil {
			return n - 1
		}
		for replied := false; !replied; {
			// No deadline: what was received before the end counts.
			line, err := m.lines.ReadString('\n')
			if err != nil {
				return n - 1
			}
			replied = strings.HasPrefix(line, fmt.Sprintf(`{"id":%d,`, n))
		}
		if n > 10_000 {
			m.t.Fatal("nobody minds the junk")
		}
	}
}

// wantTurnedAway goes through a banned miner's handshake.
func (m *testMiner) wantTurnedAway(until time.Time) {
	m.t.Helper()
	m.call("mining.subscribe", "test/1.0")
	got := m.call("mining.authorize", alice+".rig", "x")
	if want := "Banned until " + until.UTC().Format(time.RFC3339); string(got.Result) != "null" || len(got.Error) != 3 || got.Error[0] != 24.0 || got.Error[1] != want {
		m.t.Errorf("a banned miner is told %s, %v; want %q", got.Result, got.Error, want)
	}
	m.conn.Close()
}

func (r *rig) onlyBan(t testing.TB) abuse.Ban {
	t.Helper()
	var list []abuse.Ban
	eventually(t, "a ban", func() bool { list = r.pool.Bans(); return len(list) == 1 })
	return list[0]
}

// The whole life of a ban: a bad client is warned, dropped and, as it goes on,
// banned; somebody who mines for the same address from elsewhere notices
// nothing; time lifts the ban.
func TestBanOfAnAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, true, watchful)
		r.newTip()
		honest := r.connectFrom(t, neighbour)
		honest.start(alice, "x")
		for range 5 {
			bad := r.connectFrom(t, attacker)
			bad.start(alice, "x") // as the honest one
			if n := bad.junk(); n != 100 {
				t.Errorf("dropped after %d junk shares, want 100", n)
			}
			honest.wait(0)
			if got := honest.share(); got != "" {
				t.Fatalf("the honest miner's share: %q", got)
			}
			synctest.Wait()
		}
		if got := r.closes("misbehaved"); got != 5 {
			t.Errorf("%d connections dropped, want 5", got)
		}
		ban := r.onlyBan(t)
		if ban.Block != netip.MustParsePrefix(attacker+"/32") || time.Until(ban.Until) != 15*time.Minute || ban.Reason != "connections dropped, the last for: Invalid nonce2 length" {
			t.Errorf("%+v", ban)
		}
		if strings.Contains(fmt.Sprintf("%+v", ban), alice) {
			t.Error("the ban names an address that anybody may use")
		}
		r.connectFrom(t, attacker).wantTurnedAway(ban.Until)
		synctest.Wait()
		if got := r.closes("banned"); got != 1 {
			t.Errorf("%d connections refused, want 1", got)
		}
		r.connectFrom(t, neighbour).start(alice, "x")

		time.Sleep(15*time.Minute - time.Second)
		if got := len(r.pool.Status().Abuse.Bans); got != 1 {
			t.Errorf("%d bans in the status", got)
		}
		r.connectFrom(t, attacker).wantTurnedAway(ban.Until)
		time.Sleep(2 * time.Second)
		if got := len(r.pool.Status().Abuse.Bans); got != 0 {
			t.Errorf("%d bans in the status when it is over", got)
		}
		r.connectFrom(t, attacker).start(alice, "x")
		r.stop()
	})
}

// The steps before the end: new work, then a message to firmware that shows it.
func TestStrikesAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, true, watchful)
		r.newTip()
		m := r.connectFrom(t, attacker)
		m.call("mining.subscribe", "bitaxe/BM1370/v2.4")
		m.call("mining.authorize", alice, "x")
		m.nextJob()
		jobs, clean := len(m.jobs), 0
		var told []string
		for n := 1; n <= 100; n++ {
			m.send(fmt.Sprintf(`{"id":%d,"method":"mining.submit","params":["%s","%s","%016x","%08x","nonsense"]}`+"\n", n, alice, m.job.id, n, m.job.time))
			for replied := false; !replied; {
				line := m.line()
				replied = strings.HasPrefix(line, fmt.Sprintf(`{"id":%d,`, n))
				if strings.Contains(line, "show_message") {
					told = append(told, fmt.Sprint(n, " ", line))
				}
			}
			if n == 30 {
				m.settle()
				clean = len(m.jobs) - jobs
			}
		}
		if line, err := m.lines.ReadString('\n'); err == nil {
			told = append(told, fmt.Sprint(100, " ", line))
		}
		m.wantEnd()
		if clean != 1 || !m.job.clean {
			t.Errorf("%d new jobs after a quarter of the limit, clean: %v", clean, m.job.clean)
		}
		if len(told) != 2 || !strings.HasPrefix(told[0], "5") || !strings.Contains(told[0], "Invalid nonce") || !strings.Contains(told[1], "Disconnected") {
			t.Errorf("told %q", told)
		}
		r.stop()
	})
}

// Honest miners make mistakes. None of these ends their connection.
func TestHonestMistakesAreFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, true, watchful)
		r.newTip()
		m := r.connectFrom(t, attacker)
		m.start(alice, "x")
		dup := m.solve(m.job, m.job.ofShare(), "", 0)
		m.wantVerdict(dup, "")
		old := m.job
		r.newTip()
		m.nextJob()
		stale := m.solve(old, old.ofShare(), "", 0)
		weak := m.solve(m.job, between(easy/1000, easy/2), "", 0)
		for range 300 { // 900 of a thousand
			m.submit(dup)
			m.submit(stale)
			m.submit(weak)
		}
		// With an accepted share to ten refused ones, it may go on for ever.
		for range 30 {
			for range 10 {
				m.submit(stale)
			}
			if got := m.share(); got != "" {
				t.Fatal(got)
			}
		}
		m.wait(10 * time.Minute)
		// A farm proxy signs a thousand workers in.
		for i := range 1000 {
			m.call("mining.authorize", fmt.Sprintf("%s.rig%d", alice, i), "x")
		}
		m.settle()
		r.stop()
	})
}

// Floods end the connection, whatever they are made of.
func TestFloods(t *testing.T) {
	for name, tc := range map[string]struct {
		line  func(m *testMiner, n int) string
		most  int
		close string
	}{
		"unknown jobs":    {func(m *testMiner, n int) string { return submitLine(n, alice, fmt.Sprintf("%x", n), m.job.time) }, 1000, "misbehaved"},
		"unknown methods": {func(_ *testMiner, n int) string { return fmt.Sprintf(`{"id":%d,"method":"x.y","params":[]}`, n) }, 400, "misbehaved"},
		"pings": {func(_ *testMiner, n int) string {
			return fmt.Sprintf(`{"id":%d,"method":"mining.ping","params":[]}`, n)
		}, 5001, "misbehaved"},
		"empty lines": {func(*testMiner, int) string { return "" }, 5001, "misbehaved"},
		"no JSON":     {func(*testMiner, int) string { return "GET / HTTP/1.1" }, 3, "bad_json"},
		"deep JSON":   {func(*testMiner, int) string { return strings.Repeat("[", 5000) }, 3, "bad_json"},
		"long line":   {func(*testMiner, int) string { return strings.Repeat("x", stratum.MaxLine+1) }, 1, "line_too_long"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, true, watchful)
				r.newTip()
				m := r.connectFrom(t, attacker)
				m.start(alice, "x")
				var reading sync.WaitGroup
				reading.Go(func() { _, _ = io.Copy(io.Discard, m.lines) })
				sent := 0
				for ; sent < 10*(tc.most+maxLastWords); sent++ {
					if _, err := io.WriteString(m.conn, tc.line(m, sent)+"\n"); err != nil {
						break
					}
				}
				reading.Wait()
				synctest.Wait()
				if most := tc.most + maxLastWords + 1; sent > most {
					t.Errorf("took %d lines, at most %d are borne", sent, most)
				}
				if got := r.closes(tc.close); got != 1 {
					t.Errorf("closed %v", r.pool.counters.closeCounts())
				}
				r.stop()
			})
		})
	}
}

func submitLine(id int, user, job string, ntime uint32) string {
	return fmt.Sprintf(`{"id":%d,"method":"mining.submit","params":[%q,%q,"%016x","%08x","%08x"]}`, id, user, job, id, ntime, id)
}

// A farm behind one address keeps mining while one of its rigs is dropped again
// and again.
func TestBadRigInAFarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, true, watchful)
		r.newTip()
		good := r.connectFrom(t, attacker)
		good.start(alice, "x")
		for range honestShares {
			if got := good.share(); got != "" {
				t.Fatal(got)
			}
		}
		good.wait(5 * time.Second) // until a tick has looked at it
		for range 20 {
			bad := r.connectFrom(t, attacker)
			bad.start(bob, "x")
			bad.junk()
		}
		synctest.Wait()
		if st := r.pool.watch.Status(time.Now()); len(st.Bans) != 0 || st.Spared != 16 {
			t.Errorf("%+v", st)
		}
		good.wait(time.Second)
		if got := good.share(); got != "" {
			t.Error(got)
		}
		r.connectFrom(t, attacker).start(alice, "x")
		r.stop()
	})
}

// Miners of private networks are dropped, never banned.
func TestPrivateNetworksAreNotBanned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, true, watchful)
		r.newTip()
		for range 20 {
			bad := r.connectFrom(t, "192.168.1.20")
			bad.start(bob, "x")
			bad.junk()
		}
		synctest.Wait()
		if got := r.closes("misbehaved"); got != 20 || len(r.pool.Bans()) != 0 {
			t.Errorf("%d dropped, bans %+v", got, r.pool.Bans())
		}
		r.stop()
	})
}

// Five thousand rigs behind one address come back at once after a restart, and
// all of them get work.
func TestFarmReconnects(t *testing.T) {
	if testing.Short() {
		t.Skip("five thousand connections")
	}
	const rigs = 5000
	r := newRig(t, false, watchful)
	r.newTip()
	proxy := r.behindProxy(t)
	var farm sync.WaitGroup
	var working atomic.Int64
	dialing := make(chan struct{}, 128) // what the queue of a listening socket holds
	for i := range rigs {
		farm.Go(func() {
			dialing <- struct{}{}
			conn, err := net.Dial("tcp", proxy.address)
			<-dialing
			if err != nil {
				t.Error(err)
				return
			}
			t.Cleanup(func() { _ = conn.Close() })
			if _, err := fmt.Fprintf(conn, "PROXY TCP4 %s 192.0.2.1 %d 3333\r\n"+signIn, attacker, 10_000+i); err != nil {
				t.Error(err)
				return
			}
			for lines := bufio.NewScanner(conn); lines.Scan(); {
				if strings.HasPrefix(lines.Text(), `{"id":null,"method":"mining.notify"`) {
					working.Add(1)
					return
				}
			}
		})
	}
	farm.Wait()
	if n := working.Load(); n != rigs {
		t.Errorf("%d of %d rigs have work", n, rigs)
	}
	if got := r.pool.authorized.Load(); got != rigs {
		t.Errorf("%d signed in", got)
	}
	for _, c := range r.pool.counters.closeCounts() {
		if c.Count != 0 {
			t.Errorf("%d closed: %s", c.Count, c.Name)
		}
	}
}

// Limits of one address, each refusal counted by its reason.
func TestLimitsOfAnAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, true, func(c *Config) { c.Abuse = abuse.Config{ConnectBurst: 8, ConnectRate: 1, MaxPending: 3} })
		r.newTip()
		var idle []*testMiner
		for range 3 {
			idle = append(idle, r.connectFrom(t, attacker))
		}
		r.connectFrom(t, attacker).wantEnd()
		if got := r.closes("too_many_unauthorized_from_address"); got != 1 {
			t.Errorf("%v", r.pool.counters.closeCounts())
		}
		r.connectFrom(t, neighbour).start(alice, "x")
		for _, m := range idle {
			m.start(alice, "x")
		}
		for range 5 {
			r.connectFrom(t, attacker).start(alice, "x")
		}
		r.connectFrom(t, attacker).wantEnd()
		if got := r.closes("connecting_too_fast"); got != 1 {
			t.Errorf("%v", r.pool.counters.closeCounts())
		}
		time.Sleep(time.Second)
		r.connectFrom(t, attacker).start(alice, "x")
		r.stop()
	})
}

// A ban by hand ends what is connected from there, and nothing else.
func TestBanByHand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, true, watchful)
		r.newTip()
		bad, good := r.connectFrom(t, attacker), r.connectFrom(t, neighbour)
		bad.start(alice, "x")
		good.start(alice, "x")
		ban, err := r.pool.BanAddress(netip.MustParsePrefix(attacker+"/32"), time.Hour, "asked to")
		if err != nil {
			t.Fatal(err)
		}
		bad.wantEnd()
		r.connectFrom(t, attacker).wantTurnedAway(ban.Until)
		if got := good.share(); got != "" {
			t.Error(got)
		}
		if err := r.pool.LiftBan(ban.Block); err != nil {
			t.Error(err)
		}
		r.connectFrom(t, attacker).start(alice, "x")
		r.stop()
	})
}

// Over real sockets, through a proxy, with books on disk: a ban survives the
// end of the process and is lifted by hand.
func TestBanOverARestart(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	quiet := slog.New(slog.DiscardHandler)
	books, err := store.Open(ctx, filepath.Join(t.TempDir(), "books.db"), quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = books.Close() })
	watch := func(c *Config) {
		c.Watch = abuse.New(abuse.Default(), books, quiet)
		if err := c.Watch.Load(ctx, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	r := newRig(t, false, watch)
	proxy := r.behindProxy(t)
	var running sync.WaitGroup
	runCtx, stop := context.WithCancel(ctx)
	running.Go(func() { _ = r.pool.watch.Run(runCtx) })
	r.newTip()

	innocent := proxy.connect(t, neighbour)
	innocent.start(alice, "x")
	for range 5 {
		bad := proxy.connect(t, attacker)
		bad.start(alice, "x")
		bad.junk()
		if got := innocent.share(); got != "" {
			t.Fatalf("the innocent's share: %q", got)
		}
	}
	ban := r.onlyBan(t)
	proxy.connect(t, attacker).wantTurnedAway(ban.Until)
	r.stop()
	stop()
	running.Wait()

	r.start(false, watch)
	proxy = r.behindProxy(t)
	r.refresh()
	if got := r.onlyBan(t); got != ban {
		t.Errorf("after the restart %+v, before %+v", got, ban)
	}
	proxy.connect(t, attacker).wantTurnedAway(ban.Until)
	again := proxy.connect(t, neighbour)
	again.start(alice, "x")
	if got := again.share(); got != "" {
		t.Errorf("the innocent's share: %q", got)
	}
	if err := r.pool.LiftBan(ban.Block); err != nil {
		t.Fatal(err)
	}
	proxy.connect(t, attacker).start(alice, "x")
}
