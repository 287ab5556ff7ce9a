//go:build unix

package pool

import "syscall"

// openFiles is how many files the process may open, 0 when that is not known.
// Go has raised the soft limit to the hard one at start-up.
func openFiles() uint64 {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil {
		return 0
	}
	return uint64(limit.Cur)
}
