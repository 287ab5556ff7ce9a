package node

import (
	"fmt"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// muchBehind is how many blocks a node that calls itself synced may lack whose
// headers it has. One or two are usual for some seconds, while a block travels
// behind its header.
const muchBehind = 3

// Trouble says in words why blocks on the work that Templates delivers are
// likely to be worth nothing, "" when all is well: there is no usable node, or
// the active one is not where the network is.
func (n *Nodes) Trouble() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	m := n.active
	if m == nil {
		first := n.members[0]
		if first.reason == "" {
			return "no Bitcoin node is ready"
		}
		return first.name + ": " + first.reason
	}
	if n.network == bitcoin.Regtest {
		return ""
	}
	best := m.chain.Blocks
	if n.current != nil && n.current.Node == m.name {
		best = max(best, n.current.Height-1)
	}
	switch {
	case m.chain.Headers-best > muchBehind:
		return fmt.Sprintf("%s: The node lacks the last %d blocks of a chain whose headers it has.", m.name, m.chain.Headers-best)
	case n.network == bitcoin.Mainnet && m.peersKnown && m.net.Connections == 0:
		return m.name + ": The node has no connection to other nodes, so it cannot know the best chain."
	}
	return ""
}
