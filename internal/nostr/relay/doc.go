// Package relay is a small Nostr relay in memory: an http.Handler that speaks
// NIP-01 over WebSocket, with limits on everything that a stranger can make
// grow.
//
// Events are verified before anything else happens with them. Regular events
// are kept up to a number, the oldest going first; of replaceable and
// addressable ones the newest is kept; ephemeral ones are only passed on. A
// client that reads too slowly is closed, never waited for. Whatever is
// refused, dropped or closed is counted by reason in Stats.
package relay
