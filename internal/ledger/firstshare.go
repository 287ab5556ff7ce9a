package ledger

import (
	"math"
	"slices"
	"time"
)

// firstShareSamples is the number of new blocks that the percentiles of the
// times to the first share are taken of.
const firstShareSamples = 32

// firstShares are the latest times from work on a new block to the first share,
// in milliseconds.
type firstShares struct {
	millis [firstShareSamples]uint32
	n      int // ever taken
}

// FirstShare notes how long the first accepted share took on work that made all
// earlier work worthless.
func (a *Account) FirstShare(took time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.first == nil {
		a.first = new(firstShares)
	}
	a.first.millis[a.first.n%firstShareSamples] = uint32(min(max(took.Milliseconds(), 0), math.MaxUint32))
	a.first.n++
}

// firsts sums up what FirstShare noted.
func (a *Account) firsts() (f FirstShare) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.first == nil {
		return f
	}
	sorted := a.first.millis
	known := sorted[:min(a.first.n, firstShareSamples)]
	slices.Sort(known)
	at := func(part float64) time.Duration {
		return time.Duration(known[int(part*float64(len(known)-1)+0.5)]) * time.Millisecond
	}
	last := a.first.millis[(a.first.n-1)%firstShareSamples]
	return FirstShare{Last: time.Duration(last) * time.Millisecond, P50: at(0.5), P95: at(0.95), Samples: len(known)}
}
