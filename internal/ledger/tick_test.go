package ledger_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/ledger"
)

// While nobody looks, the tick copies nothing: it allocates nothing for any
// worker. Who looks then sees the latest tick.
func TestTickAllocatesNothing(t *testing.T) {
	h := newHarness(t, ledger.Options{})
	const workers = 100
	for i := range workers {
		a := h.connect(fmt.Sprint("w", i), "agent/1", fmt.Sprintf("10.0.0.1:%d", i))
		if i%2 == 0 {
			a.Accept(h.share(8, 9))
		}
	}
	h.pass(time.Second)
	if n := testing.AllocsPerRun(100, func() { h.Tick(h.now) }); n > 1 {
		t.Errorf("%v allocations per tick of %d workers", n, workers)
	}
	s := h.Snapshot()
	equal(t, "as of the tick", []any{s.At, s.Online, s.Accepted}, []any{h.now, workers, uint64(workers / 2)})
	if h.Snapshot() != s {
		t.Error("the snapshot was made twice for one tick")
	}
}
