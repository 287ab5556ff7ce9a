package load

import "errors"

// Errors of Run.
var (
	// ErrBadConfig says that a setting is out of range.
	ErrBadConfig = errors.New("load: bad configuration")
	// ErrTooManyFiles says that the process may not open that many
	// connections.
	ErrTooManyFiles = errors.New("load: not enough file descriptors")
	// ErrNoConnections says that no connection was signed in.
	ErrNoConnections = errors.New("load: no connection was signed in")
	// ErrTooHard says that the shares would take too long to find at the
	// difficulty that the pool set.
	ErrTooHard = errors.New("load: the pool's difficulty is too high")
	// ErrNotConfirmed says that the target is on another machine, and that
	// nobody confirmed that it may be loaded.
	ErrNotConfirmed = errors.New("load: not confirmed")
	// ErrTooMuch says that such a load must not be put on a public address.
	ErrTooMuch = errors.New("load: too much for this target")
)

// errOver ends the run when its time is over. What was measured is reported.
var errOver = errors.New("the time of the run is over")

// Reasons for the end of a connection.
var (
	errClosed       = errors.New("closed by the pool")
	errLineTooLong  = errors.New("line from the pool too long")
	errTLSAuthority = errors.New("certificate not accepted; use the insecure option for a self-signed one")
)
