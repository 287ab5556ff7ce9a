// Package nodes starts Bitcoin nodes that poolscope's authors did not write, so
// that tests can ask them what they think of our blocks:
//
//   - btcd, built from the module that poolscope already depends on. Its RPC
//     server is its own: no ZMQ, no cookie, no default_witness_commitment while
//     its mempool is empty.
//   - bitcoind: the program that $BITCOIND names, else the one in $PATH, else
//     Bitcoin Knots from Debian's unstable suite, fetched with apt from the
//     mirror that this machine already uses and unpacked into .cache/, with the
//     C library that it wants.
//
// Both run on regtest, on ports of their own choosing on 127.0.0.1, in folders
// that the test removes. What cannot be had is skipped loudly, never passed.
package nodes

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"
)

// skipLoudly ends a test that this machine cannot run, in words that the
// summary of `make test` repeats.
func skipLoudly(t testing.TB, format string, args ...any) {
	t.Helper()
	t.Skip("SKIPPED LOUDLY: " + fmt.Sprintf(format, args...))
}

// WaitFor asks every 20 ms whether something has happened, and fails the test
// when it has not within the limit. It is for what other processes do: those
// send no signal that a test could wait on.
func WaitFor(t testing.TB, limit time.Duration, what string, happened func() bool) {
	t.Helper()
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()

	for !happened() {
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatalf("the test ended while waiting for: %s", what)
		case <-deadline.C:
			t.Fatalf("not within %s: %s", limit, what)
		}
	}
}

// FreePort is a TCP port of 127.0.0.1 that nobody listened on a moment ago, for
// programs that cannot choose one themselves.
func FreePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// Root is the root folder of the repository.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(filepath.Dir(filepath.Dir(file)))
}

// Cache is the folder for what is expensive to make: .cache in the repository,
// or $POOLSCOPE_TEST_CACHE.
func Cache() string {
	if dir := os.Getenv("POOLSCOPE_TEST_CACHE"); dir != "" {
		return dir
	}
	return filepath.Join(Root(), ".cache")
}

// locked runs make while no other process does the same: go test runs the
// packages side by side, and each may need the same node.
func locked(name string, do func() error) error {
	if err := os.MkdirAll(Cache(), 0o755); err != nil {
		return fmt.Errorf("make cache folder: %w", err)
	}
	f, err := os.Create(filepath.Join(Cache(), name+".lock"))
	if err != nil {
		return fmt.Errorf("create lock: %w", err)
	}
	defer f.Close() // releases the lock
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("lock %s: %w", f.Name(), err)
	}
	return do()
}
