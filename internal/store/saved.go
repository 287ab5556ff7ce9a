package store

import (
	"context"
	"database/sql"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/poolscope/poolscope/internal/account/saved"
	"github.com/poolscope/poolscope/internal/ledger"
)

var _ saved.Store = (*SQLite)(nil)

// LoadSaved implements [saved.Store].
func (s *SQLite) LoadSaved(ctx context.Context) (*saved.State, error) {
	var state saved.State
	err := s.view(ctx, func(tx *sql.Tx) (err error) {
		if state.Records, err = query(ctx, tx, scanSaved,
			`SELECT user_id, worker, notify, added, proven, claim, claim_expires, claim_refused FROM saved_workers`); err != nil {
			return err
		}
		if state.Addresses, err = query(ctx, tx, func(rows *sql.Rows) (a saved.OwnedAddress, err error) {
			var proven int64
			err = rows.Scan(&a.UserID, &a.Address, &proven)
			a.Proven = fromMillis(proven)
			return a, err
		}, `SELECT user_id, address, proven FROM owned_addresses`); err != nil {
			return err
		}
		if state.Orders, err = query(ctx, tx, func(rows *sql.Rows) (o saved.Order, err error) {
			var at int64
			err = rows.Scan(&o.Worker, &o.Difficulty, &o.UserID, &at)
			o.At = fromMillis(at)
			return o, err
		}, `SELECT worker, difficulty, user_id, at FROM worker_orders`); err != nil {
			return err
		}
		state.Sightings, err = query(ctx, tx, scanSighting,
			`SELECT worker, since, last_online, home, home_at, minute, day, home_since, next, next_at, next_since FROM sightings`)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("load saved workers: %w", err)
	}
	return &state, nil
}

func scanSaved(rows *sql.Rows) (r saved.Record, err error) {
	var added, proven, expires int64
	err = rows.Scan(&r.UserID, &r.Worker, &r.Notify, &added, &proven, &r.Claim.Code, &expires, &r.Claim.Refused)
	r.Added, r.Proven, r.Claim.Expires = fromMillis(added), fromMillis(proven), fromMillis(expires)
	return r, err
}

func scanSighting(rows *sql.Rows) (g saved.Sighting, err error) {
	var since, last, homeAt, homeSince, nextAt, nextSince int64
	var home, next string
	var day []byte
	err = rows.Scan(&g.Worker, &since, &last, &home, &homeAt, &g.Minute, &day, &homeSince, &next, &nextAt, &nextSince)
	g.Since, g.LastOnline, g.HomeAt, g.HomeSince = fromMillis(since), fromMillis(last), fromMillis(homeAt), fromMillis(homeSince)
	g.NextAt, g.NextSince = fromMillis(nextAt), fromMillis(nextSince)
	// One that cannot be read is one that is not known.
	if p, bad := netip.ParsePrefix(home); bad == nil {
		g.Home = p
	}
	if p, bad := netip.ParsePrefix(next); bad == nil {
		g.Next = p
	}
	copy(g.Day[:], day)
	return g, err
}

// PutSaved implements [saved.Store].
func (s *SQLite) PutSaved(ctx context.Context, records ...saved.Record) error {
	return s.changeSaved(ctx, "save worker", func(tx *sql.Tx) error {
		for _, r := range records {
			if _, err := tx.ExecContext(ctx, `INSERT INTO saved_workers (user_id, worker, notify, added, proven, claim, claim_expires, claim_refused) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
				ON CONFLICT (user_id, worker) DO UPDATE SET notify = excluded.notify, added = excluded.added, proven = excluded.proven,
				claim = excluded.claim, claim_expires = excluded.claim_expires, claim_refused = excluded.claim_refused`,
				r.UserID, r.Worker, r.Notify, toMillis(r.Added), toMillis(r.Proven), r.Claim.Code, toMillis(r.Claim.Expires), r.Claim.Refused); err != nil {
				return err
			}
		}
		return nil
	})
}

// RemoveSaved implements [saved.Store].
func (s *SQLite) RemoveSaved(ctx context.Context, userID, worker string) error {
	return s.changeSaved(ctx, "remove saved worker", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM saved_workers WHERE user_id = ? AND worker = ?`, userID, worker)
		return err
	})
}

// PutOwnedAddress implements [saved.Store].
func (s *SQLite) PutOwnedAddress(ctx context.Context, a saved.OwnedAddress) error {
	return s.changeSaved(ctx, "save owned address", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO owned_addresses (user_id, address, proven) VALUES (?, ?, ?)
			ON CONFLICT (user_id, address) DO UPDATE SET proven = excluded.proven`, a.UserID, a.Address, toMillis(a.Proven))
		return err
	})
}

