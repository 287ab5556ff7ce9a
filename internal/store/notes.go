package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Notes lists operators' notes on workers, by the SHA-256 of the worker's full
// name in hex.
func (s *SQLite) Notes(ctx context.Context) (map[string]string, error) {
	notes := make(map[string]string)
	err := s.view(ctx, func(tx *sql.Tx) error {
		_, err := query(ctx, tx, func(rows *sql.Rows) (struct{}, error) {
			var worker, note string
			err := rows.Scan(&worker, &note)
			notes[worker] = note
			return struct{}{}, err
		}, `SELECT worker, note FROM notes`)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read notes: %w", err)
	}
	return notes, nil
}

// SetNote keeps a note on a worker, or removes it when it is "". kept is false
// when there are already most others; then nothing has changed.
func (s *SQLite) SetNote(ctx context.Context, worker, note string, at time.Time, most int) (kept bool, err error) {
	err = s.transact(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM notes WHERE worker = ?`, worker); err != nil || note == "" {
			kept = err == nil
			return err
		}
		var others int
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM notes`).Scan(&others); err != nil {
			return err
		}
		if others >= most {
			return errFull
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO notes (worker, note, at) VALUES (?, ?, ?)`, worker, note, toMillis(at))
		kept = err == nil
		return err
	})
	switch {
	case errors.Is(err, errFull):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("keep note: %w", err)
	}
	return kept, nil
}

// errFull ends a transaction that would keep too much.
var errFull = errors.New("full")
