// Package e2e proves the whole program: the binary as people run it, against
// its own network, and against Bitcoin nodes that others wrote.
package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/poolscope/poolscope/test/nodes"
)

// program is the path of the binary under test, built once.
var program string

func TestMain(m *testing.M) {
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "poolscope-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "make folder:", err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }() // a folder that stays in /tmp harms nobody

	program = filepath.Join(dir, "poolscope")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", program, "./cmd/poolscope")
	build.Dir = nodes.Root()
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // as it is released
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build poolscope: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}
