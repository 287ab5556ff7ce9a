package app

import "errors"

// errPanic ends a part whose goroutine panicked; what it panicked with follows.
var errPanic = errors.New("panic")
