package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/poolscope/poolscope/internal/ledger"
	"github.com/poolscope/poolscope/internal/stratum"
)

const (
	sqlWorkerColumns = `id, name, address, user_agent, first_seen, last_seen, last_share,
		accepted, rejected, work, rejected_work, best_difficulty, best_at, best_hash, pace, pace_agent, pace_at`
	sqlBlockColumns = `hash, height, worker, address, found_at, share_difficulty, network_difficulty,
		value, worker_payout, pool_fee, donation, job_id, state, confirmations, reason`
	// maxNames is the number of names in one question; SQLite allows 32,766.
	maxNames = 500
)

// Load implements [ledger.Store].
func (s *SQLite) Load(ctx context.Context, since time.Time, limit int) (*ledger.State, error) {
	var state ledger.State
	err := s.view(ctx, func(tx *sql.Tx) error {
		pool, err := readWorkers(ctx, tx, `WHERE name = ?`, ledger.PoolName)
		if err != nil {
			return err
		}
		if len(pool) > 0 {
			state.Pool = pool[0]
		}
		state.Workers, err = readWorkers(ctx, tx, `WHERE name <> ? AND last_seen >= ? ORDER BY last_seen DESC, id LIMIT ?`,
			ledger.PoolName, toMillis(since), limit)
		if err != nil {
			return err
		}
		if state.BestShares, err = readBest(ctx, tx); err != nil {
			return err
		}
		if state.Blocks, err = readBlocks(ctx, tx); err != nil {
			return err
		}
		return tx.QueryRowContext(ctx,
			`SELECT count(*) FILTER (WHERE state IN (?, ?)), count(*) FILTER (WHERE state = ?) FROM blocks`,
			string(ledger.BlockAccepted), string(ledger.BlockConfirmed), string(ledger.BlockRejected),
		).Scan(&state.BlocksAccepted, &state.BlocksRejected)
	})
	if err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	return &state, nil
}

// Workers implements [ledger.Store].
func (s *SQLite) Workers(ctx context.Context, names []string) ([]ledger.WorkerRecord, error) {
	var records []ledger.WorkerRecord
	err := s.view(ctx, func(tx *sql.Tx) error {
		for chunk := range slices.Chunk(names, maxNames) {
			args := make([]any, len(chunk))
			for i, name := range chunk {
				args[i] = name
			}
			found, err := readWorkers(ctx, tx, `WHERE name IN (?`+strings.Repeat(`, ?`, len(chunk)-1)+`)`, args...)
			if err != nil {
				return err
			}
			records = append(records, found...)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read workers: %w", err)
	}
	return records, nil
}

// view runs f in a transaction that only reads, so that all of its questions
// are answered from one moment.
func (s *SQLite) view(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := s.reader.BeginTx(ctx, nil)
	if err != nil {
		return classify(err)
	}
	err = f(tx)
	_ = tx.Rollback() // nothing to commit
	return classify(err)
}

// readWorkers reads the records that a condition selects.
func readWorkers(ctx context.Context, tx *sql.Tx, where string, args ...any) ([]ledger.WorkerRecord, error) {
	var ids []int64
	records, err := query(ctx, tx, func(rows *sql.Rows) (r ledger.WorkerRecord, err error) {
		var id, first, last, share, bestAt, paceAt int64
		var hash []byte
		err = rows.Scan(&id, &r.Name, &r.Address, &r.UserAgent, &first, &last, &share,
			&r.Totals.Accepted, &r.Totals.Rejected, &r.Totals.Work, &r.Totals.RejectedWork,
			&r.Best.Difficulty, &bestAt, &hash, &r.Pace.Hashrate, &r.Pace.Agent, &paceAt)
		r.FirstSeen, r.LastSeen, r.LastShare = fromMillis(first), fromMillis(last), fromMillis(share)
		r.Best.At, r.Pace.At = fromMillis(bestAt), fromMillis(paceAt)
		copy(r.Best.Hash[:], hash)
		ids = append(ids, id)
		return r, err
	}, `SELECT `+sqlWorkerColumns+` FROM workers `+where, args...)
	if err != nil {
		return nil, err
	}

	reasons := make(map[string]stratum.Reject)
	for _, r := range stratum.Rejects() {
		reasons[r.Name()] = r
	}
	for i := range records {
		records[i].Totals.Rejects, err = readRejects(ctx, tx, ids[i], reasons)
		if err != nil {
			return nil, err
		}
	}
	return records, nil
}

// readRejects reads a worker's rejects in the order of the reject table. A
// reason that this version does not know counts as internal.
func readRejects(ctx context.Context, tx *sql.Tx, id int64, reasons map[string]stratum.Reject) ([]ledger.RejectCount, error) {
	list, err := query(ctx, tx, func(rows *sql.Rows) (n ledger.RejectCount, err error) {
		var name string
		err = rows.Scan(&name, &n.Count, &n.Work)
		var known bool
		if n.Reason, known = reasons[name]; !known {
			n.Reason = stratum.RejectInternal
		}
		return n, err
	}, `SELECT reason, count, work FROM worker_rejects WHERE worker = ?`, id)
	slices.SortFunc(list, func(a, b ledger.RejectCount) int { return int(a.Reason) - int(b.Reason) })
	return list, err
}

// readBest reads the best shares ever.
func readBest(ctx context.Context, tx *sql.Tx) ([]ledger.BestShare, error) {
	return query(ctx, tx, func(rows *sql.Rows) (b ledger.BestShare, err error) {
		var hash []byte
		var at int64
		err = rows.Scan(&b.Worker, &hash, &b.Difficulty, &at)
		copy(b.Hash[:], hash)
		b.At = fromMillis(at)
		return b, err
	}, `SELECT worker, hash, difficulty, at FROM best_shares ORDER BY difficulty DESC, at DESC, hash LIMIT ?`, ledger.MaxBestShares)
}

// readBlocks reads the latest blocks, and every older one that is still open.
func readBlocks(ctx context.Context, tx *sql.Tx) ([]ledger.Block, error) {
	return query(ctx, tx, func(rows *sql.Rows) (b ledger.Block, err error) {
		var hash []byte
		var at int64
		var state string
		err = rows.Scan(&hash, &b.Height, &b.Worker, &b.Address, &at, &b.ShareDifficulty, &b.NetworkDifficulty,
			&b.Value, &b.WorkerPayout, &b.PoolFee, &b.Donation, &b.JobID, &state, &b.Confirmations, &b.Reason)
		copy(b.Hash[:], hash)
		b.FoundAt, b.State = fromMillis(at), ledger.BlockState(state)
		return b, err
	}, `SELECT `+sqlBlockColumns+` FROM blocks
		WHERE state IN (?, ?) OR hash IN (SELECT hash FROM blocks ORDER BY found_at DESC LIMIT ?)
		ORDER BY found_at DESC`, string(ledger.BlockPending), string(ledger.BlockAccepted), ledger.MaxBlocks)
}

// query collects the rows of a question.
func query[T any](ctx context.Context, tx *sql.Tx, scan func(*sql.Rows) (T, error), q string, args ...any) (list []T, err error) {
	rows, err := tx.QueryContext(ctx, q, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, rows.Err()
}
