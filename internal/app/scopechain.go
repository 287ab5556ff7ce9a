package app

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/config"
	"github.com/poolscope/poolscope/internal/node"
	"github.com/poolscope/poolscope/internal/scope/audit"
)

// maxScopeTemplates is how many of the node's last templates the scope keeps.
// They share the bytes of their transactions.
const maxScopeTemplates = 16

// blockJudge is the part of the node client that the scope asks. *node.Nodes is
// one.
type blockJudge interface {
	BlockStatus(ctx context.Context, h bitcoin.Hash) (node.BlockStatus, error)
	SubmitBlock(ctx context.Context, block []byte, hash bitcoin.Hash) []node.SubmitResult
}

// scopeChain is what the scope knows of our node: it sees the templates and tips
// that go to the pool.
type scopeChain struct {
	nodes blockJudge

	mu        sync.Mutex
	network   bitcoin.Network
	tip       audit.Tip
	templates []*node.Template // newest last
}

func newScopeChain(nodes blockJudge) *scopeChain { return &scopeChain{nodes: nodes} }

var (
	_ audit.Chain = (*scopeChain)(nil)
	_ workTaker   = (*scopeChain)(nil)
)

// SetTemplate takes a template.
func (c *scopeChain) SetTemplate(t *node.Template) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.network = t.Network
	c.templates = append(c.templates, t)
	if len(c.templates) > maxScopeTemplates {
		c.templates = slices.Delete(c.templates, 0, 1)
	}
	c.moveLocked(t.PrevHash, t.Height-1, t.ReceivedAt)
	c.tip.Bits, c.tip.Transactions = t.Bits, len(t.Transactions)
}

// SetTip takes a tip that was announced.
func (c *scopeChain) SetTip(t node.Tip) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := t.SeenAt
	if at.IsZero() {
		at = time.Now()
	}
	c.moveLocked(t.Hash, t.Height, at)
}

// moveLocked notes another tip. When the first one came is not known: it was
// there before us.
func (c *scopeChain) moveLocked(hash bitcoin.Hash, height int64, at time.Time) {
	if hash == c.tip.Hash {
		return
	}
	if c.tip.Hash == (bitcoin.Hash{}) {
		at = time.Time{}
	}
	c.tip = audit.Tip{Hash: hash, Height: height, SeenAt: at, Transactions: -1}
}

// Network is the node's chain; "" before the first template.
func (c *scopeChain) Network() bitcoin.Network {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.network
}

// Tip is the node's tip; false before the first one.
func (c *scopeChain) Tip() (audit.Tip, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.tip, c.tip.Hash != bitcoin.Hash{}
}

// Body finds the template that a job was made of.
func (c *scopeChain) Body(prev bitcoin.Hash, branches []bitcoin.Hash) (transactions [][]byte, ok bool) {
	c.mu.Lock()
	templates := slices.Clone(c.templates)
	c.mu.Unlock()
	for _, t := range slices.Backward(templates) {
		// The first branch is the first transaction, which tells most apart.
		if t.PrevHash != prev || (len(t.Transactions) == 0) != (len(branches) == 0) ||
			len(branches) > 0 && t.Transactions[0].TxID != branches[0] {
			continue
		}
		txids := make([]bitcoin.Hash, len(t.Transactions))
		transactions = make([][]byte, len(t.Transactions))
		for i := range t.Transactions {
			txids[i], transactions[i] = t.Transactions[i].TxID, t.Transactions[i].Data
		}
		if slices.Equal(bitcoin.MerkleBranches(txids), branches) {
			return transactions, true
		}
	}
	// A block without transactions needs no template.
	return nil, len(branches) == 0
}

// Known asks the nodes for a block.
func (c *scopeChain) Known(ctx context.Context, block bitcoin.Hash) (audit.BlockState, error) {
	status, err := c.nodes.BlockStatus(ctx, block)
	if err != nil {
		return audit.BlockState{}, err
	}
	return audit.BlockState{Known: status.Known, InBest: status.Confirmations > 0, Height: status.Height}, nil
}

// Submit gives a block to all nodes.
func (c *scopeChain) Submit(ctx context.Context, block []byte, hash bitcoin.Hash) (verdict string, accepted bool) {
	var said []string
	for _, r := range c.nodes.SubmitBlock(ctx, block, hash) {
		accepted = accepted || r.Verdict == node.Accepted || r.Verdict == node.Duplicate
		text := fmt.Sprintf("node %s: %s", r.Node, r.Verdict)
		if r.Reason != "" && r.Reason != r.Verdict.String() {
			text += " (" + r.Reason + ")"
		} else if r.Err != nil {
			text += " (" + r.Err.Error() + ")"
		}
		said = append(said, text)
	}
	return strings.Join(said, "; "), accepted
}

// scopeNodes are the nodes of a scope without a pool, and what keeps in touch
// with them; nil when none is configured.
func scopeNodes(cfg *config.Config, log *slog.Logger) (*scopeChain, []part, error) {
	if len(cfg.Nodes) == 0 {
		return nil, nil, nil
	}
	nodeConfig, err := nodeConfigOf(cfg)
	if err != nil {
		return nil, nil, err
	}
	nodes, err := node.New(nodeConfig, log.With("part", "node"))
	if err != nil {
		return nil, nil, err
	}
	chain := newScopeChain(nodes)
	templates := &feed{templates: nodes.Templates(), tips: nodes.Tips(), pool: chain, log: log.With("part", "templates")}
	return chain, []part{{"node client", nodes.Run}, {"templates", templates.run}}, nil
}

// takers hands work to several, in their order.
type takers []workTaker

func (all takers) SetTemplate(t *node.Template) {
	for _, taker := range all {
		taker.SetTemplate(t)
	}
}

func (all takers) SetTip(t node.Tip) {
	for _, taker := range all {
		taker.SetTip(t)
	}
}
