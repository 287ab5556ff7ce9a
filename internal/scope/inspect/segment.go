package inspect

import (
	"encoding/binary"
	"net/netip"
)

// Why packets are left out; they are counted by these names.
const (
	skipLink      = "link_type"   // of a kind of network that is not known here
	skipNotIP     = "not_ip"      // ARP and the like
	skipNotTCP    = "not_tcp"     // UDP and the like
	skipFragment  = "ip_fragment" // a part of an IP packet
	skipMalformed = "malformed"   // headers that make no sense
	skipCut       = "headers_cut" // captured without its headers
	skipConns     = "too_many"    // more connections at once than are followed
)

// Link types (tcpdump.org/linktypes.html).
const (
	linkNull     = 0 // BSD loopback: address family in the order of the machine
	linkEthernet = 1
	linkRawBSD   = 12 // raw IP, as some systems number it
	linkRawBSD2  = 14
	linkRaw      = 101 // raw IP
	linkLoop     = 108 // OpenBSD loopback: address family, big-endian
	linkLinux    = 113 // Linux cooked capture
	linkIPv4     = 228
	linkIPv6     = 229
	linkLinux2   = 276 // Linux cooked capture, version 2
)

// Types of what a link carries.
const (
	etherIPv4   = 0x0800
	etherIPv6   = 0x86dd
	etherVLAN   = 0x8100 // IEEE 802.1Q
	etherQinQ   = 0x88a8 // IEEE 802.1ad
	etherQinQ2  = 0x9100
	protocolTCP = 6
)

// segment is a TCP segment.
type segment struct {
	from, to netip.AddrPort
	seq, ack uint32
	flags    byte
	data     []byte
	missing  int // bytes of data that were on the wire and were not captured
}

// Flags of TCP.
const (
	flagFIN = 1 << iota
	flagSYN
	flagRST
	flagPSH
	flagACK
)

// parseSegment finds the TCP segment in a packet, or says why there is none.
func parseSegment(p packet) (s segment, skip string) {
	data := p.data
	kind := 0
	switch p.link {
	case linkEthernet:
		if len(data) < 14 {
			return s, skipCut
		}
		kind, data = int(binary.BigEndian.Uint16(data[12:])), data[14:]
	case linkLinux:
		if len(data) < 16 {
			return s, skipCut
		}
		kind, data = int(binary.BigEndian.Uint16(data[14:])), data[16:]
	case linkLinux2:
		if len(data) < 20 {
			return s, skipCut
		}
		kind, data = int(binary.BigEndian.Uint16(data)), data[20:]
	case linkNull, linkLoop:
		if len(data) < 4 {
			return s, skipCut
		}
		data = data[4:]
		kind = etherOf(data)
	case linkRaw, linkRawBSD, linkRawBSD2, linkIPv4, linkIPv6:
		kind = etherOf(data)
	default:
		return s, skipLink
	}
	for range 4 {
		if kind != etherVLAN && kind != etherQinQ && kind != etherQinQ2 {
			break
		}
		if len(data) < 4 {
			return s, skipCut
		}
		kind, data = int(binary.BigEndian.Uint16(data[2:])), data[4:]
	}
	switch kind {
	case etherIPv4:
		return parseIPv4(data)
	case etherIPv6:
		return parseIPv6(data)
	}
	return s, skipNotIP
}

// etherOf tells the version of an IP packet.
func etherOf(data []byte) int {
	switch {
	case len(data) == 0:
		return 0
	case data[0]>>4 == 4:
		return etherIPv4
	case data[0]>>4 == 6:
		return etherIPv6
	}
	return 0
}

func parseIPv4(data []byte) (s segment, skip string) {
	if len(data) < 20 {
		return s, skipCut
	}
	header, total := 4*int(data[0]&15), int(binary.BigEndian.Uint16(data[2:]))
	if data[0]>>4 != 4 || header < 20 {
		return s, skipMalformed
	}
	if data[9] != protocolTCP {
		return s, skipNotTCP
	}
	if binary.BigEndian.Uint16(data[6:])&0x3fff != 0 {
		return s, skipFragment
	}
	if total == 0 { // left to the network card
		total = len(data)
	}
	if total < header {
		return s, skipMalformed
	}
	if len(data) < header {
		return s, skipCut
	}
	from, to := netip.AddrFrom4([4]byte(data[12:16])), netip.AddrFrom4([4]byte(data[16:20]))
	return parseTCP(from, to, data[header:min(total, len(data))], total-header)
}

func parseIPv6(data []byte) (s segment, skip string) {
	if len(data) < 40 {
		return s, skipCut
	}
	if data[0]>>4 != 6 {
		return s, skipMalformed
	}
	length := int(binary.BigEndian.Uint16(data[4:]))
	next := data[6]
	from, to := netip.AddrFrom16([16]byte(data[8:24])), netip.AddrFrom16([16]byte(data[24:40]))
	data = data[40:]
	if length == 0 { // left to the network card, or a jumbogram
		length = len(data)
	}
	data = data[:min(length, len(data))]
	for range 8 {
		size := 0
		switch next {
		case protocolTCP:
			return parseTCP(from, to, data, length)
		case 0, 43, 60, 135: // hop-by-hop, routing, destination options, mobility
			if len(data) < 2 {
				return s, skipCut
			}
			size = 8 + 8*int(data[1])
		case 51: // authentication
			if len(data) < 2 {
				return s, skipCut
			}
			size = 8 + 4*int(data[1])
		case 44:
			return s, skipFragment
		default:
			return s, skipNotTCP
		}
		if size > length {
			return s, skipMalformed
		}
		if size > len(data) {
			return s, skipCut
		}
		next, data, length = data[0], data[size:], length-size
	}
	return s, skipMalformed
}

// parseTCP reads a segment of size bytes, of which data was captured.
func parseTCP(from, to netip.Addr, data []byte, size int) (s segment, skip string) {
	if len(data) < 20 {
		if size < 20 {
			return s, skipMalformed
		}
		return s, skipCut
	}
	header := 4 * int(data[12]>>4)
	if header < 20 || header > size {
		return s, skipMalformed
	}
	s.from = netip.AddrPortFrom(from.Unmap(), binary.BigEndian.Uint16(data))
	s.to = netip.AddrPortFrom(to.Unmap(), binary.BigEndian.Uint16(data[2:]))
	s.seq, s.ack, s.flags = binary.BigEndian.Uint32(data[4:]), binary.BigEndian.Uint32(data[8:]), data[13]
	if header < len(data) {
		s.data = data[header:]
	}
	s.missing = size - header - len(s.data)
	return s, ""
}
