package miner

import "time"

// backoff says how long to wait before the next attempt to connect: twice as
// long after each failure, between two bounds, with jitter so that many miners
// do not return at the same instant.
type backoff struct {
	min, max time.Duration
	rand     func() float64 // [0,1)
	failures int
}

// next returns the wait after one more failure: from 3/4 of the doubled time up
// to all of it, never less than min nor more than max.
func (b *backoff) next() time.Duration {
	d := b.max
	if b.failures < 30 {
		d = min(b.min<<b.failures, b.max)
	}
	b.failures++
	return max(b.min, time.Duration(float64(d)*(0.75+0.25*b.rand())))
}

// reset forgets the failures.
func (b *backoff) reset() { b.failures = 0 }
