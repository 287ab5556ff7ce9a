package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/poolscope/poolscope/internal/account"
)

var _ account.Store = (*SQLite)(nil)

const sqlUserColumns = `u.id, u.name, u.email, u.provider, u.subject, u.role, u.disabled, u.registered, u.created, u.last_seen`

// userRow takes a row that begins with sqlUserColumns.
type userRow struct {
	account.User
	created, lastSeen int64
}

func (u *userRow) into(more ...any) []any {
	return append([]any{&u.ID, &u.Name, &u.Email, &u.Provider, &u.Subject, &u.Role, &u.Disabled, &u.Registered, &u.created, &u.lastSeen}, more...)
}

func (u *userRow) user() account.User {
	u.Created, u.LastSeen = fromMillis(u.created), fromMillis(u.lastSeen)
	if u.Provider == account.ProviderLocal {
		u.Subject = "" // here it is the name in lower case
	}
	return u.User
}

// Users implements [account.Store].
func (s *SQLite) Users(ctx context.Context) ([]account.Listed, error) {
	var all []account.Listed
	err := s.view(ctx, func(tx *sql.Tx) (err error) {
		all, err = query(ctx, tx, func(rows *sql.Rows) (l account.Listed, err error) {
			var u userRow
			err = rows.Scan(u.into(&l.Sessions)...)
			l.User = u.user()
			return l, err
		}, `SELECT `+sqlUserColumns+`, (SELECT count(*) FROM sessions WHERE sessions.user_id = u.id) FROM users u ORDER BY u.created, u.id`)
		return err
	})
	return all, accountError("read users", err)
}

// User implements [account.Store].
func (s *SQLite) User(ctx context.Context, id string) (u account.User, err error) {
	err = s.view(ctx, func(tx *sql.Tx) (err error) {
		u, err = readUser(ctx, tx, id)
		return err
	})
	return u, accountError("read user", err)
}

func readUser(ctx context.Context, tx *sql.Tx, id string) (account.User, error) {
	var u userRow
	err := tx.QueryRowContext(ctx, `SELECT `+sqlUserColumns+` FROM users u WHERE u.id = ?`, id).Scan(u.into()...)
	return u.user(), orUnknown(err, account.ErrUnknown)
}

// UserBySubject implements [account.Store].
func (s *SQLite) UserBySubject(ctx context.Context, provider, subject string) (account.User, string, error) {
	var u userRow
	var password string
	err := s.view(ctx, func(tx *sql.Tx) error {
		return orUnknown(tx.QueryRowContext(ctx, `SELECT `+sqlUserColumns+`, u.password FROM users u WHERE u.provider = ? AND u.subject = ?`,
			provider, subject).Scan(u.into(&password)...), account.ErrUnknown)
	})
	if err != nil {
		return account.User{}, "", accountError("read user", err)
	}
	return u.user(), password, nil
}

// AddUser implements [account.Store].
func (s *SQLite) AddUser(ctx context.Context, u account.User, subject, password string, most int) error {
	return accountError("add user", s.transact(ctx, func(tx *sql.Tx) error {
		var all, same int
		if err := tx.QueryRowContext(ctx, `SELECT count(*), count(*) FILTER (WHERE provider = ? AND subject = ?) FROM users`,
			u.Provider, subject).Scan(&all, &same); err != nil {
			return err
		}
		switch {
		case same > 0:
			return account.ErrTaken
		case all >= most:
			return account.ErrFull
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO users (id, name, email, provider, subject, role, password, disabled, registered, created, last_seen)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, u.ID, u.Name, u.Email, u.Provider, subject, string(u.Role), password, u.Disabled, u.Registered,
			toMillis(u.Created), toMillis(u.LastSeen)); err != nil {
			return err
		}
		return nextEdition(ctx, tx)
	}))
}

