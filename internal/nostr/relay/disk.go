package relay

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/poolscope/poolscope/internal/nostr"
)

//go:embed schema.sql
var schema string

const (
	// applicationID marks our file: "psrl" in ASCII.
	applicationID = 0x7073726c
	// schemaVersion is what the file's user_version says.
	schemaVersion = 1
)

// ErrDisk is the reason for not using a database file.
var ErrDisk = errors.New("not a database of this relay")

// Disk keeps events in one SQLite file, across restarts.
type Disk struct {
	db                  *sql.DB
	maxEvents, maxBytes int
	size                Size
}

// OpenDisk opens the file, or makes it. Zero limits mean those of Config. A
// new file is for its owner only: events may be of a run that is not public. A
// killed process loses nothing that a client was told OK for; a power failure
// may cost the last moments, never the file.
func OpenDisk(ctx context.Context, path string, maxEvents, maxBytes int) (*Disk, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return nil, fmt.Errorf("relay's database: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("relay's database: %w", err)
	}
	_ = f.Close() // nothing was written
	pragmas := url.Values{"_pragma": {"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(NORMAL)", "foreign_keys(1)"}}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?"+pragmas.Encode())
	if err != nil {
		return nil, fmt.Errorf("relay's database %s: %w", path, err)
	}
	db.SetMaxOpenConns(1)
	d := &Disk{db: db, maxEvents: orDefault(maxEvents, 10_000), maxBytes: orDefault(maxBytes, 64<<20)}
	if err := d.prepare(ctx); err != nil {
		_ = db.Close() // the error that counts is the first
		return nil, fmt.Errorf("relay's database %s: %w", path, err)
	}
	return d, nil
}

// prepare makes the tables, or checks that they are ours, and counts.
func (d *Disk) prepare(ctx context.Context) error {
	var mode string
	var application, version, tables int
	if err := d.db.QueryRowContext(ctx, `PRAGMA journal_mode`).Scan(&mode); err != nil {
		return err
	}
	if mode != "wal" {
		return fmt.Errorf("journal_mode is %q: %w", mode, ErrDisk)
	}
	if err := d.db.QueryRowContext(ctx, `PRAGMA application_id`).Scan(&application); err != nil {
		return err
	}
	if err := d.db.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&version); err != nil {
		return err
	}
	if err := d.db.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema`).Scan(&tables); err != nil {
		return err
	}
	switch {
	case application != applicationID && (application != 0 || tables > 0):
		return fmt.Errorf("it is of another program: %w", ErrDisk)
	case tables == 0:
		if _, err := d.db.ExecContext(ctx, schema); err != nil {
			return fmt.Errorf("make tables: %w", err)
		}
	case version != schemaVersion:
		return fmt.Errorf("its version is %d, not %d: %w", version, schemaVersion, ErrDisk)
	}
	return d.db.QueryRowContext(ctx, `SELECT count(*), coalesce(sum(length(json)), 0) FROM events`).Scan(&d.size.Events, &d.size.Bytes)
}

// Close ends the use of the file.
func (d *Disk) Close() error { return d.db.Close() }

// Size implements Store.
func (d *Disk) Size() Size { return d.size }

// Add implements Store.
func (d *Disk) Add(e *nostr.Event, json []byte, now time.Time) (outcome Outcome, err error) {
	ctx := context.Background() // short, and not to be cut off by one client's end
	tx, err := d.db.BeginTx(ctx, nil)
	if err != nil {
		return 0, fmt.Errorf("keep event: %w", err)
	}
	after := d.size
	outcome, err = d.add(ctx, tx, e, json, now, &after)
	if err == nil {
		err = tx.Commit()
	}
	if err != nil {
		_ = tx.Rollback() // the error that counts is the first
		return 0, fmt.Errorf("keep event: %w", err)
	}
	d.size = after
	return outcome, nil
}

func (d *Disk) add(ctx context.Context, tx *sql.Tx, e *nostr.Event, json []byte, now time.Time, size *Size) (Outcome, error) {
	n, err := remove(ctx, tx, size, `expires <= ?`, now.Unix())
	if err != nil {
		return 0, err
	}
	size.Expired += n
	var known int
	if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM events WHERE id = ?`, e.ID).Scan(&known); err != nil {
		return 0, err
	}
	if known > 0 {
		return Duplicate, nil
	}
	var slot, expires any
	if s := slotOf(e); s != "" {
		slot = []byte(s)
		var old nostr.Event
		switch err := tx.QueryRowContext(ctx, `SELECT id, created_at FROM events WHERE slot = ?`, slot).Scan(&old.ID, &old.CreatedAt); {
		case errors.Is(err, sql.ErrNoRows):
		case err != nil:
			return 0, err
		case !newer(e, &old):
			return Outdated, nil
		}
		if _, err := remove(ctx, tx, size, `slot = ?`, slot); err != nil {
			return 0, err
		}
	}
	if at, ends := e.Expiration(); ends {
		expires = at
	}
	var seq int64
	if err := tx.QueryRowContext(ctx, `INSERT INTO events (id, author, kind, created_at, slot, expires, json) VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING seq`,
		e.ID, e.PubKey, e.Kind, e.CreatedAt, slot, expires, json).Scan(&seq); err != nil {
		return 0, err
	}
	for _, tag := range e.Tags {
		if len(tag) < 2 || len(tag[0]) != 1 {
			continue // no filter asks for it
		}
		if _, err := tx.ExecContext(ctx, `INSERT OR IGNORE INTO tags (name, value, seq) VALUES (?, ?, ?)`, tag[0], []byte(tag[1]), seq); err != nil {
			return 0, err
		}
	}
	size.Events++
	size.Bytes += len(json)
	for size.Events > d.maxEvents || size.Bytes > d.maxBytes && size.Events > 1 {
		n, err := remove(ctx, tx, size, `seq = (SELECT min(seq) FROM events)`)
		if err != nil {
			return 0, err
		}
		size.Evicted += n
	}
	return Added, nil
}

