package ledger

import (
	"context"
	"time"
)

// What the tests outside of the package do by hand instead of Run.

func (l *Ledger) Tick(now time.Time)                       { l.tick(now) }
func (l *Ledger) Write(ctx context.Context, now time.Time) { l.write(ctx, now) }
func (l *Ledger) Finish(ctx context.Context) error         { return l.finish(ctx) }

// InMemory is the number of workers in memory, and of those waiting to be
// written and to be looked up.
func (l *Ledger) InMemory() (workers, dirty, unlooked int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.workers), len(l.dirty), len(l.unlooked)
}
