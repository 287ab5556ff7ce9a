package agent

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/fleet"
	"github.com/poolscope/poolscope/internal/miner"
	"github.com/poolscope/poolscope/internal/nostr"
	"github.com/poolscope/poolscope/internal/nostr/client"
	"github.com/poolscope/poolscope/internal/nostr/relay"
	"github.com/poolscope/poolscope/internal/stratum"
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

func secret(t testing.TB, n int) nostr.SecretKey {
	t.Helper()
	k, err := nostr.ParseSecretKey(fmt.Sprintf("%064x", n))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func member(t testing.TB, n int) *fleet.Member {
	t.Helper()
	m, err := fleet.NewMember("run1", fleet.DefaultKinds(), secret(t, n), nostr.SecretKey{})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// pool is a pool that the test plays: it checks shares by itself.
type pool struct {
	t        *testing.T
	listener net.Listener

	mu      sync.Mutex
	refuse  bool // the worker
	conns   []net.Conn
	lines   []string // submits
	ids     map[string]int
	valid   int
	verdict func(n int) string // the answer to the nth submit after its id; "" for none
}

const extranonce1 = "00000001"

func newPool(t *testing.T) *pool {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &pool{t: t, listener: l, ids: map[string]int{}}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			p.mu.Lock()
			p.conns = append(p.conns, conn)
			p.mu.Unlock()
			all.Go(func() { p.serve(conn) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		p.cut()
		all.Wait()
	})
	return p
}

// cut ends all connections.
func (p *pool) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		_ = c.Close()
	}
	p.conns = nil
}

// notify is a job on a block.
func notify(id, digit string) string {
	return fmt.Sprintf(`{"id":null,"method":"mining.notify","params":["%s","%s","02000000010000000000000000000000000000000000000000000000000000000000000000ffffffff0802c800",`+
		`"ffffffff0100f2052a01000000015100000000",[],"20000000","207fffff","6ab13d00",true]}`+"\n", id, strings.Repeat(digit, 64))
}

func (p *pool) say(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		_, _ = io.WriteString(c, text)
	}
}

func (p *pool) serve(conn net.Conn) {
	lines := bufio.NewScanner(conn)
	for lines.Scan() {
		var m struct {
			ID     json.RawMessage
			Method string
			Params []json.RawMessage
		}
		if err := json.Unmarshal(lines.Bytes(), &m); err != nil {
			p.t.Errorf("a line that is no JSON: %s", lines.Bytes())
			continue
		}
		answer := "true"
		switch m.Method {
		case "mining.configure":
			answer = `{"version-rolling":true,"version-rolling.mask":"1fffe000"}`
		case "mining.subscribe":
			answer = `[[],"` + extranonce1 + `",4]`
		case "mining.authorize":
			if p.refuses() {
				answer = "false"
			}
		case "mining.submit":
			if answer = p.submitted(lines.Text(), string(m.ID), m.Params); answer == "" {
				continue
			}
			_, _ = fmt.Fprintf(conn, `{"id":%s,%s}`+"\n", m.ID, answer)
			continue
		}
		_, _ = fmt.Fprintf(conn, `{"id":%s,"result":%s,"error":null}`+"\n", m.ID, answer)
		if m.Method == "mining.authorize" && answer == "true" {
			_, _ = io.WriteString(conn, `{"id":null,"method":"mining.set_difficulty","params":[1e-7]}`+"\n"+notify("j1", "1"))
		}
	}
}

func (p *pool) submitted(line, id string, params []json.RawMessage) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lines = append(p.lines, line)
	p.ids[id]++
	if p.isValid(params) {
		p.valid++
	}
	if p.verdict != nil {
		return p.verdict(len(p.lines))
	}
	return `"result":true,"error":null`
}

// isValid rebuilds the header of a share of the pool's jobs and hashes it.
func (p *pool) isValid(params []json.RawMessage) bool {
	var text [6]string
	for i, raw := range params[:min(len(params), 6)] {
		_ = json.Unmarshal(raw, &text[i])
	}
	for _, digit := range []string{"1", "2"} {
		var m struct{ Params []json.RawMessage }
		if err := json.Unmarshal([]byte(notify(text[1], digit)), &m); err != nil {
			p.t.Fatal(err)
		}
		job, err := miner.ParseJob(m.Params)
		if err != nil {
			p.t.Fatal(err)
		}
		e2 := make([]byte, 4)
		if !stratum.DecodeHex(e2, []byte(text[2])) {
			return false
		}
		header := job.Header([]byte{0, 0, 0, 1}, e2)
		ntime, ok1 := stratum.ParseHex32([]byte(text[3]))
		nonce, ok2 := stratum.ParseHex32([]byte(text[4]))
		bits, ok3 := stratum.ParseHex32([]byte(text[5]))
		if !ok1 || !ok2 || !ok3 {
			return false
		}
		header.Time, header.Nonce, header.Version = ntime, nonce, miner.RollVersion(job.Version, bits, versionMask)
		bytes := header.Bytes()
		hash := bitcoin.DoubleSHA256(bytes[:])
		target := bitcoin.TargetFromDifficulty(1e-7)
		if hash.Meets(&target) {
			return true
		}
	}
	return false
}

