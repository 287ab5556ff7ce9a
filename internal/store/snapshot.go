package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
)

// Snapshot makes a copy of any SQLite file, as its last complete transaction
// left it, while other connections and processes write to it; they are not held
// up. The file at into must not exist. The copy was checked for damage.
func Snapshot(ctx context.Context, path, into string) (err error) {
	// Reading a file in WAL mode writes to its index, so not mode=ro.
	db, err := sql.Open(driver, "file:"+escaped(path)+"?mode=rw&_pragma=busy_timeout(5000)")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := db.ExecContext(ctx, "VACUUM INTO ?", "file:"+escaped(into)); err != nil {
		return fmt.Errorf("copy the database: %w", classify(err))
	}
	return Check(ctx, into)
}

// Check looks for damage in a SQLite file that nobody else has open. The error
// wraps [ErrCorrupt] when there is any.
func Check(ctx context.Context, path string) (err error) {
	db, err := sql.Open(driver, "file:"+escaped(path)+"?mode=ro&immutable=1")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var result string
	if err := db.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&result); err != nil {
		return fmt.Errorf("check for damage: %w", classify(err))
	}
	if result != "ok" {
		return fmt.Errorf("%w: %s", ErrCorrupt, result)
	}
	return nil
}

// escaped is a path as part of a SQLite URI: it may hold anything, a question
// mark too.
func escaped(path string) string {
	return (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath()
}
