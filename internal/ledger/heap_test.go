package ledger_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/poolscope/poolscope/internal/ledger"
)

// BenchmarkMemory is the heap of a worker with one connection: one that waits, and
// one that has sent more shares than are remembered.
func BenchmarkMemory(b *testing.B) {
	const workers = 10_000
	for _, shares := range []int{0, 1, ledger.MaxRecentShares} {
		b.Run(fmt.Sprint(shares, " shares"), func(b *testing.B) {
			for b.Loop() {
				h := newHarness(b, ledger.Options{})
				before := heap()
				accounts := make([]*ledger.Account, workers)
				for i := range accounts {
					accounts[i] = h.connect(fmt.Sprint("w", i), "agent", "10.0.0.1:1000")
					accounts[i].SetDifficulty(1, 1)
				}
				for range shares {
					for _, a := range accounts {
						a.Accept(h.share(1, 1))
					}
					h.Tick(h.now)
				}
				h.Tick(h.now)
				b.ReportMetric(float64(heap()-before)/workers, "heap-B/worker")
				runtime.KeepAlive(accounts)
			}
		})
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
