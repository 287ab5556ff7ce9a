package e2e

import (
	"testing"
	"time"

	"github.com/poolscope/poolscope/test/nodes"
	"github.com/poolscope/poolscope/test/program"
)

// TestReorganisationToLowerHeight: when the node takes blocks back, miners work
// on what it calls its tip now, although that is lower, and follow it up again.
func TestReorganisationToLowerHeight(t *testing.T) {
	t.Parallel()
	t.Run("bitcoind", func(t *testing.T) {
		t.Parallel()
		node := nodes.StartBitcoind(t)
		node.Generate(t, 5, anyAddress)
		followBackAndForth(t, node.RPC, "zmq_hashblock = \""+node.ZMQHashBlock+"\"", "zmq_rawblock = \""+node.ZMQRawBlock+"\"")
	})
	t.Run("bitcoind without ZMQ", func(t *testing.T) {
		t.Parallel()
		node := nodes.StartBitcoind(t)
		node.Generate(t, 5, anyAddress)
		followBackAndForth(t, node.RPC)
	})
	t.Run("devnet", func(t *testing.T) {
		t.Parallel()
		devnet := program.Start(t, binary, t.TempDir(), "devnet", "--regtest", "--tx-rate", "0", "--rpc", "127.0.0.1:0", "--zmq", "127.0.0.1:0")
		nodes.Ask[any](t, devnet.Node(), "generatetoaddress", 5, anyAddress)
		followBackAndForth(t, devnet.Node(), "zmq_hashblock = \"tcp://"+devnet.NodeZMQ+"\"", "zmq_rawblock = \"tcp://"+devnet.NodeZMQ+"\"")
	})
}

// followBackAndForth takes two blocks back and gives them back again, with a
// miner's connection that is to be told of both.
func followBackAndForth(t *testing.T, node nodes.RPC, lines ...string) {
	t.Helper()
	p := start(t, t.TempDir(), "pool", "--config", poolFile(t, nodeSection(node, lines...)))
	c := dialStratum(t, p.Stratum)
	c.call(1, "mining.subscribe", "e2e/1.0")
	if m := c.call(2, "mining.authorize", minerAddress+".e2e", "x"); m.Result != true {
		t.Fatalf("authorize: %+v", m)
	}
	workOn := func(what, tip string) {
		t.Helper()
		begin := time.Now()
		c.await(what, func(m message) bool {
			return m.Method == "mining.notify" && len(m.Params) == 9 && m.Params[1] == stratumHash(t, tip)
		})
		t.Logf("%s: %s later", what, time.Since(begin).Round(time.Millisecond))
	}
	top := nodes.Ask[string](t, node, "getbestblockhash")
	workOn("work on the tip", top)

	height := node.Height(t)
	below := nodes.Ask[string](t, node, "getblockhash", height-2)
	taken := nodes.Ask[string](t, node, "getblockhash", height-1)
	nodes.Ask[any](t, node, "invalidateblock", taken)
	if got := nodes.Ask[string](t, node, "getbestblockhash"); got != below {
		t.Fatalf("the node's tip is %s, want %s", got, below)
	}
	workOn("work two blocks lower", below)
	nodes.Ask[any](t, node, "reconsiderblock", taken)
	workOn("work on the old tip again", top)
	wantProposalsPassed(t, p)
}
