//go:build unix

package files

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// keepOwner gives a new file the owner and group of the one that it replaces. Who
// may not do that goes on: the file is then theirs, with the same mode.
func keepOwner(f *os.File, old fs.FileInfo) error {
	was, ok := old.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	now, err := f.Stat()
	if err != nil {
		return err
	}
	if is, ok := now.Sys().(*syscall.Stat_t); ok && is.Uid == was.Uid && is.Gid == was.Gid {
		return nil
	}
	err = f.Chown(int(was.Uid), int(was.Gid))
	if errors.Is(err, fs.ErrPermission) {
		// The group alone may be allowed.
		if err = f.Chown(-1, int(was.Gid)); errors.Is(err, fs.ErrPermission) {
			return nil
		}
	}
	return err
}

// CanReplace says whether this process may replace files in a folder.
func CanReplace(dir string) bool {
	const write, search = 2, 1 // access(2)
	return syscall.Access(dir, write|search) == nil
}
