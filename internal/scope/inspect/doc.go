// Package inspect reads captures that were made by others and rebuilds the
// Stratum sessions in them: who spoke with whom, jobs, shares with their audit,
// alarms.
//
//	pcap, pcapng ─ packets ─▶ TCP streams ─▶ is it Stratum? ─┐
//	                                                         ├─▶ Recorder and Auditor ─▶ Result
//	JSON messages ─ sorted by time ──────────────────────────┘
//
// # Files of packets
//
// pcap in all its variants of byte order and resolution, and pcapng with any
// number of sections and interfaces. Links: Ethernet with VLAN tags, raw IP,
// Linux cooked capture in both versions, and loopback. IPv4 and IPv6; fragments
// of IP are left out and counted.
//
// TCP streams are put together from segments in any order, sent twice or in
// parts. Bytes that were not captured are a gap: it is known as soon as the other
// side has acknowledged more. Streams have the numbers that Wireshark gives them
// (tcp.stream), and sessions are named after them.
//
// A stream is a session when one side says a line that only a miner says, or
// only a pool; that also tells the two apart when the capture began later than
// the connection. Or the ports of pools are given: then every stream of theirs
// is a session.
//
// # Files of messages
//
// The JSONL of package export, whose hash chain is verified on the way; messages
// as our API and HashScope's give them, one a line or in an array, in any order,
// with answers that stand in their requests only; recordings of `poolscope
// capture`. Any of them may be compressed with gzip, and so may packets.
//
// # Bounds
//
// What a file can make this package keep is bounded; what is more is counted in
// File.Dropped. A damaged file is read as far as it goes.
package inspect
