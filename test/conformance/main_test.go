package conformance

import (
	"os"
	"testing"

	"github.com/poolscope/poolscope/test/program"
)

// poolscope is the path of the program under test, built once.
var poolscope string

func TestMain(m *testing.M) {
	os.Exit(program.Main(m, &poolscope))
}
