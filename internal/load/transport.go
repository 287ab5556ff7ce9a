package load

import "time"

// transport moves bytes for many connections. All its methods, and those of
// its handler, are called on one goroutine.
type transport interface {
	// dial starts connection i; opened or closed follows from wait.
	dial(i int)
	// write sends b, now or when there is room. b must not change any more.
	write(i int, b []byte)
	// hangUp ends a connection; closed does not follow.
	hangUp(i int)
	// wait handles what happened, and waits up to d for the first of it.
	wait(d time.Duration)
	// timestamps asks for the time at which bytes arrived in the kernel instead
	// of the time at which they were read, where that can be had.
	timestamps(on bool)
	// shutdown ends all connections.
	shutdown()
}

// handler is told what happened to connections.
type handler interface {
	opened(i int)
	// received gets bytes that are valid during the call, and when they were
	// read or, with timestamps, arrived, as the time since the start of the run.
	received(i int, b []byte, at time.Duration)
	closed(i int, err error)
	// now is the time since the start of the run.
	now() time.Duration
}

// readSize is the most that is read at once.
const readSize = 256 << 10
