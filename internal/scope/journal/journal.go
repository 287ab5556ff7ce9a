package journal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	disk "github.com/poolscope/poolscope/internal/files"
	"github.com/poolscope/poolscope/internal/store"
)

// Config says where and how much is kept.
type Config struct {
	Dir     string        // folder of the files; it is made when it is missing
	MaxAge  time.Duration // files whose last message is older are deleted; 0: never
	MaxSize int64         // bytes of all files together; the oldest are deleted above it; 0 is 4 GiB
	MinFree int64         // bytes that are left free on the disk; 0: none

	QueueMessages int // messages that may wait for the writer; 0 is 131072
	QueueBytes    int // bytes that they and their answers may take; 0 is 64 MiB

	Budget time.Duration // time that one search takes, about; 0 is 70 ms
}

const (
	defaultMaxSize       = 4 << 30
	defaultQueueMessages = 1 << 17
	defaultQueueBytes    = 64 << 20
	defaultBudget        = 70 * time.Millisecond

	// filesAtLeast is the number of files that MaxSize is divided into: what
	// makes room is a whole file.
	filesAtLeast = 4
)

// Journal keeps messages on disk. It is a capture.Sink.
type Journal struct {
	cfg   Config
	log   *slog.Logger
	queue *queue
	free  func(dir string) (int64, error) // bytes that are free on the disk

	mu     sync.Mutex // guards the below, and fields of files
	files  []*file    // the oldest first
	asides int64      // bytes of files that were set aside
	going  []*file    // those that were removed and are still being read
	stats  Stats

	// Of Run's goroutine.
	writer   *writer // of the newest file; nil without
	previous *writer // of the file before, for updates; nil without
	rolledAt time.Time
	wait     time.Duration // before the latest attempt to write; 0 after one that succeeded
	endBy    time.Time     // when the program waits no longer; zero while it runs
	sessions tracker
}

// Open opens the journal's folder. A file that is damaged, or none of ours, is
// set aside under another name; one of a newer version is an error,
// ErrNewerSchema. Sessions that a killed process left open are closed.
func Open(cfg Config, log *slog.Logger) (*Journal, error) {
	cfg.MaxSize = cmp.Or(cfg.MaxSize, defaultMaxSize)
	cfg.Budget = cmp.Or(cfg.Budget, defaultBudget)
	j := &Journal{
		cfg: cfg, log: log, free: disk.FreeSpace,
		queue:    newQueue(cmp.Or(cfg.QueueMessages, defaultQueueMessages), cmp.Or(cfg.QueueBytes, defaultQueueBytes)),
		sessions: newTracker(),
		stats:    Stats{State: StateOK},
	}
	if err := j.open(context.Background()); err != nil {
		_ = j.Close() // the error that counts is the first
		return nil, fmt.Errorf("open journal %s: %w", cfg.Dir, err)
	}
	return j, nil
}

func (j *Journal) open(ctx context.Context) error {
	if err := os.MkdirAll(j.cfg.Dir, 0o750); err != nil {
		return err
	}
	paths, err := filepath.Glob(filepath.Join(escapeGlob(j.cfg.Dir), "journal-*.db"))
	if err != nil {
		return err
	}
	unread := false
	for _, path := range paths {
		f := parseName(path)
		if f == nil {
			continue
		}
		err := f.probe(ctx)
		switch {
		case errors.Is(err, errDamaged):
			j.setAside(f, err)
			continue
		case errors.Is(err, ErrNewerSchema):
			_ = f.close() // the error that counts is the first
			return fmt.Errorf("%s: %w", filepath.Base(path), err)
		case err != nil && !errors.Is(err, errEmpty):
			// A full disk must not keep the capture from beginning. What is in the
			// file can be searched after the next start.
			j.log.Error("journal file cannot be read now", "path", path, "err", err)
			j.stats.LastError, j.stats.LastErrorAt = err.Error(), time.Now()
			unread = true
		}
		if err != nil {
			if err := f.close(); err != nil {
				j.log.Debug("journal file was not closed properly", "path", path, "err", err)
			}
			continue
		}
		j.files = append(j.files, f)
	}
	slices.SortFunc(j.files, func(a, b *file) int { return cmp.Or(cmp.Compare(a.day, b.day), cmp.Compare(a.part, b.part)) })
	j.countAsides()
	if j.queue.latest = j.lastWritten(); unread {
		// No count of messages comes near to this.
		j.queue.latest = max(j.queue.latest, uint64(time.Now().UnixMicro()))
	}
	j.closeKilled(ctx)
	return nil
}

