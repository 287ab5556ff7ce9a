// Package ledgertest has a store in memory, for tests of the ledger and of
// what is built on it.
package ledgertest

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/poolscope/poolscope/internal/ledger"
)

// Memory is a [ledger.Store] that keeps everything in memory, in the simplest
// way: minutes are the only history it has, and longer periods are summed up
// when they are read. Fail makes it a store with a broken disk.
type Memory struct {
	mu      sync.Mutex
	err     error
	sources map[string]uint64
	workers map[string]*ledger.WorkerRecord
	minutes map[string]map[int64]ledger.MinuteRow
	best    []ledger.BestShare
	blocks  []ledger.Block
	applied int
}

var _ ledger.Store = (*Memory)(nil)

// NewMemory makes an empty store.
func NewMemory() *Memory {
	return &Memory{
		sources: map[string]uint64{},
		workers: map[string]*ledger.WorkerRecord{},
		minutes: map[string]map[int64]ledger.MinuteRow{},
	}
}

// Fail makes all methods fail with err, until it is called with nil.
func (m *Memory) Fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.err = err
}

// Applied is the number of batches that changed the store.
func (m *Memory) Applied() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.applied
}

// lock takes the lock and says whether the call may go on.
func (m *Memory) lock(ctx context.Context) (unlock func(), err error) {
	m.mu.Lock()
	return m.mu.Unlock, cmp.Or(ctx.Err(), m.err)
}

// Load implements [ledger.Store].
func (m *Memory) Load(ctx context.Context, since time.Time, limit int) (*ledger.State, error) {
	unlock, err := m.lock(ctx)
	defer unlock()
	if err != nil {
		return nil, err
	}

	state := &ledger.State{BestShares: slices.Clone(m.best)}
	for _, r := range m.workers {
		if r.Name == ledger.PoolName {
			state.Pool = copyOf(r)
		} else if !r.LastSeen.Before(millis(since)) {
			state.Workers = append(state.Workers, copyOf(r))
		}
	}
	slices.SortFunc(state.Workers, func(a, b ledger.WorkerRecord) int { return b.LastSeen.Compare(a.LastSeen) })
	state.Workers = state.Workers[:min(len(state.Workers), limit)]

	slices.SortStableFunc(m.blocks, func(a, b ledger.Block) int { return b.FoundAt.Compare(a.FoundAt) })
	for i, b := range m.blocks {
		if i < ledger.MaxBlocks || b.State.Open() {
			state.Blocks = append(state.Blocks, b)
		}
		switch b.State {
		case ledger.BlockAccepted, ledger.BlockConfirmed:
			state.BlocksAccepted++
		case ledger.BlockRejected:
			state.BlocksRejected++
		}
	}
	return state, nil
}

// Workers implements [ledger.Store].
func (m *Memory) Workers(ctx context.Context, names []string) ([]ledger.WorkerRecord, error) {
	unlock, err := m.lock(ctx)
	defer unlock()
	if err != nil {
		return nil, err
	}
	var list []ledger.WorkerRecord
	for _, name := range names {
		if r, ok := m.workers[name]; ok {
			list = append(list, copyOf(r))
		}
	}
	return list, nil
}

// Apply implements [ledger.Store].
func (m *Memory) Apply(ctx context.Context, b *ledger.Batch) error {
	unlock, err := m.lock(ctx)
	defer unlock()
	if err != nil {
		return err
	}
	if b.Seq <= m.sources[b.Source] {
		return nil
	}
	m.sources[b.Source] = b.Seq
	m.applied++

	for i := range b.Deltas {
		m.applyLocked(&b.Deltas[i])
	}
	for _, s := range b.BestShares {
		s.At = millis(s.At)
		known := func(o ledger.BestShare) bool { return o.Worker == s.Worker && o.Hash == s.Hash }
		if !slices.ContainsFunc(m.best, known) {
			m.best = append(m.best, s)
		}
	}
	slices.SortStableFunc(m.best, func(a, b ledger.BestShare) int {
		return cmp.Or(cmp.Compare(b.Difficulty, a.Difficulty), b.At.Compare(a.At))
	})
	m.best = m.best[:min(len(m.best), ledger.MaxBestShares)]
	return nil
}

