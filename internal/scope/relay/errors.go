package relay

import "errors"

// ErrNoUpstream is the error of New for a configuration without a pool.
var ErrNoUpstream = errors.New("relay: no pool to relay to")

// Errors of Session.Inject. What the caller's context ends with is returned as
// it is.
var (
	// ErrSessionEnded means that the session has ended, or that its stream to
	// the pool has.
	ErrSessionEnded = errors.New("relay: the session has ended")
	// ErrBadLine means a line that is empty, too long, more than one line, or
	// without the private id as its id.
	ErrBadLine = errors.New("relay: not a line to inject")
	// ErrWireID means an id that is in use or no JSON integer or plain string.
	ErrWireID = errors.New("relay: not a private id")
	// ErrTooManyInjected means that maxInjected lines wait for their answers.
	ErrTooManyInjected = errors.New("relay: too many injected lines without an answer")
)
