package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/poolscope/poolscope/test/nodes"
	"github.com/poolscope/poolscope/test/program"
	"github.com/poolscope/poolscope/test/relay"
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

// TestTipFirst: while a slow bitcoind still puts its template together, miners
// work on the block that it has announced, and a block that is made so early is
// one that bitcoind would take.
func TestTipFirst(t *testing.T) {
	t.Parallel()
	for name, key := range map[string]string{"raw blocks": "zmq_rawblock", "hashes": "zmq_hashblock"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			node := nodes.StartBitcoind(t)
			node.Generate(t, 1, anyAddress)
			address := map[string]string{"zmq_rawblock": node.ZMQRawBlock, "zmq_hashblock": node.ZMQHashBlock}[key]
			slow := relay.Start(t, strings.TrimPrefix(node.URL, "http://"))
			rpc := node.RPC
			rpc.URL = "http://" + slow.Addr()
			p := start(t, t.TempDir(), "pool", "--config", poolFile(t, nodeSection(rpc, key+" = \""+address+"\"")))
			nodes.WaitFor(t, startLimit, "the pool is ready", func() bool { return p.ready(t) })
			nodes.WaitFor(t, startLimit, "the publisher is connected", func() bool { return metric(t, p, "poolscope_zmq_healthy") == 1 })
			c := dialStratum(t, p.Stratum)
			c.call(1, "mining.subscribe", "e2e/1.0")
			c.call(2, "mining.authorize", minerAddress+".e2e", "x")
			if key == "zmq_rawblock" { // a hash needs a call, which would be as slow as the template
				slow.Set(relay.Delay)
			}

			node.Generate(t, 1, anyAddress)
			tip := stratumHash(t, nodes.Ask[string](t, node.RPC, "getbestblockhash"))
			onTip := func(clean bool) func(message) bool {
				return func(m message) bool {
					return m.Method == "mining.notify" && len(m.Params) == 9 && m.Params[1] == tip && m.Params[8] == clean
				}
			}
			c.await("work on the announced tip, from scratch", onTip(true))
			if key == "zmq_hashblock" {
				return // whether header or template is faster is the node's affair
			}
			c.await("the full work on it, going on", onTip(false))
			nodes.WaitFor(t, 60*time.Second, "the node was asked about a block on early work", func() bool {
				return strings.Contains(p.Output(), "would accept our block") && strings.Contains(p.Output(), "early=true")
			})
			if n := metric(t, p, `poolscope_block_proposals_total{verdict="refused"}`); n != 0 {
				t.Errorf("the node would refuse %v of our blocks", n)
			}
			early, full := metric(t, p, `poolscope_tip_to_work_seconds{work="early"}`), metric(t, p, `poolscope_tip_to_work_seconds{work="full"}`)
			t.Logf("announced to worked on: %.2f ms without transactions, %.1f ms with all", 1000*early, 1000*full)
			if early <= 0 || early >= full {
				t.Errorf("early after %v s, full after %v s", early, full)
			}
		})
	}
}
