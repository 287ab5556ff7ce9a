package scope

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
