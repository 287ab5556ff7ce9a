package journal

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

const (
	// rowsAtOnce is the number of rows that one statement inserts.
	rowsAtOnce = 24
	// maxKeys bounds the sessions' keys that are remembered.
	maxKeys = 1 << 16
)

// writer writes one file. When anything fails it is closed and made again: what
// it remembers is what is in the file.
type writer struct {
	file    *file
	db      *sql.DB
	many    *sql.Stmt // inserts rowsAtOnce messages
	one     *sql.Stmt
	change  *sql.Stmt
	keys    map[string]int64 // of sessions
	segment *segment         // the messages behind the last segment
	first   uint64           // lowest Seq in the file; 0 while it is empty
	last    uint64           // … and the highest
	args    []any
}

// openWriter opens a file for writing and makes it when it is missing.
func openWriter(ctx context.Context, f *file, checkpoint int) (*writer, error) {
	w := &writer{file: f, keys: make(map[string]int64)}
	if err := w.open(ctx, settings(checkpoint)); err != nil {
		_ = w.close() // the error that counts is the first
		return nil, fmt.Errorf("open %s: %w", filepath.Base(f.path), damageOf(f, err))
	}
	return w, nil
}

func (w *writer) open(ctx context.Context, list []setting) (err error) {
	if err := create(ctx, w.file.path); err != nil {
		return err
	}
	if w.db, err = sql.Open(driver, dsn(w.file.path, list, "_txlock=immediate")); err != nil {
		return err
	}
	w.db.SetMaxOpenConns(1)
	w.db.SetConnMaxLifetime(0)
	if err := verify(ctx, w.db, list); err != nil {
		return err
	}
	if err := w.load(ctx); err != nil {
		return err
	}
	return w.prepare(ctx)
}

// create makes a file with its tables, all or nothing, unless it is there.
func create(ctx context.Context, path string) (err error) {
	if err := makeFile(path); err != nil {
		return err
	}
	// The size of pages must be set before anything is written, which turning to
	// write-ahead logging does.
	db, err := sql.Open(driver, dsn(path, []setting{{name: "busy_timeout", value: "5000"}, {name: "page_size", value: strconv.Itoa(pageSize)}}, ""))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	fresh, err := checkSchema(ctx, db)
	if err != nil || !fresh {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, schema+fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d;", applicationID, schemaVersion)); err != nil {
		_ = tx.Rollback() // the error that counts is the first
		return err
	}
	return tx.Commit()
}

