package miner

import (
	"math"
	"testing"
	"time"
)

// A clock is moved by hand: a thread that hashes at 1 MH/s and rests as it is
// told keeps the rate, whatever the chunk, and its chunks stay short.
func TestPacerKeepsTheRate(t *testing.T) {
	const speed = 1e6
	for _, rate := range []float64{10, 1000, 12345.6, 250e3, 900e3} {
		p := pacer{rate: rate}
		start := time.Unix(1e9, 0)
		now, hashes := start, 0.0
		for now.Sub(start) < 60*time.Second {
			n := p.chunk(2048)
			now = now.Add(time.Duration(float64(n) / speed * 1e9))
			hashes += float64(n)
			rest := p.wait(n, now)
			if rest > time.Second {
				t.Fatalf("rate %v: a rest of %v", rate, rest)
			}
			now = now.Add(rest)
		}
		if got := hashes / now.Sub(start).Seconds(); math.Abs(got/rate-1) > 0.01 {
			t.Errorf("rate %v came out as %v", rate, got)
		}
	}
}

// After a stall the thread does not make up for more than a moment.
func TestPacerDoesNotBurst(t *testing.T) {
	p := pacer{rate: 1000}
	now := time.Unix(1e9, 0)
	p.wait(50, now)
	now = now.Add(time.Hour)
	burst := 0
	for p.wait(50, now) == 0 {
		burst += 50
		if burst > 10000 {
			break
		}
	}
	if burst > 150 {
		t.Errorf("%d hashes at once after a stall, at 1000 a second", burst)
	}
}

func TestPacerWithoutLimit(t *testing.T) {
	var p pacer
	if d := p.wait(1e9, time.Unix(1e9, 0)); d != 0 || p.chunk(77) != 77 {
		t.Errorf("rest %v, chunk %d", d, p.chunk(77))
	}
}

func TestBackoff(t *testing.T) {
	for _, jitter := range []float64{0, 0.5, 0.999} {
		b := backoff{min: time.Second, max: time.Minute, rand: func() float64 { return jitter }}
		full := time.Second
		for i := range 100 {
			d := b.next()
			if lo, hi := max(time.Second, full*3/4), full; d < lo || d > hi {
				t.Errorf("jitter %v, failure %d: %v, want %v to %v", jitter, i, d, lo, hi)
			}
			full = min(full*2, time.Minute)
		}
		b.reset()
		if d := b.next(); d != time.Second {
			t.Errorf("after a good connection: %v", d)
		}
	}
}
