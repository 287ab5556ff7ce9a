package pool

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/node"
	"github.com/poolscope/poolscope/internal/stratum"
)

// A fault in one session, wherever it strikes, ends that session alone.
func TestPanicEndsOneSession(t *testing.T) {
	for name, strikes := range map[string]func(dir stratum.Direction, line string) bool{
		"while reading": func(dir stratum.Direction, line string) bool { return strings.Contains(line, "strike") },
		"while replying": func(dir stratum.Direction, line string) bool {
			return dir == stratum.ToMiner && strings.Contains(line, "pong")
		},
		"in the fan-out": func(dir stratum.Direction, line string) bool {
			return dir == stratum.ToMiner && strings.Contains(line, "notify")
		},
		"while a share is credited": func(dir stratum.Direction, line string) bool { return strings.Contains(line, `"id":99`) },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, false)
			r.newTip()
			bad, good := r.connect(t), r.connect(t)
			bad.start(alice, "x")
			good.start(bob, "x")
			r.accountOf(bad).conn.SetTap(func(_ string, dir stratum.Direction, line []byte, _ time.Time) {
				if strikes(dir, string(line)) {
					panic("injected")
				}
			})
			bad.send(`{"id":1,"method":"mining.ping","params":["strike"]}` + "\n")
			if strings.Contains(name, "share") {
				s := bad.solve(bad.job, bad.job.ofShare(), "", 0)
				bad.send(fmt.Sprintf(`{"id":99,"method":"mining.submit","params":["%s","%s","%s","%s","%s"]}`+"\n", alice, s.job, s.en2, s.ntime, s.nonce))
			}
			if strings.Contains(name, "fan-out") {
				bad.line()
				r.refresh()
				good.nextJob()
			}
			if _, err := io.Copy(io.Discard, bad.conn); err != nil && !strings.Contains(err.Error(), "reset") {
				t.Error(err)
			}
			eventually(t, "counted", func() bool { return r.closes("internal_error") == 1 })
			if got := r.pool.counters.panics.Load(); got != 1 {
				t.Errorf("%d panics counted", got)
			}
			if got := good.share(); got != "" {
				t.Errorf("the other miner's share is %q", got)
			}
			eventually(t, "one session", func() bool { return r.pool.connections.Load() == 1 && r.pool.authorized.Load() == 1 })
			// Its locks are free: the next job goes out.
			r.refresh()
			good.nextJob()
		})
	}
}

// A miner that does not read costs the others nothing, and is cut off.
func TestSlowReaderDelaysNobody(t *testing.T) {
	r := newRig(t, false)
	r.newTip()
	slow, good := r.connect(t), r.connect(t)
	// Not so small that the kernel drops segments for want of room, and with them
	// the acknowledgements of what is asked: that would stall the asker instead.
	if err := slow.conn.(*net.TCPConn).SetReadBuffer(64 << 10); err != nil {
		t.Fatal(err)
	}
	slow.start(alice, "x")
	good.start(bob, "x")
	// It asks and asks, and never reads an answer.
	question := strings.Repeat(`{"id":"`+strings.Repeat("x", 1000)+`","method":"mining.ping","params":[]}`+"\n", 64)
	var asked sync.WaitGroup
	asked.Go(func() {
		for range 1000 {
			if slow.conn.SetWriteDeadline(time.Now().Add(time.Minute)) != nil {
				return
			}
			if _, err := io.WriteString(slow.conn, question); err != nil {
				return
			}
		}
	})
	for range 20 {
		r.refresh()
		good.nextJob()
		if got := good.share(); got != "" {
			t.Fatalf("share of the other miner: %q", got)
		}
	}
	asked.Wait()
	eventually(t, "the slow reader is closed", func() bool { return r.closes("slow_reader") == 1 })
	if got := good.share(); got != "" {
		t.Errorf("share of the other miner: %q", got)
	}
}

