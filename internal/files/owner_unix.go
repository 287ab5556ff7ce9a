//go:build unix

package files

import (
	"errors"
	"io/fs"
	"os"
	"os/user"
	"strconv"
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

// ForRootOnly says that this process is root and a folder another user's, whose
// programs could not read private files that are made there now.
func ForRootOnly(dir string) (owner string, ok bool) {
	info, err := os.Stat(dir)
	if err != nil || os.Geteuid() != 0 {
		return "", false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || stat.Uid == 0 {
		return "", false
	}
	id := strconv.FormatUint(uint64(stat.Uid), 10)
	if u, err := user.LookupId(id); err == nil {
		return u.Username, true
	}
	return "#" + id, true // as sudo takes it
}
