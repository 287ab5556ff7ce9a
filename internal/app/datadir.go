package app

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/poolscope/poolscope/internal/files"
)

// lockName is the file in a data folder that its process holds.
const lockName = "poolscope.lock"

// openDataDir makes a data folder and takes it for this process, unless it is half
// restored. The returned function gives it back.
func openDataDir(dir string) (release func(), err error) {
	release, err = lockDataDir(dir)
	if err != nil {
		return nil, err
	}
	if err := halfRestored(dir); err != nil {
		release()
		return nil, err
	}
	return release, nil
}

// lockDataDir makes a data folder and takes it for this process, whatever is in
// it.
func lockDataDir(dir string) (release func(), err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	lock, err := files.Lock(filepath.Join(dir, lockName))
	if errors.Is(err, files.ErrLocked) {
		return nil, fmt.Errorf("data folder %s is in use by another poolscope; stop that one or choose another folder with --data-dir", dir)
	}
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	if err := removePorts(dir); err != nil {
		return nil, errors.Join(fmt.Errorf("data folder: %w", err), lock.Close())
	}
	return func() {
		// Both end with the process anyway.
		_ = removePorts(dir)
		_ = lock.Close()
	}, nil
}
