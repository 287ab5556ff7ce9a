package ledger

import (
	"math"
	"slices"
	"time"
)

// pingSamples is the number of round trips that percentiles are taken of: some
// four minutes, as the pool samples.
const pingSamples = 16

// pings are the latest round-trip times of a connection.
type pings struct {
	micros [pingSamples]uint32
	n      int // ever taken
}

// Ping notes a round-trip time of the connection, as the kernel measures it.
func (a *Account) Ping(rtt time.Duration) {
	if rtt <= 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.pings == nil {
		a.pings = new(pings)
	}
	a.pings.micros[a.pings.n%pingSamples] = uint32(min(rtt.Microseconds(), math.MaxUint32))
	a.pings.n++
	a.pending.ping50, a.pending.ping95 = a.pings.percentiles()
	a.pending.touched = true
}

// percentiles are the median and the 95th percentile, in milliseconds.
func (p *pings) percentiles() (p50, p95 float32) {
	sorted := p.micros
	known := sorted[:min(p.n, pingSamples)]
	slices.Sort(known)
	at := func(part float64) float32 {
		return float32(known[int(part*float64(len(known)-1)+0.5)]) / 1000
	}
	return at(0.5), at(0.95)
}
