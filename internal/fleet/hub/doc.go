// Package hub is the scope's side of a fleet: it publishes the shares of the
// sessions that broadcast and the orders for load, and keeps what the agents
// tell.
//
//	recorder ─▶ Captured ─ bounded queue ─▶ sign ─▶ nostr/client ─▶ relays
//	relays ─▶ nostr/client ─▶ Gate ─▶ registry ─▶ watchers (WebSockets)
//	                                     └─ bounded queue ─▶ SQLite
//
// Nothing here is ever waited for by the recorder or by the relays' connections:
// what does not fit a queue is dropped and counted.
//
// # Time
//
// Agents tell when they saw a new block, by their own clocks. Those clocks are
// compared with ours by the telemetry that travelled fastest; an agent whose
// clock is wrong is left out of the comparison, and shows by how much.
package hub
