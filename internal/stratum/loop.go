package stratum

import "errors"

// ErrNoLoop means that there is no event loop on this system.
var ErrNoLoop = errors.New("stratum: no event loop on this system")

// Standing is what a loop knows of a connection when more is to be read than
// one turn can take.
type Standing uint8

// The standings. Every turn serves some of each; Trusted ones first and all of
// them, the others within bounds of their own.
const (
	// Newcomer is a connection that has shown nothing yet, neither good nor bad.
	Newcomer Standing = iota
	// Trusted is one that does honest work.
	Trusted
	// Suspect is one that has sent things which are of no use.
	Suspect
	standings
)

// Handler is told what happens on a connection of a Loop. Its methods are called
// by the loop's goroutine, one at a time, so they must not wait: whoever has to
// pauses the connection (Member.Pause) and goes on elsewhere.
type Handler interface {
	// HandleFirst is shown the first byte of the stream, for telling protocols
	// apart.
	HandleFirst(b byte)
	// HandleLine is shown a line without its ending. The line is valid until
	// HandleLine returns, or, where the loop has a settle function, until that
	// was called. What the handler queues is flushed for it.
	HandleLine(line []byte)
	// HandleError is told why no more can be read: ErrLineTooLong,
	// os.ErrDeadlineExceeded, io.EOF or what the socket said. It closes the
	// connection with the reason that follows.
	HandleError(err error)
	// HandleFault is told of a panic in one of the other methods or in the
	// connection's tap. It closes the connection; it must not panic.
	HandleFault(fault any)
	// HandleEnd is called once, last, when the connection is closed, by
	// whomever.
	HandleEnd()
}
