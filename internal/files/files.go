// Package files holds what the data folders of all parts need: files that
// survive a power failure whole or not at all, and locks that end with the
// process that holds them.
package files

import (
	"errors"
	"os"
	"path/filepath"
)

// ErrLocked is returned by Lock when another process holds the lock.
var ErrLocked = errors.New("in use by another process")

// WriteDurably writes a file so that after a crash or a power failure either
// the old content or the new one is there, never a part: a temporary file in
// the same directory, fsync, rename, fsync of the directory.
func WriteDurably(path string, data []byte, mode os.FileMode) error {
	temporary := path + ".tmp"
	f, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(temporary, path)
	}
	if err != nil {
		// What is left of the attempt is of no use; the first error says why.
		_ = os.Remove(temporary)
		return err
	}
	return SyncDir(filepath.Dir(path))
}

// SyncDir makes renames and new files in a directory durable.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
