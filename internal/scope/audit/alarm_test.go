package audit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/scope/capture"
)

// chain is a node that knows what the test tells it.
type chain struct {
	mu     sync.Mutex
	tip    Tip
	known  map[bitcoin.Hash]BlockState
	err    error
	body   [][]byte
	branch []bitcoin.Hash
	refuse string
	blocks [][]byte
}

func (c *chain) Network() bitcoin.Network { return bitcoin.Regtest }

func (c *chain) Tip() (Tip, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.tip, c.tip.Hash != bitcoin.Hash{}
}

func (c *chain) Body(_ bitcoin.Hash, branches []bitcoin.Hash) ([][]byte, bool) {
	return c.body, c.branch != nil && slices.Equal(branches, c.branch)
}

func (c *chain) Known(_ context.Context, block bitcoin.Hash) (BlockState, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.known[block], c.err
}

func (c *chain) Submit(_ context.Context, block []byte, _ bitcoin.Hash) (string, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.blocks = append(c.blocks, block)
	return "a: " + c.refuse + "accepted", c.refuse == ""
}

func (c *chain) set(tip Tip) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tip = tip
}

// seen makes a tip that the node has from now on.
func seenNow(n byte) Tip {
	return Tip{Hash: tipOf(n), Height: 199, SeenAt: time.Now(), Bits: hardBits, Transactions: 5}
}

