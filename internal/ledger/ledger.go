package ledger

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// Options adjust a ledger. The zero value means the defaults.
type Options struct {
	// Now tells the time; default time.Now.
	Now func() time.Time
	// FlushEvery is the time between two writes; default three seconds, so
	// that a killed process loses less than five.
	FlushEvery time.Duration
	// IdleFor is how long a worker that left stays in the snapshot; default
	// 30 minutes.
	IdleFor time.Duration
	// MaxIdle bounds the number of workers in memory that are not connected;
	// default 10,000. The ones that left first go first. Ten times as many may
	// wait for a store that fails.
	MaxIdle int
	// RunID names this run in the store, so that it can tell a repeated batch
	// from a new one; default 16 random hexadecimal digits.
	RunID string
}

// withDefaults fills in what was left out.
func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.FlushEvery <= 0 {
		o.FlushEvery = 3 * time.Second
	}
	if o.IdleFor <= 0 {
		o.IdleFor = 30 * time.Minute
	}
	if o.MaxIdle <= 0 {
		o.MaxIdle = 10_000
	}
	if o.RunID == "" {
		var id [8]byte
		_, _ = rand.Read(id[:]) // never fails
		o.RunID = hex.EncodeToString(id[:])
	}
	return o
}

// Ledger keeps the pool's books. Its methods are safe for concurrent use.
//
// Lock order: blockMu, then mu, then Account.mu. bestList.mu is taken alone.
// The store is never called under mu.
type Ledger struct {
	store    Store
	opts     Options
	log      *slog.Logger
	started  time.Time
	height   atomic.Int64 // of the chain tip
	best     bestList
	snapshot atomic.Pointer[Snapshot] // nil when nobody asked since the latest tick; set under mu

	mu       sync.Mutex // guards everything below, and all workers
	pool     *worker    // the totals of the pool
	workers  map[string]*worker
	order    []*worker // the same, in order of appearance
	ticked   time.Time // time of the latest tick
	idle     int       // those without an account, as of the latest tick
	minute   int64     // of the latest tick, since 1970
	dirty    []*worker // with changes that the books do not have
	unlooked []*worker // not yet asked for in the books
	accounts int
	tls      int
	agents   map[string]int // connected accounts by user agent
	types    []MinerType    // made from agents; nil when they changed
	blocks   []Block        // newest first; replaced, never changed

	blocksAccepted, blocksRejected uint64 // of all ever found

	recent   []HistoryPoint // History6m; replaced, never changed
	step     HistoryPoint   // what was counted since the last point of it
	books    BooksStatus
	failures [numTasks]failure

	// Used by the goroutine that writes only.
	frozen     *Batch // made but not yet acknowledged by the store
	seq        uint64
	written    atomic.Uint64 // highest acknowledged Seq
	lastFlush  time.Time
	maintainAt time.Time

	blockMu       sync.Mutex // keeps writes of one block in order; guards unsavedBlocks
	unsavedBlocks map[bitcoin.Hash]struct{}
}

// New makes a ledger on a store. It starts nothing and reads nothing: call
// [Ledger.Load], then [Ledger.Run].
func New(store Store, opts Options, log *slog.Logger) *Ledger {
	opts = opts.withDefaults()
	now := opts.Now()
	l := &Ledger{
		store: store, opts: opts, log: log, started: now,
		pool:          &worker{name: PoolName, firstSeen: now},
		workers:       map[string]*worker{},
		agents:        map[string]int{},
		unsavedBlocks: map[bitcoin.Hash]struct{}{},
	}
	l.unlooked = []*worker{l.pool}
	l.ticked = now
	return l
}

