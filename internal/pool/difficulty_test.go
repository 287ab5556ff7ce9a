package pool

import (
	"bytes"
	"math"
	"math/big"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/stratum"
)

func (t timeline) mustHold(tb testing.TB, id uint32, want float64) {
	tb.Helper()
	held, ok := t.at(id)
	if ok != (want > 0) || held.difficulty != want {
		tb.Errorf("at %d: %v, %v; want %v", id, held.difficulty, ok, want)
	}
}

func TestTimeline(t *testing.T) {
	var line timeline
	line.mustHold(t, 5, 0)
	line.assign(100, 1)
	line.assign(200, 2)
	line.assign(300, 3)
	for id, want := range map[uint32]float64{99: 0, 100: 1, 199: 1, 200: 2, 299: 2, 300: 3, 1 << 20: 3} {
		line.mustHold(t, id, want)
	}
	for i := range 100 {
		line.assign(uint32(400+100*i), float64(10+i))
	}
	if len(line) > maxAssigned || cap(line) > 2*maxAssigned {
		t.Errorf("%d entries in %d", len(line), cap(line))
	}
	line.mustHold(t, 400+100*99, 109)
	line.mustHold(t, 400+100*95+50, 105)
}

// Ids wrap around after 2^32, and a difficulty may hold for longer than that.
func TestTimelineWraps(t *testing.T) {
	var line timeline
	line.assign(math.MaxUint32-10, 1)
	line.assign(5, 2)
	line.mustHold(t, math.MaxUint32-11, 0)
	line.mustHold(t, math.MaxUint32, 1)
	line.mustHold(t, 4, 1)
	line.mustHold(t, 6, 2)
	id := uint32(6)
	for range 100 { // more than six times around
		id += 1 << 28
		line.follow(id)
		line.mustHold(t, id, 2)
		line.mustHold(t, id-1000, 2)
	}
	line.assign(id+1, 3)
	line.mustHold(t, id, 2)
	line.mustHold(t, id+1, 3)
}

// The share target is that of the printed difficulty, but for a rounding of
// at most a thousandth.
func TestTolerance(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := roundDifficulty(math.Exp(rapid.Float64Range(math.Log(1e-9), math.Log(1e14)).Draw(t, "difficulty")))
		printed, ok := stratum.ParseSuggestDifficulty(append(append([]byte("["), bitcoin.AppendDifficulty(nil, d)...), ']'))
		if !ok || printed != d {
			t.Fatalf("%v is printed as %v", d, printed)
		}
		var line timeline
		line.assign(1, d)
		held, _ := line.at(1)
		exact := new(big.Float).SetInt(targetOf(printed))
		judged := held.target.Bytes()
		ratio, _ := new(big.Float).Quo(new(big.Float).SetInt(new(big.Int).SetBytes(judged[:])), exact).Float64()
		if ratio < 1 || ratio > 1.0011 {
			t.Fatalf("a share of %v is judged by %v of its target", d, ratio)
		}
		hash := bitcoin.Hash(judged)
		slices.Reverse(hash[:])
		if !hash.Meets(&held.target) {
			t.Fatal("the target does not meet itself")
		}
	})
}

func TestRoundDifficulty(t *testing.T) {
	for d, want := range map[float64]float64{
		1: 1, 1.4: 1, 1.6: 2, 1023.7: 1024, 0.99951: 1, 0.5: 0.5, 0.123456: 0.123, 0.000152: 0.000152, 0.00015234: 0.000152, 1e-9: 1e-9, 65536: 65536,
	} {
		if got := roundDifficulty(d); got != want {
			t.Errorf("roundDifficulty(%v) = %v, want %v", d, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		d := math.Exp(rapid.Float64Range(math.Log(1e-12), math.Log(1e15)).Draw(t, "difficulty"))
		got := roundDifficulty(d)
		if math.Abs(got/d-1) > 0.34 || got >= 1 && got != math.Trunc(got) || roundDifficulty(got) != got {
			t.Fatalf("roundDifficulty(%v) = %v", d, got)
		}
		if digits := bytes.TrimLeft(bitcoin.AppendDifficulty(nil, got), "0."); got < 1 && len(digits) > 3 {
			t.Fatalf("%v is printed with %s", got, digits)
		}
	})
}

func TestClampDifficulty(t *testing.T) {
	for _, c := range []struct{ d, lowest, highest, network, want float64 }{
		{1024, 1, 0, 1e6, 1024},
		{0.5, 1, 0, 1e6, 1},
		{5000, 1, 2048, 1e6, 2048},
		{5000, 1, 0, 100.5, 100.5},
		{1024, 1024, 0, 4.6565423739069247e-10, 4.6565423739069247e-10},
		{1024, 1, 0, 0, 1024}, // network unknown
		{0, 0.0001, 0, 10, 0.0001},
		{1e300, 1, 0, 1e14, 1e14},
	} {
		if got := clampDifficulty(c.d, c.lowest, c.highest, c.network); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

func TestShareSet(t *testing.T) {
	var s shareSet
	h := func(i int) *bitcoin.Hash {
		sum := bitcoin.DoubleSHA256([]byte{byte(i), byte(i >> 8), byte(i >> 16)})
		return &sum
	}
	const n = 10_000
	for i := range n {
		if fresh, room := s.add(h(i)); !fresh || !room {
			t.Fatalf("share %d: fresh %v, room %v", i, fresh, room)
		}
	}
	for i := range n {
		if fresh, room := s.add(h(i)); fresh || !room {
			t.Fatalf("share %d again: fresh %v, room %v", i, fresh, room)
		}
	}
	zero := bitcoin.Hash{}
	if fresh, _ := s.add(&zero); !fresh {
		t.Error("a hash of zeros is known")
	}
	if fresh, _ := s.add(&zero); fresh {
		t.Error("a hash of zeros is not remembered")
	}
	s.reset()
	if fresh, _ := s.add(h(1)); !fresh || len(s.slots) > 256 {
		t.Errorf("after a reset: fresh %v, %d slots", fresh, len(s.slots))
	}
	s.reset()
	if fresh, _ := s.add(h(1)); !fresh {
		t.Error("a small table is not cleared")
	}
	s.used = maxShares
	s.slots = make([]uint64, maxShares)
	if _, room := s.add(h(5)); room {
		t.Error("there is room without bound")
	}
}
