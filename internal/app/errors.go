package app

import "errors"

// errPanic ends a part whose goroutine panicked; what it panicked with follows.
var errPanic = errors.New("panic")

// errHung is the error of a database that does not close.
var errHung = errors.New("the disk does not answer")
