package ledger_test

import (
	"errors"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/ledger"
)

func blockAt(h *harness, n byte) ledger.Block {
	return ledger.Block{
		Height: 900 + int64(n), Hash: bitcoin.Hash{n}, Worker: "w", Address: "addr", FoundAt: h.now,
		ShareDifficulty: 2e14, NetworkDifficulty: 1e14, Value: 312_500_000, WorkerPayout: 312_500_000, JobID: "7",
	}
}

// stored is what the store has about the newest block.
func stored(h *harness) ledger.Block {
	h.t.Helper()
	state, err := h.store.Load(h.t.Context(), noon, 0)
	if err != nil || len(state.Blocks) == 0 {
		h.t.Fatalf("%d blocks in the store, %v", len(state.Blocks), err)
	}
	return state.Blocks[0]
}

func TestBlockLife(t *testing.T) {
	h := newHarness(t, ledger.Options{})
	want := blockAt(h, 1)
	h.BlockFound(want)
	want.State = ledger.BlockPending
	equal(t, "in the store when BlockFound returns", stored(h), want)
	equal(t, "open", h.OpenBlocks(), []ledger.Block{want})

	for _, c := range []struct {
		state         ledger.BlockState
		confirmations int64
		want          ledger.BlockState
		open          int
	}{
		{ledger.BlockAccepted, 1, ledger.BlockAccepted, 1},
		{ledger.BlockStale, -1, ledger.BlockStale, 0},
		{ledger.BlockAccepted, 3, ledger.BlockAccepted, 1}, // a reorganization brought it back
		{ledger.BlockAccepted, 5, ledger.BlockAccepted, 1},
		{ledger.BlockAccepted, 6, ledger.BlockConfirmed, 0},
	} {
		h.BlockUpdated(want.Hash, c.state, c.confirmations, "why")
		want.State, want.Confirmations, want.Reason = c.want, c.confirmations, "why"
		equal(t, "stored", stored(h), want)
		equal(t, "open", len(h.OpenBlocks()), c.open)
	}
	h.pass(time.Second)
	equal(t, "snapshot", h.Snapshot().Blocks, []ledger.Block{want})

	// The pool replays its files after a crash: that takes nothing back.
	replay := blockAt(h, 1)
	replay.FoundAt = h.now.Add(time.Hour)
	h.BlockFound(replay)
	equal(t, "after a replay", stored(h), want)

	h.BlockUpdated(bitcoin.Hash{99}, ledger.BlockStale, -1, "") // unknown: nothing happens
	h.pass(time.Second)
	equal(t, "number", len(h.Snapshot().Blocks), 1)
}

// The newest hundred are shown; older ones stay known while they are open.
func TestManyBlocks(t *testing.T) {
	h := newHarness(t, ledger.Options{})
	for i := range 150 {
		h.BlockFound(blockAt(h, byte(i)))
		if i > 0 {
			h.BlockUpdated(bitcoin.Hash{byte(i)}, ledger.BlockConfirmed, 6, "")
		}
		h.pass(time.Second)
	}
	for range 2 {
		s := h.Snapshot()
		equal(t, "shown", len(s.Blocks), ledger.MaxBlocks)
		equal(t, "newest and oldest", []int64{s.Blocks[0].Height, s.Blocks[99].Height}, []int64{900 + 149, 900 + 50})
		equal(t, "open", h.OpenBlocks()[0].Height, 900)
		h.restart()
	}
}

// A block that the store did not take is written as soon as it does.
func TestBlockIsWrittenAgain(t *testing.T) {
	h := newHarness(t, ledger.Options{})
	broken := errors.New("disk is broken")
	h.store.Fail(broken)
	h.BlockFound(blockAt(h, 1))
	h.BlockUpdated(bitcoin.Hash{1}, ledger.BlockAccepted, 2, "")
	if text, at := h.LastError(); text == "" || at != noon {
		t.Errorf("last error %q at %s", text, at)
	}
	h.pass(5 * time.Second)
	equal(t, "shown", h.Snapshot().Blocks[0].State, ledger.BlockAccepted)

	h.store.Fail(nil)
	h.pass(5 * time.Second)
	equal(t, "stored", stored(h).Confirmations, 2)
	if text, _ := h.LastError(); text != "" {
		t.Errorf("last error is still %q", text)
	}
}

// A block file that is replayed without its owner's file does not make the
// books forget whose the block is.
func TestReplayedBlockKeepsItsOwner(t *testing.T) {
	h := newHarness(t, ledger.Options{})
	b := ledger.Block{Height: 7, Hash: bitcoin.Hash{1}, Worker: "addr.rig", Address: "addr", FoundAt: h.now, Value: 50, WorkerPayout: 50, State: ledger.BlockPending}
	h.BlockFound(b)
	h.BlockUpdated(b.Hash, ledger.BlockAccepted, 1, "")
	h.BlockFound(ledger.Block{Height: 7, Hash: b.Hash, State: ledger.BlockPending})
	got := h.OpenBlocks()
	if len(got) != 1 || got[0].Address != "addr" || got[0].WorkerPayout != 50 || got[0].State != ledger.BlockAccepted {
		t.Errorf("blocks %+v", got)
	}
}
