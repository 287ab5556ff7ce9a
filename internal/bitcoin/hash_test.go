package bitcoin

import (
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"
	"pgregory.net/rapid"
)

func TestParseHash(t *testing.T) {
	const genesis = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"
	h, err := ParseHash(genesis)
	if err != nil {
		t.Fatal(err)
	}
	if h[0] != 0x6f || h[31] != 0 || h.String() != genesis {
		t.Errorf("parsed % x", h[:])
	}
	if upper, err := ParseHash(strings.ToUpper(genesis)); err != nil || upper != h {
		t.Errorf("upper case: %v, %v", upper, err)
	}
	for _, bad := range []string{"", "00", genesis[1:], genesis + "0", genesis[:63] + "g", "0x" + genesis[2:]} {
		if _, err := ParseHash(bad); !errors.Is(err, ErrInvalidHash) {
			t.Errorf("ParseHash(%q) = %v", bad, err)
		}
	}
}

func TestDoubleSHA256(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")
		if got, want := DoubleSHA256(b), chainhash.DoubleHashH(b); got != Hash(want) {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

func TestMeets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h, target := drawNearby(t)
		want := number(h).Cmp(targetNumber(target)) <= 0
		if got := h.Meets(&target); got != want {
			t.Errorf("%s meets %s: %v", h, target, got)
		}
	})

	// A hash meets a target that equals it, and not the one before.
	rapid.Check(t, func(t *rapid.T) {
		h := Hash(drawBytes32(t, "hash"))
		equal := TargetFromBytes(h.reversed())
		if !h.Meets(&equal) {
			t.Errorf("%s does not meet itself", h)
		}
		n := number(h)
		if n.Sign() == 0 {
			return
		}
		var b [32]byte
		n.Sub(n, big.NewInt(1)).FillBytes(b[:])
		less := TargetFromBytes(b)
		if h.Meets(&less) {
			t.Errorf("%s meets %s", h, less)
		}
	})
}

// drawNearby draws a hash and a target that often agree in their upper limbs.
func drawNearby(t *rapid.T) (Hash, Target) {
	a, b := drawBytes32(t, "hash"), drawBytes32(t, "target")
	copy(b[:rapid.IntRange(0, 32).Draw(t, "equal bytes")], a[:])
	return Hash(a).reversed(), TargetFromBytes(b)
}

func drawBytes32(t *rapid.T, label string) [32]byte {
	return [32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, label))
}

// number reads a hash as a number without this package's help.
func number(h Hash) *big.Int {
	n := new(big.Int)
	for i := 31; i >= 0; i-- {
		n.Lsh(n, 8).Or(n, big.NewInt(int64(h[i])))
	}
	return n
}

func targetNumber(t Target) *big.Int {
	b := t.Bytes()
	return new(big.Int).SetBytes(b[:])
}
