//go:build linux || darwin || freebsd

package files

import "syscall"

// FreeSpace is what is free on the disk of a folder, in bytes.
func FreeSpace(dir string) (int64, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, err
	}
	return int64(uint64(s.Bavail) * uint64(s.Bsize)), nil
}
