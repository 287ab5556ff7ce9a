package proxyproto

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"net/netip"
)

// MaxLength bounds what follows the fixed part of a header of version 2, in
// bytes. The addresses take 216 at most; the rest is for TLVs, of which
// proxies that pass TLS facts on send a few hundred bytes.
const MaxLength = 4096

// Commands, families with their transports, and the TLV that matters, as on
// the wire.
const (
	commandLocal = 0x20
	commandProxy = 0x21

	familyNone  = 0x00
	familyTCP4  = 0x11
	familyUDP4  = 0x12
	familyTCP6  = 0x21
	familyUDP6  = 0x22
	familyUnix  = 0x31
	familyUnixD = 0x32

	typeCRC32C = 0x03
)

// addressLength is the size of each family's addresses. Combinations that are
// not listed must be refused (specification, section 2.2).
var addressLength = map[byte]int{
	familyNone: 0,
	familyTCP4: 12, familyUDP4: 12,
	familyTCP6: 36, familyUDP6: 36,
	familyUnix: 216, familyUnixD: 216,
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// read2 reads the rest of a header of version 2.
func read2(r io.Reader) (Header, error) {
	head := make([]byte, signatureLength+4)
	copy(head, signature2)
	if _, err := io.ReadFull(r, head[signatureLength:]); err != nil {
		return Header{}, fmt.Errorf("read PROXY header: %w", noEOF(err))
	}
	command, family := head[12], head[13]
	length := int(binary.BigEndian.Uint16(head[14:]))
	if length > MaxLength {
		return Header{}, fmt.Errorf("%w: %d bytes, at most %d are read", ErrTooLong, length, MaxLength)
	}
	all := make([]byte, len(head)+length)
	copy(all, head)
	body := all[len(head):]
	if _, err := io.ReadFull(r, body); err != nil {
		return Header{}, fmt.Errorf("read PROXY header: %w", noEOF(err))
	}

	switch command {
	case commandLocal:
		// Everything else in it is to be ignored.
		return Header{Version: 2, Local: true}, nil
	case commandProxy:
	default:
		return Header{}, fmt.Errorf("%w: version and command %#02x", ErrMalformed, command)
	}
	size, known := addressLength[family]
	if !known {
		return Header{}, fmt.Errorf("%w: family and transport %#02x", ErrMalformed, family)
	}
	if len(body) < size {
		return Header{}, fmt.Errorf("%w: %d bytes cannot hold the addresses", ErrMalformed, len(body))
	}
	if err := checkTLVs(all, len(head)+size); err != nil {
		return Header{}, err
	}

	h := Header{Version: 2}
	switch family {
	case familyTCP4:
		h.Source = endOf(body[:4], body[8:])
		h.Destination = endOf(body[4:8], body[10:])
	case familyTCP6:
		h.Source = endOf(body[:16], body[32:])
		h.Destination = endOf(body[16:32], body[34:])
	default:
		h.Local = true
	}
	return h, nil
}

// endOf is one end of a connection; ip has 4 or 16 bytes.
func endOf(ip, port []byte) netip.AddrPort {
	address, _ := netip.AddrFromSlice(ip)
	return netip.AddrPortFrom(address.Unmap(), binary.BigEndian.Uint16(port))
}

// checkTLVs walks the TLVs that begin at an offset of a whole header, and
// verifies a checksum among them. The checksum is that of the header with the
// checksum's own four bytes zero. It changes all.
func checkTLVs(all []byte, at int) error {
	for at < len(all) {
		if len(all)-at < 3 {
			return fmt.Errorf("%w: a TLV is cut off", ErrMalformed)
		}
		kind, length := all[at], int(binary.BigEndian.Uint16(all[at+1:]))
		at += 3
		if len(all)-at < length {
			return fmt.Errorf("%w: a TLV is cut off", ErrMalformed)
		}
		if kind == typeCRC32C {
			if length != crc32.Size {
				return fmt.Errorf("%w: a checksum of %d bytes", ErrMalformed, length)
			}
			field := all[at : at+length]
			want := binary.BigEndian.Uint32(field)
			clear(field)
			if crc32.Checksum(all, castagnoli) != want {
				return ErrChecksum
			}
			binary.BigEndian.PutUint32(field, want)
		}
		at += length
	}
	return nil
}
