// Package fetch asks identity providers: an HTTP client that takes no more and
// waits no longer than it should.
package fetch
