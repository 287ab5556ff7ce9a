// Package load puts many miners' worth of traffic on a pool and measures what
// that costs: handshakes per second, shares per second, how long a share waits
// for its answer, and what the server spends on it in processor time and
// memory.
//
// # What makes the numbers honest
//
// Every share is real. It is searched with proof of work, for the job,
// extranonce and difficulty of its own connection, before the clock starts;
// what the pool accepts is therefore worth accepting, and what it rejects is
// reported by reason. Every share has an extranonce2 of its own, so a server
// has to hash the coinbase and the branches each time, as with real hardware.
//
// There are two ways to drive. In the closed loop each connection has a fixed
// number of submits unanswered and sends the next when an answer comes: it
// shows how much the server can do. In the open loop shares are sent at fixed
// times whatever the server does, and latency counts from the time at which a
// share was due, so a stall is not hidden by the load waiting for it.
//
// The generator is one goroutine over epoll, with prebuilt lines, reads and
// writes in batches. Where there is no epoll, or with TLS, goroutines feed the
// same loop; the server's processor time per share is then still right, the
// rates are lower.
//
// # Phases
//
//	connect → settle → hold → prepare → timed window → report
//
// Each phase is bounded in time and count.
package load
