package pool

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolscope/poolscope/internal/ledger"
	"github.com/poolscope/poolscope/internal/ledger/ledgertest"
	"github.com/poolscope/poolscope/internal/node"
)

// A fault of ours on a block's way ends neither the pool nor the block.
func TestBlockSurvivesPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, true)
		runLedger(t, r.ledger)
		r.node.setAnswer(func(attempt int) []node.SubmitResult {
			if attempt < 3 {
				panic("a fault of ours")
			}
			return []node.SubmitResult{{Node: "a", Verdict: node.Accepted}}
		})
		r.newTip()
		m := r.connect(t)
		m.start(alice, "x")
		s, verdict := m.block()
		if verdict != "" {
			t.Fatal(verdict)
		}
		m.wait(10 * time.Second)
		if b := r.booked(s.header, ledger.BlockAccepted); b.Worker != alice {
			t.Errorf("books say %+v", b)
		}
		st := r.pool.Status()
		if n := count(t, st.Panics, "block"); n != 2 || st.BlocksAccepted != 1 {
			t.Errorf("%d panics are told, %d blocks accepted", n, st.BlocksAccepted)
		}
		if len(st.Errors) == 0 || !strings.Contains(st.Errors[len(st.Errors)-1].Message, "tried again") {
			t.Errorf("events: %v", st.Errors)
		}
		if left, err := r.pool.blocks.files.pending(); err != nil || len(left) != 0 {
			t.Errorf("unanswered: %v, %v", left, err)
		}
		r.stop()
	})
}

// brokenStore panics over every block.
type brokenStore struct{ *ledgertest.Memory }

func (brokenStore) SaveBlock(context.Context, ledger.Block) error { panic("a fault of ours") }

// A block that cannot be booked, since that panics every time, is at the node
// and stays where the next start finds it.
func TestBlockThatCannotBeBooked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, true)
		r.stop()
		r.ledger = ledger.New(brokenStore{r.books}, ledger.Options{}, slog.New(slog.DiscardHandler))
		r.start(true)
		r.newTip()
		m := r.connect(t)
		m.start(alice, "x")
		m.block()
		// Not just a minute: the block folder is probed then, and the pool would
		// be stopped in the middle of that.
		m.wait(time.Minute + time.Second)
		if n := len(r.node.submitted()); n != 1 {
			t.Errorf("%d submissions", n)
		}
		pending, err := r.pool.blocks.files.pending()
		if err != nil || len(pending) != 1 || pending[0].Address != alice {
			t.Errorf("for the next start: %+v, %v", pending, err)
		}
		if n := r.pool.counters.blockPanics.Load(); n < bookAttempts {
			t.Errorf("%d panics counted", n)
		}
		r.stop()
	})
}
