// Package agent is a member of a fleet that submits shares to a pool from where
// it stands, and tells the scope how it went.
//
//	relays ─▶ nostr/client ─▶ Gate ─▶ bounded queue ─▶ pace ─┐
//	                                                        ├─▶ session ─▶ pool
//	                 own jobs ─▶ hashes ─▶ own shares ──────┘      │
//	relays ◀─ telemetry, every few seconds ◀─ counters ◀───────────┘
//
// # Modes
//
// In replay the shares of others are submitted as they are, under the agent's
// own worker name. They belong to other connections, so an honest pool rejects
// them: it is a test of load. In mine the agent hashes its own jobs at an ordered
// rate and difficulty and submits valid shares, so that latency and acceptance
// are those of a miner in its place.
//
// # Counting
//
// Every submit has an id of its own on its connection, so that each answer finds
// its submit however many wait. Attempted is the sum of accepted, rejected,
// unanswered and pending, at any time.
//
// # Whose pool
//
// Load on other people's pools is an attack. There is no agent for
// a pool that is not declared to be the user's own, wherever it is: nothing is
// dialled.
package agent
