package node

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// unseen is a block that a node has announced by its hash alone.
type unseen struct {
	by   *member
	hash bitcoin.Hash
	at   time.Time
}

// announcesBlocks reports whether the node publishes whole blocks, so that a
// hash tells nothing new.
func (m *member) announcesBlocks() bool {
	return slices.ContainsFunc(m.zmq, func(s *subscription) bool { return slices.Contains(s.topics, topicRawBlock) })
}

// wantHeader asks for the header of an announced block, beside the template: the
// node has it at hand while it still puts the template together.
func (n *Nodes) wantHeader(m *member, hash bitcoin.Hash) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.active == m && (n.current == nil || n.current.PrevHash != hash) {
		replace(n.unseen, unseen{m, hash, time.Now()})
	}
}

// announcedHeaders makes tips of hashes.
func (n *Nodes) announcedHeaders(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case u := <-n.unseen:
			var h headerInfo
			// Not counted as a failure: the template comes in any case.
			err := u.by.rpc.call(ctx, statusTimeout, &h, "getblockheader", quoteJSON(u.hash.String()), []byte("true"))
			if err == nil {
				n.headerTip(u, &h)
			}
		}
	}
}

// headerTip emits the tip that an announced header makes, unless its template
// was faster or the node has taken it back.
func (n *Nodes) headerTip(u unseen, h *headerInfo) {
	previous, err := bitcoin.ParseHash(h.Previous)
	bits, bitsErr := strconv.ParseUint(h.Bits, 16, 32)
	if err != nil || bitsErr != nil || h.Confirmations != 1 || h.Height <= 0 || h.Time <= 0 || h.Time >= 1<<32 {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.active != u.by || n.current != nil && n.current.PrevHash == u.hash {
		return
	}
	header := bitcoin.Header{PrevHash: previous, Time: uint32(h.Time), Bits: uint32(bits)}
	n.announceLocked(u.by, rawBlock{hash: u.hash, header: header, height: h.Height}, u.at)
}
