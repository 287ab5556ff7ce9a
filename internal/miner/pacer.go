package miner

import "time"

// maxLag is how much of a pause a throttled thread may make up for: little, so
// that the rate stays smooth after a stall.
const maxLag = 100 * time.Millisecond

// pacer keeps a thread at a rate. The zero value does not limit.
type pacer struct {
	rate float64 // hashes per second, 0 = unlimited
	due  time.Time
}

// wait notes that n hashes were tried by now and returns how long to rest.
func (p *pacer) wait(n uint64, now time.Time) time.Duration {
	if p.rate <= 0 {
		return 0
	}
	if p.due.IsZero() {
		p.due = now
	}
	if earliest := now.Add(-maxLag); p.due.Before(earliest) {
		p.due = earliest
	}
	p.due = p.due.Add(time.Duration(float64(n) / p.rate * float64(time.Second)))
	return max(0, p.due.Sub(now))
}

// chunk bounds the hashes between two rests to a millisecond's worth: who else
// lives in this process, a pool or a proxy, is not kept from its sockets for
// longer.
func (p *pacer) chunk(n uint64) uint64 {
	if p.rate <= 0 {
		return n
	}
	return min(n, max(1, uint64(p.rate/1000)))
}
