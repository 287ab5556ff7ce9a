// Package audit understands what was said between a miner and a pool: the facts
// of a session, what every share was really worth, and what somebody ought to
// know at once.
//
//	capture.Recorder ── messages in order ──▶ Auditor ──▶ Share of each mining.submit
//	                                          │   ▲        (before it is published)
//	Chain (our node, if any) ─────────────────┘   │
//	                                              └── readers: Facts, Jobs, Shares,
//	                                                  Difficulty, Alarms, Compare
//
// # Shares
//
// The header that a miner hashed is rebuilt from the job, the extranonces, the
// time, the nonce and the version bits, and hashed again. So each submit has a
// true difficulty, and the pool's word can be compared with it:
//
//   - A job keeps the extranonce1 that was in force when it was sent;
//     mining.set_extranonce counts from the next job on.
//   - The difficulty that a share must meet is the one in force when its job was
//     sent, or the current one if that is easier. Rounding of 0.1 % is forgiven.
//   - A share is stale when its job's block had been replaced by another, or its
//     job by one with clean_jobs, before the miner sent it.
//   - A duplicate has the header of an earlier share that the pool did not refuse.
//   - What cannot be known, because the session was not captured from its
//     beginning or bytes of it were lost, is "unknown" and never a conflict.
//
// # Alarms
//
// An Alarm is a plain sentence with the ids of the messages that prove it. The
// same kind in the same session is one alarm with a count.
//
// # Bounds
//
// Everything a peer can make the auditor remember is bounded, for a session and
// over all of them (Limits); what is dropped is counted (Status).
package audit
