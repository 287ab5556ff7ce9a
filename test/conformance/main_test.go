package conformance

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/poolscope/poolscope/test/program"
)

// poolscope is the path of the program under test, built once.
var poolscope string

// sideBySide is how many cases run at the same time. They wait for the pool and
// for time to pass far more than they work, so it is more than there are cores.
const sideBySide = "20"

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", sideBySide); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(program.Main(m, &poolscope))
}