// Work that a slow reader was not given is replaced, and counted.
func TestReplacedWorkIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, true)
		r.newTip()
		m := r.connect(t)
		m.start(alice, "x")
		for range 5 {
			r.refresh() // the miner does not read
			synctest.Wait()
		}
		if got := count(t, r.pool.counters.dropCounts(), "notify_replaced"); got != 3 {
			t.Errorf("%d notifies were replaced, want 3", got)
		}
		m.nextJob()
		m.nextJob()
		m.wantVerdict(m.solve(m.job, m.job.ofShare(), "", 0), "")
		if m.job.id != jobID(r.pool.current().number<<variantBits) {
			t.Errorf("the miner has the job %s, the newest is %d", m.job.id, r.pool.current().number)
		}
		r.stop()
	})
}

// The pool stops within two seconds with miners connected, reading or not.
func TestShutdown(t *testing.T) {
	r := newRig(t, false)
	r.newTip()
	var miners []*testMiner
	for range 50 {
		m := r.connect(t)
		m.start(alice, "x")
		miners = append(miners, m)
	}
	half := r.connect(t)
	half.send(`{"id":1,"meth`)
	eventually(t, "all are accepted", func() bool { return r.pool.connections.Load() == 51 })
	start := time.Now()
	r.stop()
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("stopping took %v", took)
	}
	for _, m := range append(miners, half) {
		m.wantEnd()
	}
	if got := r.closes("shutdown"); got != 51 {
		t.Errorf("%d sessions were closed by the shutdown", got)
	}
	// Who comes now is not let in.
	server, client := net.Pipe()
	r.pool.Accept(server, ListenerOptions{})
	if _, err := client.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("after the stop: %v", err)
	}
}

func TestLimits(t *testing.T) {
	r := newRig(t, false, func(c *Config) { c.MaxConnections, c.MaxPerAddress = 4, 3 })
	r.newTip()
	var open []*testMiner
	for range 3 {
		m := r.connect(t)
		m.start(alice, "x")
		open = append(open, m)
	}
	r.connect(t).wantEnd()
	eventually(t, "counted", func() bool { return r.closes("too_many_from_address") == 1 })
	open[0].conn.Close()
	eventually(t, "room", func() bool { return r.pool.connections.Load() == 2 })
	m := r.connect(t)
	m.start(alice, "x")

	// Another address is not concerned, but the pool as a whole is full then.
	other := func() *testMiner {
		local := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}
		remote, err := net.ResolveTCPAddr("tcp", r.listen)
		if err != nil {
			t.Fatal(err)
		}
		conn, err := net.DialTCP("tcp", local, remote)
		if err != nil {
			t.Fatal(err)
		}
		return newTestMiner(t, conn)
	}
	other().start(bob, "x")
	other().wantEnd()
	eventually(t, "counted", func() bool { return r.closes("too_many_connections") == 1 })
}

// A connection whose valid shares never end is closed before it has eaten the
// memory.
func TestShareFlood(t *testing.T) {
	r := newRig(t, false)
	r.newTip()
	m := r.connect(t)
	m.start(alice, "x")
	if got := m.share(); got != "" {
		t.Fatal(got)
	}
	s := r.accountOf(m)
	m.settle() // the reader waits: its set may be touched
	s.mu.Lock()
	s.shares.used, s.shares.slots = maxShares, make([]uint64, maxShares)
	s.mu.Unlock()
	m.wantVerdict(m.solve(m.job, m.job.ofShare(), "", 0), "Internal error")
	m.wantEnd()
	eventually(t, "counted", func() bool { return r.closes("share_flood") == 1 })
}

// A bad line now and then, as noise on a line makes it, is forgiven.
func TestBadLinesAreForgiven(t *testing.T) {
	r := newRig(t, false)
	m := r.connect(t)
	for range 5 {
		m.send("noise\n")
		for range forgiveAfter {
			m.call("mining.ping")
		}
	}
	for range maxBadLines {
		m.send("noise\n")
	}
	m.wantEnd()
	eventually(t, "counted", func() bool { return r.closes("bad_json") == 1 })
}

// flakyListener fails a few times before it gives a connection.
type flakyListener struct {
	net.Listener
	failures atomic.Int32
}

func (l *flakyListener) Accept() (net.Conn, error) {
	if l.failures.Add(-1) >= 0 {
		return nil, errors.New("accept: too many open files")
	}
	return l.Listener.Accept()
}

