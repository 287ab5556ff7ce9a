// Package export writes captured sessions as files for other tools, and as
// evidence. All writers stream: what they keep in memory does not grow with the
// capture. Sessions are exported one at a time, their messages in the order of
// their numbers.
//
// # JSONL, hash-chained
//
// A text file of lines that end with LF, each a JSON object in UTF-8:
//
//	{"type":"header","format":"poolscope-capture","version":1,"tool":"poolscope v1.2","created":"2026-01-02T03:04:05.000000Z","session":{…},"prev":null}
//	{"id":"<session>-1","ts_recv":…,…,"prev":"<64 hex digits>"}
//	…
//	{"type":"footer","messages":2,"gap_bytes":0,"missing":0,"prev":"<64 hex digits>"}
//
// The first line is the header. Its "session" has what is known of the session
// (Session lists the members). Then comes a line for each message, with the
// members that the API gives it (capture.Message.AppendJSON), and "prev" last.
// The last line is the footer: the number of messages, the bytes that their
// "gap_bytes" say were not captured, and how many numbers are missing in
// between or at the beginning, since the ring or the journal had let go of
// those messages.
//
// "prev" is the SHA-256, as 64 lower-case hex digits, of the bytes of the line
// before, without its LF. So who changes, adds, removes or moves a line has to
// write all lines after it anew. Who notes the head, the SHA-256 of the footer
// line, in another place can prove later that nothing was: JSONL returns it,
// and Verify finds it. A file without footer was cut off.
//
// # pcapng
//
// Packets that would have carried what was captured: Ethernet, IPv4 or IPv6,
// and TCP with handshake, data in segments of at most 1460 bytes (IPv6: 1440),
// acknowledgements and, when the session has ended, its end. A line's packets
// have the time at which it was received, in microseconds. Addresses and ports
// of miner and pool are those of the session; unknown ones are of the ranges
// for documentation (192.0.2.0/24, 2001:db8::/32). The pool of a tap
// is our own listener. When one side has IPv4 and the other IPv6, the former is
// written as ::ffff:a.b.c.d.
//
// The miner's lines and the pool's form one TCP stream for each pool that the
// session was connected to. Lines that the scope sent itself and the answers to
// them form a stream of their own, from 192.0.2.9 or 2001:db8::9. Bytes that
// were not captured are a hole in the sequence numbers, so that Wireshark says
// so. Comments of packets tell what the bytes do not: the message's id, holes,
// lines that were cut, masked passwords, ids that were replaced.
//
// Wireshark takes no port for Stratum. To see the lines dissected as JSON:
//
//	tshark -r FILE -d tcp.port==3333,json
//
// # CSV of shares
//
// A table of every mining.submit, in UTF-8 with a header and CR LF (RFC 4180);
// CSVColumns names its columns. Empty cells are unknown. Texts that a
// spreadsheet would take for a formula have an apostrophe before them.
package export
