package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/poolscope/poolscope/internal/ledger"
)

// maxIDs bounds the numbers of workers that are kept in memory.
const maxIDs = 65_536

// workerIDs remembers the numbers of workers' rows, which never change.
type workerIDs struct {
	mu sync.Mutex
	m  map[string]int64
}

func (w *workerIDs) get(name string) (int64, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	id, ok := w.m[name]
	return id, ok
}

// add remembers committed rows. A full memory starts over: that is simple,
// and costs one look-up per active worker.
func (w *workerIDs) add(fresh map[string]int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.m == nil || len(w.m)+len(fresh) > maxIDs {
		w.m = make(map[string]int64, len(fresh))
	}
	for name, id := range fresh {
		w.m[name] = id
	}
}

// Apply implements [ledger.Store].
func (s *SQLite) Apply(ctx context.Context, b *ledger.Batch) error {
	a := applier{stmts: s.stmts, ids: &s.ids, fresh: map[string]int64{}}
	err := s.transact(ctx, func(tx *sql.Tx) error { return a.batch(ctx, tx, b) })
	if err != nil {
		return fmt.Errorf("apply batch: %w", err)
	}
	s.ids.add(a.fresh)
	return nil
}

// transact runs f in a transaction on the connection that writes.
func (s *SQLite) transact(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := s.writer.BeginTx(ctx, nil)
	if err != nil {
		return classify(err)
	}
	if err := f(tx); err != nil {
		_ = tx.Rollback() // the error that counts is the first
		return classify(err)
	}
	return classify(tx.Commit())
}

// applier writes one batch.
type applier struct {
	stmts *statements
	ids   *workerIDs
	fresh map[string]int64 // rows seen for the first time, not committed yet

	insertWorker, updateWorker, addReject *sql.Stmt
	addMinute, addHour, addDay            *sql.Stmt
	minutesDone, hoursDone                int64
}

