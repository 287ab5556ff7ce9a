package node

import (
	"context"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// splitAfter is how long two nodes may be on different branches before it is
// told: two blocks of the same height are usual, and the next one decides.
const splitAfter = 30 * time.Second

// compareBranches finds out whether a node and the active one are on the same
// chain: the tip of either has to be in the best chain of the other.
func (n *Nodes) compareBranches(ctx context.Context, m *member) {
	active, theirs, ours := n.tipsOf(m)
	if active == nil {
		n.noteSplit(m, false)
		return
	}
	if theirs == ours {
		n.noteSplit(m, false)
		return
	}
	for _, q := range []struct {
		at  *member
		tip bitcoin.Hash
	}{{active, theirs}, {m, ours}} {
		in, err := n.inBestChain(ctx, q.at, q.tip)
		if err != nil {
			return // nothing is known about it
		}
		if in {
			n.noteSplit(m, false)
			return
		}
	}
	n.noteSplit(m, true)
}

// tipsOf returns the active node, nil when it is m itself or there is none, and
// the tips of m and of the active node.
func (n *Nodes) tipsOf(m *member) (active *member, theirs, ours bitcoin.Hash) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.active == nil || n.active == m || n.current == nil || n.current.Node != n.active.name {
		return nil, theirs, ours
	}
	theirs, err := bitcoin.ParseHash(m.chain.BestBlockHash)
	if err != nil {
		return nil, theirs, ours
	}
	return n.active, theirs, n.current.PrevHash
}

// inBestChain asks a node whether a block is in its best chain. The question is
// not counted: that the block is unknown is no failure of the node.
func (n *Nodes) inBestChain(ctx context.Context, m *member, hash bitcoin.Hash) (bool, error) {
	var header headerInfo
	err := m.rpc.call(ctx, quickTimeout, &header, "getblockheader", quoteJSON(hash.String()), []byte("true"))
	if notFound(err) {
		return false, nil
	}
	return err == nil && header.Confirmations > 0, err
}

// noteSplit takes note of whether a node is on another branch than the active
// one, and tells of it when that lasts.
func (n *Nodes) noteSplit(m *member, split bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := time.Now()
	switch {
	case !split && m.splitTold:
		n.eventLocked("node", m.name+": The node is on the same chain as the active one again.")
		m.splitAt, m.splitTold = time.Time{}, false
	case !split:
		m.splitAt = time.Time{}
	case m.splitAt.IsZero():
		m.splitAt = now
	case !m.splitTold && now.Sub(m.splitAt) >= splitAfter:
		m.splitTold = true
		n.troubleLocked("node", m.name+": The node is on another branch of the chain than "+n.nameOfActiveLocked()+". One of them is wrong, or cut off from the network.")
	}
}

func (n *Nodes) nameOfActiveLocked() string {
	if n.active == nil {
		return "the others"
	}
	return n.active.name
}
