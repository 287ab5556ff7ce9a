// Package e2e proves the whole program: the binary as people run it, against
// its own network, and against Bitcoin nodes that others wrote.
package e2e

import (
	"os"
	"testing"

	"github.com/poolscope/poolscope/test/program"
)

// binary is the path of the program under test, built once.
var binary string

func TestMain(m *testing.M) {
	os.Exit(program.Main(m, &binary))
}
