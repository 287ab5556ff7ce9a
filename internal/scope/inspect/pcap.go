package inspect

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"
)

// Magic numbers of files of packets, as they stand in a file that was written
// by a little-endian machine.
const (
	magicMicro  = 0xa1b2c3d4
	magicNano   = 0xa1b23c4d
	magicBlocks = 0x0a0d0d0a // pcapng: the type of a section header block
	orderMagic  = 0x1a2b3c4d // pcapng: tells the order of bytes
)

// Bounds of what a file may claim.
const (
	maxPacket     = 1 << 20 // bytes; the largest real ones have 256 KiB
	maxBlock      = 16 << 20
	maxInterfaces = 4096
)

// packet is one of a file. Its data is valid until the next one is read.
type packet struct {
	at   time.Time // zero when the file does not say
	link uint32    // link type, as registered at tcpdump.org
	data []byte
	size int // on the wire; may be more than was captured
}

// packetReader gives the packets of a file, then io.EOF. Any other error says
// what is wrong with the file; what came before was fine.
type packetReader interface {
	next() (packet, error)
}

// isPackets says whether four bytes begin a file of packets.
func isPackets(magic []byte) bool {
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		switch order.Uint32(magic) {
		case magicMicro, magicNano, magicBlocks:
			return true
		}
	}
	return false
}

// newPacketReader reads the beginning of a file.
func newPacketReader(r *bufio.Reader) (reader packetReader, format string, err error) {
	magic, err := r.Peek(4)
	if err != nil {
		return nil, "", damaged("the file ends in its header")
	}
	if binary.LittleEndian.Uint32(magic) == magicBlocks {
		return &blockReader{r: r}, "pcapng", nil
	}
	var header [24]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return nil, "", damaged("the file ends in its header")
	}
	p := &pcapReader{r: r, order: binary.LittleEndian}
	if m := p.order.Uint32(header[:]); m != magicMicro && m != magicNano {
		p.order = binary.BigEndian
	}
	p.nanos = p.order.Uint32(header[:]) == magicNano
	if major := p.order.Uint16(header[4:]); major != 2 {
		return nil, "", damaged(fmt.Sprintf("version %d of pcap is not known", major))
	}
	p.link = p.order.Uint32(header[20:]) & 0x0fffffff
	return p, "pcap", nil
}

// ErrDamaged means that a file is not what it begins as. The text says how far
// it could be read.
var ErrDamaged = errors.New("the file is damaged")

func damaged(text string) error { return fmt.Errorf("%w: %s", ErrDamaged, text) }

// pcapReader reads the classic format.
type pcapReader struct {
	r      *bufio.Reader
	order  binary.ByteOrder
	nanos  bool
	link   uint32
	count  int
	buffer []byte
}

func (p *pcapReader) next() (packet, error) {
	var header [16]byte
	if _, err := io.ReadFull(p.r, header[:1]); err != nil {
		return packet{}, err // io.EOF where a packet would begin is the end
	}
	p.count++
	if _, err := io.ReadFull(p.r, header[1:]); err != nil {
		return packet{}, p.ends(err)
	}
	seconds, fraction := p.order.Uint32(header[:]), int64(p.order.Uint32(header[4:]))
	length, size := p.order.Uint32(header[8:]), p.order.Uint32(header[12:])
	if length > maxPacket || size > 16*maxPacket {
		return packet{}, damaged(fmt.Sprintf("packet %d claims to have %d bytes", p.count, max(length, size)))
	}
	if !p.nanos {
		fraction *= 1000
	}
	data, err := p.read(int(length))
	if err != nil {
		return packet{}, p.ends(err)
	}
	return packet{time.Unix(int64(seconds), fraction).UTC(), p.link, data, int(size)}, nil
}

func (p *pcapReader) read(n int) ([]byte, error) {
	if cap(p.buffer) < n {
		p.buffer = make([]byte, n)
	}
	data := p.buffer[:n]
	_, err := io.ReadFull(p.r, data)
	return data, err
}

