package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"
)

//go:embed migrations/*.sql
var migrations embed.FS

const (
	// driver is the name under which modernc.org/sqlite registers itself.
	driver = "sqlite"
	// readers is the number of connections that read at the same time.
	readers = 4
	// fullCheckLimit is the size in bytes up to which the whole database is
	// checked when it is opened. Of a larger one, which would delay the start,
	// everything is checked but the minutes and hours of history.
	fullCheckLimit = 64 << 20
	// magic is how a SQLite file begins.
	magic = "SQLite format 3\x00"
)

// pragmas are the settings of every connection, with the value that SQLite
// reports once they took effect.
var pragmas = []struct{ name, value, reported string }{
	// First, so that the others wait for a lock instead of failing.
	{"busy_timeout", "5000", "5000"},
	// Readers do not block the writer, nor the other way round.
	{"journal_mode", "WAL", "wal"},
	// A commit survives a killed process; the last ones may not survive a
	// power failure, but never leave a damaged file. SaveBlock uses FULL.
	{"synchronous", "NORMAL", "1"},
	{"foreign_keys", "1", "1"},
	// The log does not stay large after a burst.
	{"journal_size_limit", "67108864", "67108864"},
}

// SQLite is the books in one SQLite file. It has one connection that writes
// and several that read.
type SQLite struct {
	path   string
	log    *slog.Logger
	writer *sql.DB
	reader *sql.DB
	stmts  *statements
	ids    workerIDs
}

// Open opens the books at path and creates the file, and its folder, when
// they are missing. It checks that the settings took effect and that the file
// is sound, and brings an older schema up to date.
//
// The error wraps [ErrCorrupt] or [ErrNewerSchema] in these cases; then
// nothing was changed.
func Open(ctx context.Context, path string, log *slog.Logger) (*SQLite, error) {
	if err := prepareFile(path); err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	s := &SQLite{path: path, log: log}
	if err := s.open(ctx); err != nil {
		_ = s.Close() // the error that counts is the first
		return nil, fmt.Errorf("open database %s: %w", path, classify(err))
	}
	return s, nil
}

// OpenOrRecover is Open, but a damaged database does not stop it: the file is
// kept under another name (see [SetAside]), and fresh books are begun, so that
// mining goes on. It logs that at level error.
func OpenOrRecover(ctx context.Context, path string, now time.Time, log *slog.Logger) (*SQLite, error) {
	s, err := Open(ctx, path, log)
	if !errors.Is(err, ErrCorrupt) {
		return s, err
	}
	kept, asideErr := SetAside(path, now)
	if asideErr != nil {
		return nil, errors.Join(err, asideErr)
	}
	log.Error("database is damaged; it was set aside and fresh books were begun", "path", path, "kept", kept, "err", err)
	return Open(ctx, path, log)
}

// SetAside renames the database, its log and its index, so that it can be
// examined or repaired later, and returns the new name of the database:
// PATH.corrupt-YYYYMMDDThhmmssZ.
func SetAside(path string, now time.Time) (kept string, err error) {
	base := path + ".corrupt-" + now.UTC().Format("20060102T150405Z")
	kept = base
	for i := 2; ; i++ {
		if _, err := os.Lstat(kept); errors.Is(err, fs.ErrNotExist) {
			break
		}
		kept = fmt.Sprintf("%s-%d", base, i)
	}

	// The log first: left beside a fresh database, it would be applied to it.
	for _, suffix := range []string{"-wal", "-shm", ""} {
		if err := os.Rename(path+suffix, kept+suffix); err != nil && (suffix == "" || !errors.Is(err, fs.ErrNotExist)) {
			return "", fmt.Errorf("set damaged database aside: %w", err)
		}
	}
	return kept, nil
}

// Close ends all connections. Nothing that was written is lost.
func (s *SQLite) Close() error {
	var errs []error
	if s.stmts != nil {
		errs = append(errs, s.stmts.close())
	}
	// The writer last: the last connection folds the log into the database.
	for _, db := range []*sql.DB{s.reader, s.writer} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}