// Every kind of alarm is raised by what it is for, names the messages that
// prove it, and nothing else is raised.
func TestAlarms(t *testing.T) {
	payTo := func(outputs ...bitcoin.TxOut) func(*testJob) {
		return func(j *testJob) { j.parts = coinbase(t, outputs...) }
	}
	toBob := bitcoin.TxOut{Value: 100_0000_0000, Script: script(t, bob)}
	empty := func(j *testJob) { j.branches = nil }

	for _, test := range []struct {
		name     string
		kind     string // "" for none at all
		cfg      Config
		do       func(s *stage, c *chain) (proof []uint64)
		count    uint64
		severity string
		says     string
	}{
		{name: "nothing is wrong", do: func(s *stage, c *chain) []uint64 {
			c.set(seenNow(1))
			j := s.job(1, true)
			for range 20 {
				s.submit(s.good(j), yes)
				time.Sleep(5 * time.Second)
				j = s.job(1, false)
			}
			return nil
		}},
		{name: "payout missing", kind: AlarmPayoutMissing, count: 2, severity: SeverityCritical, says: alice, do: func(s *stage, c *chain) []uint64 {
			return []uint64{s.job(1, true, payTo(toBob)).n, s.job(1, false, payTo(toBob)).n}
		}},
		{name: "a pool that pays later", cfg: Config{Payouts: []string{bob}}, do: func(s *stage, c *chain) []uint64 {
			s.job(1, true, payTo(toBob))
			return nil
		}},
		{name: "its address is gone", kind: AlarmPayoutMissing, count: 1, severity: SeverityCritical, says: bob, cfg: Config{Payouts: []string{donee}},
			do: func(s *stage, c *chain) []uint64 {
				s.job(1, true)
				return []uint64{s.job(1, true, payTo(toBob)).n}
			}},
		{name: "a job that was on its way when the miner signed in", do: func(s *stage, c *chain) []uint64 {
			s.tape = s.recorder.Open(capture.Opening{ID: "t", Pool: "pool.example:3333", At: time.Now()})
			s.ask("mining.subscribe", `["tester/1.0"]`, `"result":[[["mining.notify","1"]],"01020304",8],"error":null`)
			id, _ := s.call("mining.authorize", `["`+alice+`.rig","x"]`)
			s.job(1, true, payTo(toBob))
			s.pool(answer(id, yes))
			s.job(1, true)
			return nil
		}},
		{name: "the fee rises", kind: AlarmPayoutChanged, count: 1, severity: SeverityCritical, says: "99.00 % to 90.00 %", do: func(s *stage, c *chain) []uint64 {
			before := s.job(1, true)
			return []uint64{before.n, s.job(2, true, payTo(bitcoin.TxOut{Value: 90, Script: script(t, alice)}, bitcoin.TxOut{Value: 10, Script: script(t, bob)})).n}
		}},
		{name: "fees of another block", do: func(s *stage, c *chain) []uint64 {
			s.job(1, true)
			s.job(2, true, payTo(bitcoin.TxOut{Value: 995, Script: script(t, alice)}, bitcoin.TxOut{Value: 10, Script: script(t, bob)}))
			return nil
		}},
		{name: "another main output", kind: AlarmPayoutChanged, count: 1, severity: SeverityWarning, says: bob, do: func(s *stage, c *chain) []uint64 {
			s.tape = s.recorder.Open(capture.Opening{ID: "t", Pool: "pool.example:3333", At: time.Now()})
			s.n = 0
			s.ask("mining.subscribe", `["tester/1.0"]`, `"result":[[["mining.notify","1"]],"01020304",8],"error":null`)
			s.job(1, true, payTo(bitcoin.TxOut{Value: 5, Script: script(t, donee)}))
			s.ask("mining.authorize", `["account.rig","x"]`, yes)
			return []uint64{s.job(1, true).n, s.job(2, true, payTo(toBob)).n}
		}},
		{name: "a worker nobody knows", kind: AlarmUnknownWorker, count: 1, severity: SeverityWarning, says: `"thief.1"`, do: func(s *stage, c *chain) []uint64 {
			share := s.good(s.job(1, true))
			share.params = strings.Replace(share.params, alice+".rig", "thief.1", 1)
			n, _ := s.submit(share, yes)
			return []uint64{3, n}
		}},
		{name: "a worker the pool refused", kind: AlarmUnknownWorker, count: 1, severity: SeverityWarning, says: "refused", do: func(s *stage, c *chain) []uint64 {
			s.ask("mining.authorize", `["other.1","x"]`, `"result":false,"error":null`)
			share := s.good(s.job(1, true))
			share.params = strings.Replace(share.params, alice+".rig", "other.1", 1)
			n, _ := s.submit(share, rejection(24, "Unauthorized"))
			return []uint64{3, n}
		}},
		{name: "an extranonce nobody asked for", kind: AlarmExtranonceChanged, count: 1, severity: SeverityWarning, says: "not asked", do: func(s *stage, c *chain) []uint64 {
			return []uint64{s.pool(`{"id":null,"method":"mining.set_extranonce","params":["aabbccdd",8]}`)}
		}},
		{name: "an extranonce that was asked for", do: func(s *stage, c *chain) []uint64 {
			s.ask("mining.extranonce.subscribe", `[]`, yes)
			s.pool(`{"id":null,"method":"mining.set_extranonce","params":["aabbccdd",8]}`)
			return nil
		}},
		{name: "an extranonce of another size", kind: AlarmExtranonceChanged, count: 1, severity: SeverityWarning, says: "from 4 and 8 bytes to 4 and 4", do: func(s *stage, c *chain) []uint64 {
			s.ask("mining.configure", `[["subscribe-extranonce"],{}]`, `"result":{"subscribe-extranonce":true},"error":null`)
			return []uint64{s.pool(`{"id":null,"method":"mining.set_extranonce","params":["aabbccdd",4]}`)}
		}},
		{name: "reconnect to somebody else", kind: AlarmReconnect, count: 1, severity: SeverityCritical, says: `"evil.example"`, do: func(s *stage, c *chain) []uint64 {
			return []uint64{s.pool(`{"id":null,"method":"client.reconnect","params":["evil.example",3333,1]}`)}
		}},
		{name: "reconnect", kind: AlarmReconnect, count: 1, severity: SeverityWarning, says: "same pool", do: func(s *stage, c *chain) []uint64 {
			return []uint64{s.pool(`{"id":null,"method":"client.reconnect","params":[]}`)}
		}},
		{name: "reconnect to the pool of a failover", kind: AlarmReconnect, count: 1, severity: SeverityWarning, says: "port 4444 of the same", do: func(s *stage, c *chain) []uint64 {
			s.tape.PoolChosen("second.example:3333")
			return []uint64{s.pool(`{"id":null,"method":"client.reconnect","params":["second.example",4444,1]}`)}
		}},
		{name: "a block that our node does not know", kind: AlarmUnknownTip, count: 1, severity: SeverityCritical, says: "does not know", do: func(s *stage, c *chain) []uint64 {
			c.set(seenNow(1))
			s.job(1, true)
			j := s.job(9, true)
			time.Sleep(15 * time.Second)
			return []uint64{j.n}
		}},
		{name: "the pool is ahead of our node for a moment", do: func(s *stage, c *chain) []uint64 {
			c.set(seenNow(1))
			s.job(1, true)
			s.job(2, true)
			time.Sleep(5 * time.Second)
			c.set(seenNow(2))
			time.Sleep(15 * time.Second)
			return nil
		}},
		{name: "the node does not answer", do: func(s *stage, c *chain) []uint64 {
			c.err = errors.New("down")
			c.set(seenNow(1))
			s.job(9, true)
			time.Sleep(15 * time.Second)
			return nil
		}},
		{name: "a fork", kind: AlarmUnknownTip, count: 1, severity: SeverityCritical, says: "not part of", do: func(s *stage, c *chain) []uint64 {
			c.set(seenNow(1))
			c.known = map[bitcoin.Hash]BlockState{tipOf(9): {Known: true}}
			j := s.job(9, true)
			time.Sleep(15 * time.Second)
			return []uint64{j.n}
		}},
		{name: "an old block", kind: AlarmOldTip, count: 1, severity: SeverityCritical, says: "our node is at block 199, for 11s now", do: func(s *stage, c *chain) []uint64 {
			c.set(Tip{Hash: tipOf(1), Height: 198, SeenAt: time.Now(), Transactions: 3})
			first := s.job(1, true)
			time.Sleep(20 * time.Second)
			c.known = map[bitcoin.Hash]BlockState{tipOf(1): {Known: true, InBest: true, Height: 198}}
			c.set(seenNow(2))
			time.Sleep(5 * time.Second)
			j := s.job(1, false)
			time.Sleep(10 * time.Second)
			return []uint64{first.n, j.n}
		}},
		{name: "a late job", kind: AlarmLateJob, count: 1, severity: SeverityWarning, says: "3500 ms", do: func(s *stage, c *chain) []uint64 {
			s.job(1, true)
			time.Sleep(time.Second)
			c.set(seenNow(2))
			time.Sleep(3500 * time.Millisecond)
			return []uint64{s.job(2, true).n}
		}},
		{name: "the session began after the block", do: func(s *stage, c *chain) []uint64 {
			c.set(Tip{Hash: tipOf(2), Height: 199, SeenAt: time.Now().Add(-time.Hour), Bits: hardBits, Transactions: 3})
			s.job(2, true)
			return nil
		}},
		{name: "nbits change", kind: AlarmBits, count: 1, severity: SeverityCritical, says: "1d00ffff to 1d00fffe", do: func(s *stage, c *chain) []uint64 {
			before := s.job(1, true)
			return []uint64{before.n, s.job(1, false, func(j *testJob) { j.bits = 0x1d00fffe }).n}
		}},
		{name: "nbits of a new block", do: func(s *stage, c *chain) []uint64 {
			s.job(1, true)
			s.job(2, true, func(j *testJob) { j.bits = 0x1d00fffe })
			return nil
		}},
		{name: "nbits that our node does not have", kind: AlarmBits, count: 1, severity: SeverityCritical, says: "1d00ffff", do: func(s *stage, c *chain) []uint64 {
			c.set(seenNow(1))
			return []uint64{s.job(1, true, func(j *testJob) { j.bits = 0x1d00fffe }).n}
		}},
		{name: "time far ahead", kind: AlarmTime, count: 1, severity: SeverityWarning, says: "ahead of", do: func(s *stage, c *chain) []uint64 {
			return []uint64{s.job(1, true, func(j *testJob) { j.time += 7300 }).n}
		}},
		{name: "time runs backwards", kind: AlarmTime, count: 1, severity: SeverityWarning, says: "20s before", do: func(s *stage, c *chain) []uint64 {
			before := s.job(1, true)
			return []uint64{before.n, s.job(1, false, func(j *testJob) { j.time = before.time - 20 }).n}
		}},
		{name: "empty jobs", kind: AlarmEmptyBlocks, count: 1, severity: SeverityWarning, says: "newest job holds no transactions", do: func(s *stage, c *chain) []uint64 {
			first := s.job(1, true, empty)
			time.Sleep(20 * time.Second)
			second := s.job(1, false, empty)
			time.Sleep(20 * time.Second)
			return []uint64{first.n, second.n}
		}},
		{name: "an empty job at first", do: func(s *stage, c *chain) []uint64 {
			s.job(1, true, empty)
			time.Sleep(20 * time.Second)
			s.job(1, false)
			time.Sleep(20 * time.Second)
			return nil
		}},
		{name: "our node has no transactions either", do: func(s *stage, c *chain) []uint64 {
			c.set(Tip{Hash: tipOf(1), Height: 199, SeenAt: time.Now(), Bits: hardBits})
			s.job(1, true, empty)
			time.Sleep(40 * time.Second)
			return nil
		}},
		{name: "difficulty raised", kind: AlarmDifficultyRaised, count: 1, severity: SeverityWarning, says: "without evidence", do: func(s *stage, c *chain) []uint64 {
			s.job(1, true)
			time.Sleep(70 * time.Second)
			return []uint64{5, s.setDifficulty(2 * easy)}
		}},
		{name: "difficulty raised for a fast miner", do: func(s *stage, c *chain) []uint64 {
			j := s.job(1, true)
			for range 70 {
				s.submit(s.good(j), yes)
				time.Sleep(time.Second)
			}
			s.setDifficulty(20 * easy)
			return nil
		}},
		{name: "difficulty raised too far", kind: AlarmDifficultyRaised, count: 1, severity: SeverityWarning, says: "needs", do: func(s *stage, c *chain) []uint64 {
			j := s.job(1, true)
			for range 70 {
				s.submit(s.good(j), yes)
				time.Sleep(time.Second)
			}
			return []uint64{5, s.setDifficulty(200 * easy)}
		}},
		{name: "the miner asked for it", do: func(s *stage, c *chain) []uint64 {
			s.job(1, true)
			time.Sleep(70 * time.Second)
			s.ask("mining.suggest_difficulty", `[1000]`, yes)
			s.setDifficulty(1000)
			return nil
		}},
		{name: "the pool is silent, twice", kind: AlarmPoolSilent, count: 2, severity: SeverityWarning, says: "no job for 2m", do: func(s *stage, c *chain) []uint64 {
			first := s.job(1, true)
			time.Sleep(5 * time.Minute)
			second := s.job(1, true)
			time.Sleep(3 * time.Minute)
			return []uint64{first.n, second.n}
		}},
		{name: "shares are not answered", kind: AlarmSubmitUnanswered, count: 1, severity: SeverityWarning, says: "none of 2 shares", do: func(s *stage, c *chain) []uint64 {
			j := s.job(1, true)
			s.submit(s.good(j), yes)
			_, n := s.call("mining.submit", s.good(j).params)
			time.Sleep(5 * time.Second)
			s.call("mining.submit", s.good(j).params)
			time.Sleep(time.Minute)
			return []uint64{n}
		}},
		{name: "shares are answered late", do: func(s *stage, c *chain) []uint64 {
			j := s.job(1, true)
			for range 10 {
				id, _ := s.call("mining.submit", s.good(j).params)
				time.Sleep(8 * time.Second)
				s.pool(answer(id, yes))
			}
			return nil
		}},
		{name: "the miner is silent", kind: AlarmMinerSilent, count: 1, severity: SeverityWarning, says: "no share for 10m", do: func(s *stage, c *chain) []uint64 {
			j := s.job(1, true)
			var n uint64
			for range 5 {
				n, _ = s.submit(s.good(j), yes)
				time.Sleep(10 * time.Second)
			}
			for range 12 {
				time.Sleep(time.Minute)
				s.job(1, false)
			}
			return []uint64{n}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := &chain{}
			test.cfg.Chain = c
			var proof []uint64
			session := "s"
			a, _ := play(t, test.cfg, func(w *wire) {
				proof = test.do(newStage(w), c)
				if w.tape.ID() != session {
					session = w.tape.ID()
				}
			})
			all := a.Alarms(AlarmFilter{}).Alarms
			if test.kind == "" {
				if len(all) > 0 {
					t.Errorf("alarms %+v", all)
				}
				return
			}
			if len(all) != 1 {
				t.Fatalf("alarms %+v", all)
			}
			got := all[0]
			want := make([]string, len(proof))
			for i, n := range proof {
				want[i] = capture.MessageID(session, n)
			}
			if got.Kind != test.kind || got.Severity != test.severity || got.Count != test.count || got.Session != session ||
				!slices.Equal(got.Messages, want) || !strings.Contains(got.Text, test.says) || !strings.HasSuffix(got.Text, ".") {
				t.Errorf("alarm %+v, want proof %v, count %d", got, want, test.count)
			}
			if !slices.Contains(kinds, got.Kind) {
				t.Errorf("%s has no counter", got.Kind)
			}
			for _, c := range a.Status().Raised {
				if c.Kind == test.kind && c.Count != test.count || c.Kind != test.kind && c.Count != 0 {
					t.Errorf("counter %+v", c)
				}
			}
		})
	}
}