func TestAcceptGoesOnAfterFailures(t *testing.T) {
	r := newRig(t, false)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	flaky := &flakyListener{Listener: l}
	flaky.failures.Store(3)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.pool.Serve(ctx, flaky, ListenerOptions{}) }()
	r.listen = l.Addr().String()
	if got := r.connect(t).call("mining.ping"); string(got.Result) != `"pong"` {
		t.Errorf("ping: %+v", got)
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Serve ends with %v", err)
	}
	if got := r.pool.events.newestFirst(); len(got) != 1 || got[0].Type != "listener" {
		t.Errorf("events %v", got)
	}
	// A listener that somebody closes is an error.
	l, err = net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	if err := r.pool.Serve(context.Background(), l, ListenerOptions{}); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Serve on a closed listener: %v", err)
	}
}

func TestTLSListener(t *testing.T) {
	r := newRig(t, false)
	r.newTip()
	dir := t.TempDir()
	certificate, err := OwnCertificate(dir+"/cert.pem", dir+"/key.pem", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.pool.Serve(ctx, l, ListenerOptions{TLS: certificate.Config()}) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()

	conn, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{RootCAs: rootsOf(t, dir+"/cert.pem"), ServerName: "localhost"})
	if err != nil {
		t.Fatal(err)
	}
	m := newTestMiner(t, conn)
	m.start(alice+".tls", "x")
	if got := m.share(); got != "" {
		t.Error(got)
	}
	r.newTip()
	m.nextJob()
	if got := m.share(); got != "" {
		t.Error(got)
	}
	r.pool.publish(time.Now())
	st := r.pool.Status()
	if st.TLSConnections != 1 || st.Connections != 1 || st.Authorized != 1 {
		t.Errorf("%d connections, %d of them over TLS, %d authorized", st.Connections, st.TLSConnections, st.Authorized)
	}
	address := l.Addr().String()
	if !slices.Contains(st.Listeners, Listener{URL: "stratum+ssl://" + address, Addr: address, TLS: true, Connections: 1}) {
		t.Errorf("listeners %+v", st.Listeners)
	}

	// Plain Stratum on the TLS port is no handshake.
	plain, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	p := newTestMiner(t, plain)
	p.send(`{"id":1,"method":"mining.subscribe","params":[]}` + "\n")
	_, _ = io.Copy(io.Discard, plain)
	eventually(t, "counted", func() bool { return r.closes("tls_handshake_failed") == 1 })
	m.conn.Close()
	eventually(t, "closed", func() bool { return r.pool.tlsConnections.Load() == 0 })
}

