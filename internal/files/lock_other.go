//go:build !unix

package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Lock takes an exclusive lock on a file. Where there is no flock, it is a file
// that is removed first, which fails on systems that keep open files from being
// removed while another process has it open.
func Lock(path string) (*os.File, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", path, ErrLocked)
	}
	return os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
}
