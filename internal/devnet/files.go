package devnet

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/poolscope/poolscope/internal/files"
)

// Names inside the data directory.
const (
	lockName    = "devnet.lock"
	specName    = "devnet.json"
	keyName     = "wallet.key"
	cookieName  = ".cookie"
	dbName      = "chain"
	journalName = "journal"
)

// writeFile writes a file whole or not at all.
func writeFile(path string, data []byte, mode os.FileMode) error {
	if err := files.WriteDurably(path, data, mode); err != nil {
		return fmt.Errorf("devnet: write %s: %w", path, err)
	}
	return nil
}

// lockDir keeps other processes out of a data directory until the returned
// file is closed.
func lockDir(dir string) (*os.File, error) {
	lock, err := files.Lock(filepath.Join(dir, lockName))
	switch {
	case errors.Is(err, files.ErrLocked):
		return nil, fmt.Errorf("%w: %s is locked; stop that process or choose another data directory", ErrLocked, dir)
	case err != nil:
		return nil, fmt.Errorf("devnet: lock data directory: %w", err)
	}
	return lock, nil
}

// exists tells whether there is anything at path.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// treeSize adds up the files under a directory, in bytes. What vanishes
// meanwhile does not count.
func treeSize(dir string) (size int64) {
	_ = filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		if info, err := entry.Info(); err == nil && info.Mode().IsRegular() {
			size += info.Size()
		}
		return nil
	})
	return size
}
