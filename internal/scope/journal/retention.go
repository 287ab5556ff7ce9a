package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// makeRoom deletes what is needed to keep the limits of size and free space. It
// fails with errLowSpace when there is not enough free space.
func (j *Journal) makeRoom() error {
	j.dropDamaged()
	next := int64(j.transactionBytes())
	for j.total()+next > j.cfg.MaxSize && j.dropOldest("max_size") {
	}
	if j.cfg.MinFree <= 0 {
		return nil
	}
	free, err := j.free(j.cfg.Dir)
	if err != nil {
		return fmt.Errorf("free space of %s: %w", j.cfg.Dir, err)
	}
	if free >= j.cfg.MinFree {
		return nil
	}
	// One file, and then another look: a reader may keep its space for a moment.
	if j.dropOldest("low_space") {
		if free, err = j.free(j.cfg.Dir); err == nil && free >= j.cfg.MinFree {
			return nil
		}
	}
	return fmt.Errorf("%w: %d MiB of %d MiB that are to be left free", errLowSpace, free>>20, j.cfg.MinFree>>20)
}

// prune deletes what is too old.
func (j *Journal) prune(now time.Time) {
	j.dropDamaged()
	if j.cfg.MaxAge <= 0 {
		return
	}
	limit := now.Add(-j.cfg.MaxAge)
	for _, path := range j.asidePaths() {
		if info, err := os.Stat(path); err == nil && info.ModTime().Before(limit) {
			j.deleteAside(path, "max_age")
		}
	}
	for {
		j.mu.Lock()
		var oldest *file
		if len(j.files) > 0 && !j.files[0].until.IsZero() && j.files[0].until.Before(limit) {
			oldest = j.files[0]
		}
		j.mu.Unlock()
		if oldest == nil {
			return
		}
		j.dropFile(oldest, "max_age")
	}
}

// total is the size of everything in the folder that is ours.
func (j *Journal) total() int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	sum := j.asides
	for _, f := range j.files {
		sum += f.bytes
	}
	return sum
}

// dropOldest deletes one file: one that was set aside, else the oldest that is
// not being written. It reports false when there is none.
func (j *Journal) dropOldest(reason string) bool {
	if paths := j.asidePaths(); len(paths) > 0 && j.deleteAside(paths[0], reason) {
		return true
	}
	j.mu.Lock()
	var oldest *file
	if len(j.files) > 1 {
		oldest = j.files[0]
	}
	j.mu.Unlock()
	if oldest == nil {
		return false
	}
	j.dropFile(oldest, reason)
	return true
}

// dropFile deletes a file of the journal.
func (j *Journal) dropFile(f *file, reason string) {
	j.letGo(f)
	j.mu.Lock()
	j.stats.PrunedFiles++
	j.stats.PrunedBytes += uint64(f.bytes)
	messages := f.last - f.first
	j.mu.Unlock()
	j.remove(f, false)
	j.log.Info("journal file deleted", "file", filepath.Base(f.path), "reason", reason, "bytes", f.bytes, "messages", messages+1)
}

// letGo ends writing to a file.
func (j *Journal) letGo(f *file) {
	for _, w := range []**writer{&j.writer, &j.previous} {
		if *w == nil || (*w).file != f {
			continue
		}
		if err := j.closeWriter(w); err != nil {
			j.log.Debug("journal file was not closed properly", "path", f.path, "err", err)
		}
	}
}

// dropDamaged sets aside the files that searches found damaged.
func (j *Journal) dropDamaged() {
	j.mu.Lock()
	var damaged []*file
	for _, f := range j.files {
		if f.damage != nil {
			damaged = append(damaged, f)
		}
	}
	j.mu.Unlock()
	for _, f := range damaged {
		j.letGo(f)
		j.setAside(f, f.damage)
	}
}

// asidePaths lists the files that were set aside, the oldest first.
func (j *Journal) asidePaths() []string {
	j.mu.Lock()
	none := j.asides == 0
	j.mu.Unlock()
	if none {
		return nil
	}
	return j.globAsides()
}

func (j *Journal) globAsides() []string {
	paths, err := filepath.Glob(filepath.Join(escapeGlob(j.cfg.Dir), "journal-*.db.corrupt-*"))
	if err != nil {
		return nil // the pattern is valid
	}
	// Those beside a database go with it.
	paths = slices.DeleteFunc(paths, func(path string) bool {
		return slices.ContainsFunc(suffixes[1:], func(suffix string) bool { return strings.HasSuffix(path, suffix) })
	})
	slices.Sort(paths)
	return paths
}

// countAsides sums up the files that were set aside.
func (j *Journal) countAsides() {
	var sum int64
	for _, path := range j.globAsides() {
		sum += max(1, sizeOf(path))
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.asides = sum
}

func (j *Journal) deleteAside(path, reason string) bool {
	bytes := sizeOf(path)
	err := deleteAll(path)
	j.countAsides()
	if err != nil {
		j.log.Error("journal file cannot be removed", "path", path, "err", err)
		return false
	}
	j.mu.Lock()
	j.stats.PrunedFiles++
	j.stats.PrunedBytes += uint64(bytes)
	j.mu.Unlock()
	j.log.Info("journal file deleted", "file", filepath.Base(path), "reason", reason, "bytes", bytes)
	return true
}

// deleteAll deletes a database and what belongs to it.
func deleteAll(path string) error {
	var errs []error
	for _, suffix := range suffixes {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
