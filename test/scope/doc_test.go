// Package scope proves `poolscope scope` from outside: the binary, between
// miners and pools that the tests play over real sockets, or a real pool of our
// own, seen through its HTTP API, its WebSocket and its files.
package scope