func (m *Memory) applyLocked(d *ledger.Delta) {
	r := m.workers[d.Worker]
	if r == nil {
		r = &ledger.WorkerRecord{Name: d.Worker, FirstSeen: millis(d.FirstSeen)}
		m.workers[d.Worker] = r
		m.minutes[d.Worker] = map[int64]ledger.MinuteRow{}
	}
	r.Address, r.UserAgent = d.Address, d.UserAgent
	if t := millis(d.LastSeen); t.After(r.LastSeen) {
		r.LastSeen = t
	}
	if t := millis(d.LastShare); t.After(r.LastShare) {
		r.LastShare = t
	}
	if d.Best.Difficulty > r.Best.Difficulty {
		r.Best = d.Best
		r.Best.At = millis(d.Best.At)
	}
	if at := millis(d.Pace.At); at.After(r.Pace.At) {
		r.Pace = d.Pace
		r.Pace.At = at
	}

	r.Totals.Accepted += d.Totals.Accepted
	r.Totals.Rejected += d.Totals.Rejected
	r.Totals.Work += d.Totals.Work
	r.Totals.RejectedWork += d.Totals.RejectedWork
	for _, n := range d.Totals.Rejects {
		i := slices.IndexFunc(r.Totals.Rejects, func(o ledger.RejectCount) bool { return o.Reason == n.Reason })
		if i < 0 {
			r.Totals.Rejects = append(r.Totals.Rejects, n)
			continue
		}
		r.Totals.Rejects[i].Count += n.Count
		r.Totals.Rejects[i].Work += n.Work
	}
	slices.SortFunc(r.Totals.Rejects, func(a, b ledger.RejectCount) int { return cmp.Compare(a.Reason, b.Reason) })

	for _, row := range d.Rows {
		sum := m.minutes[d.Worker][row.Minute]
		m.minutes[d.Worker][row.Minute] = ledger.MinuteRow{
			Minute:   row.Minute,
			Accepted: sum.Accepted + row.Accepted, Rejected: sum.Rejected + row.Rejected,
			Work: sum.Work + row.Work, BestShare: max(sum.BestShare, row.BestShare),
			BlockHeight: max(sum.BlockHeight, row.BlockHeight),
		}
	}
}

// SaveBlock implements [ledger.Store].
func (m *Memory) SaveBlock(ctx context.Context, b ledger.Block) error {
	unlock, err := m.lock(ctx)
	defer unlock()
	if err != nil {
		return err
	}
	b.FoundAt = millis(b.FoundAt)
	i := slices.IndexFunc(m.blocks, func(o ledger.Block) bool { return o.Hash == b.Hash })
	if i < 0 {
		m.blocks = append(m.blocks, b)
	} else {
		m.blocks[i] = b
	}
	return nil
}

// History implements [ledger.Store].
func (m *Memory) History(ctx context.Context, worker string, res ledger.Resolution, from, to time.Time) ([]ledger.HistoryPoint, error) {
	unlock, err := m.lock(ctx)
	defer unlock()
	if err != nil {
		return nil, err
	}
	if res.Length() == 0 {
		return nil, ledger.ErrResolution
	}

	sums := map[time.Time]ledger.HistoryPoint{}
	for minute, row := range m.minutes[worker] {
		at := res.Start(time.Unix(minute*60, 0))
		if at.Before(from) || !at.Before(to) {
			continue
		}
		p := sums[at]
		p.At = at
		p.Accepted += row.Accepted
		p.Rejected += row.Rejected
		p.Work += row.Work
		p.BestShare = max(p.BestShare, row.BestShare)
		p.BlockHeight = max(p.BlockHeight, row.BlockHeight)
		sums[at] = p
	}
	var points []ledger.HistoryPoint
	for _, p := range sums {
		points = append(points, p)
	}
	slices.SortFunc(points, func(a, b ledger.HistoryPoint) int { return a.At.Compare(b.At) })
	return points, nil
}

// Maintain implements [ledger.Store]. Nothing is ever deleted.
func (m *Memory) Maintain(ctx context.Context, _ time.Time) (bool, error) {
	unlock, err := m.lock(ctx)
	defer unlock()
	return false, err
}

// copyOf is a record that shares nothing with the store.
func copyOf(r *ledger.WorkerRecord) ledger.WorkerRecord {
	c := *r
	c.Totals.Rejects = slices.Clone(r.Totals.Rejects)
	return c
}

// millis is the resolution of stored times.
func millis(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return time.UnixMilli(t.UnixMilli()).UTC()
}
