package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/poolscope/poolscope/internal/ledger"
)

const (
	// maxRolls is the number of periods that one call rolls up, each in a
	// transaction of its own.
	maxRolls = 20
	// maxDeletes is about the number of rows that one call deletes per table.
	maxDeletes = 5_000
	// settleTime is how long after its end a minute is rolled up. What comes
	// later still is added to the hour directly.
	settleTime = 30 * time.Second
	// sourceRetention is how long the last batch of a run is remembered. A run
	// that is alive writes every minute.
	sourceRetention = 48 * time.Hour
)

// Maintain implements [ledger.Store].
func (s *SQLite) Maintain(ctx context.Context, now time.Time) (more bool, err error) {
	for range maxRolls {
		if more, err = s.rollUp(ctx, now); err != nil {
			return false, fmt.Errorf("roll up: %w", err)
		}
		if !more {
			break
		}
	}

	left, err := s.prune(ctx, now)
	if err != nil {
		return false, fmt.Errorf("delete old history: %w", err)
	}
	return more || left, nil
}

// rollUp adds the oldest complete minute that is not in its hour yet to that
// hour; when there is none, the oldest complete hour to its day.
func (s *SQLite) rollUp(ctx context.Context, now time.Time) (more bool, err error) {
	err = s.transact(ctx, func(tx *sql.Tx) error {
		var minutesDone, hoursDone int64
		if err := tx.QueryRowContext(ctx, `SELECT minutes_done, hours_done FROM rollup`).Scan(&minutesDone, &hoursDone); err != nil {
			return err
		}

		// What is before this is complete.
		minuteEnd := startOf(now.Add(-settleTime).Unix(), ledger.Minute)
		minute, found, err := oldestBetween(ctx, tx, "minutes", minutesDone, minuteEnd)
		if err != nil {
			return err
		}
		if found {
			more = true
			if err := roll(ctx, tx, "minutes", "hours", minute, startOf(minute, ledger.Hour)); err != nil {
				return err
			}
			_, err = tx.ExecContext(ctx, `UPDATE rollup SET minutes_done = ?`, minute)
			return err
		}

		hourEnd := startOf(minuteEnd, ledger.Hour)
		hour, found, err := oldestBetween(ctx, tx, "hours", hoursDone, hourEnd)
		if err != nil {
			return err
		}
		if found {
			more = true
			if err := roll(ctx, tx, "hours", "days", hour, startOf(hour, ledger.Day)); err != nil {
				return err
			}
			_, err = tx.ExecContext(ctx, `UPDATE rollup SET hours_done = ?`, hour)
			return err
		}

		// Periods without rows are done too: a row that comes later must go
		// to the sums directly.
		if minuteEnd-60 <= minutesDone && hourEnd-3600 <= hoursDone {
			return nil
		}
		_, err = tx.ExecContext(ctx, `UPDATE rollup SET minutes_done = max(minutes_done, ?), hours_done = max(hours_done, ?)`,
			minuteEnd-60, hourEnd-3600)
		return err
	})
	return more, err
}

// oldestBetween is the oldest period of a table with after < at < before.
func oldestBetween(ctx context.Context, tx *sql.Tx, table string, after, before int64) (at int64, found bool, err error) {
	var oldest sql.NullInt64
	err = tx.QueryRowContext(ctx, `SELECT min(at) FROM `+table+` WHERE at > ? AND at < ?`, after, before).Scan(&oldest)
	return oldest.Int64, oldest.Valid, err
}

// roll adds all rows of one period to the longer period that it is part of.
func roll(ctx context.Context, tx *sql.Tx, from, to string, at, start int64) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO `+to+` `+sqlHistoryColumns+`
		SELECT ?, worker, accepted, rejected, work, best_share, block_height FROM `+from+` WHERE at = ?`+sqlHistoryMerge, start, at)
	return err
}

// prune deletes some of what is past its retention, but nothing that has not
// been rolled up.
func (s *SQLite) prune(ctx context.Context, now time.Time) (more bool, err error) {
	for _, t := range []struct {
		table, done string
		retention   time.Duration
	}{
		{"minutes", "minutes_done", ledger.MinuteRetention},
		{"hours", "hours_done", ledger.HourRetention},
	} {
		err := s.transact(ctx, func(tx *sql.Tx) error {
			// The period up to which maxDeletes rows are deleted, if there
			// are that many.
			end := now.Add(-t.retention).Unix()
			var stop sql.NullInt64
			if err := tx.QueryRowContext(ctx, `SELECT (SELECT at FROM `+t.table+` WHERE at < ? ORDER BY at, worker LIMIT 1 OFFSET ?)`,
				end, maxDeletes).Scan(&stop); err != nil {
				return err
			}
			if stop.Valid {
				more = true
				end = stop.Int64 + 1
			}
			_, err := tx.ExecContext(ctx, `DELETE FROM `+t.table+` WHERE at < ? AND at <= (SELECT `+t.done+` FROM rollup)`, end)
			return err
		})
		if err != nil {
			return false, err
		}
	}
	_, err = s.writer.ExecContext(ctx, `DELETE FROM sources WHERE at < ?`, toMillis(now.Add(-sourceRetention)))
	return more, classify(err)
}
