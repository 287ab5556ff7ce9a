package hub

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/poolscope/poolscope/internal/fleet"
)

// maxTipPoints bounds the blocks of a series.
const maxTipPoints = 500

// series reads an agent's telemetry of a run between two times, in so many steps at most.
// ok is false when there is none.
func (s *Store) series(ctx context.Context, run, agent string, since, until time.Time, points int) (out Series, ok bool, err error) {
	_ = s.Flush() // its failure is logged, and the rest can be shown
	step := max(until.Sub(since)/time.Duration(max(points, 1)), time.Second)
	out = Series{AgentID: agent, Since: fleet.FormatTime(since), Until: fleet.FormatTime(until), Step: step.Seconds(), Points: []Point{}, Tips: []TipPoint{}}
	if out.Points, err = s.points(ctx, run, agent, since, until, step); err != nil {
		return out, false, err
	}
	if out.Tips, err = s.tipPoints(ctx, run, agent, since, until); err != nil {
		return out, false, err
	}
	return out, len(out.Points) > 0, nil
}

// counters are those of one telemetry event.
type counters struct{ attempted, accepted, rejected uint64 }

// added is what was added to a counter; one that fell began anew.
func added(now, before uint64) uint64 {
	if now < before {
		return now
	}
	return now - before
}

func (s *Store) points(ctx context.Context, run, agent string, since, until time.Time, step time.Duration) (points []Point, err error) {
	var before counters
	known := false // what the agent counted before its first telemetry belongs to no step
	switch err := s.db.QueryRowContext(ctx, `SELECT attempted, accepted, rejected FROM telemetry WHERE run = ? AND agent = ? AND at < ? ORDER BY at DESC LIMIT 1`,
		run, agent, since.UnixNano()).Scan(&before.attempted, &before.accepted, &before.rejected); {
	case err == nil:
		known = true
	case !errors.Is(err, sql.ErrNoRows):
		return nil, err
	}
	rows, err := s.db.QueryContext(ctx, `SELECT at, connected, attempted, accepted, rejected, p50, p95, p99, connect FROM telemetry
		WHERE run = ? AND agent = ? AND at >= ? AND at < ? ORDER BY at, key`, run, agent, since.UnixNano(), until.UnixNano())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	points = []Point{}
	open, connected := int64(-1), 0
	for rows.Next() {
		var at int64
		var now counters
		var up bool
		var p Point
		if err := rows.Scan(&at, &up, &now.attempted, &now.accepted, &now.rejected, &p.P50, &p.P95, &p.P99, &p.Connect); err != nil {
			return nil, err
		}
		if n := (at - since.UnixNano()) / int64(step); n != open {
			open, connected = n, 0
			points = append(points, Point{At: fleet.FormatTime(since.Add(time.Duration(n) * step))})
		}
		if !known {
			before, known = now, true
		}
		last := &points[len(points)-1]
		last.Telemetry++
		if up {
			connected++
		}
		last.Connected = float64(connected) / float64(last.Telemetry)
		last.Attempted += added(now.attempted, before.attempted)
		last.Accepted += added(now.accepted, before.accepted)
		last.Rejected += added(now.rejected, before.rejected)
		last.P50, last.P95, last.P99, last.Connect = p.P50, p.P95, p.P99, p.Connect
		before = now
	}
	return points, rows.Err()
}

func (s *Store) tipPoints(ctx context.Context, run, agent string, since, until time.Time) (tips []TipPoint, err error) {
	rows, err := s.db.QueryContext(ctx, `SELECT t.block, t.height, t.seen, min(o.seen), count(*) FROM tips t JOIN tips o ON o.run = t.run AND o.block = t.block
		WHERE t.run = ? AND t.agent = ? AND t.seen >= ? AND t.seen < ? GROUP BY t.block HAVING count(*) > 1 ORDER BY t.seen DESC LIMIT ?`,
		run, agent, since.UnixNano(), until.UnixNano(), maxTipPoints)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	tips = []TipPoint{}
	for rows.Next() {
		var p TipPoint
		var seen, first int64
		if err := rows.Scan(&p.PrevHash, &p.Height, &seen, &first, &p.Agents); err != nil {
			return nil, err
		}
		p.At, p.Delay = fleet.FormatTime(time.Unix(0, seen)), fleet.Round(float64(seen-first)/1e6)
		tips = append(tips, p)
	}
	for i, j := 0, len(tips)-1; i < j; i, j = i+1, j-1 {
		tips[i], tips[j] = tips[j], tips[i]
	}
	return tips, rows.Err()
}
