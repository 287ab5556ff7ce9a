// Package devnet is a Bitcoin network in one process: one solo node with
// btcd's own consensus code (chain, mempool, block templates, database), a
// wallet that makes transaction traffic, and the faces that a pool expects of
// Bitcoin Core: JSON-RPC over HTTP and ZMQ announcements.
//
//	            ┌───────────── Node ──────────────┐
//	JSON-RPC ──▶│ rpcServer ─▶ chain ─▶ ffldb     │
//	            │     │          │  └▶ journal    │
//	            │     ▼          ▼                │
//	            │ templates ◀─ mempool ◀─ traffic │
//	            │                │                │
//	ZMQ      ◀──│ publisher ◀────┘                │
//	            └─────────────────────────────────┘
//
// Nothing is mocked: every block but the genesis carries real proof of work
// and is checked by the rules that btcd applies to mainnet, with segwit and
// taproot active from the first block. What differs from Bitcoin Core's
// regtest is told in docs/decisions/0002-devnet-difficulty.md.
package devnet
