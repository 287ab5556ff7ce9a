package backup

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/poolscope/poolscope/internal/files"
)

// Fetch returns a reader of an archive at a target after checking it against
// the sum that was written when it was verified. It copies the archive, which must
// have the size that the target listed, to a file in dir that nobody else sees and
// that ends with the process. An archive without a sum is fetched, too: verified is
// false then.
func Fetch(ctx context.Context, t Target, b Backup, dir string) (archive io.ReadCloser, verified bool, err error) {
	want, err := readSum(ctx, t, b.Name)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return nil, false, err
	}
	verified = err == nil
	r, err := t.Get(ctx, b.Name)
	if err != nil {
		return nil, false, err
	}
	f, err := os.CreateTemp(dir, ".fetched-")
	if err != nil {
		return nil, false, errors.Join(err, r.Close())
	}
	// Where open files can be removed, nothing is left when the process is killed.
	_ = os.Remove(f.Name())
	copied := temporary{f}
	hash := sha256.New()
	n, err := io.Copy(io.MultiWriter(f, hash), io.LimitReader(reader{ctx, r}, b.Bytes+1))
	err = errors.Join(err, r.Close())
	switch {
	case err != nil:
	case n != b.Bytes:
		err = fmt.Errorf("%w: %s has not the %d bytes that are listed", ErrArchive, b.Name, b.Bytes)
	case verified && !bytes.Equal(hash.Sum(nil), want[:]):
		err = fmt.Errorf("%w: %s is not what was stored: its SHA-256 differs from %s", ErrArchive, b.Name, b.Name+sumEnd)
	default:
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, false, errors.Join(err, copied.Close())
	}
	return copied, verified, nil
}

// temporary is a file that is gone when it is closed.
type temporary struct{ *os.File }

// Close closes and removes the file.
func (t temporary) Close() error { return errors.Join(t.File.Close(), removeIfThere(t.Name())) }

// Place is where a member of an archive goes.
type Place struct {
	Name string // in the archive; with a slash at the end all below it
	Path string // file, or folder
	// Database says that it is a SQLite file: its log and index leave with the old
	// one.
	Database bool
	// Add keeps files that are there: those of the archive are added to them.
	Add bool
}

// Restored is what a restore did.
type Restored struct {
	Manifest *Manifest
	Files    []string // paths that were written
	Aside    string   // folder that holds what was there before; "" when nothing was
}

// Restore puts the members of an unpacked archive into their places. What was
// there is moved into the folder aside, never deleted. Members without a place are
// left in the unpacked folder and are an error. done is nil after an error when
// nothing was touched.
//
// Databases must have been checked, and no process may use the places.
func Restore(m *Manifest, unpacked string, places []Place, aside string) (done *Restored, err error) {
	done = &Restored{Manifest: m}
	defer func() {
		if err != nil && done != nil && done.Aside == "" && len(done.Files) == 0 {
			done = nil
		}
	}()
	type move struct{ from, to string }
	var moves []move
	var old []Place
	for _, member := range m.Files {
		place, rest, ok := placeOf(places, member.Name)
		if !ok {
			return nil, fmt.Errorf("the archive holds %s, which this program has no place for", member.Name)
		}
		to := place.Path
		if rest != "" {
			to = filepath.Join(place.Path, filepath.FromSlash(rest))
		}
		if _, err := os.Lstat(to); err == nil {
			if place.Add {
				continue
			}
			old = append(old, Place{Path: to, Database: place.Database})
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		moves = append(moves, move{filepath.Join(unpacked, filepath.FromSlash(member.Name)), to})
	}

	for _, o := range old {
		if err := os.MkdirAll(aside, 0o700); err != nil {
			return nil, err
		}
		done.Aside = aside
		suffixes := []string{""}
		if o.Database {
			suffixes = []string{"-wal", "-shm", ""} // the log first: it must not meet another database
		}
		for _, suffix := range suffixes {
			if err := rename(o.Path+suffix, FreeName(filepath.Join(aside, filepath.Base(o.Path)+suffix))); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return done, err
			}
		}
	}
	for _, mv := range moves {
		if err := os.MkdirAll(filepath.Dir(mv.to), 0o750); err != nil {
			return done, err
		}
		if err := rename(mv.from, mv.to); err != nil {
			return done, err
		}
		done.Files = append(done.Files, mv.to)
	}
	return done, syncAll(done.Files)
}

// placeOf finds the place of a member, and its name below it.
func placeOf(places []Place, name string) (p Place, rest string, ok bool) {
	for _, p := range places {
		if p.Name == name {
			return p, "", true
		}
		if rest, ok := strings.CutPrefix(name, p.Name); ok && strings.HasSuffix(p.Name, "/") {
			return p, rest, true
		}
	}
	return Place{}, "", false
}

// FreeName is path, or path with a number when there is such a file or folder.
func FreeName(path string) string {
	for name, i := path, 2; ; i++ {
		if _, err := os.Lstat(name); errors.Is(err, fs.ErrNotExist) {
			return name
		}
		name = fmt.Sprintf("%s.%d", path, i)
	}
}

// rename moves a file, to another disk too.
func rename(from, to string) error {
	err := os.Rename(from, to)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return err
	}
	source, openErr := os.Open(from)
	if openErr != nil {
		return err
	}
	part := to + ".part"
	target, createErr := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if createErr != nil {
		return errors.Join(err, createErr, source.Close())
	}
	_, copyErr := io.Copy(target, source)
	if copyErr = errors.Join(copyErr, target.Sync(), target.Close(), source.Close()); copyErr != nil {
		return errors.Join(copyErr, removeIfThere(part))
	}
	return errors.Join(os.Rename(part, to), os.Remove(from))
}

// syncAll makes new names durable.
func syncAll(paths []string) error {
	var dirs []string
	for _, p := range paths {
		if dir := filepath.Dir(p); !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	var errs []error
	for _, dir := range dirs {
		errs = append(errs, files.SyncDir(dir))
	}
	return errors.Join(errs...)
}

// AsideName is the name of a folder for what a restore moves away.
func AsideName(now time.Time) string { return "before-restore-" + now.UTC().Format(nameTime) }
