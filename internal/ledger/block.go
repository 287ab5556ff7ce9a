package ledger

import (
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// ConfirmedDepth is the number of confirmations after which a found block is
// no longer followed. Six is the custom of the field, not a rule of consensus.
const ConfirmedDepth = 6

// BlockState says what became of a found block.
type BlockState string

// The life of a found block. It starts pending and ends confirmed, stale or
// rejected.
const (
	BlockPending   BlockState = "pending"   // on disk, no node has answered yet
	BlockAccepted  BlockState = "accepted"  // in a node's best chain, fewer than six deep
	BlockConfirmed BlockState = "confirmed" // six deep or more
	BlockStale     BlockState = "stale"     // valid, but another block took its place
	BlockRejected  BlockState = "rejected"  // refused by every node
)

// Open reports whether the block's fate may still change, so that somebody
// has to follow it.
func (s BlockState) Open() bool { return s == BlockPending || s == BlockAccepted }

// Block is a block that one of the pool's miners found.
type Block struct {
	Height  int64
	Hash    bitcoin.Hash
	Worker  string // full name as authorized
	Address string // the payout address
	FoundAt time.Time

	ShareDifficulty   float64 // true difficulty of the hash
	NetworkDifficulty float64 // difficulty that the block had to meet

	// The coinbase's outputs in satoshis; Value is their sum.
	Value, WorkerPayout, PoolFee, Donation int64

	JobID         string
	State         BlockState
	Confirmations int64  // 1 for the tip itself, 0 while unknown, -1 for a stale block
	Reason        string // the node's words when it was rejected
}
