package devnet

import "time"

// Status is a read model of the node: a copy, safe to keep.
type Status struct {
	At         time.Time
	Height     int64   // of the best chain's tip
	BestHash   string  // its hash, display order
	MempoolTxs int     // transactions waiting for a block
	Difficulty float64 // of the next block
	// Hashrate is the network's, in hashes per second, estimated from the
	// work and the times of the last blocks; 0 until two blocks were mined.
	Hashrate float64
	RPCCalls uint64 // JSON-RPC requests answered, batch members counted singly
	// RPCErrors counts answers with an error; RPCRefused counts requests that
	// were turned away before a method ran, by reason.
	RPCErrors  uint64
	RPCRefused map[string]uint64
	ZMQDrops   uint64 // announcements dropped because a subscriber was slow
	TxSent     uint64 // wallet transactions accepted by the mempool
	TxErrors   uint64 // wallet transactions refused by it
}
