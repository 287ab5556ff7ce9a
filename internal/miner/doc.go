// Package miner is a CPU miner for Bitcoin: an ordinary Stratum V1 client with
// hashing threads behind it. It is what the demo mines with, and a second
// opinion on the pool, since it keeps to the rules that hardware keeps to.
//
// # How it works
//
//	pool ──lines──▶ session ──work──▶ board ──▶ hashing threads
//	     ◀─submit── session ◀────────shares───────────┘
//
// A session is one connection. It signs in, turns each mining.notify into work
// and puts it on the board; the threads look at the board every few
// milliseconds, so a new job replaces the old one at once. Work is handed out
// in units: a unit has an extranonce2 of its own, so no two threads ever try
// the same header, and its own rolled version bits and block time, as hardware
// does it. Within a unit the nonce is counted.
//
// # The rules it keeps
//
// A difficulty takes effect with the next notify; so does a new extranonce1.
// clean_jobs, or another previous block, makes shares of older jobs worthless:
// they are not sent any more. Without it they are. The version of a header is
// (job version and not mask) or (rolled bits and mask), BIP310. The block time
// is the job's plus the seconds that went by since. Replies are paired by id
// and never by order. client.reconnect is obeyed within the same host only.
// A pool that says nothing for three minutes is left, and a pool that is gone
// is tried again after one second, then two, four, up to a minute.
//
// Job, Endpoint, Message and Hasher are exported for other clients, such as the
// load generator.
package miner
