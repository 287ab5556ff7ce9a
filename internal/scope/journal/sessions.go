package journal

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"time"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

// ReasonKilled is why sessions ended that were live when the process was killed.
const ReasonKilled = "process_killed"

// each calls do with the files, the newest first, until it fails. A damaged
// file is left out: it will be set aside.
func (j *Journal) each(ctx context.Context, files []*file, do func(ctx context.Context, f *file, tx *sql.Tx) error) error {
	for _, f := range files {
		err := f.view(ctx, func(ctx context.Context, tx *sql.Tx) error { return do(ctx, f, tx) })
		switch {
		case errors.Is(err, errDamaged):
			j.suspect(f, err)
		case errors.Is(err, errEnough):
			return nil
		case err != nil:
			return fmt.Errorf("read journal: %w", err)
		}
	}
	return nil
}

// errEnough ends each: there is nothing more to look for.
var errEnough = errors.New("enough")

// Session is one session, or ErrNotFound.
func (j *Journal) Session(ctx context.Context, id string) (s capture.Session, err error) {
	if s, ok := j.queue.newsOf(id); ok {
		return s, nil
	}
	files := j.acquire()
	defer j.release(files)
	found := false
	err = j.each(ctx, files, func(ctx context.Context, _ *file, tx *sql.Tx) error {
		s, err = scanSession(tx.QueryRowContext(ctx, `SELECT data FROM sessions WHERE id = ?`, id))
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		found = err == nil
		return cmp.Or(err, errEnough)
	})
	if err == nil && !found {
		err = fmt.Errorf("session %q: %w", id, ErrNotFound)
	}
	return s, err
}

// scanSession reads the column data.
func scanSession(row scanner) (s capture.Session, err error) {
	var data []byte
	if err := row.Scan(&data); err != nil {
		return s, err
	}
	if err := json.Unmarshal(data, &s); err != nil {
		return s, fmt.Errorf("session: %w: %w", errRow, err)
	}
	return s, nil
}

// sessionsBelow returns up to limit sessions behind a cursor, all or those that
// have ended, and whether there are more. What the newest of several files says of a session counts.
func (j *Journal) sessionsBelow(ctx context.Context, limit int, below sessionCursor, ended bool) (page []capture.Session, more bool, err error) {
	seen := make(map[string]bool)
	for id, s := range j.queue.news() {
		if seen[id] = true; below.after(&s) && (!ended || !s.Live()) {
			page = append(page, s)
		}
	}
	files := j.acquire()
	defer j.release(files)
	at := below.at
	if below.id == "" {
		at = math.MaxInt64
	}
	err = j.each(ctx, files, func(ctx context.Context, _ *file, tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT data FROM sessions WHERE (began, id) < (?, ?) AND (NOT ? OR ended IS NOT NULL) ORDER BY began DESC, id DESC LIMIT ?`, at, below.id, ended, limit+1)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }() // Err tells
		for rows.Next() {
			s, err := scanSession(rows)
			if err != nil {
				return err
			}
			if !seen[s.ID] {
				seen[s.ID] = true
				page = append(page, s)
			}
		}
		return rows.Err()
	})
	slices.SortFunc(page, func(a, b capture.Session) int { return -compareSessions(&a, &b) })
	if more = len(page) > limit; more {
		page = page[:limit]
	}
	return page, more, err
}

// closeKilled ends the sessions that were live when the process was killed. What
// does not succeed, as on a full disk, is done at the next start.
func (j *Journal) closeKilled(ctx context.Context) {
	for i, f := range slices.Backward(j.files) {
		live, err := j.killed(ctx, f, j.files[i+1:])
		if err == nil && len(live) > 0 {
			err = j.endKilled(ctx, f, live)
		}
		switch {
		case errors.Is(err, errDamaged):
			j.suspect(f, err)
		case err != nil:
			j.log.Warn("sessions were not closed that were live when the process was killed", "file", filepath.Base(f.path), "err", err)
		case len(live) > 0:
			j.log.Info("sessions closed that were live when the process was killed", "sessions", len(live))
		}
	}
}

// endKilled writes down that sessions have ended.
func (j *Journal) endKilled(ctx context.Context, f *file, live map[int64]*capture.Session) error {
	w, err := openWriter(ctx, f, j.checkpoint())
	if err != nil {
		return err
	}
	err = w.transact(ctx, func(tx *sql.Tx) error {
		for _, s := range live {
			s.EndedAt, s.Reason, s.Connected = s.LastSeen, ReasonKilled, false
			if _, err := w.saveSession(ctx, tx, *s); err != nil {
				return err
			}
		}
		return nil
	})
	return errors.Join(err, w.close())
}

// killed finds the sessions that are live in a file and unknown to newer ones,
// and counts the messages that they had last.
func (j *Journal) killed(ctx context.Context, f *file, newer []*file) (live map[int64]*capture.Session, err error) {
	live = make(map[int64]*capture.Session)
	err = f.view(ctx, func(ctx context.Context, tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT key, data FROM sessions WHERE ended IS NULL`)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }() // Err tells
		for rows.Next() {
			var key int64
			s, err := scanSession(after{&key, rows})
			if err != nil {
				return err
			}
			live[key] = &s
		}
		return rows.Err()
	})
	if err != nil || len(live) == 0 {
		return nil, err
	}
	for key, s := range live {
		for _, n := range newer {
			known := 0
			err := n.view(ctx, func(ctx context.Context, tx *sql.Tx) error {
				return tx.QueryRowContext(ctx, `SELECT count(*) FROM sessions WHERE id = ?`, s.ID).Scan(&known)
			})
			if err != nil {
				return nil, err
			}
			if known > 0 {
				delete(live, key)
				break
			}
		}
	}
	return live, f.view(ctx, func(ctx context.Context, tx *sql.Tx) error { return recount(ctx, tx, live) })
}