// A template of another network than the one the pool is for makes no work;
// a pool that does not know learns it from the first.
func TestNetworkIsLearned(t *testing.T) {
	r := newRig(t, false)
	other := r.template()
	other.Network = bitcoin.Testnet4
	r.pool.SetTemplate(other)
	r.pool.publish(time.Now())
	if st := r.pool.Status(); st.State != StatePaused || !strings.Contains(st.Reason, "testnet4") || st.Job != nil {
		t.Errorf("state %s (%s)", st.State, st.Reason)
	}

	p, err := New(testConfig(t.TempDir()), "", r.node, r.ledger, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	r.pool.ctx.Store(new(context.Context))
	fresh := &rig{t: t, pool: p, node: r.node, height: 100}
	right, wrong := fresh.connect(t), fresh.connect(t)
	for m, user := range map[*testMiner]string{right: alice, wrong: mainnet} {
		m.call("mining.subscribe", "x")
		if got := m.call("mining.authorize", user, "x"); string(got.Result) != "true" {
			t.Errorf("%s is refused before the network is known: %v", user, got.Error)
		}
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		if got := wrong.line(); !strings.Contains(got, "client.show_message") || !strings.Contains(got, "network") {
			t.Errorf("the miner of another network is told %q", got)
		}
	}()
	fresh.newTip()
	right.nextJob()
	<-read
	if got := p.rules().network; got != bitcoin.Regtest {
		t.Errorf("network %s", got)
	}
	p.shutdown()

	// An operator's address of another network stops everything.
	bad := testConfig(t.TempDir())
	bad.Payout = PayoutConfig{FeePercent: 1, FeeAddress: mainnet}
	if _, err := New(bad, bitcoin.Regtest, r.node, r.ledger, slog.New(slog.DiscardHandler)); !errors.Is(err, bitcoin.ErrWrongNetwork) {
		t.Errorf("New: %v", err)
	}
}

// States of the pool, and that every counter is there from the start.
func TestStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, true)
		st := r.pool.Status()
		if st.State != StateWaiting || st.Reason == "" || st.Job != nil || st.Abuse.Bans == nil {
			t.Errorf("at the start: %+v", st)
		}
		if len(st.Closes) != len(stratum.CloseReasons()) || len(st.Rejects) != len(stratum.Rejects()) || len(st.Drops) == 0 {
			t.Errorf("%d closes, %d rejects, %d drops", len(st.Closes), len(st.Rejects), len(st.Drops))
		}
		template := r.newTip(withTransactions(3))
		time.Sleep(2 * time.Second)
		st = r.pool.Status()
		if st.State != StateMining || st.Job == nil || st.Job.Height != template.Height || st.Job.Fees != template.Fees() || st.Job.Transactions != 3 ||
			st.Job.PrevHash != template.PrevHash.String() {
			t.Errorf("with a job: %+v, %+v", st, st.Job)
		}
		time.Sleep(staleTemplate + time.Second)
		if st = r.pool.Status(); st.State != StateWaiting || !strings.Contains(st.Reason, "no new block template") {
			t.Errorf("after %v: %s (%s)", staleTemplate, st.State, st.Reason)
		}
		r.pool.SetTemplate(r.template(func(t *node.Template) { t.Bits = 0 }))
		time.Sleep(2 * time.Second)
		if st = r.pool.Status(); st.State != StatePaused || len(st.Errors) != 1 {
			t.Errorf("with broken bits: %s (%s) %v", st.State, st.Reason, st.Errors)
		}
		r.stop()
	})
}

func TestEventsAreBounded(t *testing.T) {
	var e events
	now := time.Unix(1.7e9, 0)
	for i := range 3 * maxEvents {
		e.add(now.Add(time.Duration(i)*time.Second), "job", fmt.Sprint("event ", i))
		e.add(now.Add(time.Duration(i)*time.Second), "job", "the same")
	}
	list := e.newestFirst()
	if len(list) != maxEvents || list[0].Message != "the same" || list[1].Message != fmt.Sprint("event ", 3*maxEvents-1) {
		t.Errorf("%d events, the newest %v", len(list), list[:2])
	}
}

// Everything at once: miners that come and go, shares, retargets, templates,
// status. The race detector watches.
func TestConcurrency(t *testing.T) {
	r := newRig(t, false, func(c *Config) { c.Difficulty.Vardiff = true })
	runLedger(t, r.ledger)
	r.newTip()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			for n := 0; ctx.Err() == nil && n < 50; n++ {
				m := r.connect(t)
				m.start([]string{alice, bob, operator}[i%3]+fmt.Sprint(".", i), "x")
				for range 4 {
					// Tips may pass in between: anything but silence will do.
					_ = m.share()
					m.call("mining.suggest_difficulty", easy*float64(1+n%3))
					m.call("mining.authorize", m.user+"x", "x")
				}
				m.conn.Close()
			}
		})
	}
	wg.Go(func() {
		for n := 0; ctx.Err() == nil && n < 2000; n++ {
			if n%5 == 0 {
				r.newTip(withTransactions(n % 4))
			} else {
				r.refresh()
			}
			_ = r.pool.Status()
			time.Sleep(time.Millisecond)
		}
	})
	wg.Wait()
	r.stop()
	if n := r.pool.counters.panics.Load(); n != 0 {
		t.Errorf("%d panics: %v", n, r.pool.events.newestFirst())
	}
	if n := r.pool.connections.Load() + r.pool.authorized.Load(); n != 0 || len(r.pool.perAddress) != 0 {
		t.Errorf("%d connections are counted after the end, %v", n, r.pool.perAddress)
	}
}
