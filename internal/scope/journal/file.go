package journal

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"time"

	"modernc.org/sqlite" // registers itself as driver
	sqlite3 "modernc.org/sqlite/lib"
)

const (
	driver = "sqlite"
	// applicationID marks our files: "pscj" in ASCII.
	applicationID = 0x7073636a
	schemaVersion = 1
	pageSize      = 8192
	// readers is the number of connections that read one file at the same time.
	readers = 4
	// idleTime is how long a reader's connection stays open unused.
	idleTime = time.Minute
)

//go:embed schema.sql
var schema string

var (
	// ErrNewerSchema means that a later version of this program wrote a file.
	// Nothing was changed in it.
	ErrNewerSchema = errors.New("the journal's file was written by a newer version of poolscope")
	// errDamaged means that a file is damaged, or is no journal.
	errDamaged = errors.New("file is damaged")
	// errSetting means that SQLite did not accept a setting that is relied on.
	errSetting = errors.New("setting did not take effect")
)

// fileError is the damage of one file.
type fileError struct {
	file *file
	err  error
}

func (e *fileError) Error() string { return e.err.Error() }
func (e *fileError) Unwrap() error { return e.err }

// damageOf adds which file it is to an error by which SQLite reports damage.
func damageOf(f *file, err error) error {
	if err = classify(err); errors.Is(err, errDamaged) {
		return &fileError{f, err}
	}
	return err
}

// classify adds errDamaged to errors by which SQLite reports damage.
func classify(err error) error {
	if err == nil || errors.Is(err, errDamaged) {
		return err
	}
	var e *sqlite.Error
	if errors.As(err, &e) {
		switch e.Code() & 0xff { // the primary result code
		case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
			return fmt.Errorf("%w: %w", errDamaged, err)
		}
	}
	if errors.Is(err, errRow) {
		return fmt.Errorf("%w: %w", errDamaged, err)
	}
	return err
}

// fileName is how files of the journal are called.
var fileName = regexp.MustCompile(`^journal-(\d{4}-\d{2}-\d{2})(?:\.([2-9]|[1-9]\d{1,5}))?\.db$`)

// file is one file of the journal.
type file struct {
	path string
	day  string // YYYY-MM-DD, UTC
	part int    // from 1

	// Guarded by Journal.mu.
	first, last uint64    // lowest and highest Seq; 0 while it is empty
	since       time.Time // when the first message was received
	until       time.Time // … and the last
	bytes       int64
	users       int  // searches that are reading it
	removed     bool // it is deleted, or renamed to aside, when nobody reads it any more
	aside       bool
	damage      error // that a search met; nil without

	once   sync.Once
	reader *sql.DB
	err    error // of opening reader
}

// parseName makes a file of a path; nil when it has another name.
func parseName(path string) *file {
	parts := fileName.FindStringSubmatch(filepath.Base(path))
	if parts == nil {
		return nil
	}
	part := 1
	if parts[2] != "" {
		part, _ = strconv.Atoi(parts[2]) // the pattern allows numbers only
	}
	return &file{path: path, day: parts[1], part: part}
}

func pathOf(dir, day string, part int) string {
	name := "journal-" + day
	if part > 1 {
		name += "." + strconv.Itoa(part)
	}
	return filepath.Join(dir, name+".db")
}

// setting is a pragma with the value that SQLite reports once it took effect.
type setting struct{ name, value, reported string }

// settings are those of every connection.
func settings(checkpoint int) []setting {
	pages := strconv.Itoa(checkpoint)
	limit := strconv.Itoa(checkpoint * pageSize)
	return []setting{
		{"busy_timeout", "5000", "5000"},
		// Readers do not block the writer, nor the other way round.
		{"journal_mode", "WAL", "wal"},
		// A killed process loses no commit; a power failure may lose the last
		// ones, but never leaves a damaged file.
		{"synchronous", "NORMAL", "1"},
		{"wal_autocheckpoint", pages, pages},
		// The log does not stay large after a burst.
		{"journal_size_limit", limit, limit},
	}
}

// defaultCheckpoint is the number of pages in SQLite's log from which on they
// are moved to the file: 16 MiB.
const defaultCheckpoint = 2048

