package devnet

import (
	"encoding/binary"
	"sync"

	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
)

// topic is a ZMQ topic of Bitcoin Core.
type topic string

// The topics that are published.
const (
	topicHashBlock topic = "hashblock"
	topicRawBlock  topic = "rawblock"
	topicHashTx    topic = "hashtx"
	topicRawTx     topic = "rawtx"
	topicSequence  topic = "sequence"
)

// announcer takes what happened on the chain. It must not block.
type announcer interface {
	announce(t topic, body []byte)
}

// silent is the announcer of a node without ZMQ.
type silent struct{}

func (silent) announce(topic, []byte) {}

// displayBytes returns a hash in the order in which people read it, which is
// also the order in which Core publishes it.
func displayBytes(h *chainhash.Hash) []byte {
	b := make([]byte, chainhash.HashSize)
	for i := range b {
		b[i] = h[chainhash.HashSize-1-i]
	}
	return b
}

// sequenceBody is the body of a sequence message: the hash, what happened
// ('C' block connected, 'D' disconnected, 'A' transaction added to the
// mempool, 'R' removed from it other than by a block), and for transactions
// the mempool's sequence number.
func sequenceBody(h *chainhash.Hash, label byte, mempoolSeq uint64) []byte {
	b := append(displayBytes(h), label)
	if label == 'A' || label == 'R' {
		b = binary.LittleEndian.AppendUint64(b, mempoolSeq)
	}
	return b
}

// announceTx publishes a transaction's hash and bytes.
func announceTx(a announcer, tx *btcutil.Tx) {
	a.announce(topicHashTx, displayBytes(tx.Hash()))
	a.announce(topicRawTx, txBytes(tx.MsgTx()))
}

// tipWatch wakes everybody who waits for a new tip.
type tipWatch struct {
	mu sync.Mutex
	ch chan struct{}
}

func newTipWatch() *tipWatch { return &tipWatch{ch: make(chan struct{})} }

// changed returns a channel that is closed at the next change. Take it before
// looking at the tip, and no change is missed.
func (w *tipWatch) changed() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ch
}

// fire wakes the waiters.
func (w *tipWatch) fire() {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.ch)
	w.ch = make(chan struct{})
}