const donee = "2MzQwSSnBHWHqSAqtTVQ6v47XtaisrJa1Vc"

// The same share in two sessions under two names was rewritten on its way.
func TestWorkerRewritten(t *testing.T) {
	for _, name := range []string{alice + ".rig", "thief.1"} {
		var first, second uint64
		a, _ := play(t, Config{}, func(w *wire) {
			behind := &wire{t: w.t, recorder: w.recorder, auditor: w.auditor}
			behind.tape = w.recorder.Open(capture.Opening{ID: "tap", Origin: capture.OriginTap, At: time.Now()})
			here, there := newStage(w), newStage(behind)
			there.ask("mining.authorize", fmt.Sprintf("[%q]", name), yes)
			share := here.good(here.job(1, true))
			there.job(1, true)
			_, first = here.call("mining.submit", share.params)
			share.params = strings.Replace(share.params, alice+".rig", name, 1)
			_, second = there.call("mining.submit", share.params)
		})
		all := a.Alarms(AlarmFilter{}).Alarms
		if name != "thief.1" {
			if len(all) > 0 {
				t.Errorf("alarms %+v", all)
			}
			continue
		}
		if len(all) != 1 || all[0].Kind != AlarmWorkerRewritten || all[0].Session != "tap" || all[0].Severity != SeverityCritical ||
			!slices.Equal(all[0].Messages, []string{capture.MessageID("s", first), capture.MessageID("tap", second)}) {
			t.Errorf("alarms %+v", all)
		}
	}
}

