// Package pool is the solo mining pool: listeners, sessions, jobs, share
// validation, difficulty control and found blocks.
//
// A template from the node becomes a job; the job, together with a payout
// script, becomes work; all miners that are paid by that script share the work
// and the encoding of its notify. A share is looked up, its header rebuilt and
// hashed, and it is judged in this order: is it a block, is it a share. The
// reply never waits for disk, node or another miner.
//
// # Locks
//
// There are five. Only job.mu is taken while another one is held, session.mu:
//
//   - Pool.mu guards the set of sessions and the per-address counts.
//   - session.mu guards what a session knows of its miner and its difficulty.
//   - job.mu guards the work that was made of a job.
//   - blockKeeper.probing makes probes of the block folder wait for each other.
//   - blockKeeper.mu guards the list of blocks in flight.
//
// A session also writes to its connection and counts in the ledger under its
// lock. Neither calls back, and neither waits for the network or a disk.
//
// The current job and tip are atomic pointers to values that never change.
package pool