// makeFile makes an empty file, readable for its owner only, unless it is there.
func makeFile(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// load reads the messages behind the last segment.
func (w *writer) load(ctx context.Context) error {
	w.segment = newSegment()
	var sealed, first, last sql.NullInt64
	if err := w.db.QueryRowContext(ctx, `SELECT (SELECT last FROM segments ORDER BY first DESC LIMIT 1),
		(SELECT min(seq) FROM messages), (SELECT max(seq) FROM messages)`).Scan(&sealed, &first, &last); err != nil {
		return err
	}
	w.first, w.last = uint64(first.Int64), uint64(last.Int64)
	rows, err := w.db.QueryContext(ctx, `SELECT session, `+selectRow+` WHERE m.seq > ? ORDER BY m.seq`, sealed.Int64)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // Err tells
	for rows.Next() {
		var key int64
		m, err := scanRow(after{&key, rows})
		if err != nil {
			return err
		}
		w.segment.add(m, key)
	}
	return rows.Err()
}

// after scans a column before those of a message.
type after struct {
	column any
	row    scanner
}

func (a after) Scan(dest ...any) error { return a.row.Scan(append([]any{a.column}, dest...)...) }

// selectRow selects what scanRow reads.
const selectRow = `m.` + rowColumns + `, s.id FROM messages m JOIN sessions s ON s.key = m.session`

func (w *writer) prepare(ctx context.Context) (err error) {
	row := "(" + strings.TrimSuffix(strings.Repeat("?,", rowWidth), ",") + ")"
	insert := "INSERT INTO messages (" + rowColumns + ") VALUES " + row
	for _, s := range []struct {
		to   **sql.Stmt
		text string
	}{
		{&w.one, insert},
		{&w.many, insert + strings.Repeat(","+row, rowsAtOnce-1)},
		{&w.change, updateRow},
	} {
		if *s.to, err = w.db.PrepareContext(ctx, s.text); err != nil {
			return err
		}
	}
	return nil
}

// close ends writing. The last connection of a file moves SQLite's log into it.
func (w *writer) close() error {
	var errs []error
	for _, s := range []*sql.Stmt{w.one, w.many, w.change} {
		if s != nil {
			errs = append(errs, s.Close())
		}
	}
	if w.db != nil {
		errs = append(errs, w.db.Close())
	}
	return errors.Join(errs...)
}

// transact runs do in a transaction.
func (w *writer) transact(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := w.db.BeginTx(ctx, nil)
	if err != nil {
		return damageOf(w.file, err)
	}
	if err := do(tx); err != nil {
		_ = tx.Rollback() // the error that counts is the first
		return damageOf(w.file, err)
	}
	return damageOf(w.file, tx.Commit())
}

// insert writes new messages, whose Seq is above all in the file.
func (w *writer) insert(ctx context.Context, tx *sql.Tx, messages []*capture.Message, known func(id string) capture.Session) error {
	many, one := tx.StmtContext(ctx, w.many), tx.StmtContext(ctx, w.one)
	defer func() { _, _ = many.Close(), one.Close() }() // of the transaction only
	for chunk := range slices.Chunk(messages, rowsAtOnce) {
		runtime.Gosched() // on a machine with one processor, those who relay must not wait for a batch
		w.args = w.args[:0]
		for _, m := range chunk {
			key, err := w.key(ctx, tx, m.Session, known)
			if err != nil {
				return err
			}
			w.args = appendRow(w.args, m, key)
			if !w.segment.fits(m.Seq) {
				if err := w.seal(ctx, tx); err != nil {
					return err
				}
			}
			w.segment.add(m, key)
		}
		if len(chunk) == rowsAtOnce {
			if _, err := many.ExecContext(ctx, w.args...); err != nil {
				return err
			}
			continue
		}
		for args := range slices.Chunk(w.args, rowWidth) {
			if _, err := one.ExecContext(ctx, args...); err != nil {
				return err
			}
		}
	}
	if n := len(messages); n > 0 {
		w.last = messages[n-1].Seq
		if w.first == 0 {
			w.first = messages[0].Seq
		}
	}
	return nil
}

// seal writes the segment and begins the next.
func (w *writer) seal(ctx context.Context, tx *sql.Tx) error {
	s := w.segment
	if _, err := tx.ExecContext(ctx, `INSERT INTO segments (first, last, since, until, marks, bytes, columns) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		int64(s.first), int64(s.last), s.since, s.until, int64(s.marks), int64(s.bytes), s.encode()); err != nil {
		return err
	}
	span, err := tx.PrepareContext(ctx, `INSERT OR IGNORE INTO spans (session, first_n, segment) VALUES (?, ?, ?)`)
	if err != nil {
		return err
	}
	defer func() { _ = span.Close() }() // of the transaction only
	for key, n := range s.firstN {
		if _, err := span.ExecContext(ctx, key, int64(n), int64(s.first)); err != nil {
			return err
		}
	}
	where, err := tx.PrepareContext(ctx, `INSERT OR IGNORE INTO terms (term, segment) VALUES (?, ?)`)
	if err != nil {
		return err
	}
	defer func() { _ = where.Close() }() // of the transaction only
	for term := range s.terms {
		if _, err := where.ExecContext(ctx, int64(term), int64(s.first)); err != nil {
			return err
		}
	}
	w.segment = newSegment()
	return nil
}

// update writes newer versions of messages of this file, with rising Seq.
func (w *writer) update(ctx context.Context, tx *sql.Tx, messages []*capture.Message) error {
	change := tx.StmtContext(ctx, w.change)
	defer func() { _ = change.Close() }() // of the transaction only
	for i := 0; i < len(messages); i++ {
		w.args = appendChanges(w.args[:0], messages[i])
		if _, err := change.ExecContext(ctx, w.args...); err != nil {
			return err
		}
		w.segment.change(messages[i])
	}
	for len(messages) > 0 {
		if len(w.segment.entries) > 0 && messages[0].Seq >= w.segment.first {
			return nil
		}
		done, err := remark(ctx, tx, messages)
		if err != nil {
			return err
		}
		messages = messages[done:]
	}
	return nil
}

// remark changes the segment of the first message, and returns how many of the
// messages belong to it.
func remark(ctx context.Context, tx *sql.Tx, messages []*capture.Message) (done int, err error) {
	var first, last uint64
	var blob []byte
	err = tx.QueryRowContext(ctx, `SELECT first, last, columns FROM segments WHERE first <= ? ORDER BY first DESC LIMIT 1`, int64(messages[0].Seq)).
		Scan(&first, &last, &blob)
	if errors.Is(err, sql.ErrNoRows) {
		return 1, nil // it was dropped
	}
	if err != nil {
		return 0, err
	}
	c, err := parseColumns(first, blob)
	if err != nil {
		return 0, err
	}
	marks := uint32(0)
	for done < len(messages) && messages[done].Seq <= last {
		marks |= c.remark(messages[done])
		done++
	}
	if marks != 0 {
		_, err = tx.ExecContext(ctx, `UPDATE segments SET columns = ?, marks = marks | ? WHERE first = ?`, blob, int64(marks), int64(first))
	}
	return max(done, 1), err
}

// key is the number of a session in this file. A session that is new in the
// file is entered with what is known of it.
func (w *writer) key(ctx context.Context, tx *sql.Tx, id string, known func(id string) capture.Session) (key int64, err error) {
	if key, ok := w.keys[id]; ok {
		return key, nil
	}
	err = tx.QueryRowContext(ctx, `SELECT key FROM sessions WHERE id = ?`, id).Scan(&key)
	if errors.Is(err, sql.ErrNoRows) {
		return w.saveSession(ctx, tx, known(id))
	}
	if err == nil {
		w.remember(id, key)
	}
	return key, err
}

// remember keeps a key. A full memory starts over.
func (w *writer) remember(id string, key int64) {
	if len(w.keys) >= maxKeys {
		clear(w.keys)
	}
	w.keys[id] = key
}

// saveSession enters what is known of a session.
func (w *writer) saveSession(ctx context.Context, tx *sql.Tx, s capture.Session) (key int64, err error) {
	s.Kept = 0 // in memory, then
	s.Difficulty = finite(s.Difficulty)
	if s.Known != nil {
		known := *s.Known
		known.Difficulty = finite(known.Difficulty)
		s.Known = &known
	}
	data, err := json.Marshal(s)
	if err != nil {
		return 0, err
	}
	err = tx.QueryRowContext(ctx, `INSERT INTO sessions (id, began, last_seen, ended, reason, messages, data) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET last_seen = excluded.last_seen, ended = excluded.ended, reason = excluded.reason,
			messages = excluded.messages, data = excluded.data
		RETURNING key`,
		s.ID, nanos(s.At), nanos(s.LastSeen), toNanos(s.EndedAt), orNull(s.Reason), int64(s.Messages), string(data)).Scan(&key)
	if err == nil {
		w.remember(s.ID, key)
	}
	return key, err
}

// nanos is the form in which a time is stored that is always known.
func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

// saveGaps enters messages that were dropped.
func saveGaps(ctx context.Context, tx *sql.Tx, gaps []Gap) error {
	for _, g := range gaps {
		if _, err := tx.ExecContext(ctx, `INSERT INTO gaps (session, first_n, last_n, messages, since, until, reason) VALUES (?, ?, ?, ?, ?, ?, ?)`,
			orNull(g.Session), orNull(int64(g.First)), orNull(int64(g.Last)), int64(g.Messages), nanos(g.From), nanos(g.To), g.Reason); err != nil {
			return err
		}
	}
	return nil
}