func (p *pool) refuses() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.refuse
}

func (p *pool) setRefuse(refuse bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuse = refuse
}

func (p *pool) submits() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.lines)
}

// scope publishes to a relay as a scope does.
type scope struct {
	t       *testing.T
	member  *fleet.Member
	address string
	relay   *relay.Relay
	pool    *client.Pool
}

func newScope(t *testing.T) *scope {
	t.Helper()
	r := relay.New(relay.Config{})
	server := httptest.NewServer(r)
	s := &scope{t: t, member: member(t, 1), relay: r, address: "ws" + strings.TrimPrefix(server.URL, "http")}
	var err error
	if s.pool, err = client.New(client.Config{Relays: []string{s.address}}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); s.pool.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done; r.Close(); server.Close() })
	return s
}

func (s *scope) share(n, repeat int) {
	s.t.Helper()
	share := fleet.Share{
		RunID: "run1", EventID: fmt.Sprintf("event-%d", n), Seq: uint64(n), Time: fleet.FormatTime(time.Now()), RepeatCount: repeat,
		Stratum: fleet.Submit{ID: json.RawMessage("4"), Params: []json.RawMessage{[]byte(`"them"`), []byte(fmt.Sprintf(`"job%d"`, n)), []byte(`"00"`), []byte(`"65"`), []byte(`"ab"`)}},
	}
	content, err := share.Encode()
	if err != nil {
		s.t.Fatal(err)
	}
	s.seal(fleet.TypeShare, content)
}

func (s *scope) seal(kind fleet.Type, content []byte) {
	s.t.Helper()
	e, err := s.member.Seal(kind, content, time.Now())
	if err != nil {
		s.t.Fatal(err)
	}
	s.pool.Publish(e)
}

func (s *scope) order(o fleet.Order, lease time.Duration) {
	s.t.Helper()
	o.RunID, o.Time, o.Until = "run1", fleet.FormatTime(time.Now()), fleet.FormatTime(time.Now().Add(lease))
	content, err := o.Encode()
	if err != nil {
		s.t.Fatal(err)
	}
	s.seal(fleet.TypeOrder, content)
}

