package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/poolscope/poolscope/internal/alert"
)

// Alerts is the part of the store that keeps alerts.
type Alerts struct{ s *SQLite }

// Alerts returns the store of alerts. It lives as long as the whole.
func (s *SQLite) Alerts() Alerts { return Alerts{s} }

var _ alert.Store = Alerts{}

const (
	sqlChannelColumns = `id, user_id, kind, name, enabled, settings, quiet, confirmed, code, code_until, code_tries,
		created, last_sent, last_error, error_at`
	sqlRuleColumns = `id, user_id, name, enabled, kinds, scope, workers, alarms, channels,
		offline_after, reject_percent, reject_window, reject_shares, min_difficulty, created`
)

// Channels implements [alert.Store].
func (a Alerts) Channels(ctx context.Context) (list []alert.Channel, err error) {
	err = a.s.view(ctx, func(tx *sql.Tx) (err error) {
		list, err = query(ctx, tx, scanChannel, `SELECT `+sqlChannelColumns+` FROM alert_channels ORDER BY created, id`)
		return err
	})
	return list, wrap("read channels", err)
}

func scanChannel(rows *sql.Rows) (c alert.Channel, err error) {
	var settings, quiet, code string
	var until, created, sent, failed int64
	if err := rows.Scan(&c.ID, &c.UserID, &c.Kind, &c.Name, &c.Enabled, &settings, &quiet, &c.Confirmed, &code, &until, &c.CodeTries,
		&created, &sent, &c.LastError, &failed); err != nil {
		return c, err
	}
	c.CodeUntil, c.Created, c.LastSent, c.ErrorAt = fromMillis(until), fromMillis(created), fromMillis(sent), fromMillis(failed)
	if code != "" {
		if c.Code, err = hex.DecodeString(code); err != nil {
			return c, err
		}
	}
	return c, decodeAll(decoding{settings, &c.Settings}, decoding{quiet, &c.Quiet})
}

// Rules implements [alert.Store].
func (a Alerts) Rules(ctx context.Context) (list []alert.Rule, err error) {
	err = a.s.view(ctx, func(tx *sql.Tx) (err error) {
		list, err = query(ctx, tx, scanRule, `SELECT `+sqlRuleColumns+` FROM alert_rules ORDER BY created, id`)
		return err
	})
	return list, wrap("read rules", err)
}

func scanRule(rows *sql.Rows) (r alert.Rule, err error) {
	var kinds, workers, alarms, channels string
	var offline, window, shares, created int64
	if err := rows.Scan(&r.ID, &r.UserID, &r.Name, &r.Enabled, &kinds, &r.Scope, &workers, &alarms, &channels,
		&offline, &r.RejectPercent, &window, &shares, &r.MinDifficulty, &created); err != nil {
		return r, err
	}
	r.OfflineAfter, r.RejectWindow = time.Duration(offline)*time.Millisecond, time.Duration(window)*time.Millisecond
	r.RejectShares, r.Created = uint64(max(0, shares)), fromMillis(created)
	return r, decodeAll(decoding{kinds, &r.Kinds}, decoding{workers, &r.Workers}, decoding{alarms, &r.Alarms}, decoding{channels, &r.Channels})
}

// SaveChannel implements [alert.Store].
func (a Alerts) SaveChannel(ctx context.Context, c alert.Channel) error {
	settings, quiet := encode(c.Settings), encode(c.Quiet)
	err := a.s.transact(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO alert_channels (`+sqlChannelColumns+`)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			c.ID, c.UserID, c.Kind, c.Name, c.Enabled, settings, quiet, c.Confirmed, hex.EncodeToString(c.Code), toMillis(c.CodeUntil), c.CodeTries,
			toMillis(c.Created), toMillis(c.LastSent), c.LastError, toMillis(c.ErrorAt))
		return err
	})
	return wrap("save channel", err)
}

// SaveRule implements [alert.Store].
func (a Alerts) SaveRule(ctx context.Context, r alert.Rule) error {
	err := a.s.transact(ctx, func(tx *sql.Tx) error { return saveRule(ctx, tx, r) })
	return wrap("save rule", err)
}

func saveRule(ctx context.Context, tx *sql.Tx, r alert.Rule) error {
	_, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO alert_rules (`+sqlRuleColumns+`)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		r.ID, r.UserID, r.Name, r.Enabled, encode(r.Kinds), r.Scope, encode(r.Workers), encode(r.Alarms), encode(r.Channels),
		r.OfflineAfter.Milliseconds(), r.RejectPercent, r.RejectWindow.Milliseconds(), int64(r.RejectShares), r.MinDifficulty, toMillis(r.Created))
	return err
}

// DeleteChannel implements [alert.Store].
func (a Alerts) DeleteChannel(ctx context.Context, id string) error {
	err := a.s.transact(ctx, func(tx *sql.Tx) error {
		if err := deleteOne(ctx, tx, `DELETE FROM alert_channels WHERE id = ?`, id); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM alert_outbox WHERE channel = ?`, id); err != nil {
			return err
		}
		rules, err := query(ctx, tx, scanRule, `SELECT `+sqlRuleColumns+` FROM alert_rules`)
		if err != nil {
			return err
		}
		for _, r := range rules {
			if !slices.Contains(r.Channels, id) {
				continue
			}
			r.Channels = slices.DeleteFunc(r.Channels, func(other string) bool { return other == id })
			if err := saveRule(ctx, tx, r); err != nil {
				return err
			}
		}
		return nil
	})
	return wrap("delete channel", err)
}

// DeleteRule implements [alert.Store].
func (a Alerts) DeleteRule(ctx context.Context, id string) error {
	err := a.s.transact(ctx, func(tx *sql.Tx) error {
		return deleteOne(ctx, tx, `DELETE FROM alert_rules WHERE id = ?`, id)
	})
	return wrap("delete rule", err)
}

// deleteOne runs a statement that has to delete a row.
func deleteOne(ctx context.Context, tx *sql.Tx, q, id string) error {
	result, err := tx.ExecContext(ctx, q, id)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return cmp.Or(err, alert.ErrNotFound)
	}
	return nil
}

// NoteChannel implements [alert.Store].
func (a Alerts) NoteChannel(ctx context.Context, id string, o alert.Outcome) error {
	err := a.s.transact(ctx, func(tx *sql.Tx) (err error) {
		if o.Error == "" {
			_, err = tx.ExecContext(ctx, `UPDATE alert_channels SET last_sent = ?, last_error = '', error_at = 0 WHERE id = ?`, toMillis(o.At), id)
		} else {
			_, err = tx.ExecContext(ctx, `UPDATE alert_channels SET last_error = ?, error_at = ? WHERE id = ?`, o.Error, toMillis(o.At), id)
		}
		return err
	})
	return wrap("note channel", err)
}

// wrap says what failed.
func wrap(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// encode is a value that is known to be one of JSON's.
func encode(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic("store: " + err.Error())
	}
	return string(text)
}

// decoding is JSON and where it goes.
type decoding struct {
	text string
	into any
}

func decodeAll(all ...decoding) error {
	for _, d := range all {
		if err := json.Unmarshal([]byte(d.text), d.into); err != nil {
			return err
		}
	}
	return nil
}
