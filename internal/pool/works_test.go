package pool

import (
	"strconv"
	"testing"
)

// A job that has as many works as it may keep, as when somebody comes with a
// hundred thousand addresses, loses no block of those who come after.
func TestBlockOfAJobWithTooManyWorks(t *testing.T) {
	r := newRig(t, false)
	r.newTip()
	j := r.pool.current()
	j.mu.Lock()
	for i := range maxWorks {
		j.works[workKey{script: strconv.Itoa(i)}] = nil
	}
	j.mu.Unlock()
	m := r.connect(t)
	m.start(alice, "x")
	block, verdict := m.block()
	if verdict != "" {
		t.Fatalf("verdict %q", verdict)
	}
	if got := checkHash(t, r.blockAt(1)); got != block.header.BlockHash().String() {
		t.Errorf("block %s", got)
	}
	if verdict := m.share(); verdict != "" {
		t.Errorf("share: %s", verdict)
	}
	if len(j.works) != maxWorks {
		t.Errorf("%d works are kept", len(j.works))
	}
}
