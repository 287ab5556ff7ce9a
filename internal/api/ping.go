package api

import (
	"slices"

	"github.com/poolscope/poolscope/internal/ledger"
)

// pings sums up the round-trip times of the workers, in ms: the median of their
// medians and the 95th percentile of their 95th percentiles. Both are 0 when no
// worker's is known.
func pings(workers []ledger.WorkerView) (p50, p95 float64) {
	var medians, tails []float64
	for i := range workers {
		if w := &workers[i]; w.PingP50 > 0 {
			medians, tails = append(medians, w.PingP50), append(tails, w.PingP95)
		}
	}
	if len(medians) == 0 {
		return 0, 0
	}
	slices.Sort(medians)
	slices.Sort(tails)
	return medians[len(medians)/2], tails[len(tails)*95/100]
}