// Load continues where the books end: totals, best shares, blocks, and the
// workers of the last half hour. It is called once, before Run.
func (l *Ledger) Load(ctx context.Context) error {
	now := l.opts.Now()
	state, err := l.store.Load(ctx, now.Add(-l.opts.IdleFor), l.opts.MaxIdle)
	if err != nil {
		return fmt.Errorf("load the books: %w", err)
	}
	points, err := l.History(ctx, PoolName, Minute, now.Add(-historySpan), now)
	if err != nil {
		return fmt.Errorf("load the history: %w", err)
	}

	l.best.load(state.BestShares)

	l.mu.Lock()
	defer l.mu.Unlock()
	l.pool.merge(&state.Pool)
	l.pool.looked = true
	for i := range slices.Backward(state.Workers) {
		r := &state.Workers[i]
		w := l.workerLocked(r.Name)
		if !w.looked {
			w.merge(r)
			w.looked, w.listed = true, false
		}
	}
	l.blocks = mergeBlocks(l.blocks, state.Blocks)
	l.blocksAccepted, l.blocksRejected = state.BlocksAccepted, state.BlocksRejected
	l.recent = spread(points)
	if n := len(points); n > 0 {
		l.height.CompareAndSwap(0, points[n-1].BlockHeight)
	}
	l.advanceLocked(now, 0)
	return nil
}

// Run brings the picture up to date every second and writes the books, until ctx ends;
// then it writes what is left. It returns nil, or an error when that last
// write failed: everything before is in the counters of [BooksStatus].
func (l *Ledger) Run(ctx context.Context) error {
	var writer sync.WaitGroup
	writer.Go(func() { l.runWriter(ctx) })

	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			l.tick(l.opts.Now())
		case <-ctx.Done():
			writer.Wait()
			return l.finish(context.WithoutCancel(ctx))
		}
	}
}

// Connect opens an account for one worker on one connection. The same worker
// may have many. It does no I/O: what the books know about the worker is read
// in the background and appears in a snapshot soon after.
func (l *Ledger) Connect(c ConnInfo) *Account {
	l.mu.Lock()
	defer l.mu.Unlock()

	w := l.workerLocked(c.Worker)
	c.Worker = w.name // one copy of the name in memory
	a := &Account{ledger: l, info: c}
	w.connect(a, c.ConnectedAt)

	l.accounts++
	if c.TLS {
		l.tls++
	}
	l.agents[c.UserAgent]++
	l.types = nil
	return a
}

// close collects what an account still has and removes it.
func (l *Ledger) close(a *Account, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.collectLocked(a, at, true) {
		return
	}
	w := l.workerLocked(a.info.Worker)
	w.disconnect(a, at)
	l.markLocked(w)
	a.hashrate.Store(0)

	l.accounts--
	if a.info.TLS {
		l.tls--
	}
	if l.agents[a.info.UserAgent]--; l.agents[a.info.UserAgent] == 0 {
		delete(l.agents, a.info.UserAgent)
	}
	l.types = nil
}

// collectLate takes what was counted in an account after it was closed.
func (l *Ledger) collectLate(a *Account) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.opts.Now()
	l.collectLocked(a, now, false)
	if w := l.workerLocked(a.info.Worker); len(w.accounts) == 0 {
		w.lastSeen = now
	}
}

// SetHeight notes the height of the chain tip; points of the history carry it.
func (l *Ledger) SetHeight(h int64) { l.height.Store(h) }

// Snapshot is the picture as of the latest tick; who came or left since then may
// be in it already. The first to ask after a tick waits until it is made, some
// milliseconds with ten thousand workers; for all others it is one atomic load.
func (l *Ledger) Snapshot() *Snapshot {
	if s := l.snapshot.Load(); s != nil {
		return s
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := l.snapshot.Load(); s != nil {
		return s // somebody was faster
	}
	return l.publishLocked()
}

// LastError is the failure of the latest attempt to write or read the books,
// and its time. Both are zero when it succeeded.
func (l *Ledger) LastError() (string, time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.books.LastError, l.books.LastErrorAt
}

// workerLocked finds a worker in memory, or makes one that is still to be
// looked up in the books.
func (l *Ledger) workerLocked(name string) *worker {
	w, ok := l.workers[name]
	if !ok {
		w = &worker{name: name}
		l.workers[name] = w
		l.order = append(l.order, w)
		l.unlooked = append(l.unlooked, w)
	}
	return w
}

// markLocked notes that a worker has something to write.
func (l *Ledger) markLocked(w *worker) {
	if !w.dirty {
		w.dirty = true
		l.dirty = append(l.dirty, w)
	}
}
