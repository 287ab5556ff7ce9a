package pool

import (
	"math"
	"testing"
)

// Miners never take the last files that the process may open: without one, a
// found block could neither be saved nor sent.
func TestDescriptorsAreSpared(t *testing.T) {
	for limit, want := range map[uint64]int{0: 0, 1024: 768, 20_000: 19_600, 1 << 20: 1<<20 - spareDescriptors, math.MaxUint64: 0} {
		if got := maxMiners(limit); got != want {
			t.Errorf("%d files: %d miners, want %d", limit, got, want)
		}
	}
	r := newRig(t, false)
	r.pool.mu.Lock()
	r.pool.mostMiners = 2
	r.pool.mu.Unlock()
	r.newTip()
	m := r.connect(t)
	m.start(alice, "x")
	r.connect(t).start(bob, "x")
	r.connect(t).wantEnd()
	if n := r.closes("too_many_connections"); n != 1 {
		t.Errorf("%d turned away", n)
	}
	if _, verdict := m.block(); verdict != "" {
		t.Error(verdict)
	}
}
