package audit

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/ledger"
	"github.com/poolscope/poolscope/internal/ledger/ledgertest"
	"github.com/poolscope/poolscope/internal/node"
	"github.com/poolscope/poolscope/internal/pool"
	"github.com/poolscope/poolscope/internal/scope/capture"
)

// taker is a node that takes every block.
type taker struct {
	mu     sync.Mutex
	hashes []string
}

func (n *taker) SubmitBlock(_ context.Context, _ []byte, hash bitcoin.Hash) []node.SubmitResult {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.hashes = append(n.hashes, hash.String())
	return []node.SubmitResult{{Node: "a", Verdict: node.Accepted}}
}

func (n *taker) BlockStatus(context.Context, bitcoin.Hash) (node.BlockStatus, error) {
	return node.BlockStatus{Known: true, Confirmations: 1}, nil
}

func (n *taker) Refresh() {}

// client is a miner of a real pool whose lines are recorded as a proxy would.
type client struct {
	*stage
	conn  net.Conn
	lines *bufio.Reader
	jobs  []*testJob
}

// line reads a line of the pool, records it and takes notice of what it says.
func (c *client) line() []byte {
	c.t.Helper()
	if err := c.conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		c.t.Fatal(err)
	}
	line, err := c.lines.ReadBytes('\n')
	if err != nil {
		c.t.Fatal(err)
	}
	n := c.pool(string(line))
	var message struct {
		Method string
		Params []json.RawMessage
	}
	if err := json.Unmarshal(line, &message); err != nil {
		c.t.Fatal(err)
	}
	if message.Method == "mining.notify" {
		c.takeJob(n, message.Params)
	}
	return line
}

func (c *client) takeJob(n uint64, params []json.RawMessage) {
	c.t.Helper()
	var prev, prefix, suffix, version, bits, at string
	var branches []string
	j := &testJob{n: n, extranonce1: c.extranonce1}
	for i, to := range []any{&j.id, &prev, &prefix, &suffix, &branches, &version, &bits, &at, &j.clean} {
		if err := json.Unmarshal(params[i], to); err != nil {
			c.t.Fatal(err)
		}
	}
	for i, b := range c.bytes(prev) {
		j.prev[i/4*4+3-i%4] = b
	}
	j.parts = bitcoin.CoinbaseParts{Prefix: c.bytes(prefix), Suffix: c.bytes(suffix)}
	for _, text := range branches {
		j.branches = append(j.branches, bitcoin.Hash(c.bytes(text)))
	}
	for text, to := range map[string]*uint32{version: &j.version, bits: &j.bits, at: &j.time} {
		if _, err := fmt.Sscanf(text, "%08x", to); err != nil {
			c.t.Fatal(err)
		}
	}
	c.jobs = append(c.jobs, j)
}

func (c *client) bytes(text string) []byte {
	c.t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		c.t.Fatal(err)
	}
	return b
}

// request sends a line and returns the pool's answer and its message.
func (c *client) request(method, params string) (n uint64, answer string) {
	c.t.Helper()
	c.ids++
	line := fmt.Sprintf(`{"id":%d,"method":%q,"params":%s}`+"\n", c.ids, method, params)
	n = c.miner(line)
	if _, err := c.conn.Write([]byte(line)); err != nil {
		c.t.Fatal(err)
	}
	for {
		line := string(c.line())
		if strings.HasPrefix(line, fmt.Sprintf(`{"id":%d,`, c.ids)) {
			return n, line
		}
	}
}