func (p *pcapReader) ends(err error) error { return endsIn(err, fmt.Sprintf("packet %d", p.count)) }

// endsIn says that a file ends where it must not.
func endsIn(err error, where string) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return damaged("the file ends in the middle of " + where)
	}
	return fmt.Errorf("reading %s: %w", where, err)
}

// blockReader reads pcapng (IETF draft-ietf-opsawg-pcapng).
type blockReader struct {
	r          *bufio.Reader
	order      binary.ByteOrder
	interfaces []linkInterface // of the section
	blocks     int
	buffer     []byte
}

// linkInterface is where packets were captured.
type linkInterface struct {
	link   uint32
	snap   uint32 // most bytes that were captured of a packet; 0 for all
	units  uint64 // of time in a second
	offset int64  // seconds to be added
}

// Types of blocks.
const (
	blockInterface = 1
	blockPacket    = 2 // obsolete
	blockSimple    = 3
	blockEnhanced  = 6
)

func (b *blockReader) next() (packet, error) {
	for {
		kind, body, err := b.block()
		if err != nil {
			return packet{}, err
		}
		switch kind {
		case magicBlocks:
			b.interfaces = b.interfaces[:0]
		case blockInterface:
			if err := b.linkInterface(body); err != nil {
				return packet{}, err
			}
		case blockEnhanced:
			return b.enhanced(body)
		case blockPacket:
			return b.obsolete(body)
		case blockSimple:
			return b.simple(body)
		}
	}
}

// block reads a block.
func (b *blockReader) block() (kind uint32, body []byte, err error) {
	var header [12]byte
	if _, err := io.ReadFull(b.r, header[:1]); err != nil {
		return 0, nil, err
	}
	b.blocks++
	where := fmt.Sprintf("block %d", b.blocks)
	if _, err := io.ReadFull(b.r, header[1:8]); err != nil {
		return 0, nil, endsIn(err, where)
	}
	read := 8
	if binary.LittleEndian.Uint32(header[:]) == magicBlocks {
		if _, err := io.ReadFull(b.r, header[8:12]); err != nil {
			return 0, nil, endsIn(err, where)
		}
		read = 12
		switch {
		case binary.LittleEndian.Uint32(header[8:]) == orderMagic:
			b.order = binary.LittleEndian
		case binary.BigEndian.Uint32(header[8:]) == orderMagic:
			b.order = binary.BigEndian
		default:
			return 0, nil, damaged(where + " does not tell the order of its bytes")
		}
	}
	if b.order == nil {
		return 0, nil, damaged("there is no section header")
	}
	kind = b.order.Uint32(header[:])
	length := b.order.Uint32(header[4:])
	if length < uint32(read)+4 || length%4 != 0 || length > maxBlock { //nolint:gosec // read is 8 or 12
		return 0, nil, damaged(fmt.Sprintf("%s claims to have %d bytes", where, length))
	}
	n := int(length) - read
	if cap(b.buffer) < n {
		b.buffer = make([]byte, n)
	}
	body = b.buffer[:n]
	if _, err := io.ReadFull(b.r, body); err != nil {
		return 0, nil, endsIn(err, where)
	}
	if b.order.Uint32(body[n-4:]) != length {
		return 0, nil, damaged(where + " has another length at its end")
	}
	return kind, body[:n-4], nil
}

// short is what is wrong with a block that has no room for what it must have.
func (b *blockReader) short() error {
	return damaged(fmt.Sprintf("block %d is too short", b.blocks))
}

