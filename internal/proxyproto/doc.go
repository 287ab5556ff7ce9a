// Package proxyproto reads the PROXY protocol header, versions 1 and 2, with
// which a proxy tells the server behind it who really connected. It follows
// "The PROXY protocol, versions 1 & 2" of HAProxy (doc/proxy-protocol.txt).
//
// Version 1 is a line of text, 107 bytes at most with its ending:
//
//	PROXY TCP4 203.0.113.7 192.0.2.1 56324 3333\r\n
//	PROXY TCP6 2001:db8::7 2001:db8::1 56324 3333\r\n
//	PROXY UNKNOWN …\r\n
//
// Version 2 is binary, numbers in network byte order:
//
//	bytes   what
//	12      signature 0D 0A 0D 0A 00 0D 0A 51 55 49 54 0A
//	1       high nibble: version, 2; low nibble: command, 0 LOCAL or 1 PROXY
//	1       high nibble: family, 0 unspecified, 1 IPv4, 2 IPv6, 3 Unix;
//	        low nibble: transport, 0 unspecified, 1 stream, 2 datagram
//	2       length of what follows
//	12      of TCP over IPv4: source, destination (4 each), ports (2 each)
//	36      of TCP over IPv6: source, destination (16 each), ports (2 each)
//	rest    TLVs: type (1), length (2), value
//
// Of the TLVs only the checksum (type 3, CRC32c) is looked at: if it is there
// it must be right. The others are skipped.
//
// Whoever may send a header may claim any address. Only peers that are known
// proxies may.
package proxyproto
