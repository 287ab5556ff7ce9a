// Package api is the program's HTTP face: the JSON APIs, the live feed, health
// and metrics, and the page.
//
//	source ── read models ──► view (encoded once per period) ──► any number of clients
//	                     └──► hub  (encoded once per second)  ──► any number of WebSockets
//
// It reads immutable pictures that the ledger, the pool and the node package
// publish, and never touches a live session. Six endpoints are a public
// contract whose names, types, units and omissions are fixed; their structs
// are in files named after them (overview.go, poolpage.go, nodepage.go,
// serverpage.go, hashrate.go, blocks.go). status.go, history.go and live.go
// are this project's own. docs/api.md describes all of it for users.
//
// Package scopeapi, which answers for the microscope under the same address, has
// rules of its own; this package mounts it, counts its requests and shows its
// description at /docs.
package api