// remove deletes events and takes them off the size.
func remove(ctx context.Context, tx *sql.Tx, size *Size, where string, arguments ...any) (n uint64, err error) {
	rows, err := tx.QueryContext(ctx, `DELETE FROM events WHERE `+where+` RETURNING length(json)`, arguments...)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var bytes int
		if err := rows.Scan(&bytes); err != nil {
			return 0, err
		}
		n++
		size.Events--
		size.Bytes -= bytes
	}
	return n, rows.Err()
}

// Find implements Store.
func (d *Disk) Find(filters []nostr.Filter, within Bounds, now time.Time) ([][]byte, error) {
	var all []stored
	for i := range filters {
		where, arguments := conditions(&filters[i])
		arguments = append([]any{now.Unix()}, append(arguments, limitOf(&filters[i], within))...)
		found, err := d.find(`SELECT id, created_at, json FROM events WHERE coalesce(expires > ?, 1)`+where+` ORDER BY created_at DESC, id LIMIT ?`, arguments)
		if err != nil {
			return nil, fmt.Errorf("find events: %w", err)
		}
		all = append(all, found...)
	}
	return answer(all, within), nil
}

func (d *Disk) find(query string, arguments []any) (found []stored, err error) {
	rows, err := d.db.QueryContext(context.Background(), query, arguments...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		s := stored{event: &nostr.Event{}}
		if err := rows.Scan(&s.event.ID, &s.event.CreatedAt, &s.json); err != nil {
			return nil, err
		}
		found = append(found, s)
	}
	return found, rows.Err()
}

// conditions are a filter in SQL, each beginning with AND.
func conditions(f *nostr.Filter) (where string, arguments []any) {
	var b strings.Builder
	in := func(column string, n int) {
		b.WriteString(" AND " + column + " IN (" + strings.TrimSuffix(strings.Repeat("?,", n), ",") + ")")
	}
	if f.IDs != nil {
		in("id", len(f.IDs))
		arguments = appendAll(arguments, f.IDs)
	}
	if f.Authors != nil {
		in("author", len(f.Authors))
		arguments = appendAll(arguments, f.Authors)
	}
	if f.Kinds != nil {
		in("kind", len(f.Kinds))
		arguments = appendAll(arguments, f.Kinds)
	}
	if f.Since != nil {
		b.WriteString(" AND created_at >= ?")
		arguments = append(arguments, *f.Since)
	}
	if f.Until != nil {
		b.WriteString(" AND created_at <= ?")
		arguments = append(arguments, *f.Until)
	}
	for name, values := range f.Tags {
		b.WriteString(" AND seq IN (SELECT seq FROM tags WHERE name = ?")
		arguments = append(arguments, name)
		in("value", len(values))
		for _, v := range values {
			arguments = append(arguments, []byte(v))
		}
		b.WriteString(")")
	}
	return b.String(), arguments
}

func appendAll[T any](list []any, values []T) []any {
	for _, v := range values {
		list = append(list, v)
	}
	return list
}
