package node

import (
	"slices"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// Template is one answer of getblocktemplate, checked and decoded. It is
// immutable: many templates share the bytes of their transactions.
type Template struct {
	Network bitcoin.Network
	Node    string // name of the node that gave it

	Height   int64        // of the block to be mined: height of the tip + 1
	PrevHash bitcoin.Hash // the tip
	Version  uint32
	Bits     uint32

	// CurTime is the time to start with, in Unix seconds: never below MinTime,
	// and never the local clock (BIP94 nodes may demand a time ahead of it).
	CurTime uint32
	MinTime uint32

	CoinbaseValue int64  // satoshis: subsidy and fees
	CoinbaseFlags []byte // bytes to put behind the height in the coinbase script; mostly empty

	// WitnessCommitment is the output script that commits to the witnesses
	// (BIP141), computed from Transactions and equal to what the node said if
	// it said anything. Nil when there is no sign that segwit is active.
	WitnessCommitment []byte

	Transactions []Tx // in block order, without the coinbase

	// FeesKnown says that the node named the fee of every transaction, so that
	// CoinbaseValue - Fees() is the subsidy. BIP22 lets a node leave fees out:
	// then they count as 0 here, and must not be calculated with. True when
	// there are no transactions.
	FeesKnown bool

	Rules       []string       // active soft forks as the node lists them, a leading '!' kept
	VBAvailable map[string]int // deployments in progress and their version bit
	VBRequired  uint32

	// SignetChallenge is 51 (OP_TRUE) on a signet, nil elsewhere. Templates
	// with another one are refused: their blocks would have to be signed.
	SignetChallenge []byte

	// WeightLimit is how much a block may weigh, in weight units. A template
	// is not refused for exceeding it: see Overweight.
	WeightLimit int64
	SigOpLimit  int64 // sigop cost

	LongPollID string // empty: the node has no long polling

	RequestedAt time.Time // for a long poll: when the poll began
	ReceivedAt  time.Time
}

// Tx is a transaction of a template.
type Tx struct {
	Data   []byte // full serialization, with witness if there is one
	TxID   bitcoin.Hash
	WTxID  bitcoin.Hash
	Fee    int64 // satoshis; 0 when the node did not say it, see Template.FeesKnown
	Weight int64 // weight units
}

// Fees is the sum of the transactions' fees in satoshis, as far as the node
// named them: see FeesKnown.
func (t *Template) Fees() int64 {
	var sum int64
	for i := range t.Transactions {
		sum += t.Transactions[i].Fee
	}
	return sum
}

// Weight is the sum of the transactions' weights, without header and coinbase.
func (t *Template) Weight() int64 {
	var sum int64
	for i := range t.Transactions {
		sum += t.Transactions[i].Weight
	}
	return sum
}

// headerWeight is the weight of a block's header (BIP141: 4 per byte).
const headerWeight = 4 * bitcoin.HeaderSize

// Overweight reports whether the transactions alone, with the header, weigh
// more than the node's own limit. A block from such a template is likely to be
// rejected (bad-blk-weight). The node decides that, so the template is
// delivered all the same, and a node event says so.
func (t *Template) Overweight() bool { return t.Weight()+headerWeight > t.WeightLimit }

// sameWork reports whether a block built from u is one that could have been
// built from t: only the time may differ.
func (t *Template) sameWork(u *Template) bool {
	return t.PrevHash == u.PrevHash && t.Height == u.Height && t.Bits == u.Bits && t.Version == u.Version &&
		t.CoinbaseValue == u.CoinbaseValue && t.Node == u.Node &&
		slices.EqualFunc(t.Transactions, u.Transactions, func(a, b Tx) bool { return a.WTxID == b.WTxID })
}
