package pool

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/stratum"
)

// Whatever a miner sends at once is answered in the order in which it was sent,
// shares that are hashed together included.
func TestAnswersKeepTheirOrder(t *testing.T) {
	r := newRig(t, false, func(c *Config) { c.Difficulty.Vardiff = false })
	r.newTip(branches11)
	m := r.connect(t)
	m.start(alice, "x")
	var lines strings.Builder
	var want []string // id and verdict
	say := func(method string, params []any, verdict string) {
		id := 1000 + len(want)
		text, err := json.Marshal(params)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&lines, `{"id":%d,"method":%q,"params":%s}`+"\n", id, method, text)
		want = append(want, fmt.Sprint(id, " ", verdict))
	}
	for i := range 40 {
		share := m.solve(m.job, m.job.ofShare(), "", 0)
		say("mining.submit", share.params(m.user), "")
		switch i % 10 {
		case 3:
			say("mining.submit", share.params(m.user), stratum.RejectDuplicate.Text())
		case 5:
			say("mining.submit", []any{m.user, "77777777", share.en2, share.ntime, share.nonce}, stratum.RejectUnknownJob.Text())
		case 7:
			say("mining.ping", []any{}, "pong")
		case 9:
			share.nonce = "nonsense"
			say("mining.submit", share.params(m.user), stratum.RejectNonce.Text())
		}
	}
	m.send(lines.String())
	for i := 0; i < len(want); {
		var reply message
		if err := json.Unmarshal([]byte(m.line()), &reply); err != nil {
			t.Fatal(err)
		}
		if len(reply.ID) == 0 || string(reply.ID) == "null" {
			continue
		}
		got := string(reply.ID) + " "
		if string(reply.Result) == `"pong"` {
			got += "pong"
		} else {
			got += verdict(t, reply)
		}
		if got != want[i] {
			t.Fatalf("answer %d is %q, want %q", i, got, want[i])
		}
		i++
	}
}

// openShare puts a share of a miner into a batch, without the network between.
func openShare(t *testing.T, b *batch, s *session, share testShare) {
	t.Helper()
	line := fmt.Sprintf(`{"id":6,"method":"mining.submit","params":[%q,%q,%q,%q,%q]}`,
		s.address, share.job, share.en2, share.ntime, share.nonce)
	var r stratum.Request
	if err := stratum.ScanRequest([]byte(line), &r); err != nil {
		t.Fatal(err)
	}
	b.add(s, &r)
}

// Shares of several miners and jobs are settled together. A panic over one of
// them costs that miner its connection, and nobody else anything.
func TestBatchOfSeveralMiners(t *testing.T) {
	r := newRig(t, false)
	r.newTip(branches11)
	var miners []*testMiner
	var sessions []*session
	for range 3 {
		m := r.connect(t)
		m.start(alice, "x")
		miners, sessions = append(miners, m), append(sessions, r.accountOf(m))
	}
	b := new(batch)
	share := func(i int) {
		m := miners[i]
		openShare(t, b, sessions[i], m.solve(m.job, m.job.ofShare(), "", 0))
	}
	const each = maxBatch / 4
	for range each {
		share(0)
		share(2)
	}
	share(1)
	r.refresh(branches11)
	for i, m := range miners {
		m.nextJob()
		if i != 1 {
			share(i)
		}
	}
	sessions[1].conn.SetTap(func(string, stratum.Direction, []byte, time.Time) { panic("a fault of ours") })
	b.settle(r.pool)

	if got := r.pool.counters.panics.Load(); got == 0 {
		t.Error("no panic was counted")
	}
	if got := r.pool.counters.shareErrors.Load(); got != 0 {
		t.Errorf("%d shares were refused", got)
	}
	for i, s := range sessions {
		if s.conn.Closed() != (i == 1) {
			t.Errorf("miner %d is closed: %t", i, s.conn.Closed())
		}
		if i == 1 {
			continue
		}
		s.conn.Flush()
		for range each + 1 {
			if got := verdict(t, miners[i].reply(6)); got != "" {
				t.Errorf("verdict %q for miner %d", got, i)
			}
		}
	}
}

// A fault in the hashing of a batch loses no share: each is hashed by itself.
func TestBatchSurvivesFaultyHashing(t *testing.T) {
	r := newRig(t, false)
	r.newTip(branches11)
	m := r.connect(t)
	m.start(alice, "x")
	s, b := r.accountOf(m), new(batch)
	for range 3 {
		openShare(t, b, s, m.solve(m.job, m.job.ofShare(), "", 0))
	}
	coinbase := b.shares[1].Coinbase
	b.shares[1].Coinbase = nil
	r.pool.guardHashing(func() { b.hash(r.pool) })
	b.shares[1].Coinbase = coinbase
	for i := range b.shares[:b.n] {
		sh := &b.shares[i]
		b.lookForBlock(r.pool, sh, time.Now())
		if sh.Hash == (bitcoin.Hash{}) || sh.Hash != sh.Header.Hash() {
			t.Errorf("share %d has hash %s", i, sh.Hash)
		}
		s.conclude(sh, time.Now(), &b.reply)
		if sh.why != stratum.NotRejected {
			t.Errorf("share %d: %s", i, sh.why.Text())
		}
	}
	if r.pool.counters.panics.Load() != 1 {
		t.Error("the panic was not counted")
	}
}
