package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/poolscope/poolscope/internal/account"
)

const sqlSessionColumns = `s.id, s.created, s.last_seen, s.confirmed, s.user_agent, s.address`

// sessionRow takes a row of sqlUserColumns and sqlSessionColumns.
type sessionRow struct {
	user userRow
	account.Session
	created, lastSeen, confirmed int64
}

func (r *sessionRow) into() []any {
	return r.user.into(&r.ID, &r.created, &r.lastSeen, &r.confirmed, &r.UserAgent, &r.Address)
}

func (r *sessionRow) session() account.Session {
	r.User = r.user.user()
	r.Created, r.LastSeen, r.Confirmed = fromMillis(r.created), fromMillis(r.lastSeen), fromMillis(r.confirmed)
	return r.Session
}

// AddSession implements [account.Store].
func (s *SQLite) AddSession(ctx context.Context, token account.Token, n account.Session, most int) error {
	return accountError("add session", s.transact(ctx, func(tx *sql.Tx) error {
		// The user may have been disabled since the password was checked.
		if err := changeOne(ctx, tx, account.ErrUnknown, `INSERT INTO sessions (token, id, user_id, created, last_seen, confirmed, user_agent, address)
			SELECT ?, ?, id, ?, ?, ?, ?, ? FROM users WHERE id = ? AND disabled = 0`, token[:], n.ID,
			toMillis(n.Created), toMillis(n.LastSeen), toMillis(n.Confirmed), n.UserAgent, n.Address, n.User.ID); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE users SET last_seen = ? WHERE id = ?`, toMillis(n.LastSeen), n.User.ID); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM sessions WHERE user_id = ? AND id NOT IN
			(SELECT id FROM sessions WHERE user_id = ? ORDER BY created DESC, id LIMIT ?) AND id <> ?`, n.User.ID, n.User.ID, most, n.ID)
		return err
	}))
}

// SessionByToken implements [account.Store].
func (s *SQLite) SessionByToken(ctx context.Context, token account.Token) (account.Session, error) {
	var r sessionRow
	err := s.reader.QueryRowContext(ctx, `SELECT `+sqlUserColumns+`, `+sqlSessionColumns+`
		FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.token = ?`, token[:]).Scan(r.into()...)
	if err != nil {
		return account.Session{}, accountError("read session", orUnknown(err, account.ErrNoSession))
	}
	return r.session(), nil
}

// Sessions implements [account.Store].
func (s *SQLite) Sessions(ctx context.Context, userID string) (all []account.Session, err error) {
	err = s.view(ctx, func(tx *sql.Tx) (err error) {
		all, err = query(ctx, tx, func(rows *sql.Rows) (account.Session, error) {
			var r sessionRow
			err := rows.Scan(r.into()...)
			return r.session(), err
		}, `SELECT `+sqlUserColumns+`, `+sqlSessionColumns+`
			FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.user_id = ? ORDER BY s.created DESC, s.id`, userID)
		return err
	})
	return all, accountError("read sessions", err)
}

// SeeSessions implements [account.Store].
func (s *SQLite) SeeSessions(ctx context.Context, seen map[account.Token]time.Time) error {
	return accountError("write sessions", s.transact(ctx, func(tx *sql.Tx) error {
		for token, at := range seen {
			millis := toMillis(at)
			if _, err := tx.ExecContext(ctx, `UPDATE sessions SET last_seen = ? WHERE token = ? AND last_seen < ?`, millis, token[:], millis); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, `UPDATE users SET last_seen = ? WHERE id = (SELECT user_id FROM sessions WHERE token = ?) AND last_seen < ?`,
				millis, token[:], millis); err != nil {
				return err
			}
		}
		return nil
	}))
}

// ConfirmSession implements [account.Store].
func (s *SQLite) ConfirmSession(ctx context.Context, token account.Token, at time.Time) error {
	return accountError("confirm session", s.transact(ctx, func(tx *sql.Tx) error {
		return changeOne(ctx, tx, account.ErrNoSession, `UPDATE sessions SET confirmed = ? WHERE token = ?`, toMillis(at), token[:])
	}))
}

// EndSession implements [account.Store].
func (s *SQLite) EndSession(ctx context.Context, userID, id string) error {
	return accountError("end session", s.transact(ctx, func(tx *sql.Tx) error {
		if err := changeOne(ctx, tx, account.ErrNoSession, `DELETE FROM sessions WHERE user_id = ? AND id = ?`, userID, id); err != nil {
			return err
		}
		return nextEdition(ctx, tx)
	}))
}

// EndSessions implements [account.Store].
func (s *SQLite) EndSessions(ctx context.Context, userID, keep string) error {
	return accountError("end sessions", s.transact(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM sessions WHERE user_id = ? AND id <> ?`, userID, keep); err != nil {
			return err
		}
		return nextEdition(ctx, tx)
	}))
}

// PruneSessions implements [account.Store].
func (s *SQLite) PruneSessions(ctx context.Context, made, seen time.Time) error {
	return accountError("delete expired sessions", s.transact(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM sessions WHERE created < ? OR last_seen < ?`, toMillis(made), toMillis(seen))
		return err
	}))
}