// EditUser implements [account.Store].
func (s *SQLite) EditUser(ctx context.Context, id string, edit func(u *account.User) error, end func(before, after account.User) bool, providers []string) (u account.User, err error) {
	err = s.transact(ctx, func(tx *sql.Tx) error {
		before, err := readUser(ctx, tx, id)
		if err != nil {
			return err
		}
		u = before
		if err := edit(&u); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE users SET name = ?, email = ?, role = ?, disabled = ? WHERE id = ?`,
			u.Name, u.Email, string(u.Role), u.Disabled, id); err != nil {
			return err
		}
		if isOperator(before, providers) && !isOperator(u, providers) {
			if err := wantOperator(ctx, tx, providers); err != nil {
				return err
			}
		}
		if end(before, u) {
			if _, err := tx.ExecContext(ctx, `DELETE FROM sessions WHERE user_id = ?`, id); err != nil {
				return err
			}
		}
		return nextEdition(ctx, tx)
	})
	return u, accountError("change user", err)
}

// RemoveUser implements [account.Store].
func (s *SQLite) RemoveUser(ctx context.Context, id string, providers []string) error {
	return accountError("remove user", s.transact(ctx, func(tx *sql.Tx) error {
		u, err := readUser(ctx, tx, id)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM users WHERE id = ?`, id); err != nil {
			return err
		}
		if isOperator(u, providers) {
			if err := wantOperator(ctx, tx, providers); err != nil {
				return err
			}
		}
		return nextEdition(ctx, tx)
	}))
}

// PruneUnused implements [account.Store].
func (s *SQLite) PruneUnused(ctx context.Context, made time.Time, stay time.Duration) (n int64, err error) {
	err = s.transact(ctx, func(tx *sql.Tx) error {
		statement := `DELETE FROM users WHERE registered = 1 AND role = ? AND disabled = 0 AND created < ? AND last_seen < created + ?`
		for _, table := range []string{"saved_workers", "owned_addresses", "discord_links", "alert_channels", "alert_rules"} {
			statement += ` AND NOT EXISTS (SELECT 1 FROM ` + table + ` t WHERE t.user_id = users.id)`
		}
		result, err := tx.ExecContext(ctx, statement, string(account.RoleViewer), toMillis(made), stay.Milliseconds())
		if err != nil {
			return err
		}
		if n, err = result.RowsAffected(); err != nil || n == 0 {
			return err
		}
		return nextEdition(ctx, tx)
	})
	return n, accountError("delete accounts that were never used", err)
}

// isOperator reports whether somebody is operator, and can sign in as things are.
func isOperator(u account.User, providers []string) bool {
	return u.Role == account.RoleOperator && !u.Disabled && slices.Contains(providers, u.Provider)
}

// wantOperator fails when there is no operator left who can sign in.
func wantOperator(ctx context.Context, tx *sql.Tx, providers []string) error {
	of, err := query(ctx, tx, func(rows *sql.Rows) (provider string, err error) {
		err = rows.Scan(&provider)
		return provider, err
	}, `SELECT DISTINCT provider FROM users WHERE role = ? AND disabled = 0`, string(account.RoleOperator))
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(of, func(provider string) bool { return slices.Contains(providers, provider) }) {
		return account.ErrLastOperator
	}
	return nil
}

// SetPassword implements [account.Store].
func (s *SQLite) SetPassword(ctx context.Context, id, password, keep string) error {
	return accountError("set password", s.transact(ctx, func(tx *sql.Tx) error {
		if err := changeOne(ctx, tx, account.ErrUnknown, `UPDATE users SET password = ? WHERE id = ?`, password, id); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM sessions WHERE user_id = ? AND id <> ?`, id, keep); err != nil {
			return err
		}
		return nextEdition(ctx, tx)
	}))
}

// RehashPassword implements [account.Store].
func (s *SQLite) RehashPassword(ctx context.Context, id, password string) error {
	return accountError("set password", s.transact(ctx, func(tx *sql.Tx) error {
		return changeOne(ctx, tx, account.ErrUnknown, `UPDATE users SET password = ? WHERE id = ?`, password, id)
	}))
}

// Edition implements [account.Store].
func (s *SQLite) Edition(ctx context.Context) (edition int64, err error) {
	err = s.reader.QueryRowContext(ctx, `SELECT edition FROM accounts_edition WHERE id = 1`).Scan(&edition)
	return edition, accountError("read edition of accounts", err)
}

func nextEdition(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, `UPDATE accounts_edition SET edition = edition + 1 WHERE id = 1`)
	return err
}

// changeOne runs a statement that must change a row, or fails with none.
func changeOne(ctx context.Context, tx *sql.Tx, none error, statement string, args ...any) error {
	result, err := tx.ExecContext(ctx, statement, args...)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n > 0 {
		return err
	}
	return none
}

// orUnknown puts an error of the consumer in the place of "no rows".
func orUnknown(err, unknown error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return unknown
	}
	return err
}

// accountError says what was tried. Errors that are the consumer's own words stay as
// they are.
func accountError(what string, err error) error {
	for _, own := range []error{account.ErrUnknown, account.ErrNoSession, account.ErrTaken, account.ErrFull, account.ErrLastOperator} {
		if errors.Is(err, own) {
			return own
		}
	}
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, classify(err))
}

// AddActions implements [account.Store].
func (s *SQLite) AddActions(ctx context.Context, actions []account.Action) error {
	return accountError("write the audit trail", s.transact(ctx, func(tx *sql.Tx) error {
		for _, a := range actions {
			if _, err := tx.ExecContext(ctx, `INSERT INTO actions (at, user_id, user_name, address, name, target, detail, failed, operator) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
				toMillis(a.At), a.UserID, a.User, a.Address, a.Name, a.Target, a.Detail, a.Failed, a.Operator); err != nil {
				return err
			}
		}
		return nil
	}))
}

