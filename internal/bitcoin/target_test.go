package bitcoin

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/blockchain"
	"pgregory.net/rapid"
)

const maxHex = "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

// TestCompactBitsOfCore holds the cases of Bitcoin Core's arith_uint256_tests.
func TestCompactBitsOfCore(t *testing.T) {
	tests := []struct {
		bits, back uint32
		hex        string // without leading zeros
		err        error
	}{
		{bits: 0, err: ErrZeroTarget},
		{bits: 0x00123456, err: ErrZeroTarget},
		{bits: 0x01003456, err: ErrZeroTarget},
		{bits: 0x02000056, err: ErrZeroTarget},
		{bits: 0x03000000, err: ErrZeroTarget},
		{bits: 0x04000000, err: ErrZeroTarget},
		{bits: 0x00923456, err: ErrZeroTarget},
		{bits: 0x01803456, err: ErrZeroTarget},
		{bits: 0x02800056, err: ErrZeroTarget},
		{bits: 0x03800000, err: ErrZeroTarget},
		{bits: 0x04800000, err: ErrZeroTarget},
		{bits: 0x01fedcba, err: ErrNegativeTarget},
		{bits: 0x04923456, err: ErrNegativeTarget},
		{bits: 0xff123456, err: ErrTargetOverflow},
		{bits: 0x01123456, back: 0x01120000, hex: "12"},
		{bits: 0x02008000, back: 0x02008000, hex: "80"},
		{bits: 0x02123456, back: 0x02123400, hex: "1234"},
		{bits: 0x03123456, back: 0x03123456, hex: "123456"},
		{bits: 0x04123456, back: 0x04123456, hex: "12345600"},
		{bits: 0x05009234, back: 0x05009234, hex: "92340000"},
		{bits: 0x20123456, back: 0x20123456, hex: "123456" + strings.Repeat("0", 58)},
		// The edges of 256 bits.
		{bits: 0x217fffff, err: ErrTargetOverflow},
		{bits: 0x2200ffff, err: ErrTargetOverflow},
		{bits: 0x22000100, err: ErrTargetOverflow},
		{bits: 0x23000001, err: ErrTargetOverflow},
		{bits: 0x2100ffff, back: 0x2100ffff, hex: "ffff" + strings.Repeat("0", 60)},
		{bits: 0x220000ff, back: 0x2100ff00, hex: "ff" + strings.Repeat("0", 62)},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%08x", tt.bits), func(t *testing.T) {
			target, err := TargetFromBits(tt.bits)
			if !errors.Is(err, tt.err) {
				t.Fatalf("error %v, want %v", err, tt.err)
			}
			if tt.err != nil {
				if d := DifficultyFromBits(tt.bits); d != 0 {
					t.Errorf("difficulty %v, want 0", d)
				}
				return
			}
			if got := strings.TrimLeft(target.String(), "0"); got != tt.hex {
				t.Errorf("target %s, want %s", got, tt.hex)
			}
			if got := target.Bits(); got != tt.back {
				t.Errorf("back to bits %08x, want %08x", got, tt.back)
			}
		})
	}
}

func TestBitsAgreeWithBtcd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bits := rapid.Uint32().Draw(t, "bits")
		want := blockchain.CompactToBig(bits)
		target, err := TargetFromBits(bits)
		switch {
		case errors.Is(err, ErrTargetOverflow):
			if want.BitLen() <= 256 {
				t.Errorf("overflow, but btcd has %x", want)
			}
		case errors.Is(err, ErrNegativeTarget):
			if want.Sign() >= 0 {
				t.Errorf("negative, but btcd has %x", want)
			}
		case errors.Is(err, ErrZeroTarget):
			if want.Sign() != 0 {
				t.Errorf("zero, but btcd has %x", want)
			}
		case targetNumber(target).Cmp(want) != 0:
			t.Errorf("target %s, btcd has %x", target, want)
		}
	})

	rapid.Check(t, func(t *rapid.T) {
		b := drawBytes32(t, "target")
		clear(b[:rapid.IntRange(0, 32).Draw(t, "zeros")])
		target := TargetFromBytes(b)
		got, want := target.Bits(), blockchain.BigToCompact(targetNumber(target))
		if got != want {
			t.Errorf("bits %08x, btcd has %08x", got, want)
		}
	})
}

func TestTargetFromDifficultyIsExact(t *testing.T) {
	limit := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(1))
	base := new(big.Int).Lsh(big.NewInt(0xffff), 208)
	check := func(t interface{ Errorf(string, ...any) }, d float64) {
		r := new(big.Rat).SetFloat64(d)
		want := new(big.Int).Mul(base, r.Denom())
		want.Quo(want, r.Num())
		if want.Cmp(limit) > 0 {
			want = limit
		}
		if got := TargetFromDifficulty(d); targetNumber(got).Cmp(want) != 0 {
			t.Errorf("TargetFromDifficulty(%v) = %s, want %064x", d, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		d := math.Abs(math.Float64frombits(rapid.Uint64().Draw(t, "bits")))
		if d == 0 || math.IsNaN(d) || math.IsInf(d, 0) {
			return
		}
		check(t, d)
	})
	rapid.Check(t, func(t *rapid.T) { // the range that pools use
		check(t, math.Ldexp(rapid.Float64Range(1, 2).Draw(t, "mantissa"), rapid.IntRange(-50, 230).Draw(t, "exponent")))
	})
	for _, d := range []float64{
		1, 2, 3, 1024, 0.0001, 1.0 / 3, 4.656542373906925e-10, math.SmallestNonzeroFloat64, math.MaxFloat64,
		math.Ldexp(0xffff, -48), math.Nextafter(math.Ldexp(0xffff, -48), 0), math.Nextafter(math.Ldexp(0xffff, -48), 1),
		math.Ldexp(0xffff, 208), math.Nextafter(math.Ldexp(0xffff, 208), math.Inf(1)),
	} {
		check(t, d)
	}
}

