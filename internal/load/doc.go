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
// rates are lower. Memory is the server's resident memory, without what the
// kernel holds for its sockets.
//
// # Phases
//
//	connect → settle → hold → fan-out → prepare ⇄ timed window → report
//
// All together are bounded by one duration. When the pool has other work in the
// middle of the timed window (a new tip, a higher difficulty, another
// extranonce), the clock stops while shares for it are searched; so the load
// goes on with valid shares on a chain that goes on.
//
// # Fan-out
//
// Whenever the pool brings a new tip, the time of its first job on it is taken
// for each miner; while connections idle and during the fan-out phase that is
// the time at which it arrived in the kernel, so that two thousand reads in a
// row are not counted as the pool's. The fan-out phase mines blocks itself: it
// asks the pool's node for a template, solves an empty block, and counts from
// the moment at which it hands that to the node.
//
// # Comparing a proxy
//
// With a proxy in front of the same pool every second connection goes through
// it. Both halves send in turns, share by share, so that whatever else the
// machine does hits both; what a quantile has more on the proxy's side is what
// the proxy adds.
//
// # Whom it may be put on
//
// This machine; a private network, with a confirmation for large loads; public
// addresses with a confirmation and with small loads only. See Config.Confirmed.
package load
