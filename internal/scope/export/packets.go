package export

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

const (
	mss4 = 1460 // bytes of data in a segment over IPv4: 1500 less both headers
	mss6 = 1440

	// maxHole is the largest hole in the sequence numbers: a larger one would
	// look like old data. The comment of the packet has the true size.
	maxHole = 1 << 30

	maxComment = 1000 // bytes

	firstSequence = 1_000_000
	windowScale   = 7
)

// packets writes the packets of TCP streams into a file. After an error it
// writes no more.
type packets struct {
	file   *pcapgo.NgWriter
	buffer gopacket.SerializeBuffer
	err    error
}

// stream is a TCP connection. Its sides are 0, who opened it, and 1.
type stream struct {
	sides [2]netip.AddrPort
	next  [2]uint32 // sequence number of each side's next byte
	mss   int
}

// endpoint reads an ip:port, or else the other.
func endpoint(text, otherwise string) netip.AddrPort {
	if at, err := netip.ParseAddrPort(text); err == nil {
		return netip.AddrPortFrom(at.Addr().Unmap().WithZone(""), at.Port())
	}
	return netip.MustParseAddrPort(otherwise)
}

// open writes the handshake of a connection.
func (p *packets) open(from, to netip.AddrPort, at time.Time, comment string) *stream {
	s := &stream{sides: [2]netip.AddrPort{from, to}, next: [2]uint32{firstSequence, 2 * firstSequence}, mss: mss4}
	if from.Addr().Is6() || to.Addr().Is6() {
		s.mss = mss6
		for i, side := range s.sides {
			s.sides[i] = netip.AddrPortFrom(netip.AddrFrom16(side.Addr().As16()), side.Port())
		}
	}
	options := []layers.TCPOption{
		{OptionType: layers.TCPOptionKindMSS, OptionLength: 4, OptionData: []byte{byte(s.mss >> 8), byte(s.mss)}},
		{OptionType: layers.TCPOptionKindNop},
		{OptionType: layers.TCPOptionKindWindowScale, OptionLength: 3, OptionData: []byte{windowScale}},
	}
	p.packet(s, 0, at, layers.TCP{SYN: true, Options: options}, nil, comment)
	p.packet(s, 1, at, layers.TCP{SYN: true, ACK: true, Options: options}, nil, "")
	p.packet(s, 0, at, layers.TCP{ACK: true}, nil, "")
	return s
}

// finish writes the end of a connection.
func (p *packets) finish(s *stream, at time.Time, byServer bool) {
	first := 0
	if byServer {
		first = 1
	}
	p.packet(s, first, at, layers.TCP{FIN: true, ACK: true}, nil, "")
	p.packet(s, 1-first, at, layers.TCP{FIN: true, ACK: true}, nil, "")
	p.packet(s, first, at, layers.TCP{ACK: true}, nil, "")
}

// reset writes the sudden end of a connection.
func (p *packets) reset(s *stream, at time.Time, byServer bool) {
	side := 0
	if byServer {
		side = 1
	}
	p.packet(s, side, at, layers.TCP{RST: true, ACK: true}, nil, "")
}

// line writes the packets of a message, and the acknowledgement.
func (p *packets) line(s *stream, fromServer bool, m *capture.Message, name string, notes []string) {
	side := 0
	if fromServer {
		side = 1
	}
	if m.Gap > 0 {
		s.next[side] += hole(m.Gap)
		notes = append(notes, fmt.Sprintf("%d bytes before it were not captured", m.Gap))
	}
	if m.Cut {
		notes = append(notes, fmt.Sprintf("only the first %d of its %d bytes were captured", len(m.Raw), m.Size))
	}
	if m.Masked {
		notes = append(notes, "its password was replaced")
	}
	if m.Tail {
		notes = append(notes, "the stream ended before its line feed")
	}
	data := m.Raw
	if m.Direction == capture.ScopeToPool && len(data) > 0 && data[len(data)-1] != '\n' {
		data = append(data[:len(data):len(data)], '\n')
	}
	comment := strings.Join(append([]string{name}, notes...), "; ")
	for len(data) > 0 {
		n := min(len(data), s.mss)
		p.packet(s, side, m.Received, layers.TCP{ACK: true, PSH: n == len(data)}, data[:n], comment)
		data, comment = data[n:], ""
	}
	if m.Cut && m.Size > len(m.Raw) {
		s.next[side] += hole(uint64(m.Size - len(m.Raw)))
	}
	p.packet(s, 1-side, m.Received, layers.TCP{ACK: true}, nil, "")
}

// hole is the part of a sequence that lost bytes take.
func hole(lost uint64) uint32 { return uint32(min(lost, maxHole)) }

// packet writes one packet from a side of a stream.
func (p *packets) packet(s *stream, side int, at time.Time, tcp layers.TCP, data []byte, comment string) {
	if p.err != nil {
		return
	}
	from, to := s.sides[side], s.sides[1-side]
	tcp.SrcPort, tcp.DstPort = layers.TCPPort(from.Port()), layers.TCPPort(to.Port())
	tcp.Seq = s.next[side]
	if tcp.ACK {
		tcp.Ack = s.next[1-side]
	}
	tcp.Window = 0xffff

	ethernet := layers.Ethernet{SrcMAC: mac(side), DstMAC: mac(1 - side), EthernetType: layers.EthernetTypeIPv4}
	var network gopacket.SerializableLayer
	if from.Addr().Is4() {
		ip := &layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolTCP, Flags: layers.IPv4DontFragment, SrcIP: from.Addr().AsSlice(), DstIP: to.Addr().AsSlice()}
		network, p.err = ip, tcp.SetNetworkLayerForChecksum(ip)
	} else {
		ethernet.EthernetType = layers.EthernetTypeIPv6
		ip := &layers.IPv6{Version: 6, HopLimit: 64, NextHeader: layers.IPProtocolTCP, SrcIP: from.Addr().AsSlice(), DstIP: to.Addr().AsSlice()}
		network, p.err = ip, tcp.SetNetworkLayerForChecksum(ip)
	}
	if p.buffer == nil {
		p.buffer = gopacket.NewSerializeBuffer()
	}
	if p.err == nil {
		p.err = gopacket.SerializeLayers(p.buffer, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true},
			&ethernet, network, &tcp, gopacket.Payload(data))
	}
	if p.err != nil {
		return
	}
	frame := p.buffer.Bytes()
	var options pcapgo.NgPacketOptions
	if comment != "" {
		options.Comments = []string{strings.ToValidUTF8(comment[:min(len(comment), maxComment)], "")}
	}
	p.err = p.file.WritePacketWithOptions(gopacket.CaptureInfo{Timestamp: at, CaptureLength: len(frame), Length: len(frame)}, frame, options)

	s.next[side] += uint32(len(data)) //nolint:gosec // at most a segment
	if tcp.SYN || tcp.FIN {
		s.next[side]++
	}
}

// mac is the made up hardware address of a side.
func mac(side int) net.HardwareAddr { return net.HardwareAddr{2, 0, 0, 0, 0, byte(side + 1)} }