// dsn is the data source name of a connection. The settings are part of it,
// since database/sql opens connections when it likes.
func dsn(path string, list []setting, extra string) string {
	out := "file:" + (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath() + "?"
	for _, s := range list {
		out += "_pragma=" + s.name + "(" + s.value + ")&"
	}
	return out + extra
}

// verify asks a connection for its settings.
func verify(ctx context.Context, db *sql.DB, list []setting) error {
	for _, s := range list {
		var reported string
		if err := db.QueryRowContext(ctx, "PRAGMA "+s.name).Scan(&reported); err != nil {
			return fmt.Errorf("setting %s: %w", s.name, err)
		}
		if reported != s.reported {
			return fmt.Errorf("%w: %s is %s, not %s", errSetting, s.name, reported, s.reported)
		}
	}
	return nil
}

// checkHead looks whether a file that is there can be a database.
func checkHead(path string) error {
	const magic = "SQLite format 3\x00"
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // it was only read
	head := make([]byte, len(magic))
	switch n, err := io.ReadFull(f, head); {
	case n == 0 && errors.Is(err, io.EOF):
		return nil // SQLite makes an empty file its own
	case err != nil && !errors.Is(err, io.ErrUnexpectedEOF):
		return err
	case string(head) != magic:
		return fmt.Errorf("%w: not a SQLite file", errDamaged)
	}
	return nil
}

// checkSchema looks whether a database is a file of ours that this version
// understands. fresh means that it is empty.
func checkSchema(ctx context.Context, db *sql.DB) (fresh bool, err error) {
	var application, version, tables int64
	for query, to := range map[string]*int64{
		"PRAGMA application_id": &application, "PRAGMA user_version": &version, "SELECT count(*) FROM sqlite_schema": &tables,
	} {
		if err := db.QueryRowContext(ctx, query).Scan(to); err != nil {
			return false, classify(err)
		}
	}
	switch {
	case tables == 0 && application == 0 && version == 0:
		return true, nil
	case application != applicationID:
		return false, fmt.Errorf("%w: it is a database of another program", errDamaged)
	case version > schemaVersion:
		return false, fmt.Errorf("%w (its schema is %d, this version knows %d)", ErrNewerSchema, version, schemaVersion)
	case version < 1:
		return false, fmt.Errorf("%w: schema %d", errDamaged, version)
	}
	return false, nil
}

// db is the file's database for reading.
func (f *file) db() (*sql.DB, error) {
	f.once.Do(func() {
		f.reader, f.err = sql.Open(driver, dsn(f.path, settings(defaultCheckpoint)[:1], "_pragma=query_only(1)"))
		if f.err == nil {
			f.reader.SetMaxOpenConns(readers)
			f.reader.SetMaxIdleConns(1)
			f.reader.SetConnMaxIdleTime(idleTime)
		}
	})
	return f.reader, f.err
}

// view runs do in a transaction, so that all its queries see the same state.
// The driver has a goroutine watch each statement whose context can end, which
// costs more than most statements here; they are short.
func (f *file) view(ctx context.Context, do func(ctx context.Context, tx *sql.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	db, err := f.db()
	if err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	tx, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return classify(err)
	}
	defer func() { _ = tx.Rollback() }() // nothing was written
	return classify(do(ctx, tx))
}

// errEmpty means that a file has no tables: the process was killed when it was
// being made.
var errEmpty = errors.New("file is empty")

// probe opens a file that is there, checks it, and reads what it holds.
func (f *file) probe(ctx context.Context) error {
	if err := checkHead(f.path); err != nil {
		return err
	}
	db, err := f.db()
	if err != nil {
		return err
	}
	fresh, err := checkSchema(ctx, db)
	switch {
	case err != nil:
		return err
	case fresh:
		return errEmpty
	}
	err = f.view(ctx, func(ctx context.Context, tx *sql.Tx) error {
		var first, last, since, until sql.NullInt64
		if err := tx.QueryRowContext(ctx, `SELECT (SELECT min(seq) FROM messages), (SELECT max(seq) FROM messages),
			(SELECT received FROM messages ORDER BY seq LIMIT 1), (SELECT received FROM messages ORDER BY seq DESC LIMIT 1)`).
			Scan(&first, &last, &since, &until); err != nil {
			return err
		}
		f.first, f.last = uint64(first.Int64), uint64(last.Int64)
		f.since, f.until = fromNanos(since), fromNanos(until)
		return nil
	})
	f.bytes = sizeOf(f.path)
	return err
}

// suffixes are of the files that SQLite keeps beside a database.
var suffixes = []string{"", "-wal", "-shm", "-journal"}

// sizeOf is the size of a database and what belongs to it.
func sizeOf(path string) (bytes int64) {
	for _, suffix := range suffixes {
		if info, err := os.Stat(path + suffix); err == nil {
			bytes += info.Size()
		}
	}
	return bytes
}

// close ends reading.
func (f *file) close() error {
	f.once.Do(func() { f.err = os.ErrClosed })
	if f.reader == nil {
		return nil
	}
	return f.reader.Close()
}
