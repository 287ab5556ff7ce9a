package store

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"github.com/poolscope/poolscope/internal/alert"
)

const sqlEntryColumns = `id, key, channel, user_id, event, state, batch, attempts, next_try, error, created, updated`

// Noticed implements [alert.Store].
func (a Alerts) Noticed(ctx context.Context) (map[string][]byte, error) {
	noticed := make(map[string][]byte)
	err := a.s.view(ctx, func(tx *sql.Tx) error {
		_, err := query(ctx, tx, func(rows *sql.Rows) (struct{}, error) {
			var name, value string
			err := rows.Scan(&name, &value)
			noticed[name] = []byte(value)
			return struct{}{}, err
		}, `SELECT name, value FROM alert_noticed`)
		return err
	})
	return noticed, wrap("read what was noticed", err)
}

// Commit implements [alert.Store].
func (a Alerts) Commit(ctx context.Context, c alert.Change) (added int, err error) {
	if len(c.Put)+len(c.Forget)+len(c.Entries) == 0 {
		return 0, nil
	}
	err = a.s.transact(ctx, func(tx *sql.Tx) error {
		for name, value := range c.Put {
			if _, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO alert_noticed (name, value) VALUES (?, ?)`, name, string(value)); err != nil {
				return err
			}
		}
		for _, name := range c.Forget {
			if _, err := tx.ExecContext(ctx, `DELETE FROM alert_noticed WHERE name = ?`, name); err != nil {
				return err
			}
		}
		for i := range c.Entries {
			e := &c.Entries[i]
			result, err := tx.ExecContext(ctx, `INSERT OR IGNORE INTO alert_outbox
				(key, channel, user_id, event, state, batch, attempts, next_try, error, created, updated)
				VALUES (?, ?, ?, ?, ?, '', 0, ?, ?, ?, ?)`,
				e.Key, e.Channel, e.UserID, encode(e.Event), string(e.State), toMillis(e.NextTry), e.Error, toMillis(e.Created), toMillis(e.Created))
			if err != nil {
				return err
			}
			n, err := result.RowsAffected()
			if err != nil {
				return err
			}
			added += int(n)
		}
		return nil
	})
	if err != nil {
		return 0, wrap("write what was noticed", err)
	}
	return added, nil
}

// Open implements [alert.Store].
func (a Alerts) Open(ctx context.Context, limit int) ([]alert.Entry, error) {
	return a.entries(ctx, `WHERE state IN (?, ?) ORDER BY id LIMIT ?`, string(alert.Queued), string(alert.Sending), limit)
}

// Recent implements [alert.Store].
func (a Alerts) Recent(ctx context.Context, users []string, limit int) ([]alert.Entry, error) {
	if len(users) == 0 {
		return nil, nil
	}
	args := make([]any, 0, len(users)+1)
	for _, id := range users {
		args = append(args, id)
	}
	marks := strings.TrimSuffix(strings.Repeat("?, ", len(users)), ", ")
	return a.entries(ctx, `WHERE user_id IN (`+marks+`) ORDER BY id DESC LIMIT ?`, append(args, limit)...)
}

func (a Alerts) entries(ctx context.Context, where string, args ...any) (list []alert.Entry, err error) {
	err = a.s.view(ctx, func(tx *sql.Tx) (err error) {
		list, err = query(ctx, tx, scanEntry, `SELECT `+sqlEntryColumns+` FROM alert_outbox `+where, args...)
		return err
	})
	return list, wrap("read the outbox", err)
}

func scanEntry(rows *sql.Rows) (e alert.Entry, err error) {
	var event, state string
	var next, created, updated int64
	if err := rows.Scan(&e.ID, &e.Key, &e.Channel, &e.UserID, &event, &state, &e.Batch, &e.Attempts, &next, &e.Error, &created, &updated); err != nil {
		return e, err
	}
	e.State = alert.State(state)
	e.NextTry, e.Created, e.Updated = fromMillis(next), fromMillis(created), fromMillis(updated)
	return e, decodeAll(decoding{event, &e.Event})
}

// Begin implements [alert.Store].
func (a Alerts) Begin(ctx context.Context, ids []int64, batch string, at time.Time) error {
	return wrap("mark as being sent", a.each(ctx, ids, func(tx *sql.Tx, id int64) error {
		_, err := tx.ExecContext(ctx, `UPDATE alert_outbox SET state = ?, batch = ?, attempts = attempts + 1, updated = ? WHERE id = ?`,
			string(alert.Sending), batch, toMillis(at), id)
		return err
	}))
}

// Finish implements [alert.Store].
func (a Alerts) Finish(ctx context.Context, ids []int64, o alert.Outcome) error {
	return wrap("write what became of messages", a.each(ctx, ids, func(tx *sql.Tx, id int64) error {
		_, err := tx.ExecContext(ctx, `UPDATE alert_outbox SET state = ?, next_try = ?, error = ?, updated = ? WHERE id = ?`,
			string(o.State), toMillis(o.NextTry), o.Error, toMillis(o.At), id)
		return err
	}))
}

// each does something for each id, in one transaction.
func (a Alerts) each(ctx context.Context, ids []int64, do func(tx *sql.Tx, id int64) error) error {
	return a.s.transact(ctx, func(tx *sql.Tx) error {
		for _, id := range ids {
			if err := do(tx, id); err != nil {
				return err
			}
		}
		return nil
	})
}

// Trim implements [alert.Store].
func (a Alerts) Trim(ctx context.Context, before time.Time, keep int) error {
	open := []any{string(alert.Queued), string(alert.Sending)}
	err := a.s.transact(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM alert_outbox WHERE updated < ? AND state NOT IN (?, ?)`,
			append([]any{toMillis(before)}, open...)...); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM alert_outbox WHERE state NOT IN (?, ?) AND id NOT IN
			(SELECT id FROM alert_outbox WHERE state NOT IN (?, ?) ORDER BY id DESC LIMIT ?)`,
			append(append(slices.Clone(open), open...), keep)...)
		return err
	})
	return wrap("trim the outbox", err)
}
