//go:build unix

package load

import (
	"errors"
	"fmt"
	"syscall"
	"time"
)

// spareFiles is what the process needs besides its connections.
const spareFiles = 64

// checkFileLimit fails early where connections would run out of file
// descriptors. Go has raised the soft limit to the hard one at start-up; a
// privileged process may raise that, too.
func checkFileLimit(connections int) error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return nil // unknown: then the connections tell
	}
	need := uint64(connections) + spareFiles
	if uint64(limit.Cur) >= need {
		return nil
	}
	raised := limit
	raised.Cur, raised.Max = need, max(limit.Max, need)
	if syscall.Setrlimit(syscall.RLIMIT_NOFILE, &raised) == nil {
		return nil
	}
	return fmt.Errorf("%w: %d connections need %d, this process may open %d; raise it with ulimit -n, the server needs as many", ErrTooManyFiles, connections, need, limit.Cur)
}

// explain puts the errors of a machine at its limits into words.
func explain(err error) string {
	switch {
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return err.Error() + " (no local port left: see net.ipv4.ip_local_port_range, or wait a minute for closed connections to be forgotten)"
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return err.Error() + " (raise the limit with ulimit -n)"
	case errors.Is(err, syscall.ECONNREFUSED):
		return err.Error() + " (nothing listens there)"
	}
	return err.Error()
}

// ownCPU returns the processor time that this process used so far.
func ownCPU() time.Duration {
	var ru syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &ru) != nil {
		return 0
	}
	return time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
}
