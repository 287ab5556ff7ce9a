package ledger

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// blockTimeout bounds how long BlockFound waits for the store.
const blockTimeout = 10 * time.Second

// BlockFound books a found block. When it returns, the block is in the store
// and survives a power failure; if the store failed, the block is in memory,
// the failure is in [BooksStatus], and writing is repeated until it works.
//
// A block that is known already, since the pool replays its files after a
// crash, keeps the state that it has when the new one is pending, and all that
// is known of it when the new one has no address.
func (l *Ledger) BlockFound(b Block) {
	if b.State == "" {
		b.State = BlockPending
	}
	b.FoundAt = wall(b.FoundAt)

	l.blockMu.Lock()
	defer l.blockMu.Unlock()
	l.mu.Lock()
	var old Block
	if i := l.blockLocked(b.Hash); i >= 0 {
		old = l.blocks[i]
		if b.Address == "" {
			b = old // a replayed file that does not say whose it is
		}
		if b.State == BlockPending {
			b.State, b.Confirmations, b.Reason, b.FoundAt = old.State, old.Confirmations, old.Reason, old.FoundAt
		}
	}
	l.countBlockLocked(old.State, b.State)
	l.blocks = mergeBlocks([]Block{b}, l.blocks)
	l.mu.Unlock()
	l.saveBlockLocked(b)
}

// BlockUpdated notes what became of a block. It is written before it returns,
// like a found one. An accepted block that is deep enough becomes confirmed.
func (l *Ledger) BlockUpdated(hash bitcoin.Hash, s BlockState, confirmations int64, reason string) {
	if s == BlockAccepted && confirmations >= ConfirmedDepth {
		s = BlockConfirmed
	}

	l.blockMu.Lock()
	defer l.blockMu.Unlock()
	l.mu.Lock()
	i := l.blockLocked(hash)
	if i < 0 {
		l.mu.Unlock()
		l.log.Warn("update of an unknown block", "hash", hash.String(), "state", string(s))
		return
	}
	b := l.blocks[i]
	changed := b.State != s || b.Confirmations != confirmations || b.Reason != reason
	l.countBlockLocked(b.State, s)
	b.State, b.Confirmations, b.Reason = s, confirmations, reason
	l.blocks = mergeBlocks([]Block{b}, l.blocks)
	l.mu.Unlock()
	if changed {
		l.saveBlockLocked(b)
	}
}

// countBlockLocked moves a block from the count of one state to another's.
func (l *Ledger) countBlockLocked(from, to BlockState) {
	if from == to {
		return
	}
	if n := l.blockCountLocked(from); n != nil {
		*n--
	}
	if n := l.blockCountLocked(to); n != nil {
		*n++
	}
}

// blockCountLocked is the counter of a state, or nil for one without.
func (l *Ledger) blockCountLocked(s BlockState) *uint64 {
	switch s {
	case BlockAccepted, BlockConfirmed:
		return &l.blocksAccepted
	case BlockRejected:
		return &l.blocksRejected
	}
	return nil
}

// OpenBlocks lists the blocks whose fate may still change, newest first.
func (l *Ledger) OpenBlocks() []Block {
	l.mu.Lock()
	defer l.mu.Unlock()
	var open []Block
	for _, b := range l.blocks {
		if b.State.Open() {
			open = append(open, b)
		}
	}
	return open
}

// saveBlockLocked writes a block; the caller holds blockMu.
func (l *Ledger) saveBlockLocked(b Block) {
	ctx, cancel := context.WithTimeout(context.Background(), blockTimeout)
	defer cancel()
	if err := l.store.SaveBlock(ctx, b); err != nil {
		l.unsavedBlocks[b.Hash] = struct{}{}
		l.failed(taskBlocks, fmt.Errorf("write block %s: %w", b.Hash, err))
		return
	}
	delete(l.unsavedBlocks, b.Hash)
	if len(l.unsavedBlocks) == 0 {
		l.succeeded(taskBlocks)
	}
}

// retryBlocks writes the blocks again that could not be written.
func (l *Ledger) retryBlocks(ctx context.Context) {
	l.blockMu.Lock()
	defer l.blockMu.Unlock()
	for hash := range l.unsavedBlocks {
		if ctx.Err() != nil {
			return
		}
		l.mu.Lock()
		i := l.blockLocked(hash)
		if i < 0 {
			l.mu.Unlock()
			delete(l.unsavedBlocks, hash)
			continue
		}
		b := l.blocks[i]
		l.mu.Unlock()
		l.saveBlockLocked(b)
	}
}

// blockLocked finds a block in memory; the caller holds mu.
func (l *Ledger) blockLocked(hash bitcoin.Hash) int {
	return slices.IndexFunc(l.blocks, func(b Block) bool { return b.Hash == hash })
}

// mergeBlocks makes a list of both, newest first, in which first wins over
// second: the latest MaxBlocks, and all older ones that are still open.
func mergeBlocks(first, second []Block) []Block {
	list := slices.Clone(first)
	for _, b := range second {
		if !slices.ContainsFunc(first, func(f Block) bool { return f.Hash == b.Hash }) {
			list = append(list, b)
		}
	}
	slices.SortStableFunc(list, func(a, b Block) int { return b.FoundAt.Compare(a.FoundAt) })

	kept := list[:0]
	for i, b := range list {
		if i < MaxBlocks || b.State.Open() {
			kept = append(kept, b)
		}
	}
	return kept
}
