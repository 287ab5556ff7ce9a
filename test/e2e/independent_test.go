package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/poolscope/poolscope/test/nodes"
)

// These tests put the pool on nodes that share no code with it (bitcoind) or
// only libraries (btcd), on the real regtest rules.

// TestPoolOnBtcd mines on btcd: no ZMQ, no cookie, and templates that leave out
// default_witness_commitment and rules while the mempool is empty.
func TestPoolOnBtcd(t *testing.T) {
	t.Parallel()
	node := nodes.StartBtcd(t)
	p := start(t, t.TempDir(), "pool", "--config", poolFile(t, nodeSection(node.RPC)))
	miner := mine(t, p, minerAddress+".e2e")

	waitForBlocks(t, p, 3)
	wantProposalsPassed(t, p)
	miner.Stop(t, stopLimit)
	blocks := settledBlocks(t, p, node.RPC)
	for _, b := range blocks {
		wantRegtestBlock(t, node.BlockAt(t, b.Height), b, 50e8)
	}
	node.Generate(t, 6)
	nodes.WaitFor(t, 60*time.Second, "a buried block has won", func() bool { return resultOf(t, p, blocks[0].Hash) == "winning" })

	p.stop(t)
	wantBooksOnChain(t, p.DataDir, node.RPC)
}

// TestPoolOnBitcoind mines on a real bitcoind with ZMQ, with transactions in
// the blocks, through confirmation and through a reorganisation.
func TestPoolOnBitcoind(t *testing.T) {
	t.Parallel()
	node := nodes.StartBitcoind(t)
	fill := withTransactions(t, node)
	p := start(t, t.TempDir(), "pool", "--config", poolFile(t, nodeSection(node.RPC,
		"zmq_hashblock = \""+node.ZMQHashBlock+"\"", "zmq_rawblock = \""+node.ZMQRawBlock+"\"")))
	nodes.WaitFor(t, startLimit, "the pool has a job", func() bool { return p.ready(t) })
	fill()
	miner := mine(t, p, minerAddress+".e2e")

	waitForBlocks(t, p, 3)
	nodes.WaitFor(t, 60*time.Second, "a block with transactions", func() bool {
		for _, b := range p.blocks(t) {
			if len(node.BlockAt(t, b.Height).Tx) > 1 {
				return true
			}
		}
		fill()
		return false
	})
	wantProposalsPassed(t, p)
	miner.Stop(t, stopLimit)
	blocks := settledBlocks(t, p, node.RPC)
	for _, b := range blocks {
		// bitcoind itself counts subsidy and fees of every block.
		stats := nodes.Ask[struct{ Subsidy, TotalFee int64 }](t, node.RPC, "getblockstats", b.Height)
		wantRegtestBlock(t, node.BlockAt(t, b.Height), b, stats.Subsidy+stats.TotalFee)
	}

	t.Run("a block that the chain drops is shown as stale", func(t *testing.T) {
		tip := nodes.Ask[string](t, node.RPC, "getbestblockhash")
		nodes.Ask[any](t, node.RPC, "invalidateblock", tip)
		node.Generate(t, 2, anyAddress)
		nodes.WaitFor(t, 60*time.Second, "the dropped block is stale", func() bool { return resultOf(t, p, tip) == "stale" })
	})

	t.Run("a block that is six deep has won", func(t *testing.T) {
		node.Generate(t, 6, anyAddress)
		oldest := blocks[len(blocks)-1]
		nodes.WaitFor(t, 60*time.Second, "a buried block has won", func() bool { return resultOf(t, p, oldest.Hash) == "winning" })
	})

	p.stop(t)
	wantBooksOnChain(t, p.DataDir, node.RPC)
}

