package bitcoin

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
)

// Hash is a double SHA-256 in serialization order, which read as a number is
// little-endian: the last byte is the most significant one.
type Hash [32]byte

// DoubleSHA256 returns SHA-256(SHA-256(b)), the hash of block headers,
// transactions and merkle nodes. It does not allocate.
func DoubleSHA256(b []byte) Hash {
	first := sha256.Sum256(b)
	return sha256.Sum256(first[:])
}

// ParseHash reads a hash in display order: 64 hex digits of a big-endian
// number, as block explorers and RPC interfaces write them. It fails with
// ErrInvalidHash.
func ParseHash(display string) (Hash, error) {
	var h Hash
	if len(display) != hex.EncodedLen(len(h)) {
		return Hash{}, fmt.Errorf("%w: %d characters instead of 64", ErrInvalidHash, len(display))
	}
	if _, err := hex.Decode(h[:], []byte(display)); err != nil {
		return Hash{}, fmt.Errorf("%w: %w", ErrInvalidHash, err)
	}
	return h.reversed(), nil
}

// String returns the hash in display order, 64 lower-case hex digits.
func (h Hash) String() string {
	r := h.reversed()
	return hex.EncodeToString(r[:])
}

// Meets reports whether the hash, as a number, is at most the target. It is
// the proof-of-work rule itself, for shares and blocks alike, and neither
// rounds nor allocates.
func (h *Hash) Meets(t *Target) bool {
	if w := binary.LittleEndian.Uint64(h[24:]); w != t.limbs[3] {
		return w < t.limbs[3]
	}
	if w := binary.LittleEndian.Uint64(h[16:]); w != t.limbs[2] {
		return w < t.limbs[2]
	}
	if w := binary.LittleEndian.Uint64(h[8:]); w != t.limbs[1] {
		return w < t.limbs[1]
	}
	return binary.LittleEndian.Uint64(h[:]) <= t.limbs[0]
}

// limbs returns the hash as a number, least significant limb first.
func (h *Hash) limbs() [4]uint64 {
	return [4]uint64{
		binary.LittleEndian.Uint64(h[0:]),
		binary.LittleEndian.Uint64(h[8:]),
		binary.LittleEndian.Uint64(h[16:]),
		binary.LittleEndian.Uint64(h[24:]),
	}
}

// reversed returns the bytes in the opposite order.
func (h Hash) reversed() Hash {
	for i, j := 0, len(h)-1; i < j; i, j = i+1, j-1 {
		h[i], h[j] = h[j], h[i]
	}
	return h
}
