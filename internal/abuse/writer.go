package abuse

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"time"
)

const (
	// maxDirty bounds the blocks that wait to be written. While the store
	// works, a few do.
	maxDirty = 4 * maxBans
	// maxWrites is the number of bans in one transaction: a found block waits
	// for at most one of them.
	maxWrites = 500
	// writeEvery is the time between two attempts while the store fails, and
	// between two looks for bans to forget.
	writeEvery = 5 * time.Second
	// lastWrite bounds the last attempt when the pool ends.
	lastWrite = 400 * time.Millisecond
)

// Load reads the bans that are kept. It is called once, before anything else.
func (w *Watch) Load(ctx context.Context, now time.Time) error {
	if w.store == nil {
		return nil
	}
	kept, err := w.store.LoadBans(ctx)
	if err != nil {
		return fmt.Errorf("load bans: %w", err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, b := range kept {
		switch {
		case b.level(now) == 0 && !b.InForce(now):
			w.markLocked(b.Block) // forgiven meanwhile
		case w.makeRoomLocked(b.Block):
			w.bans.put(b)
		}
	}
	return nil
}

// Run writes changes to the store and forgets what is long over, until ctx
// ends; then it writes what is left. It always returns nil: a store that fails
// is counted and logged, and bans hold without it.
func (w *Watch) Run(ctx context.Context) error {
	ticker := time.NewTicker(writeEvery)
	defer ticker.Stop()
	failing := false
	for {
		select {
		case <-w.wake:
			if failing {
				continue // the ticker tries again
			}
		case now := <-ticker.C:
			w.forgetOld(now)
		case <-ctx.Done():
			w.finish(context.WithoutCancel(ctx))
			return nil
		}
		failing = w.write(ctx, failing) != nil
	}
}

// finish writes what is left when the pool ends. A failure was logged; there is
// no later attempt to leave it to.
func (w *Watch) finish(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, lastWrite)
	defer cancel()
	_ = w.write(ctx, false)
}

// forgetOld removes bans that are over and forgiven.
func (w *Watch) forgetOld(now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for block, b := range w.bans.m {
		if !b.InForce(now) && b.level(now) == 0 {
			w.forgetLocked(block)
		}
	}
}

// markLocked notes that a block's ban is to be written or removed.
func (w *Watch) markLocked(block netip.Prefix) {
	if w.store == nil {
		return
	}
	if _, waits := w.dirty[block]; !waits && len(w.dirty) >= maxDirty {
		w.unsaved.Add(1)
		return
	}
	w.dirty[block] = struct{}{}
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// write writes all changes. What cannot be written waits for the next attempt.
func (w *Watch) write(ctx context.Context, failing bool) error {
	for {
		save, remove := w.changes()
		if len(save)+len(remove) == 0 {
			if failing {
				w.log.Info("bans can be written again")
			}
			return nil
		}
		if err := w.store.SaveBans(ctx, save, remove); err != nil {
			w.failures.Add(1)
			w.mu.Lock()
			for _, b := range save {
				w.dirty[b.Block] = struct{}{}
			}
			for _, block := range remove {
				w.dirty[block] = struct{}{}
			}
			w.mu.Unlock()
			if !failing && ctx.Err() == nil {
				w.log.Error("bans cannot be written; they hold until the next restart", "err", err)
			}
			return err
		}
	}
}

// changes takes some of the changes out of the list of those to be written.
func (w *Watch) changes() (save []Ban, remove []netip.Prefix) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for block := range w.dirty {
		if len(save)+len(remove) == maxWrites {
			break
		}
		delete(w.dirty, block)
		if b := w.bans.m[block]; b != nil {
			save = append(save, *b)
		} else {
			remove = append(remove, block)
		}
	}
	slices.SortFunc(save, func(a, b Ban) int { return a.Block.Addr().Compare(b.Block.Addr()) })
	return save, remove
}