// escapeGlob makes a path match itself only.
func escapeGlob(path string) string {
	var out []byte
	for _, c := range []byte(path) {
		if c == '*' || c == '?' || c == '[' || c == '\\' {
			out = append(out, '\\')
		}
		out = append(out, c)
	}
	return string(out)
}

// Close ends all access to the files. Call it after Run has returned.
func (j *Journal) Close() error {
	errs := []error{j.closeWriters()}
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, f := range j.files {
		errs = append(errs, f.close())
	}
	j.files = nil
	return errors.Join(errs...)
}

// LastSeq is the highest Seq of all messages that are journalled, or waited to
// be; 0 when there are none.
func (j *Journal) LastSeq() uint64 {
	j.queue.mu.Lock()
	defer j.queue.mu.Unlock()
	return j.queue.latest
}

// acquire lists the files, the newest first. They stay readable until release.
func (j *Journal) acquire() []*file {
	j.mu.Lock()
	defer j.mu.Unlock()
	var files []*file
	for _, f := range j.files {
		if f.damage == nil {
			f.users++
			files = append(files, f)
		}
	}
	slices.Reverse(files)
	return files
}

// release lets go of files. Those that were removed meanwhile disappear.
func (j *Journal) release(files []*file) {
	j.mu.Lock()
	var gone []*file
	for _, f := range files {
		if f.users--; f.users == 0 && f.removed {
			gone = append(gone, f)
		}
	}
	j.mu.Unlock()
	for _, f := range gone {
		j.dispose(f)
	}
}

// remove takes a file off the list. It is deleted, or set aside, as soon as
// nobody reads it.
func (j *Journal) remove(f *file, aside bool) {
	j.mu.Lock()
	at := slices.Index(j.files, f)
	if at < 0 {
		j.mu.Unlock()
		return
	}
	j.files = slices.Delete(j.files, at, at+1)
	f.removed, f.aside = true, aside
	unused := f.users == 0
	if !unused {
		j.going = append(j.going, f)
	}
	j.mu.Unlock()
	if unused {
		j.dispose(f)
	}
}

// dispose deletes a removed file, or sets it aside.
func (j *Journal) dispose(f *file) {
	errs := []error{f.close()}
	if f.aside {
		kept, err := store.SetAside(f.path, time.Now())
		if err == nil {
			j.log.Error("journal file is damaged; it was set aside", "path", f.path, "kept", kept)
		}
		errs = append(errs, err)
		j.countAsides()
	} else {
		errs = append(errs, deleteAll(f.path))
	}
	if err := errors.Join(errs...); err != nil {
		j.log.Error("journal file cannot be removed", "path", f.path, "err", err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.going = slices.DeleteFunc(j.going, func(g *file) bool { return g == f })
}

// suspect notes that a reader found a file damaged. The writer's goroutine sets
// it aside.
func (j *Journal) suspect(f *file, why error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if f.damage == nil {
		f.damage = why
	}
}

// setAside takes a damaged file out of the journal.
func (j *Journal) setAside(f *file, why error) {
	j.log.Error("journal file cannot be read", "path", f.path, "err", why)
	j.mu.Lock()
	j.stats.SetAside++
	listed := slices.Contains(j.files, f)
	j.mu.Unlock()
	if listed {
		j.remove(f, true)
		return
	}
	f.aside = true
	j.dispose(f)
}