// prepareFile creates the file, readable for its owner only, or looks whether
// it can be a database.
func prepareFile(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()

	head := make([]byte, len(magic))
	switch n, err := io.ReadFull(f, head); {
	case n == 0 && errors.Is(err, io.EOF):
		return nil
	case err != nil && !errors.Is(err, io.ErrUnexpectedEOF):
		return err
	case string(head) != magic:
		return fmt.Errorf("%w: the file is not a SQLite database", ErrCorrupt)
	}
	return nil
}

// open does the work of Open on a file that exists.
func (s *SQLite) open(ctx context.Context) (err error) {
	if s.writer, err = sql.Open(driver, s.dsn("_txlock=immediate")); err != nil {
		return err
	}
	s.writer.SetMaxOpenConns(1)
	s.writer.SetConnMaxLifetime(0)
	if err := verifyPragmas(ctx, s.writer); err != nil {
		return err
	}
	if err := s.check(ctx); err != nil {
		return err
	}
	if err := s.migrate(ctx); err != nil {
		return err
	}

	if err := s.openReader(ctx); err != nil {
		return err
	}
	s.stmts, err = prepare(ctx, s.writer)
	return err
}

// dsn is the data source name of a connection. The settings are part of it,
// since the driver opens connections when it likes.
func (s *SQLite) dsn(extra string) string {
	parts := make([]string, 0, len(pragmas)+1)
	for _, p := range pragmas {
		parts = append(parts, fmt.Sprintf("_pragma=%s(%s)", p.name, p.value))
	}
	return "file:" + escaped(s.path) + "?" + strings.Join(append(parts, extra), "&")
}

// verifyPragmas asks a connection for its settings.
func verifyPragmas(ctx context.Context, db *sql.DB) error {
	for _, p := range pragmas {
		var got string
		if err := db.QueryRowContext(ctx, "PRAGMA "+p.name).Scan(&got); err != nil {
			return fmt.Errorf("read setting %s: %w", p.name, err)
		}
		if got != p.reported {
			return fmt.Errorf("%w: %s is %q instead of %q", ErrPragma, p.name, got, p.reported)
		}
	}
	return nil
}

// check looks for damage.
func (s *SQLite) check(ctx context.Context) error {
	info, err := os.Stat(s.path)
	if err != nil {
		return err
	}
	if info.Size() <= fullCheckLimit {
		return s.quickCheck(ctx, "PRAGMA quick_check(1)")
	}
	s.log.Info("database is large; minutes and hours of history are not checked", "path", s.path, "bytes", info.Size())
	return s.checkTables(ctx)
}

// checkTables looks for damage in all tables but minutes and hours.
func (s *SQLite) checkTables(ctx context.Context) error {
	rows, err := s.writer.QueryContext(ctx, `SELECT name FROM sqlite_schema
		WHERE type = 'table' AND name NOT IN ('minutes', 'hours') AND name NOT LIKE 'sqlite_%'`)
	if err != nil {
		return err
	}
	var tables []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			_ = rows.Close()
			return err
		}
		tables = append(tables, name)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	for _, name := range tables {
		quoted := "'" + strings.ReplaceAll(name, "'", "''") + "'"
		if err := s.quickCheck(ctx, "PRAGMA quick_check("+quoted+")"); err != nil {
			return err
		}
	}
	return nil
}

// quickCheck runs a check that answers "ok" or names the first damage.
func (s *SQLite) quickCheck(ctx context.Context, query string) error {
	var result string
	if err := s.writer.QueryRowContext(ctx, query).Scan(&result); err != nil {
		return fmt.Errorf("check for damage: %w", err)
	}
	if result != "ok" {
		return fmt.Errorf("%w: %s", ErrCorrupt, result)
	}
	return nil
}

// migrationFiles are the steps of the schema.
func migrationFiles() (fs.FS, error) { return fs.Sub(migrations, "migrations") }

// migrate brings the schema up to date.
func (s *SQLite) migrate(ctx context.Context) error {
	provider, err := s.provider()
	if err != nil {
		return err
	}
	current, target, err := provider.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read the schema's version: %w", err)
	}
	if current > target {
		return fmt.Errorf("%w: its schema has version %d, this program knows %d", ErrNewerSchema, current, target)
	}
	results, err := provider.Up(ctx)
	if err != nil {
		return fmt.Errorf("migrate the schema: %w", err)
	}
	for _, r := range results {
		s.log.Info("database schema migrated", "version", r.Source.Version, "took", r.Duration)
	}
	return nil
}
