// Package scopeapi is the HTTP face of the scope: sessions, messages, replay,
// audit and the live feed, with its own description at /openapi.json.
//
//	request ─▶ access (token, origin, host) ─▶ route ─▶ parameters (422) ─▶ handler ─▶ JSON
//	recorder ─▶ Feed ─▶ a bounded queue for each WebSocket
//
// # One description
//
// Each operation is declared once, as a huma.Operation with the schemas of its
// parameters, bodies and responses. The router is made of these declarations,
// requests are checked against them, and the OpenAPI document is them. What
// huma would do itself with a request, this package does: the contract wants
// FastAPI's errors in FastAPI's order, and captured lines go out as the bytes
// that package capture made of them.
//
// # Order of the checks
//
//  1. 403, 401: who asks, and from which page (access.go)
//  2. 404, 405, 307: is there such a path
//  3. 415, 422: parameters and body
//  4. 404, then 400: is there such a thing, and can it be done
//  5. 503: the part of the program that does it is not running
//
// Every error is {"detail": …}.
package scopeapi
