package bitcoin

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"math/bits"
	"strings"
)

// Target is a 256-bit number; a hash must not exceed it. Targets compare with
// == and Cmp. The zero value is met by the hash zero only, which is nobody's.
type Target struct {
	limbs [4]uint64 // least significant first
}

// maxTarget is 2^256-1, which every hash meets.
var maxTarget = Target{[4]uint64{math.MaxUint64, math.MaxUint64, math.MaxUint64, math.MaxUint64}}

// TargetFromDifficulty returns floor(0xffff·2^208 / d), computed exactly for
// the value that the float holds. Difficulties that are too small for 256
// bits, zero, negative or not a number give 2^256-1, which every hash meets;
// those above 2.7e67 give zero. It does not allocate.
func TargetFromDifficulty(d float64) Target {
	switch {
	case math.IsNaN(d) || d <= 0:
		return maxTarget
	case math.IsInf(d, 1):
		return Target{}
	}

	// d = m·2^e with 2^52 <= m < 2^53, so the target is
	// floor(0xffff·2^(208-e) / m).
	frac, exp := math.Frexp(d)
	m := uint64(math.Ldexp(frac, 53))
	shift := 208 - (exp - 53)
	switch {
	case shift < 0:
		return Target{} // the numerator is below 0xffff, hence below m
	case shift > 293:
		return maxTarget // 0xffff·2^294 / 2^53 is over 2^256
	}

	// Long division of the shifted numerator, limb by limb.
	var n [5]uint64
	limb, off := shift/64, uint(shift%64)
	n[limb] = 0xffff << off
	if limb+1 < len(n) {
		n[limb+1] = 0xffff >> (64 - off)
	}
	var rem uint64
	for i := len(n) - 1; i >= 0; i-- {
		n[i], rem = bits.Div64(rem, n[i], m)
	}
	if n[4] != 0 {
		return maxTarget
	}
	return Target{[4]uint64(n[:4])}
}

// TargetFromBits expands compact bits by the rules of Bitcoin Core's
// arith_uint256::SetCompact. It fails with ErrNegativeTarget,
// ErrTargetOverflow or ErrZeroTarget where Core's proof-of-work check fails.
func TargetFromBits(compact uint32) (Target, error) {
	size := uint(compact >> 24)
	word := uint64(compact & 0x007fffff)
	if size <= 3 {
		word >>= 8 * (3 - size)
	}
	switch {
	case word == 0:
		return Target{}, fmt.Errorf("%w: bits %08x", ErrZeroTarget, compact)
	case compact&0x00800000 != 0:
		return Target{}, fmt.Errorf("%w: bits %08x", ErrNegativeTarget, compact)
	case size > 34, word > 0xff && size > 33, word > 0xffff && size > 32:
		return Target{}, fmt.Errorf("%w: bits %08x", ErrTargetOverflow, compact)
	}

	var t Target
	if size <= 3 {
		t.limbs[0] = word
		return t, nil
	}
	shift := 8 * (size - 3)
	limb, off := shift/64, shift%64
	t.limbs[limb] = word << off
	if limb+1 < 4 {
		t.limbs[limb+1] = word >> (64 - off)
	}
	return t, nil
}

// TargetFromBytes returns the target of 32 big-endian bytes.
func TargetFromBytes(bigEndian [32]byte) Target {
	var t Target
	for i := range t.limbs {
		t.limbs[3-i] = binary.BigEndian.Uint64(bigEndian[8*i:])
	}
	return t
}

// ParseTarget reads a big-endian number of 1 to 64 hex digits in either case,
// with or without a leading 0x. It fails with ErrInvalidTarget, or with
// ErrZeroTarget for zero.
func ParseTarget(text string) (Target, error) {
	digits := text
	if strings.HasPrefix(digits, "0x") || strings.HasPrefix(digits, "0X") {
		digits = digits[2:]
	}
	if len(digits) == 0 || len(digits) > 64 {
		return Target{}, fmt.Errorf("%w: %d hex digits instead of 1 to 64", ErrInvalidTarget, len(digits))
	}
	var b [32]byte
	padded := strings.Repeat("0", 64-len(digits)) + digits
	if _, err := hex.Decode(b[:], []byte(padded)); err != nil {
		return Target{}, fmt.Errorf("%w: %w", ErrInvalidTarget, err)
	}
	t := TargetFromBytes(b)
	if t == (Target{}) {
		return Target{}, ErrZeroTarget
	}
	return t, nil
}

// Bits returns the compact form, rounded down to its 23 significant bits, as
// Bitcoin Core's arith_uint256::GetCompact does.
func (t Target) Bits() uint32 {
	size := uint(t.bitLen()+7) / 8
	var word uint32
	if size <= 3 {
		word = uint32(t.limbs[0]) << (8 * (3 - size))
	} else {
		word = uint32(t.shiftedRight(8 * (size - 3)))
	}
	// A mantissa that would set the sign bit moves one byte down.
	if word&0x00800000 != 0 {
		word >>= 8
		size++
	}
	return word | uint32(size)<<24
}

// Bytes returns the target as 32 big-endian bytes.
func (t Target) Bytes() [32]byte {
	var b [32]byte
	for i, w := range t.limbs {
		binary.BigEndian.PutUint64(b[24-8*i:], w)
	}
	return b
}

// Cmp compares as numbers: -1 if t < u (t is harder), 0 if equal, +1 if t > u.
func (t Target) Cmp(u Target) int {
	for i := 3; i >= 0; i-- {
		switch {
		case t.limbs[i] < u.limbs[i]:
			return -1
		case t.limbs[i] > u.limbs[i]:
			return 1
		}
	}
	return 0
}

// String returns the target as 64 lower-case hex digits, most significant
// first.
func (t Target) String() string {
	b := t.Bytes()
	return hex.EncodeToString(b[:])
}

// bitLen returns the number of bits of the target without leading zeros.
func (t Target) bitLen() int {
	for i := 3; i >= 0; i-- {
		if t.limbs[i] != 0 {
			return 64*i + bits.Len64(t.limbs[i])
		}
	}
	return 0
}

// shiftedRight returns the lowest 64 bits of the target shifted right by n <
// 256 bits.
func (t Target) shiftedRight(n uint) uint64 {
	limb, off := n/64, n%64
	w := t.limbs[limb] >> off
	if limb+1 < 4 {
		w |= t.limbs[limb+1] << (64 - off)
	}
	return w
}
