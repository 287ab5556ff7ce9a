package node

import (
	"syscall"
	"testing"

	"go.uber.org/goleak"
)

// errRefused is what a dial to a closed port gives.
var errRefused = syscall.ECONNREFUSED

// No test may leave a goroutine behind. A closed PUB socket of the ZMQ library
// does; only tests have one.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/go-zeromq/zmq4.(*pubMWriter).run"))
}
