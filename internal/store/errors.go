package store

import (
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

var (
	// ErrCorrupt means that the file is damaged, or no database of this
	// program. See [OpenOrRecover].
	ErrCorrupt = errors.New("database is damaged")
	// ErrNewerSchema means that a later version of this program wrote the
	// database. Nothing was changed in it.
	ErrNewerSchema = errors.New("database was written by a newer version of poolscope")
	// ErrPragma means that SQLite did not accept a setting that the books
	// rely on.
	ErrPragma = errors.New("database setting did not take effect")
)

// classify adds ErrCorrupt to errors by which SQLite reports damage.
func classify(err error) error {
	if err == nil || errors.Is(err, ErrCorrupt) {
		return err
	}
	var e *sqlite.Error
	if errors.As(err, &e) {
		switch e.Code() & 0xff { // the primary result code
		case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
			return fmt.Errorf("%w: %w", ErrCorrupt, err)
		}
	}
	return err
}
