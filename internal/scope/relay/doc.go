// Package relay is a transparent proxy for Stratum: it stands between miners
// and pools, passes every byte on, and lets package capture see it.
//
//	            ┌───────────── Session ─────────────┐
//	miner ──────┤ read → Tape → uplink ─────────────┼────▶ pool
//	  ▲         │                 ▲ injected lines  │        │
//	  └─────────┼───── write ◀─ sieve ◀─ read ──────┼────────┘
//	            └───────────────────────────────────┘
//
// # What is passed on
//
// Whatever bytes come in, in whatever pieces, go out on the other side in the
// same order: the relay does not look for lines, JSON or text to do its work.
// The copy for the recorder is put into a queue that never waits; the bytes are
// written; then their time of forwarding is noted. A side that reads slowly
// slows down the one direction that leads to it, by TCP's own means.
//
// Two things are taken out of what a pool sends, and nothing of what a miner
// sends:
//
//   - the answers to lines that were injected with Session.Inject. They bear
//     private ids that no miner used;
//   - client.reconnect, unless Config.Reconnect is ReconnectPass: a miner that
//     follows it would leave the proxy. See ReconnectHold.
//
// Only while one of the two is possible are lines looked at, and only the
// beginning of a line that may still turn out to be one of them is held back
// until it is known.
//
// # Endings
//
// When one side ends its stream, the other one's is ended at once; what was
// still on its way back is passed on as long as it keeps coming. A reset is
// passed on as a reset. Every session ends for a Reason, and every Reason is
// counted.
//
// # Pools
//
// Upstreams are dialled in the order of the configuration. One that failed is
// tried after the others for a while; new sessions return to it afterwards. A
// session never changes its pool: work of one is worth nothing at another.
package relay
