package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/poolscope/poolscope/internal/account/link"
)

var _ link.Store = (*SQLite)(nil)

// LinkTag implements [link.Store].
func (s *SQLite) LinkTag(ctx context.Context, proposed string) (tag string, err error) {
	err = s.transact(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO link_tag (id, tag) VALUES (1, ?) ON CONFLICT (id) DO NOTHING`, proposed); err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, `SELECT tag FROM link_tag WHERE id = 1`).Scan(&tag)
	})
	if err != nil {
		return "", fmt.Errorf("tag of link codes: %w", err)
	}
	return tag, nil
}

// SaveLinkCode implements [link.Store].
func (s *SQLite) SaveLinkCode(ctx context.Context, userID string, hash []byte, now, expires time.Time) error {
	err := s.transact(ctx, func(tx *sql.Tx) error {
		var known int
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM users WHERE id = ?`, userID).Scan(&known); err != nil {
			return err
		}
		if known == 0 {
			return link.ErrNoAccount
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM link_codes WHERE expires <= ? OR user_id = ?`, toMillis(now), userID); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO link_codes (user_id, code, expires) VALUES (?, ?, ?)`, userID, hash, toMillis(expires))
		return err
	})
	if err != nil {
		return fmt.Errorf("save link code: %w", err)
	}
	return nil
}

// ClearLinkCode implements [link.Store].
func (s *SQLite) ClearLinkCode(ctx context.Context, userID string, hash []byte, now time.Time) (cleared bool, err error) {
	cleared, err = s.changed(ctx, `DELETE FROM link_codes WHERE user_id = ? AND code = ? AND expires > ?`, userID, hash, toMillis(now))
	if err != nil {
		return false, fmt.Errorf("clear link code: %w", err)
	}
	return cleared, nil
}

// RedeemLinkCode implements [link.Store].
func (s *SQLite) RedeemLinkCode(ctx context.Context, hash []byte, discordID, discordName string, now time.Time) (r link.Redeemed, ok bool, err error) {
	err = s.transact(ctx, func(tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, `SELECT c.user_id FROM link_codes c JOIN users u ON u.id = c.user_id
			WHERE c.code = ? AND c.expires > ? AND u.disabled = 0`, hash, toMillis(now)).Scan(&r.UserID)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		ok = true
		if err := lookUp(ctx, tx, &r.MovedFrom, `SELECT user_id FROM discord_links WHERE discord_id = ? AND user_id <> ?`, discordID, r.UserID); err != nil {
			return err
		}
		if err := lookUp(ctx, tx, &r.Replaced, `SELECT discord_id FROM discord_links WHERE user_id = ? AND discord_id <> ?`, r.UserID, discordID); err != nil {
			return err
		}
		for _, step := range []struct {
			sql  string
			args []any
		}{
			{`DELETE FROM link_codes WHERE user_id = ?`, []any{r.UserID}},
			{`DELETE FROM discord_links WHERE user_id = ? OR discord_id = ?`, []any{r.UserID, discordID}},
			{
				`INSERT INTO discord_links (user_id, discord_id, discord_name, enabled, linked, updated) VALUES (?, ?, ?, 1, ?, ?)`,
				[]any{r.UserID, discordID, discordName, toMillis(now), toMillis(now)},
			},
		} {
			if _, err := tx.ExecContext(ctx, step.sql, step.args...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return link.Redeemed{}, false, fmt.Errorf("redeem link code: %w", err)
	}
	return r, ok, nil
}

// lookUp reads one text, and leaves into as it is when there is none.
func lookUp(ctx context.Context, tx *sql.Tx, into *string, q string, args ...any) error {
	err := tx.QueryRowContext(ctx, q, args...).Scan(into)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return err
}

// DiscordLink implements [link.Store].
func (s *SQLite) DiscordLink(ctx context.Context, userID string) (link.Link, bool, error) {
	return s.discordLink(ctx, `SELECT user_id, discord_id, discord_name, enabled, linked, updated FROM discord_links WHERE user_id = ?`, userID)
}

// DiscordLinkOf implements [link.Store].
func (s *SQLite) DiscordLinkOf(ctx context.Context, discordID string) (link.Link, bool, error) {
	return s.discordLink(ctx, `SELECT user_id, discord_id, discord_name, enabled, linked, updated FROM discord_links WHERE discord_id = ?`, discordID)
}

func (s *SQLite) discordLink(ctx context.Context, q, arg string) (l link.Link, ok bool, err error) {
	err = s.view(ctx, func(tx *sql.Tx) error {
		var linked, updated int64
		err := tx.QueryRowContext(ctx, q, arg).Scan(&l.UserID, &l.DiscordID, &l.DiscordName, &l.Enabled, &linked, &updated)
		l.Linked, l.Updated = fromMillis(linked), fromMillis(updated)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		ok = err == nil
		return err
	})
	if err != nil {
		return link.Link{}, false, fmt.Errorf("read Discord link: %w", err)
	}
	return l, ok, nil
}

// EnableDiscord implements [link.Store].
func (s *SQLite) EnableDiscord(ctx context.Context, userID string, enabled bool, now time.Time) (ok bool, err error) {
	ok, err = s.changed(ctx, `UPDATE discord_links SET enabled = ?, updated = ? WHERE user_id = ?`, enabled, toMillis(now), userID)
	if err != nil {
		return false, fmt.Errorf("switch Discord notifications: %w", err)
	}
	return ok, nil
}

// Unlink implements [link.Store].
func (s *SQLite) Unlink(ctx context.Context, userID string) (ok bool, err error) {
	ok, err = s.changed(ctx, `DELETE FROM discord_links WHERE user_id = ?`, userID)
	if err != nil {
		return false, fmt.Errorf("unlink Discord account: %w", err)
	}
	return ok, nil
}

// changed runs one statement in a transaction and reports whether it changed
// anything.
func (s *SQLite) changed(ctx context.Context, statement string, args ...any) (changed bool, err error) {
	err = s.transact(ctx, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, statement, args...)
		if err != nil {
			return err
		}
		n, err := result.RowsAffected()
		changed = n > 0
		return err
	})
	return changed && err == nil, err
}
