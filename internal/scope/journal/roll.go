package journal

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"slices"
	"time"
)

// previousFor is how long after its end a file stays open for updates.
const previousFor = time.Minute

// checkpoint is the number of pages in SQLite's log from which on they are
// moved to the file: few when all files together must be small.
func (j *Journal) checkpoint() int {
	return int(min(defaultCheckpoint, max(8, j.cfg.MaxSize/(8*filesAtLeast*pageSize))))
}

// roll sees to it that writer is the one to write to: another one after a day,
// and when the file is large.
func (j *Journal) roll(ctx context.Context, now time.Time) error {
	if now.Sub(j.rolledAt) > previousFor {
		j.retirePrevious()
	}
	day := now.UTC().Format(time.DateOnly)
	newest, full := j.newest()
	if newest != nil && newest.day >= day && !full {
		if j.writer == nil {
			return j.begin(ctx, newest)
		}
		return nil
	}
	if err := j.retire(ctx, now); err != nil {
		return err
	}
	next := &file{day: day, part: 1}
	if newest != nil && newest.day >= day { // also when the clock went back
		next.day, next.part = newest.day, newest.part+1
	}
	for next.path = pathOf(j.cfg.Dir, next.day, next.part); j.isGoing(next.path); {
		next.part++
		next.path = pathOf(j.cfg.Dir, next.day, next.part)
	}
	return j.begin(ctx, next)
}

// isGoing says whether a removed file is still there, since it is being read.
func (j *Journal) isGoing(path string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.ContainsFunc(j.going, func(f *file) bool { return f.path == path })
}

// newest is the file that is written to, and whether it is large enough.
func (j *Journal) newest() (f *file, full bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.files) == 0 {
		return nil, false
	}
	f = j.files[len(j.files)-1]
	return f, f.bytes >= j.cfg.MaxSize/filesAtLeast
}

// begin makes a file the one that is written to.
func (j *Journal) begin(ctx context.Context, f *file) error {
	w, err := openWriter(ctx, f, j.checkpoint())
	if err != nil {
		return err
	}
	j.writer = w
	j.mu.Lock()
	defer j.mu.Unlock()
	// An attempt that seemed to fail may have written something.
	f.first, f.last = w.first, w.last
	if !slices.Contains(j.files, f) {
		j.files = append(j.files, f)
		j.log.Info("journal file begun", "file", filepath.Base(f.path))
	}
	return nil
}

// retire ends writing to a file. It stays open for updates for a while.
func (j *Journal) retire(ctx context.Context, now time.Time) error {
	w := j.writer
	if w == nil {
		return nil
	}
	if err := w.transact(ctx, func(tx *sql.Tx) error {
		if err := j.saveSessions(ctx, tx, true); err != nil || len(w.segment.entries) == 0 {
			return err
		}
		return w.seal(ctx, tx)
	}); err != nil {
		return err
	}
	// The sessions with news stay known: what they say is written to the next file.
	j.retirePrevious()
	j.previous, j.writer, j.rolledAt = w, nil, now
	return nil
}

// retirePrevious ends writing to the file before.
func (j *Journal) retirePrevious() {
	if err := j.closeWriter(&j.previous); err != nil {
		j.log.Warn("journal file was not closed properly", "err", err)
	}
}

// closeWriters ends writing to all files.
func (j *Journal) closeWriters() error {
	return errors.Join(j.closeWriter(&j.writer), j.closeWriter(&j.previous))
}

// closeWriter ends writing to a file, if there is one, which makes it smaller:
// SQLite's log goes into it.
func (j *Journal) closeWriter(w **writer) error {
	if *w == nil {
		return nil
	}
	err := (*w).close()
	bytes := sizeOf((*w).file.path)
	j.mu.Lock()
	(*w).file.bytes = bytes
	j.mu.Unlock()
	*w = nil
	return err
}
