package audit

import (
	"context"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// Tip is the last block of our node's best chain.
type Tip struct {
	Hash   bitcoin.Hash
	Height int64
	SeenAt time.Time // when our node had it

	// Of the block after it, as our node would mine it. Bits is 0 while there is
	// no template.
	Bits         uint32
	Transactions int // without the coinbase; -1 while there is no template
}

// Chain is our own Bitcoin node. Tip and Body are called by the recorder's
// goroutine and must answer from memory.
type Chain interface {
	// Network is the chain that the node is on; "" while that is not known.
	Network() bitcoin.Network
	// Tip is the node's tip; false while it is not known.
	Tip() (Tip, bool)
	// Body finds, among the last templates, the transactions (without the
	// coinbase, serialized with their witnesses) that a job on prev with these
	// merkle branches commits to.
	Body(prev bitcoin.Hash, branches []bitcoin.Hash) (transactions [][]byte, ok bool)

	// Known asks the node for a block. It may take as long as ctx lasts.
	Known(ctx context.Context, block bitcoin.Hash) (BlockState, error)
	// Submit gives a whole block to the node, and returns what became of it in
	// words, and whether the node has it now. It may take as long as ctx lasts.
	Submit(ctx context.Context, block []byte, hash bitcoin.Hash) (verdict string, accepted bool)
}

// BlockState is what a node knows of a block.
type BlockState struct {
	Known  bool
	InBest bool  // part of its best chain
	Height int64 // when known
}