// Actions implements [account.Store].
func (s *SQLite) Actions(ctx context.Context, f account.ActionFilter) (page []account.Action, err error) {
	where, args := `WHERE (? = 0 OR id < ?)`, []any{f.Before, f.Before}
	if f.Query != "" {
		pattern := "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(strings.ToLower(f.Query)) + "%"
		var matches []string
		for _, column := range []string{"user_name", "address", "name", "target", "detail"} {
			matches = append(matches, `lower(`+column+`) LIKE ? ESCAPE '\'`)
			args = append(args, pattern)
		}
		where += ` AND (` + strings.Join(matches, ` OR `) + `)`
	}
	err = s.view(ctx, func(tx *sql.Tx) (err error) {
		page, err = query(ctx, tx, func(rows *sql.Rows) (a account.Action, err error) {
			var at int64
			err = rows.Scan(&a.ID, &at, &a.UserID, &a.User, &a.Address, &a.Name, &a.Target, &a.Detail, &a.Failed, &a.Operator)
			a.At = fromMillis(at)
			return a, err
		}, `SELECT id, at, user_id, user_name, address, name, target, detail, failed, operator FROM actions `+where+` ORDER BY id DESC LIMIT ?`, append(args, f.Limit)...)
		return err
	})
	return page, accountError("read the audit trail", err)
}

// PruneActions implements [account.Store].
func (s *SQLite) PruneActions(ctx context.Context, older time.Time, most account.ActionLimits) error {
	return accountError("shorten the audit trail", s.transact(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM actions WHERE at < ?`, toMillis(older)); err != nil {
			return err
		}
		for which, most := range map[string]int{
			`operator = 1`:                   most.Operators,
			`operator = 0 AND user_id <> ''`: most.People,
			`operator = 0 AND user_id = ''`:  most.Strangers,
		} {
			if _, err := tx.ExecContext(ctx, `DELETE FROM actions WHERE `+which+` AND id <= (SELECT id FROM actions WHERE `+which+` ORDER BY id DESC LIMIT 1 OFFSET ?)`, most); err != nil {
				return err
			}
		}
		return nil
	}))
}

// Origins implements [account.Store]. What sessions do not tell any more, since
// they have ended, the audit trail does.
func (s *SQLite) Origins(ctx context.Context, since time.Time, most int) (origins []account.Origin, err error) {
	err = s.view(ctx, func(tx *sql.Tx) (err error) {
		origins, err = query(ctx, tx, func(rows *sql.Rows) (o account.Origin, err error) {
			var at int64
			err = rows.Scan(&o.Account, &o.Address, &at)
			o.At = fromMillis(at)
			return o, err
		}, `SELECT u.subject, o.address, max(o.at) AS last FROM users u JOIN (
				SELECT user_id, address, created AS at FROM sessions
				UNION ALL
				SELECT user_id, address, at FROM actions WHERE name = 'session.sign_in' AND failed = 0
			) o ON o.user_id = u.id
			WHERE u.provider = ? AND o.at >= ? GROUP BY u.id, u.subject, u.role, o.address
			ORDER BY CASE WHEN u.role = ? THEN 0 ELSE 1 END, last DESC LIMIT ?`,
			account.ProviderLocal, toMillis(since), string(account.RoleOperator), most)
		return err
	})
	return origins, accountError("read where accounts were signed in", err)
}
