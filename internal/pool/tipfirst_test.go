package pool

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/node"
)

// The block after a tip without its template: worth the subsidy, on the tip,
// later than it. What the header cannot tell makes the pool wait.
func TestEmptyTemplate(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	last := node.Template{
		Network: bitcoin.Mainnet, Height: 900_000, PrevHash: bitcoin.Hash{1}, Version: 0x20000000, Bits: 0x17020684,
		CurTime: uint32(now.Unix()) - 600, ReceivedAt: now.Add(-600 * time.Second), MinTime: uint32(now.Unix()) - 4000,
		CoinbaseValue: 312_500_000 + 7000, FeesKnown: true, WitnessCommitment: []byte{1, 2, 3},
		Transactions: []node.Tx{{Fee: 4000, Weight: 400}, {Fee: 3000, Weight: 400}},
	}
	next := node.Tip{Hash: bitcoin.Hash{2}, Height: 900_000, Time: now.Add(-5 * time.Second), Bits: last.Bits}

	got, ok := emptyTemplate(&last, next, now)
	if !ok {
		t.Fatal("the plain case is refused")
	}
	if got.Height != 900_001 || got.PrevHash != next.Hash || got.CoinbaseValue != 312_500_000 || len(got.Transactions) != 0 ||
		got.MinTime != uint32(now.Unix())-4 || got.CurTime != uint32(now.Unix()) ||
		string(got.WitnessCommitment) != string(bitcoin.WitnessCommitment(nil)) {
		t.Errorf("got %+v", got)
	}
	if len(last.Transactions) != 2 || last.Height != 900_000 {
		t.Errorf("the last template was changed: %+v", last)
	}

	ahead := next
	ahead.Time = now.Add(time.Hour)
	if got, _ := emptyTemplate(&last, ahead, now); got.CurTime != uint32(ahead.Time.Unix())+1 {
		t.Errorf("time %d does not follow a tip whose clock is ahead", got.CurTime)
	}

	for name, change := range map[string]func(*node.Template, *node.Tip){
		"seen already":         func(_ *node.Template, tip *node.Tip) { tip.Hash = last.PrevHash },
		"reorganisation":       func(_ *node.Template, tip *node.Tip) { tip.Height-- },
		"two blocks at once":   func(_ *node.Template, tip *node.Tip) { tip.Height++ },
		"fees not told":        func(l *node.Template, _ *node.Tip) { l.Transactions = nil },
		"fees not all told":    func(l *node.Template, _ *node.Tip) { l.FeesKnown = false },
		"other bits":           func(_ *node.Template, tip *node.Tip) { tip.Bits++ },
		"header unknown":       func(_ *node.Template, tip *node.Tip) { tip.Time = time.Time{} },
		"retarget":             func(l *node.Template, tip *node.Tip) { l.Height, tip.Height = 903_167, 903_167 },
		"halving":              func(l *node.Template, tip *node.Tip) { l.Height, tip.Height = 1_049_999, 1_049_999 },
		"testnet's easy block": func(l *node.Template, _ *node.Tip) { l.Network = bitcoin.Testnet4 },
		"signet's signature":   func(l *node.Template, _ *node.Tip) { l.SignetChallenge = []byte{0x51} },
	} {
		l, tip := last, next
		change(&l, &tip)
		if got, ok := emptyTemplate(&l, tip, now); ok {
			t.Errorf("%s: made %+v", name, got)
		}
	}
}

// An announced tip is worked on at once, from scratch; when its template comes,
// miners go on with it without starting anew. A setting turns it off.
func TestTipFirst(t *testing.T) {
	for name, on := range map[string]bool{"on": true, "off": false} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, true, func(c *Config) { c.TipFirst = on })
			last := r.newTip(withTransactions(3), func(t *node.Template) { t.FeesKnown = true })
			m := r.connect(t)
			m.start(alice, "x")

			r.height++
			seen := time.Now()
			time.Sleep(3 * time.Millisecond)
			r.pool.SetTip(node.Tip{Hash: prevHash(r.height), Height: last.Height, Time: time.Now(), Bits: last.Bits, SeenAt: seen})
			if on {
				m.nextJob()
				if !m.job.clean || len(m.job.branches) != 0 || bitcoin.Hash(m.job.prev) != prevHash(r.height) {
					t.Errorf("%s: the early job is %+v", name, m.job)
				}
			}
			time.Sleep(30 * time.Millisecond)
			full := r.refresh(withTransactions(5))
			m.nextJob()
			if m.job.clean == on || len(m.job.branches) == 0 || bitcoin.Hash(m.job.prev) != full.PrevHash {
				t.Errorf("%s: the full job is %+v", name, m.job)
			}
			time.Sleep(2 * time.Second)
			synctest.Wait()
			st := r.pool.Status()
			if st.TipFull != 33*time.Millisecond || on && (st.TipEarly != 3*time.Millisecond || st.TipFirst != 1) || !on && st.TipFirst != 0 {
				t.Errorf("%s: early after %s, full after %s, %d times", name, st.TipEarly, st.TipFull, st.TipFirst)
			}
			r.stop()
		})
	}
}
