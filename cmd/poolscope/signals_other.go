//go:build !unix

package main

import "github.com/poolscope/poolscope/internal/app"

// operatorRequests has none: this system has no such signals.
func operatorRequests() (<-chan app.Request, func()) { return nil, func() {} }
