package node

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// recentBlocks is how many header times pages show.
const recentBlocks = 4

// headerInfo is the part of a verbose getblockheader that is of use.
type headerInfo struct {
	Hash          string `json:"hash"`
	Confirmations int64  `json:"confirmations"`
	Height        int64  `json:"height"`
	Time          int64  `json:"time"`
	Bits          string `json:"bits"`
	Previous      string `json:"previousblockhash"`
}

// lookUp does, after each template, what the template did not wait for: it
// prepares the set of known transactions for the next one, weighs the
// template, and asks for the headers of the last blocks.
func (n *Nodes) lookUp(ctx context.Context) {
	var (
		headers map[bitcoin.Hash]headerInfo // of the last blocks
		pause   backoff
	)
	retry := time.NewTimer(0)
	retry.Stop()
	defer retry.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-n.fetched:
		case <-retry.C:
		}
		n.mu.Lock()
		m, t := n.active, n.current
		n.mu.Unlock()
		if m == nil || t.Node != m.name {
			continue
		}
		n.remember(t)
		n.weigh(m, t)

		chain, err := n.lastHeaders(ctx, m, t, headers)
		headers = chain
		if err != nil {
			retry.Reset(pause.next())
		} else {
			pause.reset()
		}
	}
}

// remember keeps the transactions of a template, whose ids have been computed,
// for the decoding of the next.
func (n *Nodes) remember(t *Template) {
	known := make(txSet, len(t.Transactions))
	for _, tx := range t.Transactions {
		known[tx.WTxID] = tx
	}
	n.known.Store(&known)
}

// weigh takes note when a template starts or stops to exceed its limit.
func (n *Nodes) weigh(m *member, t *Template) {
	over := t.Overweight()
	n.mu.Lock()
	defer n.mu.Unlock()
	if over && !m.overweight {
		n.troubleLocked("node", fmt.Sprintf("%s: The node's block template weighs %d, more than the limit of %d that it names itself. Blocks from it may be rejected.", m.name, t.Weight(), t.WeightLimit))
	}
	m.overweight = over
}

// lastHeaders makes the headers of a template's tip and of the blocks before it
// known, and returns them. It asks only for what is not in known.
func (n *Nodes) lastHeaders(ctx context.Context, m *member, t *Template, known map[bitcoin.Hash]headerInfo) (map[bitcoin.Hash]headerInfo, error) {
	chain := make(map[bitcoin.Hash]headerInfo, recentBlocks)
	for hash := t.PrevHash; len(chain) < recentBlocks; {
		h, ok := known[hash]
		if !ok {
			// Not counted as a failure: only pages miss it.
			err := m.rpc.call(ctx, quickTimeout, &h, "getblockheader", quoteJSON(hash.String()), []byte("true"))
			if err != nil {
				n.publishHeaders(m, t, chain)
				return chain, err
			}
		}
		chain[hash] = h
		if hash == t.PrevHash {
			n.publishTip(m, t, chain)
		}
		previous, err := bitcoin.ParseHash(h.Previous)
		if err != nil || previous == (bitcoin.Hash{}) {
			break // the genesis block
		}
		hash = previous
	}
	n.publishHeaders(m, t, chain)
	return chain, nil
}

// publishTip shows the tip that a template builds on. A tip whose header the
// node did not give has neither time nor bits.
func (n *Nodes) publishTip(m *member, t *Template, chain map[bitcoin.Hash]headerInfo) {
	tip := Tip{Hash: t.PrevHash, Height: t.Height - 1}
	if h, ok := chain[t.PrevHash]; ok {
		bits, _ := strconv.ParseUint(h.Bits, 16, 32) // 0 when the node does not say it
		tip.Time, tip.Bits = time.Unix(h.Time, 0), uint32(bits)
		tip.Previous, _ = bitcoin.ParseHash(h.Previous) // none of a genesis block
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	// A block that was announced in the meantime is the newer tip.
	if n.onTipLocked(m, t) && (n.tipAt.Before(n.tipSince) || n.tipEmitted == t.PrevHash) {
		n.emitTipLocked(tip, time.Now())
	}
}

// publishHeaders shows the times of the last blocks, as far as they are known.
func (n *Nodes) publishHeaders(m *member, t *Template, chain map[bitcoin.Hash]headerInfo) {
	var times []time.Time
	for hash := t.PrevHash; len(times) < recentBlocks; {
		h, ok := chain[hash]
		if !ok {
			break
		}
		times = append(times, time.Unix(h.Time, 0))
		hash, _ = bitcoin.ParseHash(h.Previous) // no block has the hash zero
	}
	slices.Reverse(times)
	if len(chain) == 0 {
		n.publishTip(m, t, chain)
	}

	n.mu.Lock()
	defer n.mu.Unlock()
	if n.onTipLocked(m, t) {
		n.recent = times
	}
}

// onTipLocked reports whether the pool still builds on the tip of a template.
func (n *Nodes) onTipLocked(m *member, t *Template) bool {
	return n.active == m && n.current != nil && n.current.PrevHash == t.PrevHash
}
