package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/poolscope/poolscope/test/nodes"
	"github.com/poolscope/poolscope/test/program"
)

// TestNodesThatDisagree: two nodes that are cut off from each other are shown to
// be, and the one with more work is followed, be it the second choice.
func TestNodesThatDisagree(t *testing.T) {
	t.Parallel()
	var section string
	var nets []*program.Server
	for i := range 2 {
		net := program.Start(t, binary, t.TempDir(), "devnet", "--regtest", "--tx-rate", "0", "--rpc", "127.0.0.1:0", "--zmq", "127.0.0.1:0")
		// Different coinbases make different branches of one chain.
		nodes.Ask[any](t, net.Node(), "generatetoaddress", 3, []string{anyAddress, minerAddress}[i])
		section += nodeSection(net.Node(), fmt.Sprintf("name = \"node%d\"", i+1), "zmq_rawblock = \"tcp://"+net.NodeZMQ+"\"")
		nets = append(nets, net)
	}
	p := start(t, t.TempDir(), "pool", "--config", poolFile(t, section))
	c := dialStratum(t, p.Stratum)
	c.call(1, "mining.subscribe", "e2e/1.0")
	c.call(2, "mining.authorize", minerAddress+".e2e", "x")
	workOn := func(name string, node *program.Server) {
		t.Helper()
		nodes.WaitFor(t, 120*time.Second, name+" is the one that is followed", func() bool {
			return metric(t, p, fmt.Sprintf("poolscope_node_active{node=%q}", name)) == 1
		})
		tip := stratumHash(t, nodes.Ask[string](t, node.Node(), "getbestblockhash"))
		c.await("work on the tip of "+name, func(m message) bool { return m.Method == "mining.notify" && m.Params[1] == tip })
	}
	workOn("node1", nets[0])

	type status struct {
		Nodes []struct{ Name, State, Reason string }
	}
	nodes.WaitFor(t, 120*time.Second, "the page says that the nodes disagree", func() bool {
		s := get[status](t, p, "/api/status")
		return len(s.Nodes) == 2 && s.Nodes[1].State == "ready" && strings.Contains(s.Nodes[1].Reason, "another branch")
	})
	nodes.Ask[any](t, nets[1].Node(), "generatetoaddress", 1, anyAddress)
	workOn("node2", nets[1])
	p.stop(t)
}
