package pool

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/ledger"
)

func paysOperator(c *Config) {
	c.Payout, c.Provisional = PayoutConfig{FeeAddress: operator}, true
}

// scriptOf is an address's output script in hex.
func scriptOf(t testing.TB, address string) string {
	t.Helper()
	script, err := bitcoin.PayoutScript(address, bitcoin.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	const digits = "0123456789abcdef"
	var text strings.Builder
	for _, b := range script {
		text.WriteByte(digits[b>>4])
		text.WriteByte(digits[b&15])
	}
	return text.String()
}

// Who subscribes and says no more gets work within a second, which pays the
// operator; its shares do not count, its blocks do (R-S8). After authorize, the
// miner's own work replaces it at once.
func TestProvisionalWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, true, paysOperator)
		r.newTip()
		m := r.connect(t)
		m.user = alice + ".rig"
		m.call("mining.subscribe", "prober/1.0")
		begin := time.Now()
		first := m.nextJob()
		if waited := time.Since(begin); waited < 500*time.Millisecond || waited > 1500*time.Millisecond {
			t.Errorf("provisional work after %v", waited)
		}
		if !first.clean || m.difficulty == 0 {
			t.Errorf("clean %v, difficulty %v", first.clean, m.difficulty)
		}
		if !strings.Contains(first.coinb2, scriptOf(t, operator)) {
			t.Errorf("provisional work pays %s", first.coinb2)
		}
		m.wantVerdict(m.solve(first, first.ofShare(), "", 0), "Unauthorized worker")
		if n := len(r.node.submitted()); n != 0 {
			t.Errorf("%d blocks from a share", n)
		}
		block, verdict := m.block()
		if verdict != "Unauthorized worker" {
			t.Errorf("verdict %q", verdict)
		}
		synctest.Wait()
		if n := len(r.node.submitted()); n != 1 {
			t.Fatalf("%d blocks were submitted of %v", n, block.header.BlockHash())
		}

		// It follows the chain like any other.
		r.newTip()
		second := m.nextJob()
		if !second.clean || !strings.Contains(second.coinb2, scriptOf(t, operator)) {
			t.Errorf("on the new tip: clean %v, pays %s", second.clean, second.coinb2)
		}

		// Now the miner says who it is.
		if got := m.call("mining.authorize", m.user, "x"); string(got.Result) != "true" {
			t.Fatalf("authorize: %v", got.Error)
		}
		own := m.nextJob()
		if !own.clean || !strings.Contains(own.coinb2, scriptOf(t, alice)) || own.id == second.id {
			t.Errorf("own work %s after %s: clean %v, pays %s", own.id, second.id, own.clean, own.coinb2)
		}
		m.wantVerdict(m.solve(own, own.ofShare(), "", 0), "")
		m.wantVerdict(m.solve(second, second.ofShare(), "", 0), "Stale")
		m.submit(m.solve(second, second.ofBlock(), "", 0))
		synctest.Wait()
		if n := len(r.node.submitted()); n != 2 {
			t.Errorf("%d blocks: one of the provisional work is lost after authorize", n)
		}
		r.stop()
	})
}

// A block of provisional work is booked for the operator, whom it pays.
func TestProvisionalBlockIsTheOperators(t *testing.T) {
	r := newRig(t, false, paysOperator)
	runLedger(t, r.ledger)
	r.newTip()
	m := r.connect(t)
	m.call("mining.subscribe", "prober/1.0")
	m.nextJob()
	m.block()
	var blocks []ledger.Block
	eventually(t, "the block in the books", func() bool {
		blocks = r.ledger.Snapshot().Blocks
		return len(blocks) > 0
	})
	if b := blocks[0]; b.Worker != operator || b.Address != operator {
		t.Errorf("the block is booked for %q, paid to %q", b.Worker, b.Address)
	}
}

// Whoever authorizes in time never sees provisional work, and neither does a
// miner that was refused, nor anybody at a pool without an operator's address.
func TestNoProvisionalWork(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Config)
		user   string
	}{
		"in time":     {paysOperator, alice},
		"refused":     {paysOperator, "nobody"},
		"no operator": {func(c *Config) { c.Provisional = true }, ""},
		"turned off":  {func(c *Config) { c.Payout.FeeAddress = operator }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, true, c.change)
				r.newTip()
				m := r.connect(t)
				m.call("mining.subscribe", "x")
				if c.user != "" {
					time.Sleep(provisionalAfter - time.Millisecond)
					m.call("mining.authorize", c.user, "x")
				}
				for _, line := range m.collect(4 * time.Second) {
					if strings.Contains(line, "mining.notify") && !strings.Contains(line, scriptOf(t, alice)) {
						t.Errorf("work that is not the miner's: %s", line)
					}
				}
				r.stop()
			})
		})
	}
}

// A miner whose address belongs to another network than the node turns out to
// be on is told so before it is closed (R-A1).
func TestWrongNetworkIsToldLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, true)
		r.pool.settings.Store(&settings{Config: *r.pool.config()}) // as before the first template
		m := r.connect(t)
		m.call("mining.subscribe", "x")
		m.call("mining.authorize", mainnet, "x")
		r.newTip()
		if got := m.line(); !strings.Contains(got, `"client.show_message","params":["Bitcoin address of another network"]`) {
			t.Errorf("the miner is told %s", got)
		}
		begin := time.Now()
		r.refresh()
		m.wantEnd()
		if waited := time.Since(begin); waited < 4*time.Second {
			t.Errorf("closed after %v, too soon to read why", waited)
		}
		r.stop()
	})
}

// A miner that resumes, and is slow to authorize, has work of its own from
// before. A block of that is the miner's, though provisional work came after it.
func TestProvisionalWorkSparesResumedWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, true, paysOperator)
		r.newTip()
		m := r.connect(t)
		m.user = alice + ".rig"
		sid, _ := m.subscribe("cgminer/4.11.1")
		m.call("mining.authorize", m.user, "x")
		old := m.nextJob()
		block, another := m.solve(old, old.ofBlock(), "", 0), m.solve(old, old.ofShare(), "", 0)
		m.leave()
		synctest.Wait()

		n := r.connect(t)
		n.user = m.user
		if again, _ := n.subscribe("cgminer/4.11.1", sid); again != sid {
			t.Fatalf("session %s, want %s", again, sid)
		}
		if work := n.nextJob(); !strings.Contains(work.coinb2, scriptOf(t, operator)) {
			t.Fatal("no provisional work")
		}
		n.call("mining.authorize", n.user, "x")
		n.nextJob()
		n.wantVerdict(block, "")
		n.wantVerdict(another, "")
		if got := checkHash(t, r.blockAt(1)); got != block.header.BlockHash().String() {
			t.Errorf("block %s", got)
		}
	})
}

// The timer of provisional work may fire in the moment in which it is ended.
func TestProvisionalWorkEndsWithItsTimer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, true, paysOperator)
		r.newTip()
		m := r.connect(t)
		m.call("mining.subscribe", "prober/1.0")
		s := r.pool.snapshotSessions()[0]
		s.mu.Lock()
		trial := s.trial
		s.endProvisionalLocked()
		s.mu.Unlock()
		s.sendProvisional(trial)
		m.wait(2 * time.Second)
		if len(m.jobs) != 0 || r.pool.counters.panics.Load() != 0 {
			t.Errorf("%d jobs, %d panics", len(m.jobs), r.pool.counters.panics.Load())
		}
	})
}
