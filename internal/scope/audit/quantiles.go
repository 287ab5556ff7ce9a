package audit

import (
	"math"
	"math/bits"
	"time"
)

// histogram counts durations in buckets of which eight divide each power of two
// of microseconds, from 1 µs to more than an hour. So its size does not depend
// on how many there are.
type histogram struct {
	buckets [32 * 8]uint32
	count   uint64
	max     time.Duration
}

// add counts a duration. A nil histogram is made first.
func add(h **histogram, d time.Duration) {
	if *h == nil {
		*h = new(histogram)
	}
	d = max(d, 0)
	(*h).buckets[bucketOf(d)]++
	(*h).count++
	(*h).max = max((*h).max, d)
}

func bucketOf(d time.Duration) int {
	us := uint64(d.Microseconds())
	if us < 8 {
		return int(us)
	}
	exponent := bits.Len64(us) - 1 // 3 or more
	at := (exponent-2)*8 + int(us>>(exponent-3)&7)
	return min(at, len(histogram{}.buckets)-1)
}

// middle is the middle of a bucket, in microseconds.
func middle(bucket int) float64 {
	if bucket < 8 {
		return float64(bucket) + 0.5
	}
	exponent := bucket/8 + 2
	low := float64(uint64(8+bucket%8) << (exponent - 3))
	return low + float64(uint64(1)<<(exponent-3))/2
}

// quantiles sums up. A nil histogram is empty.
func (h *histogram) quantiles() Quantiles {
	if h == nil {
		return Quantiles{}
	}
	return Quantiles{Count: h.count, P50: h.rank(0.5), P90: h.rank(0.9), P99: h.rank(0.99), Max: milliseconds(h.max)}
}

// rank is the nearest rank of a quantile, in milliseconds.
func (h *histogram) rank(p float64) float64 {
	want := uint64(math.Ceil(p * float64(h.count)))
	for i, n := range h.buckets {
		if want <= uint64(n) {
			return min(middle(i)/1000, milliseconds(h.max))
		}
		want -= uint64(n)
	}
	return milliseconds(h.max)
}

// milliseconds is a duration with the resolution of a microsecond.
func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