// TestPoolNoticesBlocksOfOthers is the latency that ZMQ is for: miners get work
// on a block that somebody else found, whichever way the pool hears of it.
func TestPoolNoticesBlocksOfOthers(t *testing.T) {
	t.Parallel()
	for name, zmq := range map[string]struct{ hash, raw bool }{"with ZMQ": {true, true}, "with hashes alone": {true, false}, "without ZMQ": {}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			node := nodes.StartBitcoind(t)
			var lines []string
			if zmq.hash {
				lines = append(lines, "zmq_hashblock = \""+node.ZMQHashBlock+"\"")
			}
			if zmq.raw {
				lines = append(lines, "zmq_rawblock = \""+node.ZMQRawBlock+"\"")
			}
			p := start(t, t.TempDir(), "pool", "--config", poolFile(t, nodeSection(node.RPC, lines...)))
			c := dialStratum(t, p.Stratum)
			c.call(1, "mining.subscribe", "e2e/1.0")
			if m := c.call(2, "mining.authorize", minerAddress+".e2e", "x"); m.Result != true {
				t.Fatalf("authorize: %+v", m)
			}
			c.await("the first job", func(m message) bool { return m.Method == "mining.notify" })

			for range 3 {
				node.Generate(t, 1, anyAddress)
				tip := nodes.Ask[string](t, node.RPC, "getbestblockhash")
				begin := time.Now()
				c.await("a job on the new tip", func(m message) bool {
					return m.Method == "mining.notify" && len(m.Params) == 9 && m.Params[1] == stratumHash(t, tip) && m.Params[8] == true
				})
				t.Logf("%s after the block was there", time.Since(begin).Round(time.Millisecond))
			}
		})
	}
}

// TestPoolStartsBeforeItsNode: miners can connect while there is no node, are
// told to wait, and get work as soon as the node is there. When the node goes
// and comes back, so does the work.
func TestPoolStartsBeforeItsNode(t *testing.T) {
	t.Parallel()
	node := nodes.NewBtcd(t)
	p := start(t, t.TempDir(), "pool", "--config", poolFile(t, nodeSection(node.RPC)))
	if status, body := fetch(t, p, "/readyz"); status != http.StatusServiceUnavailable || !strings.Contains(string(body), "node") {
		t.Errorf("/readyz without a node: %d %s", status, body)
	}
	if status, _ := fetch(t, p, "/healthz"); status != http.StatusOK {
		t.Errorf("/healthz without a node: %d", status)
	}
	c := dialStratum(t, p.Stratum)
	if m := c.call(1, "mining.subscribe", "e2e/1.0"); m.Result == nil {
		t.Errorf("subscribe without a node: %+v", m)
	}
	if m := c.call(2, "mining.authorize", minerAddress+".e2e", "x"); m.Result != true {
		t.Errorf("authorize without a node: %+v", m)
	}
	mine(t, p, minerAddress+".patient")

	node.Restart(t)
	c.await("a job after the node came up", func(m message) bool { return m.Method == "mining.notify" })
	waitForBlocks(t, p, 1)

	node.Stop(t, 30*time.Second)
	nodes.WaitFor(t, 60*time.Second, "the pool notices that the node is gone", func() bool { return !p.ready(t) })
	found := len(p.blocks(t))
	node.Restart(t)
	nodes.WaitFor(t, 60*time.Second, "a block after the node came back", func() bool { return len(p.blocks(t)) > found })
	p.stop(t)
}

// waitForBlocks returns when enough blocks were found, and fails the test when
// a node refused one.
func waitForBlocks(t *testing.T, p *running, atLeast int) {
	t.Helper()
	nodes.WaitFor(t, 90*time.Second, "blocks found through the pool", func() bool {
		return get[poolPage](t, p, "/api/pool-page").BlocksAccepted >= uint64(atLeast) && len(p.blocks(t)) >= atLeast
	})
	if page := get[poolPage](t, p, "/api/pool-page"); page.BlocksErrored > 0 {
		t.Errorf("the node refused %d blocks: %v", page.BlocksErrored, page.ErrorHistory)
	}
}

// wantRegtestBlock compares a found block with the node's view of it: it is in
// the chain, and its coinbase pays our miner's script the full value.
func wantRegtestBlock(t *testing.T, onChain nodes.Block, b foundBlock, value int64) {
	t.Helper()
	if !sameHash(b.Hash, onChain.Hash) {
		t.Errorf("block %d is shown as %s, the chain has %s", b.Height, b.Hash, onChain.Hash)
		return
	}
	coinbase := onChain.Tx[0]
	if got := coinbase.Vout[0]; got.ScriptPubKey.Hex != minerScript || sats(got.Value) != value || b.WorkerPayoutSats != value {
		t.Errorf("block %d pays %d to %s, the API says %d; want %d to %s",
			b.Height, sats(got.Value), got.ScriptPubKey.Hex, b.WorkerPayoutSats, value, minerScript)
	}
	for _, out := range coinbase.Vout[1:] {
		if out.Value != 0 {
			t.Errorf("block %d pays %v to %s as well", b.Height, out.Value, out.ScriptPubKey.Hex)
		}
	}
	if !strings.HasSuffix(b.Worker, ".e2e") {
		t.Errorf("block %d is shown as found by %s", b.Height, b.Worker)
	}
}

