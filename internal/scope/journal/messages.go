package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

// Message is the nth message of a session, or ErrNotFound.
func (j *Journal) Message(ctx context.Context, session string, n uint64) (m *capture.Message, err error) {
	list, err := j.SessionMessages(ctx, session, n, 1)
	if err == nil && (len(list) == 0 || list[0].N != n) {
		return nil, fmt.Errorf("message %q: %w", capture.MessageID(session, n), ErrNotFound)
	}
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

// SessionMessages is like [Library.SessionMessages], for what is on disk.
func (j *Journal) SessionMessages(ctx context.Context, session string, from uint64, limit int) (list []*capture.Message, err error) {
	waiting, changed := j.queue.pending()
	files := j.acquire()
	defer j.release(files)
	slices.Reverse(files)
	err = j.each(ctx, files, func(ctx context.Context, _ *file, tx *sql.Tx) error {
		var key int64
		err := tx.QueryRowContext(ctx, `SELECT key FROM sessions WHERE id = ?`, session).Scan(&key)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err == nil {
			list, err = readSession(ctx, tx, key, from, limit, list)
		}
		if err == nil && len(list) >= limit {
			return errEnough
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, m := range waiting {
		if len(list) < limit && m.Session == session && m.N >= from && (len(list) == 0 || m.N > list[len(list)-1].N) {
			list = append(list, m)
		}
	}
	for _, m := range changed {
		if at, ok := find(list, m.Seq); ok {
			list[at] = m
		}
	}
	return list, nil
}

// readSession appends up to limit messages of a session that a file has, from
// number from on.
func readSession(ctx context.Context, tx *sql.Tx, key int64, from uint64, limit int, list []*capture.Message) ([]*capture.Message, error) {
	keep := func(m *capture.Message) bool {
		if m.N >= from {
			list = append(list, m)
		}
		return len(list) < limit
	}
	// The segment that has the first of them, or would have it, and those behind.
	next := int64(0)
	if err := tx.QueryRowContext(ctx, `SELECT coalesce(max(first_n), 0) FROM spans WHERE session = ? AND first_n <= ?`, key, int64(from)).Scan(&next); err != nil {
		return nil, err
	}
	for len(list) < limit {
		var g stored
		err := tx.QueryRowContext(ctx, `SELECT g.first, g.columns, p.first_n FROM spans p CROSS JOIN segments g ON g.first = p.segment
			WHERE p.session = ? AND p.first_n >= ? ORDER BY p.first_n LIMIT 1`, key, next).Scan(&g.first, &g.blob, &next)
		if errors.Is(err, sql.ErrNoRows) {
			break
		}
		if err != nil {
			return nil, err
		}
		next++
		c, err := parseColumns(g.first, g.blob)
		if err != nil {
			return nil, err
		}
		seqs := c.candidates(&wanted{session: key}, 0)
		slices.Reverse(seqs)
		for part := range slices.Chunk(seqs, rowsPerQuery) {
			if err := load(ctx, tx, keep, `SELECT `+selectRow+` WHERE m.seq IN (`+numbers(part)+`) ORDER BY m.seq`); err != nil {
				return nil, err
			}
			if len(list) >= limit {
				return list, nil
			}
		}
	}
	return list, load(ctx, tx, keep, `SELECT `+selectRow+` WHERE m.seq > coalesce((SELECT max(last) FROM segments), 0) AND m.session = ? ORDER BY m.seq`, key)
}

// load gives the messages of a query to take, until that returns false.
func load(ctx context.Context, tx *sql.Tx, take func(*capture.Message) bool, query string, args ...any) error {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // Err tells
	for rows.Next() {
		m, err := scanRow(rows)
		if err != nil {
			return err
		}
		if !take(m) {
			break
		}
	}
	return rows.Err()
}