// TestRealPool lets a miner send shares of every kind to our own pool, in a
// random order, and compares each verdict of the pool with the audit's.
func TestRealPool(t *testing.T) {
	books := ledger.New(ledgertest.NewMemory(), ledger.Options{}, slog.New(slog.DiscardHandler))
	n := &taker{}
	p, err := pool.New(pool.Config{
		Difficulty: pool.DifficultyConfig{Start: easy, Min: 1e-9, SharesPerMinute: 15}, Tag: "/poolscope/",
		MaxCoinbase: 300, VersionMask: 0x1fffe000, BlockDir: t.TempDir(),
	}, bitcoin.Regtest, n, books, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	a := New(Config{}, slog.New(slog.DiscardHandler))
	r := capture.New(capture.Config{Analyst: a}, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(context.Background())
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for _, run := range []func(context.Context) error{
		p.Run, r.Run, a.Run, func(ctx context.Context) error { return p.Serve(ctx, listener, pool.ListenerOptions{}) },
	} {
		wg.Go(func() {
			if err := run(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	t.Cleanup(func() { cancel(); wg.Wait() })

	height := int64(100)
	work := func() {
		now := uint32(time.Now().Unix())
		p.SetTemplate(&node.Template{
			Network: bitcoin.Regtest, Node: "a", Height: height, PrevHash: tipOf(byte(height)), Version: 0x20000000,
			Bits: easyBits, CurTime: now, MinTime: now - 600, CoinbaseValue: bitcoin.Subsidy(height, bitcoin.Regtest),
			WitnessCommitment: bitcoin.WitnessCommitment(nil),
		})
	}
	work()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	tape := r.Open(capture.Opening{ID: "s", Origin: capture.OriginProxy, At: time.Now()})
	c := &client{stage: &stage{wire: &wire{t: t, tape: tape}}, conn: conn, lines: bufio.NewReader(conn)}
	c.request("mining.configure", `[["version-rolling"],{"version-rolling.mask":"ffffffff"}]`)
	_, answer := c.request("mining.subscribe", `["tester/1.0"]`)
	var subscribed struct{ Result [3]json.RawMessage }
	var extranonce1 string
	if err := json.Unmarshal([]byte(answer), &subscribed); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(subscribed.Result[1], &extranonce1); err != nil {
		t.Fatal(err)
	}
	c.extranonce1 = c.bytes(extranonce1)
	c.request("mining.authorize", `["`+alice+`.rig","x"]`)
	for len(c.jobs) == 0 {
		c.line()
	}

	random := rand.New(rand.NewPCG(7, 9))
	verdicts := make(map[uint64]string) // the pool's, by message
	var sent []testShare
	submit := func(params string) {
		n, answer := c.request("mining.submit", params)
		verdicts[n] = answer
	}
	for range 400 {
		current := c.jobs[len(c.jobs)-1]
		anyJob := c.jobs[max(0, len(c.jobs)-1-random.IntN(6))]
		switch random.IntN(12) {
		case 0, 1, 2:
			share := c.good(anyJob)
			sent = append(sent, share)
			submit(share.params)
		case 3:
			submit(c.find(anyJob, 0, easy*0.5).params)
		case 4:
			if len(sent) > 0 {
				submit(sent[random.IntN(len(sent))].params)
			}
		case 5:
			share := c.find(current, 1.0/65536, 1e9)
			sent = append(sent, share)
			submit(share.params)
		case 6:
			submit(replaceJob(c.good(current).params, "ffff01"))
		case 7:
			submit(strings.Replace(c.good(current).params, `"0000000000000007"`, `"00"`, 1))
		case 8:
			submit(`["` + alice + `.rig","` + current.id + `","0000000000000007","zz","00000001"]`)
		case 9:
			rolled := *current
			rolled.version |= 0x00002000
			share := c.good(&rolled)
			share.params = strings.TrimSuffix(share.params, "]") + `,"00002000"]`
			sent = append(sent, share)
			submit(share.params)
		case 10:
			if random.IntN(2) == 0 {
				height++
			}
			work()
			for len(c.jobs) == 0 || c.jobs[len(c.jobs)-1] == current {
				c.line()
			}
		case 11:
			odd := *current
			odd.version |= 0x00000003
			share := c.good(&odd)
			submit(strings.TrimSuffix(share.params, "]") + `,"00000003"]`)
		}
	}
	tape.Close("miner_closed", time.Now())
	for facts, ok := a.Facts("s"); !ok || facts.CloseReason == ""; facts, ok = a.Facts("s") {
		time.Sleep(time.Millisecond)
	}
	compareVerdicts(t, a, verdicts)

	facts, _ := a.Facts("s")
	if facts.Shares.Conflicts != 0 || facts.Shares.Submitted != uint64(len(verdicts)) || !facts.Complete {
		t.Errorf("facts %+v", facts)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, s := range shares(t, a) {
		if s.Audit == capture.AuditBlock && !slices.Contains(n.hashes, s.Hash) {
			t.Errorf("the pool does not know block %s", s.Hash)
		}
	}
	for _, alarm := range a.Alarms(AlarmFilter{}).Alarms {
		if alarm.Kind != AlarmBlock {
			t.Errorf("alarm %+v", alarm)
		}
	}
}

// compareVerdicts compares the pool's answers with the audit, and wants all kinds.
func compareVerdicts(t *testing.T, a *Auditor, verdicts map[uint64]string) {
	t.Helper()
	// What each answer of our pool means, by its text.
	meanings := map[string][]string{
		`"result":true`:         {capture.AuditValid, capture.AuditBlock},
		`"Above target"`:        {capture.AuditLow},
		`"Duplicate"`:           {capture.AuditDuplicate},
		`"Stale"`:               {capture.AuditStale},
		`"Invalid JobID"`:       {capture.AuditUnknownJob, capture.AuditStale}, // it forgets jobs of old tips
		`"Invalid nonce2`:       {capture.AuditMalformed, capture.AuditStale},
		`"Ntime out of range"`:  {capture.AuditMalformed},
		`"Invalid version mask`: {capture.AuditMalformed},
	}
	counts := make(map[string]int)
	seen := make(map[string]int)
	for _, s := range shares(t, a) {
		answer, known := verdicts[s.N], false
		for text, audits := range meanings {
			if strings.Contains(answer, text) {
				known = true
				seen[text]++
				if !slices.Contains(audits, s.Audit) {
					t.Errorf("pool: %s, audit: %+v", answer, s)
				}
			}
		}
		if !known {
			t.Errorf("the pool said %s, audit %s", answer, s.Audit)
		}
		counts[s.Audit]++
	}
	t.Log(counts, seen)
	for _, audit := range []string{capture.AuditValid, capture.AuditLow, capture.AuditDuplicate, capture.AuditStale, capture.AuditUnknownJob, capture.AuditMalformed, capture.AuditBlock} {
		if counts[audit] < 5 {
			t.Errorf("only %d shares are %s", counts[audit], audit)
		}
	}
}
