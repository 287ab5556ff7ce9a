package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/poolscope/poolscope/internal/ledger"
)

// tables are the tables of history, by what one row of them spans.
var tables = map[ledger.Resolution]string{
	ledger.Minute: "minutes",
	ledger.Hour:   "hours",
	ledger.Day:    "days",
}

// History implements [ledger.Store].
//
// Hours are what has been rolled up into them plus the minutes that have not
// been yet, and days likewise.
func (s *SQLite) History(ctx context.Context, worker string, res ledger.Resolution, from, to time.Time) ([]ledger.HistoryPoint, error) {
	if res.Length() == 0 {
		return nil, fmt.Errorf("history: %w: %q", ledger.ErrResolution, res)
	}
	var points []ledger.HistoryPoint
	err := s.view(ctx, func(tx *sql.Tx) (err error) {
		points, err = readHistory(ctx, tx, worker, res, from, to)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	return points, nil
}

func readHistory(ctx context.Context, tx *sql.Tx, worker string, res ledger.Resolution, from, to time.Time) ([]ledger.HistoryPoint, error) {
	var id int64
	err := tx.QueryRowContext(ctx, `SELECT id FROM workers WHERE name = ?`, worker).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var minutesDone, hoursDone int64
	if err := tx.QueryRowContext(ctx, `SELECT minutes_done, hours_done FROM rollup`).Scan(&minutesDone, &hoursDone); err != nil {
		return nil, err
	}

	// Periods that begin in [first, end).
	first, end := ceil(from, res), ceil(to, res)
	points, err := readPeriods(ctx, tx, id, res, first, end)
	if err != nil {
		return nil, err
	}
	if res == ledger.Day {
		finer, err := readPeriods(ctx, tx, id, ledger.Hour, max(first, hoursDone+1), end)
		if err != nil {
			return nil, err
		}
		points = append(points, finer...)
	}
	if res != ledger.Minute {
		finer, err := readPeriods(ctx, tx, id, ledger.Minute, max(first, minutesDone+1), end)
		if err != nil {
			return nil, err
		}
		points = append(points, finer...)
	}
	return sumUp(points, res), nil
}

// readPeriods reads a worker's rows of one table with first <= at < end. The
// time comes first in the key, so it looks at one period after the other.
func readPeriods(ctx context.Context, tx *sql.Tx, id int64, res ledger.Resolution, first, end int64) ([]ledger.HistoryPoint, error) {
	table, length := tables[res], int64(res.Length()/time.Second)
	var oldest, newest sql.NullInt64
	if err := tx.QueryRowContext(ctx, `SELECT (SELECT min(at) FROM `+table+`), (SELECT max(at) FROM `+table+`)`).
		Scan(&oldest, &newest); err != nil {
		return nil, err
	}
	first, end = max(first, oldest.Int64), min(end, newest.Int64+1)
	if first = ceilUnix(first, length); !oldest.Valid || first >= end {
		return nil, nil
	}

	return query(ctx, tx, func(rows *sql.Rows) (p ledger.HistoryPoint, err error) {
		var at int64
		err = rows.Scan(&at, &p.Accepted, &p.Rejected, &p.Work, &p.BestShare, &p.BlockHeight)
		p.At = time.Unix(at, 0).UTC()
		return p, err
	}, `WITH RECURSIVE period (start) AS (SELECT ?1 UNION ALL SELECT start + ?2 FROM period WHERE start + ?2 < ?3)
		SELECT h.at, h.accepted, h.rejected, h.work, h.best_share, h.block_height
		FROM period CROSS JOIN `+table+` h ON h.at = period.start AND h.worker = ?4
		ORDER BY period.start`, first, length, end, id)
}

// sumUp joins points of the same period.
func sumUp(points []ledger.HistoryPoint, res ledger.Resolution) []ledger.HistoryPoint {
	for i := range points {
		points[i].At = res.Start(points[i].At)
	}
	slices.SortStableFunc(points, func(a, b ledger.HistoryPoint) int { return cmp.Compare(a.At.Unix(), b.At.Unix()) })

	var sums []ledger.HistoryPoint
	for _, p := range points {
		n := len(sums)
		if n == 0 || !sums[n-1].At.Equal(p.At) {
			sums = append(sums, p)
			continue
		}
		sum := &sums[n-1]
		sum.Accepted += p.Accepted
		sum.Rejected += p.Rejected
		sum.Work += p.Work
		sum.BestShare = max(sum.BestShare, p.BestShare)
		sum.BlockHeight = max(sum.BlockHeight, p.BlockHeight)
	}
	return sums
}

// ceil is the Unix time of the first period that begins at t or later.
func ceil(t time.Time, res ledger.Resolution) int64 {
	unix := t.Unix()
	if t.Nanosecond() > 0 {
		unix++
	}
	return ceilUnix(unix, int64(res.Length()/time.Second))
}

func ceilUnix(unix, length int64) int64 {
	if rest := unix % length; rest > 0 {
		return unix - rest + length
	} else if rest < 0 {
		return unix - rest
	}
	return unix
}