// RemoveOwnedAddress implements [saved.Store].
func (s *SQLite) RemoveOwnedAddress(ctx context.Context, userID, address string) error {
	return s.changeSaved(ctx, "remove owned address", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM owned_addresses WHERE user_id = ? AND address = ?`, userID, address)
		return err
	})
}

// PutOrder implements [saved.Store].
func (s *SQLite) PutOrder(ctx context.Context, o saved.Order) error {
	return s.changeSaved(ctx, "save order", func(tx *sql.Tx) error {
		if o.Difficulty == 0 {
			_, err := tx.ExecContext(ctx, `DELETE FROM worker_orders WHERE worker = ?`, o.Worker)
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO worker_orders (worker, difficulty, user_id, at) VALUES (?, ?, ?, ?)
			ON CONFLICT (worker) DO UPDATE SET difficulty = excluded.difficulty, user_id = excluded.user_id, at = excluded.at`,
			o.Worker, o.Difficulty, o.UserID, toMillis(o.At))
		return err
	})
}

// PutSightings implements [saved.Store].
func (s *SQLite) PutSightings(ctx context.Context, list []saved.Sighting) error {
	return s.changeSaved(ctx, "save sightings", func(tx *sql.Tx) error {
		for i := range list {
			g := &list[i]
			if _, err := tx.ExecContext(ctx, `INSERT INTO sightings (worker, since, last_online, home, home_at, minute, day, home_since, next, next_at, next_since)
				VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
				ON CONFLICT (worker) DO UPDATE SET since = excluded.since, last_online = excluded.last_online, home = excluded.home,
				home_at = excluded.home_at, minute = excluded.minute, day = excluded.day, home_since = excluded.home_since,
				next = excluded.next, next_at = excluded.next_at, next_since = excluded.next_since`,
				g.Worker, toMillis(g.Since), toMillis(g.LastOnline), block(g.Home), toMillis(g.HomeAt), g.Minute, g.Day[:], toMillis(g.HomeSince),
				block(g.Next), toMillis(g.NextAt), toMillis(g.NextSince)); err != nil {
				return err
			}
		}
		return nil
	})
}

// block writes a block of addresses, "" when it is not valid.
func block(p netip.Prefix) string {
	if !p.IsValid() {
		return ""
	}
	return p.String()
}

// RemoveSightings implements [saved.Store].
func (s *SQLite) RemoveSightings(ctx context.Context, workers []string) error {
	return s.changeSaved(ctx, "remove sightings", func(tx *sql.Tx) error {
		for _, worker := range workers {
			if _, err := tx.ExecContext(ctx, `DELETE FROM sightings WHERE worker = ?`, worker); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *SQLite) changeSaved(ctx context.Context, what string, f func(*sql.Tx) error) error {
	if err := s.transact(ctx, f); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// SavedUsers implements [saved.Store].
func (s *SQLite) SavedUsers(ctx context.Context) (users []string, err error) {
	err = s.view(ctx, func(tx *sql.Tx) error {
		users, err = query(ctx, tx, scanText, `SELECT DISTINCT user_id FROM saved_workers`)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list who saved workers: %w", err)
	}
	return users, nil
}

func scanText(rows *sql.Rows) (text string, err error) {
	err = rows.Scan(&text)
	return text, err
}

// WorkersOf lists the workers of a payout address that ever had a share accepted,
// the last seen first, at most limit of them.
func (s *SQLite) WorkersOf(ctx context.Context, address string, limit int) (names []string, err error) {
	err = s.view(ctx, func(tx *sql.Tx) error {
		names, err = query(ctx, tx, scanText, `SELECT name FROM workers WHERE address = ? AND name <> ? ORDER BY last_seen DESC, name LIMIT ?`,
			address, ledger.PoolName, limit)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list workers of an address: %w", err)
	}
	return names, nil
}

// WorkSums adds up, in one look at the minutes from one time to another, the work
// of some workers in periods of so many minutes. Periods without work are left
// out; the others come oldest first. The time comes first in the key of minutes,
// so it looks at one minute after the other, and in each at these workers only:
// what that costs does not depend on how many others there are.
func (s *SQLite) WorkSums(ctx context.Context, names []string, from, to time.Time, minutes int) (map[string][]saved.WorkSum, error) {
	sums := make(map[string][]saved.WorkSum)
	if len(names) == 0 {
		return sums, nil
	}
	length := int64(minutes) * 60
	args := []any{length, ceilUnix(from.Unix(), 60), to.Unix()}
	for _, name := range names {
		args = append(args, name)
	}
	type row struct {
		name string
		sum  saved.WorkSum
	}
	err := s.view(ctx, func(tx *sql.Tx) error {
		rows, err := query(ctx, tx, func(rows *sql.Rows) (r row, err error) {
			var period int64
			err = rows.Scan(&r.name, &period, &r.sum.Work)
			r.sum.At = time.Unix(period*length, 0).UTC()
			return r, err
		}, `WITH RECURSIVE minute (start) AS (SELECT ?2 UNION ALL SELECT start + 60 FROM minute WHERE start + 60 < ?3)
			SELECT w.name, m.at / ?1 AS period, sum(m.work)
			FROM minute CROSS JOIN workers w CROSS JOIN minutes m ON m.at = minute.start AND m.worker = w.id
			WHERE w.name IN (?4`+strings.Repeat(`, ?`, len(names)-1)+`) AND m.work > 0
			GROUP BY w.name, period ORDER BY w.name, period`, args...)
		for _, r := range rows {
			sums[r.name] = append(sums[r.name], r.sum)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("sum up work: %w", err)
	}
	return sums, nil
}