// linkInterface reads an interface description block.
func (b *blockReader) linkInterface(body []byte) error {
	if len(body) < 8 {
		return b.short()
	}
	if len(b.interfaces) == maxInterfaces {
		return damaged("there are more interfaces than anybody has")
	}
	i := linkInterface{link: uint32(b.order.Uint16(body)), snap: b.order.Uint32(body[4:]), units: 1_000_000}
	for options := body[8:]; len(options) >= 4; {
		code, length := b.order.Uint16(options), int(b.order.Uint16(options[2:]))
		padded := (length + 3) &^ 3
		if code == 0 || 4+padded > len(options) {
			break
		}
		value := options[4 : 4+length]
		switch {
		case code == 9 && length == 1: // if_tsresol
			i.units = resolution(value[0])
		case code == 14 && length == 8: // if_tsoffset
			i.offset = int64(b.order.Uint64(value)) //nolint:gosec // the format has a signed number here
		}
		options = options[4+padded:]
	}
	b.interfaces = append(b.interfaces, i)
	return nil
}

// resolution is the number of units in a second: a power of ten, or of two.
func resolution(code byte) uint64 {
	exponent := int(code & 0x7f)
	if code&0x80 != 0 {
		return 1 << min(exponent, 62)
	}
	units := uint64(1)
	for range min(exponent, 18) {
		units *= 10
	}
	return units
}

// time is a time stamp of an interface.
func (i *linkInterface) time(high, low uint32) time.Time {
	stamp := uint64(high)<<32 | uint64(low)
	seconds, rest := stamp/i.units, stamp%i.units
	nanos := float64(rest) / float64(i.units) * 1e9
	if i.units <= 1_000_000_000 && 1_000_000_000%i.units == 0 {
		nanos = float64(rest * (1_000_000_000 / i.units))
	}
	at := time.Unix(int64(seconds)+i.offset, int64(nanos)).UTC() //nolint:gosec // years are checked below
	if at.Year() < 1970 || at.Year() > 9999 {
		return time.Time{}
	}
	return at
}

func (b *blockReader) enhanced(body []byte) (packet, error) {
	if len(body) < 20 {
		return packet{}, b.short()
	}
	i, err := b.at(b.order.Uint32(body))
	if err != nil {
		return packet{}, err
	}
	return b.packet(i, i.time(b.order.Uint32(body[4:]), b.order.Uint32(body[8:])), b.order.Uint32(body[12:]), b.order.Uint32(body[16:]), body[20:])
}

func (b *blockReader) obsolete(body []byte) (packet, error) {
	if len(body) < 20 {
		return packet{}, b.short()
	}
	i, err := b.at(uint32(b.order.Uint16(body)))
	if err != nil {
		return packet{}, err
	}
	return b.packet(i, i.time(b.order.Uint32(body[4:]), b.order.Uint32(body[8:])), b.order.Uint32(body[12:]), b.order.Uint32(body[16:]), body[20:])
}

func (b *blockReader) simple(body []byte) (packet, error) {
	if len(body) < 4 {
		return packet{}, b.short()
	}
	i, err := b.at(0)
	if err != nil {
		return packet{}, err
	}
	size := b.order.Uint32(body)
	length := min(size, uint32(len(body)-4)) //nolint:gosec // a block is small
	if i.snap > 0 {
		length = min(length, i.snap)
	}
	return b.packet(i, time.Time{}, length, size, body[4:])
}

// at is the interface with a number.
func (b *blockReader) at(n uint32) (*linkInterface, error) {
	if uint64(n) >= uint64(len(b.interfaces)) {
		return nil, damaged(fmt.Sprintf("block %d is of interface %d, which there is not", b.blocks, n))
	}
	return &b.interfaces[n], nil
}

func (b *blockReader) packet(i *linkInterface, at time.Time, length, size uint32, data []byte) (packet, error) {
	if uint64(length) > uint64(len(data)) || size > 16*maxPacket {
		return packet{}, damaged(fmt.Sprintf("the packet of block %d claims to have %d bytes", b.blocks, max(length, size)))
	}
	return packet{at, i.link, data[:length], int(size)}, nil
}
