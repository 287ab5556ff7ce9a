package bitcoin

import (
	"math"
	"math/bits"
	"strconv"
)

// HashesPerDifficulty is the number of hashes that one unit of difficulty
// stands for, in hashrates and in credited work.
const HashesPerDifficulty = 1 << 32

// Difficulty returns 0xffff·2^208 / t to within one unit in the last place of
// a float64; for targets that come from compact bits it is the float nearest
// to the true value. A zero target counts as 1, so the result is always
// finite.
func (t Target) Difficulty() float64 {
	return difficulty(&t.limbs)
}

// HashDifficulty returns the true difficulty of a hash, the highest for which
// it would be a share: 0xffff·2^208 / number(h), to within one unit in the
// last place. It is for display and records; acceptance is decided by
// Hash.Meets. It does not allocate.
func HashDifficulty(h *Hash) float64 {
	limbs := h.limbs()
	return difficulty(&limbs)
}

// DifficultyFromBits returns the difficulty of compact bits, and 0 for bits
// that are not a target.
func DifficultyFromBits(compact uint32) float64 {
	t, err := TargetFromBits(compact)
	if err != nil {
		return 0
	}
	return t.Difficulty()
}

// difficulty returns 0xffff·2^208 / n, with n = 0 counted as 1.
func difficulty(limbs *[4]uint64) float64 {
	top := 3
	for top > 0 && limbs[top] == 0 {
		top--
	}
	if limbs[top] == 0 {
		return math.Ldexp(0xffff, 208)
	}

	// Take the 64 most significant bits, and mark in the lowest of them that
	// something was cut off. The conversion to float64 rounds at bit 11, so
	// the mark makes it round exactly as the whole number would.
	word, below := limbs[top], uint64(0)
	if top > 0 {
		below = limbs[top-1]
	}
	lz := bits.LeadingZeros64(word)
	word = word<<lz | below>>(64-lz)
	sticky := below << lz
	for i := top - 2; i >= 0; i-- {
		sticky |= limbs[i]
	}
	if sticky != 0 {
		word |= 1
	}

	// n = word·2^(64·top-lz)
	return math.Ldexp(0xffff/float64(word), 208-64*top+lz)
}

// FormatDifficulty writes a difficulty for the wire: the shortest decimal
// that parses back to the same float64, never with an exponent (firmware
// reads "1.5e-05" as 1.5), whole numbers without a fraction. What is not
// finite becomes "0".
func FormatDifficulty(d float64) string {
	return string(AppendDifficulty(make([]byte, 0, 24), d))
}

// AppendDifficulty appends FormatDifficulty(d) to dst without allocating,
// apart from growing dst.
func AppendDifficulty(dst []byte, d float64) []byte {
	if d == 0 || math.IsNaN(d) || math.IsInf(d, 0) {
		return append(dst, '0')
	}
	return strconv.AppendFloat(dst, d, 'f', -1, 64)
}
