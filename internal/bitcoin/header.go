package bitcoin

import (
	"encoding/binary"
	"fmt"
)

// HeaderSize is the number of bytes of a block header.
const HeaderSize = 80

// Header is a block header. Its hash is what miners search.
type Header struct {
	Version    uint32 // BIP9 bits; signed in Bitcoin Core, the bytes are equal
	PrevHash   Hash
	MerkleRoot Hash
	Time       uint32 // seconds since 1970
	Bits       uint32 // compact target
	Nonce      uint32
}

// ParseHeader reads a serialized header. It fails with ErrInvalidHeader if b
// has not 80 bytes; every other content is a header.
func ParseHeader(b []byte) (Header, error) {
	if len(b) != HeaderSize {
		return Header{}, fmt.Errorf("%w: %d bytes instead of %d", ErrInvalidHeader, len(b), HeaderSize)
	}
	return Header{
		Version:    binary.LittleEndian.Uint32(b[0:]),
		PrevHash:   Hash(b[4:36]),
		MerkleRoot: Hash(b[36:68]),
		Time:       binary.LittleEndian.Uint32(b[68:]),
		Bits:       binary.LittleEndian.Uint32(b[72:]),
		Nonce:      binary.LittleEndian.Uint32(b[76:]),
	}, nil
}

// Bytes returns the serialized header.
func (h *Header) Bytes() [HeaderSize]byte {
	var b [HeaderSize]byte
	binary.LittleEndian.PutUint32(b[0:], h.Version)
	copy(b[4:], h.PrevHash[:])
	copy(b[36:], h.MerkleRoot[:])
	binary.LittleEndian.PutUint32(b[68:], h.Time)
	binary.LittleEndian.PutUint32(b[72:], h.Bits)
	binary.LittleEndian.PutUint32(b[76:], h.Nonce)
	return b
}

// Hash returns the hash of the header, which is the block's id and its proof
// of work. It does not allocate.
func (h *Header) Hash() Hash {
	b := h.Bytes()
	return DoubleSHA256(b[:])
}