// recount adds the messages that were not counted before the process died.
func recount(ctx context.Context, tx *sql.Tx, live map[int64]*capture.Session) error {
	rows, err := tx.QueryContext(ctx, `SELECT session, n, direction, received, fault IS NOT NULL, coalesce(gap, 0) FROM messages
		WHERE seq > coalesce((SELECT value FROM meta WHERE key = 'sessions_saved'), 0) ORDER BY seq`)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // Err tells
	for rows.Next() {
		var key, direction, received int64
		var n, gap uint64
		var faulty bool
		if err := rows.Scan(&key, &n, &direction, &received, &faulty, &gap); err != nil {
			return err
		}
		if s := live[key]; s != nil {
			count(s, n, capture.Direction(direction), time.Unix(0, received).UTC(), faulty, gap)
		}
	}
	return rows.Err()
}

// Gaps returns the newest gaps, those of one session or of all with "".
func (j *Journal) Gaps(ctx context.Context, session string, limit int) ([]Gap, error) {
	var out []Gap
	for _, g := range j.queue.waitingGaps() {
		if session == "" || g.Session == session || g.Session == "" {
			out = append(out, g)
		}
	}
	files := j.acquire()
	defer j.release(files)
	err := j.each(ctx, files, func(ctx context.Context, _ *file, tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT coalesce(session, ''), coalesce(first_n, 0), coalesce(last_n, 0), messages, since, until, reason
			FROM gaps WHERE ? = '' OR session = ? OR session IS NULL ORDER BY key DESC LIMIT ?`, session, session, limit)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }() // Err tells
		for rows.Next() {
			var g Gap
			var since, until int64
			if err := rows.Scan(&g.Session, &g.First, &g.Last, &g.Messages, &since, &until, &g.Reason); err != nil {
				return err
			}
			g.From, g.To = time.Unix(0, since).UTC(), time.Unix(0, until).UTC()
			out = append(out, g)
		}
		if len(out) >= limit {
			return cmp.Or(rows.Err(), errEnough)
		}
		return rows.Err()
	})
	return out[:min(limit, len(out))], err
}
