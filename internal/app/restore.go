package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/poolscope/poolscope/internal/backup"
	"github.com/poolscope/poolscope/internal/config"
	"github.com/poolscope/poolscope/internal/files"
	"github.com/poolscope/poolscope/internal/store"
)

// Restore is an order to put a backup in the place of what a data folder holds.
type Restore struct {
	Config  *config.Config
	Archive io.Reader
	Key     backup.Key // for an encrypted archive
	Now     time.Time
	// Confirm, when set, is asked after everything was checked and before anything
	// is touched; false ends it with ErrNotRestored.
	Confirm func(*backup.Manifest) bool
}

// Errors of a restore.
var (
	// ErrNotRestored means that somebody changed their mind.
	ErrNotRestored = errors.New("nothing was changed")
	// ErrHalfRestored means that a restore was cut short after it had begun to
	// replace files.
	ErrHalfRestored = errors.New("a restore was cut short")
)

// Names in a data folder.
const (
	// restoreMark is a file that is there while files are being replaced; it holds
	// the name of the folder with what was there before.
	restoreMark = "restore-unfinished"
	// restoring and checking begin the names of folders with unpacked archives.
	restoring, checking = ".restoring-", ".checking-"
	// leftFor is how long a folder of a check is left alone: its process may live.
	leftFor = 24 * time.Hour
)

// halfRestored says that a folder is neither what it was nor what the backup has.
// Nobody shall begin new books there.
func halfRestored(dir string) error {
	aside, err := os.ReadFile(filepath.Join(dir, restoreMark))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	return fmt.Errorf("%w, and %s is half of each; run poolscope backup restore again (what was there before is in %s; to go back to that instead, move it back and remove %s)",
		ErrHalfRestored, dir, filepath.Join(dir, string(aside)), filepath.Join(dir, restoreMark))
}

// sweepUnpacked removes folders of unpacked archives that processes left which
// were killed; held says that nobody else can be restoring.
func sweepUnpacked(dir string, now time.Time, held bool) error {
	entries, err := filepath.Glob(filepath.Join(dir, checking+"*"))
	if held && err == nil {
		var more []string
		more, err = filepath.Glob(filepath.Join(dir, restoring+"*"))
		entries = append(entries, more...)
	}
	errs := []error{err}
	for _, path := range entries {
		info, err := os.Stat(path)
		old := err == nil && now.Sub(info.ModTime()) > leftFor
		if old || held && filepath.Base(path)[:len(restoring)] == restoring {
			errs = append(errs, os.RemoveAll(path))
		}
	}
	return errors.Join(errs...)
}

// unpackBackup unpacks an archive in a new folder below the data folder, and
// checks all of it: that no file is damaged, and that this program can read the
// books, which it brings up to date there. Whoever gets the folder removes it.
func unpackBackup(ctx context.Context, order Restore, prefix string) (m *backup.Manifest, dir string, err error) {
	dir, err = os.MkdirTemp(order.Config.DataDir, prefix)
	if err != nil {
		return nil, "", err
	}
	if m, err = backup.Unpack(ctx, order.Archive, order.Key, dir); err != nil {
		return nil, dir, err
	}
	for _, name := range []string{booksMember, fleetStore} {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := store.Check(ctx, path); err != nil {
			return nil, dir, fmt.Errorf("%s in the archive: %w", name, err)
		}
		if name != booksMember {
			continue
		}
		books, err := store.Open(ctx, path, slog.New(slog.DiscardHandler))
		if err != nil {
			return nil, dir, fmt.Errorf("%s in the archive: %w", name, err)
		}
		if err := books.Close(); err != nil {
			return nil, dir, err
		}
	}
	return m, dir, nil
}

// CheckBackup unpacks an archive and checks that it could be restored.
func CheckBackup(ctx context.Context, order Restore) (m *backup.Manifest, err error) {
	if err := sweepUnpacked(order.Config.DataDir, order.Now, false); err != nil {
		return nil, err
	}
	m, dir, err := unpackBackup(ctx, order, checking)
	return m, errors.Join(err, os.RemoveAll(dir))
}

// RestoreBackup checks an archive whole, then puts its files in the place of
// what the data folder holds, which is moved aside. No poolscope may use the
// folder meanwhile. Before everything is checked nothing is touched. When it is cut
// short after that, no pool starts on the folder until it was done again.
func RestoreBackup(ctx context.Context, order Restore) (done *backup.Restored, err error) {
	cfg := order.Config
	release, err := lockDataDir(cfg.DataDir)
	if err != nil {
		return nil, err
	}
	defer release()
	work := filepath.Join(cfg.DataDir, backupWork)
	if err := os.MkdirAll(work, 0o700); err != nil {
		return nil, err
	}
	held, err := backup.Hold(work) // nobody copies what is half of each
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, held.Close()) }()
	if err := sweepUnpacked(cfg.DataDir, order.Now, true); err != nil {
		return nil, err
	}
	manifest, unpacked, err := unpackBackup(ctx, order, restoring)
	defer func() { err = errors.Join(err, os.RemoveAll(unpacked)) }()
	if err != nil {
		return nil, err
	}
	if order.Confirm != nil && !order.Confirm(manifest) {
		return nil, ErrNotRestored
	}
	aside := backup.FreeName(filepath.Join(cfg.DataDir, backup.AsideName(order.Now)))
	mark := filepath.Join(cfg.DataDir, restoreMark)
	again := halfRestored(cfg.DataDir) != nil
	if !again { // what was there before the first attempt is what counts
		if err := files.WriteDurably(mark, []byte(filepath.Base(aside)), 0o600); err != nil {
			return nil, err
		}
	}
	done, err = backup.Restore(manifest, unpacked, backupPlaces(cfg), aside)
	if err != nil && done != nil {
		return done, errors.Join(err, halfRestored(cfg.DataDir))
	}
	if err != nil && again {
		return nil, err
	}
	return done, errors.Join(err, os.Remove(mark), files.SyncDir(cfg.DataDir))
}
