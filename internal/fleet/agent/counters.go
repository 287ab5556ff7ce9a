package agent

import (
	"slices"
	"sync"
	"time"

	"github.com/poolscope/poolscope/internal/fleet"
)

const (
	// samples is how many latencies the quantiles are of.
	samples = 1024
	// rateSeconds is the longest window of a rate.
	rateSeconds = 60
	// maxErrors is how many errors telemetry tells.
	maxErrors = 10
	// maxTips is how many blocks telemetry tells of.
	maxTips = 8
)

// counters are what an agent did since it started.
type counters struct {
	mu sync.Mutex

	received, attempted, accepted, rejected uint64
	unanswered, queueDropped, connects      uint64

	rejects   map[string]uint64
	latencies []time.Duration // a ring of samples
	next      int
	last      *float64 // milliseconds
	errors    []string // since the last success
	tips      []fleet.Tip

	seconds [rateSeconds]uint64 // submits by second, a ring
	second  int64               // Unix second of the newest

	connect, handshake *float64 // milliseconds
}

// attempt counts a submit that is sent.
func (c *counters) attempt(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.attempted++
	c.advanceLocked(now)
	c.seconds[c.second%rateSeconds]++
}

// advanceLocked clears the seconds that went by.
func (c *counters) advanceLocked(now time.Time) {
	s := now.Unix()
	for n := max(c.second+1, s-rateSeconds+1); n <= s; n++ {
		c.seconds[n%rateSeconds] = 0
	}
	c.second = max(c.second, s)
}

// answer counts the pool's word on a submit; why is empty when it was accepted.
func (c *counters) answer(latency time.Duration, why string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.latencies) < samples {
		c.latencies = append(c.latencies, latency)
	} else {
		c.latencies[c.next] = latency
		c.next = (c.next + 1) % samples
	}
	ms := milliseconds(latency)
	c.last = &ms
	if why == "" {
		c.accepted++
		c.errors = nil
		return
	}
	c.rejected++
	if c.rejects == nil {
		c.rejects = make(map[string]uint64)
	}
	fleet.AddCount(c.rejects, why, 1)
	c.errorLocked("Share rejected: " + why)
}

// silence counts submits that the pool will not answer any more.
func (c *counters) silence(n int) {
	if n == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.unanswered += uint64(n)
	c.errorLocked("No response for share submission")
}

// fail notes an error, unless it is the one before once more.
func (c *counters) fail(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.errorLocked(text)
}

func (c *counters) errorLocked(text string) {
	text = fleet.Clip(text, 300)
	if n := len(c.errors); n > 0 && c.errors[n-1] == text {
		return
	}
	if c.errors = append(c.errors, text); len(c.errors) > maxErrors {
		c.errors = slices.Clone(c.errors[1:])
	}
}

// tip notes the first job on a block.
func (c *counters) tip(t fleet.Tip) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.tips = append(c.tips, t); len(c.tips) > maxTips {
		c.tips = slices.Clone(c.tips[1:])
	}
}

func milliseconds(d time.Duration) float64 {
	return fleet.Round(float64(d) / float64(time.Millisecond))
}

// quantiles of the newest latencies; nil before the first. The value at a part p
// of n sorted ones is the one at ⌈p·n⌉.
func (c *counters) quantilesLocked() *fleet.Quantiles {
	n := len(c.latencies)
	if n == 0 {
		return nil
	}
	sorted := slices.Sorted(slices.Values(c.latencies))
	at := func(percent int) float64 { return milliseconds(sorted[max((n*percent+99)/100-1, 0)]) }
	return &fleet.Quantiles{Count: n, P50: at(50), P95: at(95), P99: at(99), Max: milliseconds(sorted[n-1])}
}

// rateLocked is the submits per second of the last seconds, or since the start
// when that is shorter; nil in the first second.
func (c *counters) rateLocked(seconds int64, now, started time.Time) *float64 {
	c.advanceLocked(now)
	span := min(float64(seconds), now.Sub(started).Seconds())
	if span < 1 {
		return nil
	}
	var sum uint64
	for n := c.second - seconds + 1; n <= c.second; n++ {
		if n > 0 {
			sum += c.seconds[n%rateSeconds]
		}
	}
	rate := fleet.Round(float64(sum) / span)
	return &rate
}
