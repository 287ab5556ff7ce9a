package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/poolscope/poolscope/internal/files"
)

// ErrNotFound means that a target has no file of that name.
var ErrNotFound = errors.New("no such backup")

// Local is a folder.
type Local struct{ dir string }

// NewLocal returns a target in a folder, which is made when it is missing.
func NewLocal(dir string) *Local { return &Local{dir} }

// Name implements [Target].
func (l *Local) Name() string { return "local" }

// Location implements [Target]: the folder.
func (l *Local) Location() string { return l.dir }

// List implements [Target].
func (l *Local) List(context.Context) ([]File, error) {
	entries, err := os.ReadDir(l.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []File
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			all = append(all, File{Name: e.Name(), Bytes: info.Size()})
		}
	}
	return all, nil
}

// partEnd is at the end of a file that is being written.
const partEnd = ".part"

// Put implements [Target]. The file has its name when it is on the medium.
func (l *Local) Put(ctx context.Context, name, path string) error {
	if err := os.MkdirAll(l.dir, 0o700); err != nil {
		return err
	}
	part := filepath.Join(l.dir, name+partEnd)
	f, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	err = errors.Join(copyFile(ctx, f, path), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(part, filepath.Join(l.dir, name))
	}
	if err != nil {
		return errors.Join(err, removeIfThere(part))
	}
	return files.SyncDir(l.dir)
}

// PutSmall implements [Target].
func (l *Local) PutSmall(_ context.Context, name string, data []byte) error {
	return files.WriteDurably(filepath.Join(l.dir, name), data, 0o600)
}

// Get implements [Target].
func (l *Local) Get(_ context.Context, name string) (io.ReadCloser, error) {
	f, err := os.Open(filepath.Join(l.dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s", ErrNotFound, name)
	}
	return f, err
}

// Delete implements [Target].
func (l *Local) Delete(_ context.Context, name string) error {
	return removeIfThere(filepath.Join(l.dir, name))
}

// Sweep implements [Target]: a process that was killed leaves files with other
// names.
func (l *Local) Sweep(ctx context.Context, before time.Time) error {
	all, err := l.List(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, f := range all {
		name, part := strings.CutSuffix(f.Name, partEnd)
		if !part {
			name, part = strings.CutSuffix(f.Name, sumEnd+".tmp") // of files.WriteDurably
		}
		if at, _, ok := ParseName(name); ok && part && at.Before(before) {
			errs = append(errs, removeIfThere(filepath.Join(l.dir, f.Name)))
		}
	}
	return errors.Join(errs...)
}
