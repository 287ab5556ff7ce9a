package pool

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolscope/poolscope/internal/ledger"
)

// A worker that was at the pool before starts where its shares had led it, also
// when the books are asked only after it is back; what it asks for itself goes
// before (R-A3).
func TestStoredDifficulty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, true, func(c *Config) { c.Difficulty.Vardiff, c.Difficulty.Start = true, easy })
		r.newTip()
		const interval = 4 // seconds between shares
		const stored = 4e-7
		books := func(name, agent string, at time.Time) {
			delta := ledger.Delta{Worker: name, Address: alice, Totals: ledger.Totals{Accepted: 1},
				Pace: ledger.Pace{Hashrate: stored * hashesPerDifficulty / interval, Agent: agent, At: at}}
			if err := r.books.Apply(t.Context(), &ledger.Batch{Source: name, Seq: 1, Deltas: []ledger.Delta{delta}}); err != nil {
				t.Fatal(err)
			}
		}
		books(alice+".back", "test/1.0", time.Now().Add(-time.Hour))
		books(alice+".other", "other/1.0", time.Now().Add(-time.Hour))
		runLedger(t, r.ledger)

		m := r.connect(t)
		m.start(alice+".back", "x")
		if m.difficulty != easy {
			t.Errorf("before the books are read: %v", m.difficulty)
		}
		m.wait(6 * time.Second)
		if m.difficulty != stored {
			t.Errorf("once they are read: %v", m.difficulty)
		}
		again := r.connect(t)
		if again.start(alice+".back", "x"); again.difficulty != stored {
			t.Errorf("known at once: %v", again.difficulty)
		}
		asks := r.connect(t)
		if asks.start(alice+".back", "d=2e-7"); asks.difficulty != 2e-7 {
			t.Errorf("with a wish of its own: %v", asks.difficulty)
		}
		other := r.connect(t)
		other.start(alice+".other", "x")
		other.wait(6 * time.Second)
		if other.difficulty != easy {
			t.Errorf("another device of that name: %v", other.difficulty)
		}
		r.stop()
	})
}

// What a miner proves while it is connected is what it starts with the next
// time: the whole way through the pool and the books.
func TestDifficultyIsRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, true, func(c *Config) { c.Difficulty.Vardiff = true })
		r.newTip()
		runLedger(t, r.ledger)
		m := r.connect(t)
		m.start(alice+".rig", "x")
		for range 12 { // one share a second: four times as many as wanted
			time.Sleep(time.Second)
			if got := m.share(); got != "" {
				t.Fatalf("verdict %q", got)
			}
		}
		proven := m.difficulty
		if proven <= 2*easy {
			t.Fatalf("difficulty %v after twelve shares in as many seconds", proven)
		}
		m.conn.Close()
		time.Sleep(5 * time.Second)
		back := r.connect(t)
		if back.start(alice+".rig", "x"); back.difficulty < 0.6*proven || back.difficulty > 1.7*proven {
			t.Errorf("it starts at %v after having proved %v", back.difficulty, proven)
		}
		r.stop()
	})
}

// The kernel's round-trip time of a miner is in the books, without a word to the
// miner.
func TestPingIsMeasured(t *testing.T) {
	r := newRig(t, false)
	runLedger(t, r.ledger)
	r.newTip()
	m := r.connect(t)
	m.start(alice+".rig", "x")
	m.share()
	s := r.accountOf(m)
	if roundTrip(s.socket) == 0 {
		t.Skip("this kernel does not tell")
	}
	s.tick(time.Now(), false)
	eventually(t, "the ping in a snapshot", func() bool {
		for _, w := range r.ledger.Snapshot().Workers {
			if w.Name == alice+".rig" {
				return w.PingP50 > 0 && w.PingP95 >= w.PingP50 && w.PingP95 < 1000
			}
		}
		return false
	})
}