// A flood of one kind is one alarm, with the first messages and the latest; who
// polls is given each change once.
func TestAlarmFlood(t *testing.T) {
	var numbers []uint64
	a, _ := play(t, Config{Limits: Limits{Alarms: 3}}, func(w *wire) {
		s := newStage(w)
		for range 50 {
			numbers = append(numbers, s.pool(`{"id":null,"method":"client.reconnect","params":["evil.example",3333,1]}`))
		}
		w.settle()
		page := w.auditor.Alarms(AlarmFilter{})
		if len(page.Alarms) != 1 || page.Alarms[0].Count != 50 {
			t.Fatalf("alarms %+v", page.Alarms)
		}
		if again := w.auditor.Alarms(AlarmFilter{Since: page.Cursor}); len(again.Alarms) != 0 || again.Cursor != page.Cursor {
			t.Errorf("the same again: %+v", again)
		}
		want := append(ids(numbers[:maxProof]...), ids(numbers[len(numbers)-maxProof:]...)...)
		if !slices.Equal(page.Alarms[0].Messages, want) {
			t.Errorf("proof %v, want %v", page.Alarms[0].Messages, want)
		}
		numbers = append(numbers, s.pool(`{"id":null,"method":"client.reconnect","params":[]}`))
		w.settle()
		if next := w.auditor.Alarms(AlarmFilter{Since: page.Cursor}); len(next.Alarms) != 1 || next.Alarms[0].Count != 51 || next.Alarms[0].ID != page.Alarms[0].ID {
			t.Errorf("next %+v", next)
		}
		for i := range 5 {
			w.tape = w.recorder.Open(capture.Opening{ID: fmt.Sprint("t", i), At: time.Now()})
			w.pool(`{"id":null,"method":"client.reconnect","params":[]}`)
		}
	})
	page := a.Alarms(AlarmFilter{Limit: 2})
	if len(page.Alarms) != 2 || !page.More || page.Dropped != 3 || page.Alarms[0].Session != "t2" {
		t.Errorf("page %+v", page)
	}
	if rest := a.Alarms(AlarmFilter{Since: page.Cursor}); len(rest.Alarms) != 1 || rest.More || rest.Alarms[0].Session != "t4" {
		t.Errorf("rest %+v", rest)
	}
}
