package pool

import (
	"sync/atomic"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/node"
)

// tipLatency is how long miners waited, after a node announced a block, for work
// on it: the time until the last of them was written to. What is not announced
// (no ZMQ) is not measured.
type tipLatency struct {
	// Of the caller of SetTip and SetTemplate alone.
	tip  bitcoin.Hash
	seen time.Time

	early, full atomic.Int64 // nanoseconds, of the last tip; 0 when not measured yet
}

// announced notes when a tip was announced.
func (l *tipLatency) announced(t node.Tip) { l.tip, l.seen = t.Hash, t.SeenAt }

// served notes that every miner has work on a tip: the first work with all its
// transactions, or, before that, without.
func (l *tipLatency) served(tip bitcoin.Hash, early bool) {
	if l.seen.IsZero() || l.tip != tip {
		return
	}
	took := int64(time.Since(l.seen))
	if early {
		l.early.Store(took)
		return
	}
	l.full.Store(took)
	l.seen = time.Time{} // later templates of this tip have nothing to do with it
}