func TestTargetFromDifficultyAtTheEdges(t *testing.T) {
	for _, d := range []float64{0, math.Copysign(0, -1), -1, math.Inf(-1), math.NaN(), 1e-300} {
		if got := TargetFromDifficulty(d).String(); got != maxHex {
			t.Errorf("TargetFromDifficulty(%v) = %s", d, got)
		}
	}
	if got := TargetFromDifficulty(math.Inf(1)); got != (Target{}) {
		t.Errorf("infinite difficulty: %s", got)
	}
	if got, want := TargetFromDifficulty(1).Bits(), uint32(0x1d00ffff); got != want {
		t.Errorf("difficulty 1 has bits %08x, want %08x", got, want)
	}
	// Harder is never a larger target.
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.Float64Range(1e-12, 1e20).Draw(t, "a")
		b := rapid.Float64Range(a, 1e21).Draw(t, "b")
		if TargetFromDifficulty(a).Cmp(TargetFromDifficulty(b)) < 0 {
			t.Errorf("difficulty %v has a smaller target than %v", a, b)
		}
	})
}

func TestParseTarget(t *testing.T) {
	tests := []struct {
		text, want string
		err        error
	}{
		{text: "1", want: "1"},
		{text: "0xFf", want: "ff"},
		{text: "0X0000ffff", want: "ffff"},
		{text: maxHex, want: maxHex},
		{text: "0x" + maxHex, want: maxHex},
		{text: "", err: ErrInvalidTarget},
		{text: "0x", err: ErrInvalidTarget},
		{text: "0" + maxHex, err: ErrInvalidTarget},
		{text: "-1", err: ErrInvalidTarget},
		{text: "0x0x1", err: ErrInvalidTarget},
		{text: "12 ", err: ErrInvalidTarget},
		{text: "0", err: ErrZeroTarget},
		{text: "0x00", err: ErrZeroTarget},
	}
	for _, tt := range tests {
		got, err := ParseTarget(tt.text)
		if !errors.Is(err, tt.err) {
			t.Errorf("ParseTarget(%q) = %v, want %v", tt.text, err, tt.err)
		}
		if tt.err == nil && strings.TrimLeft(got.String(), "0") != tt.want {
			t.Errorf("ParseTarget(%q) = %s", tt.text, got)
		}
	}
}

func TestTargetForms(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawBytes32(t, "a"), drawBytes32(t, "b")
		copy(b[:rapid.IntRange(0, 32).Draw(t, "equal bytes")], a[:])
		x, y := TargetFromBytes(a), TargetFromBytes(b)
		if x.Bytes() != a {
			t.Errorf("bytes %x became %x", a, x.Bytes())
		}
		if got, want := x.Cmp(y), new(big.Int).SetBytes(a[:]).Cmp(new(big.Int).SetBytes(b[:])); got != want {
			t.Errorf("%s cmp %s = %d, want %d", x, y, got, want)
		}
		if (x == y) != (a == b) {
			t.Errorf("%s == %s: %v", x, y, x == y)
		}
		if x == (Target{}) {
			return
		}
		if back, err := ParseTarget(x.String()); err != nil || back != x {
			t.Errorf("%s parsed as %s, %v", x, back, err)
		}
	})
}

// FuzzParseTarget compares with math/big's reading of the same digits.
func FuzzParseTarget(f *testing.F) {
	for _, s := range []string{"0x1", "ffff", "", "0", "0x", "-1", "+1", "1_0", maxHex, "00000000ffff" + strings.Repeat("0", 52)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		digits := strings.TrimPrefix(strings.TrimPrefix(text, "0x"), "0X")
		if len(text)-len(digits) > 2 {
			digits = text[2:]
		}
		want, ok := new(big.Int).SetString(digits, 16)
		if strings.ContainsAny(digits, "+-_") || len(digits) > 64 {
			ok = false
		}
		got, err := ParseTarget(text)
		switch {
		case !ok && !errors.Is(err, ErrInvalidTarget):
			t.Errorf("ParseTarget(%q) = %s, %v; want ErrInvalidTarget", text, got, err)
		case ok && want.Sign() == 0 && !errors.Is(err, ErrZeroTarget):
			t.Errorf("ParseTarget(%q) = %s, %v; want ErrZeroTarget", text, got, err)
		case ok && want.Sign() > 0 && (err != nil || targetNumber(got).Cmp(want) != 0):
			t.Errorf("ParseTarget(%q) = %s, %v; want %x", text, got, err, want)
		}
	})
}
