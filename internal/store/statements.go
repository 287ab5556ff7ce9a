package store

import (
	"context"
	"database/sql"
	"errors"
)

// statements are prepared once on the connection that writes.
type statements struct {
	all []*sql.Stmt

	insertWorker, updateWorker, addReject *sql.Stmt
	addMinute, addHour, addDay            *sql.Stmt
	saveBlock                             *sql.Stmt
}

const sqlInsertWorker = `
INSERT INTO workers (name, address, user_agent, first_seen, last_seen, last_share,
	accepted, rejected, work, rejected_work, best_difficulty, best_at, best_hash)
VALUES (?, '', '', ?, 0, 0, 0, 0, 0, 0, 0, 0, x'')
ON CONFLICT (name) DO UPDATE SET first_seen = min(first_seen, excluded.first_seen)
RETURNING id`

const sqlUpdateWorker = `
UPDATE workers SET
	address = ?2, user_agent = ?3,
	last_seen = max(last_seen, ?4), last_share = max(last_share, ?5),
	accepted = accepted + ?6, rejected = rejected + ?7,
	work = work + ?8, rejected_work = rejected_work + ?9,
	best_at = iif(?10 > best_difficulty, ?11, best_at),
	best_hash = iif(?10 > best_difficulty, ?12, best_hash),
	best_difficulty = max(best_difficulty, ?10),
	pace = iif(?15 > pace_at, ?13, pace),
	pace_agent = iif(?15 > pace_at, ?14, pace_agent),
	pace_at = max(pace_at, ?15)
WHERE id = ?1`

const sqlAddReject = `
INSERT INTO worker_rejects (worker, reason, count, work) VALUES (?, ?, ?, ?)
ON CONFLICT (worker, reason) DO UPDATE SET count = count + excluded.count, work = work + excluded.work`

// The three tables of history have the same columns, and a row that is there
// already is added to.
const (
	sqlHistoryColumns = `(at, worker, accepted, rejected, work, best_share, block_height)`
	sqlHistoryMerge   = `
ON CONFLICT (at, worker) DO UPDATE SET
	accepted = accepted + excluded.accepted,
	rejected = rejected + excluded.rejected,
	work = work + excluded.work,
	best_share = max(best_share, excluded.best_share),
	block_height = max(block_height, excluded.block_height)`
	sqlAddMinute = `INSERT INTO minutes ` + sqlHistoryColumns + ` VALUES (?, ?, ?, ?, ?, ?, ?)` + sqlHistoryMerge
	sqlAddHour   = `INSERT INTO hours ` + sqlHistoryColumns + ` VALUES (?, ?, ?, ?, ?, ?, ?)` + sqlHistoryMerge
	sqlAddDay    = `INSERT INTO days ` + sqlHistoryColumns + ` VALUES (?, ?, ?, ?, ?, ?, ?)` + sqlHistoryMerge
)

const sqlSaveBlock = `
INSERT OR REPLACE INTO blocks (hash, height, worker, address, found_at, share_difficulty, network_difficulty,
	value, worker_payout, pool_fee, donation, job_id, state, confirmations, reason)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

// prepare compiles the statements.
func prepare(ctx context.Context, db *sql.DB) (*statements, error) {
	s := &statements{}
	for _, p := range []struct {
		stmt  **sql.Stmt
		query string
	}{
		{&s.insertWorker, sqlInsertWorker},
		{&s.updateWorker, sqlUpdateWorker},
		{&s.addReject, sqlAddReject},
		{&s.addMinute, sqlAddMinute},
		{&s.addHour, sqlAddHour},
		{&s.addDay, sqlAddDay},
		{&s.saveBlock, sqlSaveBlock},
	} {
		stmt, err := db.PrepareContext(ctx, p.query)
		if err != nil {
			return nil, errors.Join(err, s.close())
		}
		*p.stmt = stmt
		s.all = append(s.all, stmt)
	}
	return s, nil
}

// close frees the statements.
func (s *statements) close() error {
	var errs []error
	for _, stmt := range s.all {
		errs = append(errs, stmt.Close())
	}
	return errors.Join(errs...)
}