// start runs an agent until the test ends.
func start(t *testing.T, s *scope, p *pool, change func(*Config)) *Agent {
	t.Helper()
	cfg := Config{
		Pool: p.listener.Addr().String(), Own: true, User: "us.w", Relays: []string{s.address}, Member: member(t, 2), Authors: []string{s.member.Public().String()},
		ID: "a", Region: "here", Version: "test", Mode: fleet.ModeReplay, Rate: 1000, Interval: 100 * time.Millisecond,
		ReconnectMin: time.Millisecond, ReconnectMax: 10 * time.Millisecond,
	}
	if change != nil {
		change(&cfg)
	}
	a, err := New(cfg, quiet)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = a.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return a
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !is(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

func connected(a *Agent) func() bool {
	return func() bool { tel := a.Telemetry(); return tel.ConnState == fleet.StateConnected }
}

// wantExact holds the sum that must always be right.
func wantExact(t *testing.T, tel *fleet.Telemetry) {
	t.Helper()
	if s := tel.Stats; s.Attempted != s.Accepted+s.Rejected+tel.Report.Unanswered+uint64(tel.Report.Pending) || tel.Report.Pending < 0 {
		t.Errorf("attempted is not the sum: %+v, %+v", s, tel.Report)
	}
}

// TestReplayCountsExactly has the pool answer many overlapping submits, some
// with a rejection, all with the same id in the miner's line.
func TestReplayCountsExactly(t *testing.T) {
	s, p := newScope(t), newPool(t)
	p.verdict = func(n int) string {
		if n%3 == 0 {
			return `"result":null,"error":[21,"Job not found",null]`
		}
		return `"result":true,"error":null`
	}
	a := start(t, s, p, nil)
	eventually(t, "connected", connected(a))
	const shares, repeat = 100, 3
	for n := range shares {
		s.share(n, repeat)
	}
	eventually(t, "all are answered", func() bool {
		tel := a.Telemetry()
		return tel.Stats.Accepted+tel.Stats.Rejected == shares*repeat
	})
	tel := a.Telemetry()
	wantExact(t, &tel)
	if st := tel.Stats; st.Received != shares || st.Attempted != shares*repeat || st.Rejected != shares || tel.Report.Rejects["Job not found"] != shares {
		t.Errorf("%+v %v", st, tel.Report.Rejects)
	}
	if q := tel.Report.SubmitMS; q == nil || q.Count != shares*repeat || q.P50 > q.P95 || q.P95 > q.P99 || q.P99 > q.Max || tel.Stats.LastLatency == nil {
		t.Errorf("%+v", q)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, n := range p.ids {
		if n != 1 {
			t.Errorf("id %s was used %d times", id, n)
		}
	}
	if !strings.Contains(p.lines[0], `"params":["us.w","job0","00","65","ab"]`) {
		t.Errorf("the share was not sent as it is under our name: %s", p.lines[0])
	}
}

// TestMineSubmitsValidShares hashes the submits again by code of the test.
func TestMineSubmitsValidShares(t *testing.T) {
	s, p := newScope(t), newPool(t)
	a := start(t, s, p, func(c *Config) { c.Mode, c.Rate, c.MaxRate = fleet.ModeMine, 50, 100 })
	eventually(t, "shares", func() bool { return p.submits() >= 10 })
	p.say(notify("j2", "2"))
	eventually(t, "a share of the next job", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return strings.Contains(p.lines[len(p.lines)-1], `"j2"`)
	})
	p.mu.Lock()
	if p.valid != len(p.lines) {
		t.Errorf("%d of %d shares are valid", p.valid, len(p.lines))
	}
	p.mu.Unlock()
	s.share(1, 5) // is counted, and not submitted
	eventually(t, "the share event is seen", func() bool { return a.Telemetry().Stats.Received == 1 })
	tel := a.Telemetry()
	wantExact(t, &tel)
	if len(tel.Report.Tips) != 1 || tel.Report.Tips[0].PrevHash != strings.Repeat("2", 64) || tel.Report.Tips[0].Height != 200 {
		t.Errorf("the first job of a connection is no new block, the second one is: %+v", tel.Report.Tips)
	}
}

// TestOrders come from the scope, hold for their lease, and are bounded by the
// agent's own flags.
func TestOrders(t *testing.T) {
	s, p := newScope(t), newPool(t)
	a := start(t, s, p, func(c *Config) { c.Mode, c.Rate, c.MaxRate = fleet.ModeMine, 0.001, 40 })
	s.order(fleet.Order{Rate: 500, Agents: []string{"others"}}, time.Minute)
	s.order(fleet.Order{Rate: 500}, time.Minute)
	eventually(t, "the order is followed", func() bool { return p.submits() > 3 })
	if l := a.load(); !l.Ordered || l.Rate != 40 {
		t.Errorf("%+v", l)
	}
	s.order(fleet.Order{Rate: 500, Agents: []string{"others"}}, time.Minute)
	eventually(t, "an order for others ends ours", func() bool { return !a.load().Ordered })
	s.order(fleet.Order{Rate: 500, Agents: []string{"others", "a"}}, time.Minute)
	eventually(t, "the next order is followed", func() bool { return a.load().Ordered })
	s.order(fleet.Order{Rate: 1}, 0)
	eventually(t, "the order is taken back", func() bool { return !a.load().Ordered })
	if l := a.load(); l.Rate != 0.001 {
		t.Errorf("%+v", l)
	}
}

// TestRatesOfZero submits nothing by the agent's own flags, and follows no order
// when the most that one may ask for is nothing.
func TestRatesOfZero(t *testing.T) {
	s, p := newScope(t), newPool(t)
	resting := start(t, s, p, func(c *Config) { c.Mode, c.Rate, c.MaxRate = fleet.ModeMine, 0, 5 })
	free := start(t, s, p, func(c *Config) {
		c.ID, c.Member, c.Mode, c.Rate, c.MaxRate = "b", member(t, 3), fleet.ModeMine, 0.001, 0
	})
	if l := resting.load(); l.Rate != 0 {
		t.Errorf("%+v", l)
	}
	eventually(t, "connected", connected(free))
	s.order(fleet.Order{Rate: 500}, time.Minute)
	eventually(t, "the order is followed by who may", func() bool { return resting.load().Rate == 5 })
	s.share(1, 1)
	eventually(t, "what came after the order is there", func() bool { return free.Telemetry().Stats.Received == 1 })
	if l := free.load(); l.Ordered || l.Rate != 0.001 {
		t.Errorf("%+v", l)
	}
}

// TestARestartSubmitsNothingAgain starts an agent at a relay that has a share of
// half a minute ago, and an order that holds.
func TestARestartSubmitsNothingAgain(t *testing.T) {
	s, p := newScope(t), newPool(t)
	s.share(1, 1)
	s.order(fleet.Order{Rate: 3}, time.Minute)
	eventually(t, "the relay has both", func() bool { return s.pool.Status()[0].Accepted == 2 })
	later := func() time.Time { return time.Now().Add(30 * time.Second) }
	a := start(t, s, p, func(c *Config) { c.Now, c.MaxRate = later, 10 })
	eventually(t, "what holds is known", func() bool { return a.load().Ordered })
	share := fleet.Share{
		RunID: "run1", EventID: "new", Seq: 2, Time: fleet.FormatTime(later()), RepeatCount: 1,
		Stratum: fleet.Submit{Params: []json.RawMessage{[]byte(`"w"`), []byte(`"new"`), []byte(`"00"`), []byte(`"65"`), []byte(`"ab"`)}},
	}
	content, err := share.Encode()
	if err != nil {
		t.Fatal(err)
	}
	e, err := s.member.Seal(fleet.TypeShare, content, later())
	if err != nil {
		t.Fatal(err)
	}
	s.pool.Publish(e)
	eventually(t, "a share of now is accepted", func() bool { return a.Telemetry().Stats.Accepted == 1 })
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.lines) != 1 || !strings.Contains(p.lines[0], `"new"`) {
		t.Errorf("submitted %v", p.lines)
	}
}

// TestLostConnections cuts the pool while shares come: what is queued is
// submitted afterwards, what was on its way is counted as unanswered.
func TestLostConnections(t *testing.T) {
	s, p := newScope(t), newPool(t)
	p.verdict = func(n int) string {
		if n == 5 {
			return "" // its answer is lost with the connection
		}
		return `"result":true,"error":null`
	}
	a := start(t, s, p, nil)
	for n := range 5 {
		s.share(n, 1)
	}
	eventually(t, "the first submits", func() bool { return p.submits() == 5 })
	p.setRefuse(true)
	p.cut()
	eventually(t, "the error is told", func() bool { return len(a.Telemetry().Errors) > 0 })
	p.setRefuse(false)
	eventually(t, "connected again", func() bool { return a.Telemetry().Report.Connects == 2 })
	for n := range 5 {
		s.share(100+n, 1)
	}
	eventually(t, "the rest", func() bool { return a.Telemetry().Stats.Accepted == 9 })
	tel := a.Telemetry()
	wantExact(t, &tel)
	if tel.Report.Unanswered != 1 || tel.Stats.Attempted != 10 || len(tel.Errors) > 0 { // errors are those since the last success
		t.Errorf("%+v %+v %v", tel.Stats, tel.Report, tel.Errors)
	}
}

// TestTheQueueIsBounded lets shares come while there is no pool.
func TestTheQueueIsBounded(t *testing.T) {
	s, p := newScope(t), newPool(t)
	p.setRefuse(true)
	a := start(t, s, p, func(c *Config) { c.Queue = 10 })
	for n := range 30 {
		s.share(n, 1)
	}
	eventually(t, "all shares", func() bool { return a.Telemetry().Stats.Received == 30 })
	tel := a.Telemetry()
	// One is in the hands of who submits.
	if q := tel.Report.Queue; q.Dropped < 19 || q.Dropped > 20 || q.Waiting != 10 || tel.ConnState != fleet.StateError || tel.Stats.Attempted != 0 {
		t.Errorf("%+v %s %v", q, tel.ConnState, tel.Errors)
	}
}

func TestBadConfigurations(t *testing.T) {
	good := Config{Pool: "127.0.0.1:1", Own: true, User: "u", Relays: []string{"ws://127.0.0.1:1"}, Member: member(t, 2), ID: "a", Mode: fleet.ModeMine}
	if _, err := New(good, quiet); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*Config){
		"pool":     func(c *Config) { c.Pool = "http://" },
		"user":     func(c *Config) { c.User = "" },
		"relay":    func(c *Config) { c.Relays = nil },
		"scheme":   func(c *Config) { c.Relays = []string{"https://relay.example"} },
		"id":       func(c *Config) { c.ID = "a\nb" },
		"mode":     func(c *Config) { c.Mode = "both" },
		"rate":     func(c *Config) { c.Rate = -1 },
		"rates":    func(c *Config) { c.MaxRate = 1e9 },
		"interval": func(c *Config) { c.Interval = time.Millisecond },
		"patience": func(c *Config) { c.Interval = time.Hour },
		"own":      func(c *Config) { c.Own = false }, // also on this machine
		"region":   func(c *Config) { c.Region = strings.Repeat("x", 65) },
	} {
		c := good
		spoil(&c)
		if _, err := New(c, quiet); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}
