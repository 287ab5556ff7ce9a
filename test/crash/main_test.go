// Package crash kills the pool (SIGKILL) at random moments, again and again,
// while miners find blocks, and then compares three accounts of what happened:
// the chain of a node that lived through it all, the pool's books, and what the
// miners were told.
//
//	POOLSCOPE_CRASH_ROUNDS=1000 go test ./test/crash
//	POOLSCOPE_CRASH_SEED=7 go test ./test/crash     the same moments again
package crash

import (
	"os"
	"testing"

	"github.com/poolscope/poolscope/test/program"
)

// poolscope is the path of the program under test, built once.
var poolscope string

func TestMain(m *testing.M) { os.Exit(program.Main(m, &poolscope)) }
