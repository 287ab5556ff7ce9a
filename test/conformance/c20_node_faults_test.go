package conformance

import (
	"net/http"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chaincfg/v2"

	"github.com/poolscope/poolscope/test/nodes"
)

// case   C20 the node is not there, is there, goes, and comes back
// device any miner, and an operator who restarts the node
// source dossier 2.2 (what each error of Core means), 7 no. 6
// proves R-J9 R-U3
func TestC20NodeDown(t *testing.T) {
	t.Parallel()
	f := regtestNode()
	f.start(t).stop() // an address where nobody listens
	p := newPlace(t, f.params, nil, f)
	d := p.connect(t)
	user := p.addressOf("miner") + ".patient"
	if m := d.call(1, "mining.subscribe", "cpuminer/2.5.1"); m.refusal() != "" {
		d.fatalf("subscribe without a node: %s", m.Error)
	}
	if m := d.call(2, "mining.authorize", user, "x"); string(m.Result) != "true" {
		d.fatalf("authorize without a node: %s", m.Error)
	}
	d.nothingElse()
	if status, text := p.readiness(t); status != http.StatusServiceUnavailable || !contains(text, "nothing listens") {
		t.Errorf("/readyz without a node: %d %s", status, text)
	}

	f.start(t)
	j := d.awaitJob()

	// While the node is away its last job is all there is; a share of it counts.
	f.stop()
	nodes.WaitFor(t, patience, "the pool notices that the node is gone", func() bool { return !p.ready() })
	d.newest = j
	if m := d.submit(10, user, d.mine(wish{block: true})); string(m.Result) != "true" {
		d.fatalf("a block while the node is away: %s", m.Error)
	}
	before := f.tip.height
	f.start(t)
	nodes.WaitFor(t, 2*patience, "the block reaches the node that came back", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.tip.height > before
	})
	if refused := f.verdicts(); len(refused) > 0 {
		t.Errorf("the node refused blocks: %q", refused)
	}
	d.awaitTip(j)
}

// case   C20 a node that downloads the chain, or has no peers, gives no work
// device any miner on mainnet
// source Bitcoin Core rpc/mining.cpp: errors -10 and -9 (dossier 2.2)
// proves R-J9
func TestC20NodeUnfit(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		break_, mend func(*fakeNode)
		words        []string
	}{
		"initial block download": {func(f *fakeNode) { f.ibd = true }, func(f *fakeNode) { f.ibd = false }, []string{"download", "sync"}},
		"no peers":               {func(f *fakeNode) { f.peers = 0 }, func(f *fakeNode) { f.peers = 8 }, []string{"no connection to other nodes"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFakeNode(&chaincfg.MainNetParams, mainnetHeight, mainnetBits, time.Minute)
			c.break_(f)
			p := newPlace(t, f.params, nil, f.start(t))
			d := p.connect(t)
			d.call(1, "mining.subscribe", "cpuminer/2.5.1")
			if m := d.call(2, "mining.authorize", p.addressOf("miner"), "x"); string(m.Result) != "true" {
				d.fatalf("authorize: %s", m.Error)
			}
			nodes.WaitFor(t, patience, "/readyz says why there is no work", func() bool {
				status, text := p.readiness(t)
				return status == http.StatusServiceUnavailable && contains(text, c.words...)
			})
			d.nothingElse()

			f.with(func() { c.mend(f) })
			d.awaitJob()
		})
	}
}

// case   C20 the first of two nodes goes: work and blocks go to the other, and return
// device any miner of a pool with two nodes
// source dossier 2.2, 7 no. 6
// proves R-J7 R-J9 R-U3
func TestC20Failover(t *testing.T) {
	t.Parallel()
	first, second := regtestNode(), regtestNode()
	second.foundLocked(100, first.tip.time) // the same chain
	p := newPlace(t, first.params, nil, first.start(t), second.start(t))
	p.awaitWork(t)
	d := p.connect(t)
	user := p.addressOf("miner") + ".ha"
	d.start("cpuminer/2.5.1", user, "x")

	// Both get every block.
	old := d.newest
	b := d.mine(wish{block: true})
	if m := d.submit(10, user, b); string(m.Result) != "true" {
		d.fatalf("a block with both nodes: %s", m.Error)
	}
	for _, f := range []*fakeNode{first, second} {
		awaitAccepted(t, f, b)
	}
	d.awaitTip(old)

	first.stop()
	old = d.newest
	tip := second.newBlock(t)
	if j := d.awaitTip(old); displayed(t, j.prevhash) != tip {
		d.fatalf("the job after the failover is on %s, want %s", displayed(t, j.prevhash), tip)
	}
	old = d.newest
	b = d.mine(wish{block: true})
	if m := d.submit(11, user, b); string(m.Result) != "true" {
		d.fatalf("a block at the second node: %s", m.Error)
	}
	awaitAccepted(t, second, b)
	d.awaitTip(old)

	// The first comes back, catches up as nodes do, and the second goes.
	second.mu.Lock()
	chain := second.tip
	second.mu.Unlock()
	first.with(func() { first.adoptLocked(chain) })
	first.start(t)
	nodes.WaitFor(t, patience, "the pool sees the first node again", func() bool { return contains(p.pool.Output(), "unreachable → ready") })
	second.stop()
	old = d.newest
	tip = first.newBlock(t)
	if j := d.awaitTip(old); displayed(t, j.prevhash) != tip {
		d.fatalf("the job after the return is on %s, want %s", displayed(t, j.prevhash), tip)
	}
	old = d.newest
	b = d.mine(wish{block: true})
	if m := d.submit(12, user, b); string(m.Result) != "true" {
		d.fatalf("a block at the first node again: %s", m.Error)
	}
	awaitAccepted(t, first, b)
	d.awaitTip(old)
	for _, f := range []*fakeNode{first, second} {
		if refused := f.verdicts(); len(refused) > 0 {
			t.Errorf("a node refused blocks: %q", refused)
		}
	}
}

func regtestNode() *fakeNode {
	return newFakeNode(&chaincfg.RegressionNetParams, 100, chaincfg.RegressionNetParams.PowLimitBits, time.Minute)
}
