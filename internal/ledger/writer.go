package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	// maxDeltas is the number of workers in one batch, which is one
	// transaction: a found block waits for at most one of them.
	maxDeltas = 20_000
	// maxLookups is the number of names that are asked for at once.
	maxLookups = 1_000
	// maintainEvery is the time between two rounds of rolling up and deleting.
	maintainEvery = 20 * time.Second
	// finishTimeout bounds the last write when the pool ends.
	finishTimeout = 800 * time.Millisecond
)

// task is something that the ledger wants from its store.
type task uint8

const (
	taskLookup task = iota
	taskBatch
	taskBlocks
	taskMaintain
	numTasks
)

// failure is why a task did not succeed the last time; err is nil if it did.
type failure struct {
	err error
	at  time.Time
}

// runWriter writes the books until ctx ends.
func (l *Ledger) runWriter(ctx context.Context) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			l.write(ctx, l.opts.Now())
		case <-ctx.Done():
			return
		}
	}
}

// write does what is due at now: look up new workers, write the changes, roll
// up. A task that fails is repeated at the next flush.
func (l *Ledger) write(ctx context.Context, now time.Time) {
	// A tick that comes a little early must not put the flush off by a second.
	if elapsed := now.Sub(l.lastFlush); elapsed >= 0 && elapsed < l.opts.FlushEvery-100*time.Millisecond {
		if !l.failing() {
			l.lookup(ctx)
		}
		return
	}
	l.lastFlush = now
	l.lookup(ctx)
	l.flush(ctx, now)
	l.retryBlocks(ctx)

	if elapsed := now.Sub(l.maintainAt); elapsed < 0 || elapsed >= maintainEvery {
		more, err := l.store.Maintain(ctx, now)
		if err != nil {
			l.failed(taskMaintain, fmt.Errorf("roll up the history: %w", err))
		} else {
			l.succeeded(taskMaintain)
		}
		if err == nil && !more {
			l.maintainAt = now
		}
	}
}

// finish collects and writes what is left when the pool ends.
func (l *Ledger) finish(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, finishTimeout)
	defer cancel()
	now := l.opts.Now()
	l.tick(now)
	l.lookup(ctx)
	l.flush(ctx, now)
	l.retryBlocks(ctx)

	l.mu.Lock()
	defer l.mu.Unlock()
	var errs []error
	for _, t := range []task{taskLookup, taskBatch, taskBlocks} {
		errs = append(errs, l.failures[t].err)
	}
	return errors.Join(errs...)
}

// lookup reads what the books know about workers that are new in memory.
func (l *Ledger) lookup(ctx context.Context) {
	for {
		l.mu.Lock()
		asked := make([]*worker, 0, min(len(l.unlooked), maxLookups))
		for _, w := range l.unlooked {
			if len(asked) == maxLookups {
				break
			}
			asked = append(asked, w)
		}
		names := make([]string, len(asked))
		for i, w := range asked {
			names[i] = w.name
		}
		l.mu.Unlock()
		if len(asked) == 0 {
			return
		}

		records, err := l.store.Workers(ctx, names)
		if err != nil {
			l.failed(taskLookup, fmt.Errorf("look up workers: %w", err))
			return
		}
		l.succeeded(taskLookup)

		byName := make(map[string]*WorkerRecord, len(records))
		for i := range records {
			byName[records[i].Name] = &records[i]
		}
		l.mu.Lock()
		for _, w := range asked {
			if r := byName[w.name]; r != nil && !w.looked {
				w.merge(r)
			}
			w.looked = true
		}
		waiting := l.unlooked[:0]
		for _, w := range l.unlooked {
			if !w.looked {
				waiting = append(waiting, w)
			}
		}
		clear(l.unlooked[len(waiting):])
		l.unlooked = waiting
		l.mu.Unlock()
	}
}

// flush writes all changes. A batch that failed is written again as it was,
// before anything new: the store may have it already.
func (l *Ledger) flush(ctx context.Context, now time.Time) {
	for {
		if l.frozen == nil {
			l.frozen = l.makeBatch(now)
		}
		if l.frozen == nil {
			return
		}
		if err := l.store.Apply(ctx, l.frozen); err != nil {
			l.failed(taskBatch, fmt.Errorf("write the books: %w", err))
			return
		}
		l.written.Store(l.frozen.Seq)
		l.frozen = nil
		l.mu.Lock()
		l.books.Batches++
		l.books.LastWrite = wall(now)
		l.mu.Unlock()
		l.succeeded(taskBatch)
	}
}

// makeBatch takes changes out of memory, or returns nil when there are none.
func (l *Ledger) makeBatch(now time.Time) *Batch {
	best := l.best.drain()

	l.mu.Lock()
	defer l.mu.Unlock()
	b := &Batch{Source: l.opts.RunID, Seq: l.seq + 1, At: wall(now), BestShares: best}
	later := l.dirty[:0]
	for _, w := range l.dirty {
		// What is added to a worker's record before it was read would be
		// counted twice in memory.
		if !w.looked || len(b.Deltas) == maxDeltas {
			later = append(later, w)
			continue
		}
		w.dirty = false
		if !w.worthSaving() {
			continue
		}
		w.known, w.seq = true, b.Seq
		b.Deltas = append(b.Deltas, w.delta(now))
	}
	clear(l.dirty[len(later):])
	l.dirty = later

	if len(b.Deltas) == 0 && len(b.BestShares) == 0 {
		return nil
	}
	l.seq = b.Seq
	return b
}

// failing reports whether the latest attempt to look up workers failed.
func (l *Ledger) failing() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.failures[taskLookup].err != nil
}

// failed counts and shows a failure, and logs the first of a row. What the end
// of Run interrupted is no failure: it is repeated at once.
func (l *Ledger) failed(t task, err error) {
	if errors.Is(err, context.Canceled) {
		return
	}
	now := wall(l.opts.Now())
	l.mu.Lock()
	first := l.failures[t].err == nil
	l.failures[t] = failure{err, now}
	l.books.Errors++
	l.books.LastError, l.books.LastErrorAt = err.Error(), now
	l.mu.Unlock()
	if first {
		l.log.Error("books cannot be written; mining goes on", "err", err)
	}
}

// succeeded clears the failure of a task. Another one that still fails shows.
func (l *Ledger) succeeded(t task) {
	l.mu.Lock()
	recovered := l.failures[t].err != nil
	l.failures[t] = failure{}
	l.books.LastError, l.books.LastErrorAt = "", time.Time{}
	for _, f := range l.failures {
		if f.err != nil && f.at.After(l.books.LastErrorAt) {
			l.books.LastError, l.books.LastErrorAt = f.err.Error(), f.at
		}
	}
	l.mu.Unlock()
	if recovered {
		l.log.Info("books can be written again")
	}
}
