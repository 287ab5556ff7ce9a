package backup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/poolscope/poolscope/internal/files"
)

// unverifiedFor is how long an archive that was not verified is left alone:
// somebody may be about to.
const unverifiedFor = 2 * runLimit

// prune deletes what is no generation any more, and what cut attempts left. It
// leaves made, which was made just now, whatever the clock says. Archives that
// were not verified may be copies that somebody brought here without their sums:
// they are kept by the same rules, apart from the others.
func (s *Service) prune(ctx context.Context, t Target, made string) error {
	now := s.cfg.Now()
	all, err := list(ctx, t, s.cfg.Keep, now)
	if err != nil {
		return fmt.Errorf("list old backups: %w", err)
	}
	var unverified []time.Time
	for _, b := range all {
		if !b.Verified {
			unverified = append(unverified, b.At)
		}
	}
	spared := s.cfg.Keep.generations(unverified, now)
	var errs []error
	for i, b := range all {
		if len(b.Kept) > 0 || i == 0 || b.Name == made || !b.Verified && (len(spared[b.At]) > 0 || now.Sub(b.At) < unverifiedFor) {
			continue
		}
		// The sum first: what is half deleted is not verified.
		if err := errors.Join(t.Delete(ctx, b.Name+sumEnd), t.Delete(ctx, b.Name)); err != nil {
			errs = append(errs, fmt.Errorf("delete old backup %s: %w", b.Name, err))
			continue
		}
		s.log.Info("old backup deleted", "name", b.Name, "target", t.Name())
	}
	if err := t.Sweep(ctx, now.Add(-unverifiedFor)); err != nil {
		// Not every storage can, nor may every key.
		s.log.Warn("what cut attempts left is not deleted", "target", t.Name(), "err", err)
	}
	return errors.Join(errs...)
}

// lockName is the file that is locked while an archive is made, so that the
// program and a person at the command line do not both.
const lockName = ".lock"

// Hold keeps everybody from making an archive in a working folder, until what it
// returns is closed or the process ends. It fails with ErrRunning while somebody
// makes one.
func Hold(workDir string) (*os.File, error) {
	lock, err := files.Lock(filepath.Join(workDir, lockName))
	if errors.Is(err, files.ErrLocked) {
		return nil, ErrRunning
	}
	if err != nil {
		return nil, err
	}
	return lock, nil
}

// stamp is the time that an archive made now gets, in seconds: one of its own, as
// it is in its name, and the one before may not be written over. The lock's file
// remembers the last.
func stamp(lock *os.File, now time.Time) time.Time {
	at := now.UTC().Truncate(time.Second)
	text := make([]byte, len(nameTime))
	if n, _ := lock.ReadAt(text, 0); n == len(text) {
		if last, err := time.Parse(nameTime, string(text)); err == nil && !at.After(last) && last.Sub(at) < time.Minute {
			at = last.Add(time.Second)
		}
	}
	_, _ = lock.WriteAt([]byte(at.Format(nameTime)), 0) // an archive without it is still one
	return at
}

// sweep removes what a process that was killed left in the working folder, unless
// there is no such folder, or somebody is at work.
func (s *Service) sweep() {
	lock, err := Hold(s.cfg.WorkDir)
	if err != nil {
		return
	}
	s.sweepHeld()
	_ = lock.Close() // it was only locked
}

// sweepHeld is sweep for who holds the lock: archives half and whole, which have
// no business here once they are where they are kept.
func (s *Service) sweepHeld() {
	left, _ := filepath.Glob(filepath.Join(s.cfg.WorkDir, ".making-*")) // the pattern is right
	whole, _ := filepath.Glob(filepath.Join(s.cfg.WorkDir, namePrefix+"*"))
	for _, path := range whole {
		if _, _, ok := ParseName(filepath.Base(path)); ok {
			left = append(left, path)
		}
	}
	for _, path := range left {
		if err := os.RemoveAll(path); err != nil {
			s.log.Warn("what a backup left is not removed", "path", path, "err", err)
		}
	}
}
