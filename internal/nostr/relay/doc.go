// Package relay is a small Nostr relay: an http.Handler that speaks NIP-01 over
// WebSocket, with limits on everything that a stranger can make grow, and
// answers NIP-11 (its document), NIP-40 (expiration) and NIP-42 (AUTH).
//
// Events are verified before anything else happens with them. Regular events
// are kept up to a number, the oldest going first; of replaceable and
// addressable ones the newest is kept; ephemeral ones are only passed on. What
// is kept is in memory, or in one SQLite file (Disk), which a restart finds
// again. A client that reads too slowly, or does not answer pings, is closed,
// never waited for. Whatever is refused, dropped or closed is counted by reason
// in Stats, and told to the client in OK, CLOSED or NOTICE.
package relay
