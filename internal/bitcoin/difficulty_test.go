package bitcoin

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestDifficultyIsAccurate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := drawBytes32(t, "number")
		clear(b[:rapid.IntRange(0, 31).Draw(t, "zeros")])
		n := new(big.Int).SetBytes(b[:])
		if n.Sign() == 0 {
			n.SetInt64(1)
		}
		want, _ := new(big.Rat).SetFrac(new(big.Int).Lsh(big.NewInt(0xffff), 208), n).Float64()

		if got := TargetFromBytes(b).Difficulty(); !withinUlp(got, want) {
			t.Errorf("difficulty of %x is %v, want %v", b, got, want)
		}
		h := Hash(b).reversed()
		if got := HashDifficulty(&h); !withinUlp(got, want) {
			t.Errorf("difficulty of hash %s is %v, want %v", h, got, want)
		}
	})
}

// TestDifficultyFromBits compares with the floats that Bitcoin Core's
// getdifficulty computes: 0xffff / mantissa, scaled by powers of 256.
func TestDifficultyFromBits(t *testing.T) {
	core := func(bits uint32) float64 {
		shift := int(bits >> 24)
		d := float64(0x0000ffff) / float64(bits&0x00ffffff)
		for ; shift < 29; shift++ {
			d *= 256
		}
		for ; shift > 29; shift-- {
			d /= 256
		}
		return d
	}
	for _, bits := range []uint32{0x1d00ffff, 0x1b0404cb, 0x1a44b9f2, 0x17034219, 0x1705ae3a, 0x1e0377ae, 0x207fffff, 0x03000001} {
		if got, want := DifficultyFromBits(bits), core(bits); got != want {
			t.Errorf("difficulty of %08x is %v, want %v", bits, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		bits := rapid.Uint32Range(3, 32).Draw(t, "size")<<24 | rapid.Uint32Range(1, 0x7fffff).Draw(t, "mantissa")
		if got, want := DifficultyFromBits(bits), core(bits); got != want {
			t.Errorf("difficulty of %08x is %v, want %v", bits, got, want)
		}
	})
}

func TestDifficultyOfZeroIsFinite(t *testing.T) {
	want := math.Ldexp(0xffff, 208)
	if got := (Target{}).Difficulty(); got != want {
		t.Errorf("zero target: %v, want %v", got, want)
	}
	if got := HashDifficulty(&Hash{}); got != want {
		t.Errorf("zero hash: %v, want %v", got, want)
	}
}

func TestFormatDifficulty(t *testing.T) {
	tests := []struct {
		d    float64
		want string
	}{
		{1, "1"},
		{1024, "1024"},
		{16384.5, "16384.5"},
		{0.0001, "0.0001"},
		{0.000015, "0.000015"},
		{1e21, "1000000000000000000000"},
		{0.1, "0.1"},
		{1.0 / 3, "0.3333333333333333"},
		{0, "0"},
		{math.Copysign(0, -1), "0"},
		{math.NaN(), "0"},
		{math.Inf(1), "0"},
		{math.Inf(-1), "0"},
	}
	for _, tt := range tests {
		if got := FormatDifficulty(tt.d); got != tt.want {
			t.Errorf("FormatDifficulty(%v) = %q, want %q", tt.d, got, tt.want)
		}
	}
}

func TestFormatDifficultyRoundTrips(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := math.Float64frombits(rapid.Uint64().Draw(t, "bits"))
		if math.IsNaN(d) || math.IsInf(d, 0) {
			return
		}
		text := FormatDifficulty(d)
		if back, err := strconv.ParseFloat(text, 64); err != nil || back != d {
			t.Errorf("%v became %q, which is %v, %v", d, text, back, err)
		}
		if strings.ContainsAny(text, "eE") || strings.HasSuffix(text, ".0") {
			t.Errorf("%v became %q", d, text)
		}
		if got := string(AppendDifficulty([]byte("x"), d)); got != "x"+text {
			t.Errorf("appended %q, want x%q", got, text)
		}
	})
}