func (a *applier) batch(ctx context.Context, tx *sql.Tx, b *ledger.Batch) error {
	var last int64
	err := tx.QueryRowContext(ctx, `SELECT seq FROM sources WHERE name = ?`, b.Source).Scan(&last)
	switch {
	case err == nil && int64(b.Seq) <= last:
		return nil // written before
	case err != nil && !errors.Is(err, sql.ErrNoRows):
		return err
	}
	if _, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO sources (name, seq, at) VALUES (?, ?, ?)`,
		b.Source, int64(b.Seq), toMillis(b.At)); err != nil {
		return err
	}
	if err := tx.QueryRowContext(ctx, `SELECT minutes_done, hours_done FROM rollup`).Scan(&a.minutesDone, &a.hoursDone); err != nil {
		return err
	}

	a.insertWorker, a.updateWorker = tx.StmtContext(ctx, a.stmts.insertWorker), tx.StmtContext(ctx, a.stmts.updateWorker)
	a.addReject = tx.StmtContext(ctx, a.stmts.addReject)
	a.addMinute, a.addHour, a.addDay = tx.StmtContext(ctx, a.stmts.addMinute), tx.StmtContext(ctx, a.stmts.addHour), tx.StmtContext(ctx, a.stmts.addDay)
	// The driver has a goroutine watch every statement whose context can end. That
	// costs as much as a small statement, so the end is looked for in between.
	unwatched := context.WithoutCancel(ctx)
	for i := range b.Deltas {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := a.delta(unwatched, &b.Deltas[i]); err != nil {
			return err
		}
	}
	return applyBest(ctx, tx, b.BestShares)
}

// delta adds what happened to one worker.
func (a *applier) delta(ctx context.Context, d *ledger.Delta) error {
	id, err := a.id(ctx, d)
	if err != nil {
		return err
	}
	if _, err := a.updateWorker.ExecContext(ctx, id, d.Address, d.UserAgent, toMillis(d.LastSeen), toMillis(d.LastShare),
		int64(d.Totals.Accepted), int64(d.Totals.Rejected), d.Totals.Work, d.Totals.RejectedWork,
		d.Best.Difficulty, toMillis(d.Best.At), d.Best.Hash[:],
		d.Pace.Hashrate, d.Pace.Agent, toMillis(d.Pace.At)); err != nil {
		return err
	}
	for _, r := range d.Totals.Rejects {
		if _, err := a.addReject.ExecContext(ctx, id, r.Reason.Name(), int64(r.Count), r.Work); err != nil {
			return err
		}
	}
	for _, r := range d.Rows {
		if err := a.row(ctx, id, r); err != nil {
			return err
		}
	}
	return nil
}

// row adds to a minute, and to the hour and the day too when the minute has
// been rolled up already.
func (a *applier) row(ctx context.Context, id int64, r ledger.MinuteRow) error {
	add := func(stmt *sql.Stmt, at int64) error {
		_, err := stmt.ExecContext(ctx, at, id, int64(r.Accepted), int64(r.Rejected), r.Work, r.BestShare, r.BlockHeight)
		return err
	}
	minute := r.Minute * 60
	if err := add(a.addMinute, minute); err != nil {
		return err
	}
	if minute > a.minutesDone {
		return nil
	}
	if err := add(a.addHour, startOf(minute, ledger.Hour)); err != nil {
		return err
	}
	if startOf(minute, ledger.Hour) > a.hoursDone {
		return nil
	}
	return add(a.addDay, startOf(minute, ledger.Day))
}

// id finds the number of a worker's row, and makes the row if need be.
func (a *applier) id(ctx context.Context, d *ledger.Delta) (int64, error) {
	if id, ok := a.ids.get(d.Worker); ok {
		return id, nil
	}
	var id int64
	if err := a.insertWorker.QueryRowContext(ctx, d.Worker, toMillis(d.FirstSeen)).Scan(&id); err != nil {
		return 0, err
	}
	a.fresh[d.Worker] = id
	return id, nil
}

// applyBest enters candidates and keeps the best ones.
func applyBest(ctx context.Context, tx *sql.Tx, list []ledger.BestShare) error {
	if len(list) == 0 {
		return nil
	}
	for _, b := range list {
		if _, err := tx.ExecContext(ctx, `INSERT OR IGNORE INTO best_shares (worker, hash, difficulty, at) VALUES (?, ?, ?, ?)`,
			b.Worker, b.Hash[:], b.Difficulty, toMillis(b.At)); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, `DELETE FROM best_shares WHERE (worker, hash) NOT IN
		(SELECT worker, hash FROM best_shares ORDER BY difficulty DESC, at DESC, hash LIMIT ?)`, ledger.MaxBestShares)
	return err
}

// SaveBlock implements [ledger.Store]. Unlike other writes, it waits until
// the block is on the medium.
func (s *SQLite) SaveBlock(ctx context.Context, b ledger.Block) (err error) {
	conn, err := s.writer.Conn(ctx)
	if err != nil {
		return fmt.Errorf("save block: %w", classify(err))
	}
	defer func() {
		// Staying at FULL would cost speed, not safety.
		_, back := conn.ExecContext(context.WithoutCancel(ctx), `PRAGMA synchronous = NORMAL`)
		if err = errors.Join(err, back, conn.Close()); err != nil {
			err = fmt.Errorf("save block: %w", classify(err))
		}
	}()

	if _, err := conn.ExecContext(ctx, `PRAGMA synchronous = FULL`); err != nil {
		return err
	}
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	_, err = tx.StmtContext(ctx, s.stmts.saveBlock).ExecContext(ctx,
		b.Hash[:], b.Height, b.Worker, b.Address, toMillis(b.FoundAt), b.ShareDifficulty, b.NetworkDifficulty,
		b.Value, b.WorkerPayout, b.PoolFee, b.Donation, b.JobID, string(b.State), b.Confirmations, b.Reason)
	if err != nil {
		_ = tx.Rollback() // the error that counts is the first
		return err
	}
	return tx.Commit()
}

// toMillis is the form in which times are stored.
func toMillis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// fromMillis is the way back.
func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// startOf is the beginning of the period that a Unix time falls in.
func startOf(unix int64, res ledger.Resolution) int64 {
	length := int64(res.Length() / time.Second)
	start := unix - unix%length
	if start > unix {
		start -= length // before 1970
	}
	return start
}