// settledBlocks waits until every found block is shown as what it is, in the
// chain or stale, and returns those in the chain, newest first. On regtest two
// blocks of the same height are nothing special.
func settledBlocks(t *testing.T, p *running, node nodes.RPC) []foundBlock {
	t.Helper()
	var inChain []foundBlock
	nodes.WaitFor(t, 60*time.Second, "every block is shown as in the chain or stale", func() bool {
		inChain = nil
		for _, b := range p.blocks(t) {
			if b.Result == "stale" {
				continue
			}
			if !sameHash(nodes.Ask[string](t, node, "getblockhash", b.Height), b.Hash) {
				return false
			}
			inChain = append(inChain, b)
		}
		return len(p.unanswered(t)) == 0
	})
	if len(inChain) == 0 {
		t.Fatal("no block of ours is in the chain")
	}
	return inChain
}

// resultOf is what the API says about the block with a hash, whole or censored.
func resultOf(t *testing.T, p *running, hash string) string {
	t.Helper()
	for _, b := range p.blocks(t) {
		if sameHash(hash, b.Hash) {
			return b.Result
		}
	}
	return "not listed"
}

// sameHash compares two hashes by their last 16 digits: that is what the API
// shows of them.
func sameHash(a, b string) bool {
	return len(a) >= 16 && len(b) >= 16 && a[len(a)-16:] == b[len(b)-16:]
}

// wantBooksOnChain compares the books of a pool that has ended with the chain:
// what is booked as accepted or confirmed is there, and every block of the chain
// that pays our miner is booked.
func wantBooksOnChain(t *testing.T, dataDir string, node nodes.RPC) {
	t.Helper()
	books := make(map[string]bookedBlock)
	for _, b := range readBooks(t, dataDir) {
		books[b.hash] = b
		if b.address != minerAddress || b.poolFee != 0 || b.donation != 0 || b.workerPayout != b.value {
			t.Errorf("booked: %+v", b)
		}
		if b.state != "accepted" && b.state != "confirmed" {
			continue
		}
		if got := nodes.Ask[string](t, node, "getblockhash", b.height); got != b.hash {
			t.Errorf("block %d is booked as %s with hash %s; the chain has %s", b.height, b.state, b.hash, got)
		}
	}
	for height := int64(1); height <= node.Height(t); height++ {
		onChain := node.BlockAt(t, height)
		if _, booked := books[onChain.Hash]; !booked && onChain.Tx[0].Vout[0].ScriptPubKey.Hex == minerScript {
			t.Errorf("block %d, %s, pays our miner and is in no book", height, onChain.Hash)
		}
	}
}

// withTransactions gives bitcoind a wallet with money and returns a function
// that puts transactions into its mempool.
func withTransactions(t *testing.T, node *nodes.Bitcoind) (fill func()) {
	t.Helper()
	nodes.Ask[any](t, node.RPC, "createwallet", "w")
	address := nodes.Ask[string](t, node.RPC, "getnewaddress")
	node.Generate(t, 105, address)
	return func() {
		t.Helper()
		for range 3 {
			to := nodes.Ask[string](t, node.RPC, "getnewaddress")
			nodes.Ask[string](t, node.RPC, "sendtoaddress", to, 0.5)
		}
	}
}

// stratumHash writes a block hash the way mining.notify does: the header's
// bytes, each group of four reversed.
func stratumHash(t *testing.T, display string) string {
	t.Helper()
	if len(display) != 64 {
		t.Fatalf("hash %q", display)
	}
	// The header has the display's bytes in reverse; reversing each word of
	// that gives the display's words in reverse order.
	var words []string
	for i := 56; i >= 0; i -= 8 {
		words = append(words, display[i:i+8])
	}
	return strings.Join(words, "")
}
