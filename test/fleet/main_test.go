// Package fleet holds the tests of a whole fleet: the demo's pool, scope and
// relay in one process, agents in this one.
package fleet

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
