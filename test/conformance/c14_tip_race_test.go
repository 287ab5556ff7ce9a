package conformance

import (
	"testing"

	"github.com/poolscope/poolscope/test/nodes"
)

// case   C14 shares that arrive after a new block
// device any miner, 200 ms behind a new tip
// source dossier R-U3, R-J7, R-J9; DATUM checks for blocks first of all
// proves R-U3 R-J7 R-J9 R-U8
func TestC14TipRace(t *testing.T) {
	t.Parallel()
	p := onDevnet(t, nil)
	p.awaitWork(t)
	d := p.connect(t)
	user := p.addressOf("miner") + ".slow"
	old := d.start("racer/1.0", user, "x")
	share, block := d.mine(wish{}), d.mine(wish{block: true})

	tip := p.network.newBlock(t)
	j := d.awaitTip(old)
	if !j.clean || displayed(t, j.prevhash) != tip {
		d.fault("R-J7", "the job after the new tip %s: clean %t, on %s", tip, j.clean, displayed(t, j.prevhash))
	}
	if m := d.submit(10, user, share); m.refusal() != "21 Stale" {
		d.fault("R-J9", "a share of the previous tip: %s %s", m.Result, m.Error)
	}
	// The same height is lost, but another branch may still win: every node
	// must get to know the block.
	if m := d.submit(11, user, block); m.refusal() != "21 Stale" {
		d.fault("R-J9", "a block of the previous tip: %s %s", m.Result, m.Error)
	}
	node := p.network.(devnet).Node()
	nodes.WaitFor(t, patience, "the node knows the block on the previous tip", func() bool {
		var header struct{ Confirmations int }
		return node.Call(&header, "getblockheader", block.hash()) == nil
	})
	if p.network.inChain(t, block.hash()) {
		t.Error("the chain left its tip for a block of the same height")
	}
	// Work on the new tip goes on.
	if m := d.submit(12, user, d.mine(wish{})); string(m.Result) != "true" {
		d.fatalf("a share of the new tip: %s", m.Error)
	}
}
