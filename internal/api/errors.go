package api

import "errors"

// Sentinel errors of this package.
var (
	// errOverloaded ends a WebSocket whose client does not read fast enough.
	errOverloaded = errors.New("client reads too slowly")
	// errHistory means that the books could not be read.
	errHistory = errors.New("history is not available")
	// errBusy means that too many ask for something dear.
	errBusy = errors.New("busy")
	// errPanic means that reading the sources panicked; the log says how.
	errPanic = errors.New("internal error")
)
