package miner

import (
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

func testWork(size int, mask uint32) *work {
	return &work{
		job:        &Job{Version: 0x20000000, Time: 1000, Coinbase1: []byte{1}, Coinbase2: []byte{2}},
		extranonce: Subscription{Extranonce1: []byte{9}, Extranonce2Size: size},
		mask:       mask,
		at:         time.Unix(5000, 0),
	}
}

func TestUnitsAreDisjoint(t *testing.T) {
	w := testWork(2, 0x6000)
	seen := map[string]bool{}
	for i := range 1 << 16 {
		u, ok := w.take(w.at)
		if !ok {
			t.Fatalf("used up after %d units", i)
		}
		if seen[string(u.extranonce2)] {
			t.Fatalf("extranonce2 %x handed out twice", u.extranonce2)
		}
		seen[string(u.extranonce2)] = true
		if want := uint32(i&3) << 13; u.versionBits != want || u.header.Version != 0x20000000|want {
			t.Fatalf("unit %d: bits %08x, version %08x", i, u.versionBits, u.header.Version)
		}
	}
	if _, ok := w.take(w.at); ok {
		t.Error("more units than extranonces of two bytes")
	}
}

// A job that follows goes on where the extranonce stopped and wraps around.
func TestUnitsGoOn(t *testing.T) {
	w := testWork(2, 0)
	w.extranonce0 = 0xffff
	a, _ := w.take(w.at)
	b, _ := w.take(w.at)
	if string(a.extranonce2) != "\xff\xff" || string(b.extranonce2) != "\x00\x00" {
		t.Errorf("%x, %x", a.extranonce2, b.extranonce2)
	}
	if a.header.MerkleRoot == b.header.MerkleRoot {
		t.Error("extranonce2 does not reach the merkle root")
	}
}

func TestBlockTimeKeepsUp(t *testing.T) {
	w := testWork(8, 0)
	for after, want := range map[time.Duration]uint32{
		-time.Hour:              1000,
		0:                       1000,
		1999 * time.Millisecond: 1001,
		30 * time.Second:        1030,
		24 * time.Hour:          1000 + maxRoll,
	} {
		u, _ := w.take(w.at.Add(after))
		if u.header.Time != want {
			t.Errorf("%v later: time %d, want %d", after, u.header.Time, want)
		}
	}
}

func TestBoard(t *testing.T) {
	var b board
	w, changed := b.get()
	if w != nil {
		t.Fatal("work on an empty board")
	}
	s := &session{}
	b.set(&work{session: s, target: bitcoin.Target{}})
	select {
	case <-changed:
	default:
		t.Error("nobody is told of new work")
	}
	b.clear(&session{})
	if w, _ := b.get(); w == nil {
		t.Error("another session's end takes the work away")
	}
	b.clear(s)
	if w, _ := b.get(); w != nil {
		t.Error("work of a session that ended")
	}
}
