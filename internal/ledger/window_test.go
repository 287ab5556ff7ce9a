package ledger

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

var epoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// poisson is the number of events in an interval in which mean are expected.
func poisson(rng *rand.Rand, mean float64) (n uint32) {
	for t := rng.ExpFloat64(); t < mean; t += rng.ExpFloat64() {
		n++
	}
	return n
}

// step lets a second pass in which n shares of difficulty d were found.
func step(w *window, now time.Time, n uint32, d float64) time.Time {
	now = now.Add(time.Second)
	w.add(now, n, float64(n)*d, float64(n)*d*d)
	return now
}

// A miner of known speed, looked at again and again, has the right hashrate
// on average: neither the size of the window nor the buckets' edges show.
func TestWindowUnbiased(t *testing.T) {
	const difficulty = 1000
	for _, perMinute := range []float64{1, 10, 100} {
		rng := rand.New(rand.NewPCG(1, uint64(perMinute)))
		w, now := window{since: epoch}, epoch

		// One look per window, so that looks do not share any work, at a
		// different phase of the buckets each time.
		const looks = 800
		var sum, shares float64
		for i := range looks {
			for range 601 + i%30 {
				now = step(&w, now, poisson(rng, perMinute/60), difficulty)
			}
			e := w.estimate(now)
			sum += e.work * 60 / difficulty
			shares += e.perMinute()
		}
		// One look has a standard error of √(rate·T)/T; T is 9.5 minutes or more.
		tolerance := 3.5 * math.Sqrt(perMinute/9.5) / math.Sqrt(looks)
		for _, mean := range []float64{sum / looks, shares / looks} {
			if math.Abs(mean-perMinute) > tolerance {
				t.Errorf("at %v/min: mean %.4f/min, tolerance %.4f", perMinute, mean, tolerance)
			}
		}
	}
}

// It is right on average from the start, too.
func TestWindowUnbiasedAtStart(t *testing.T) {
	for _, perMinute := range []float64{1, 10, 100} {
		for _, after := range []int{10, 25, 60, 300} {
			rng := rand.New(rand.NewPCG(2, uint64(after)))
			const miners = 1000
			var sum float64
			for range miners {
				w, now := window{since: epoch}, epoch
				for range after {
					now = step(&w, now, poisson(rng, perMinute/60), 1)
				}
				sum += w.estimate(now).work * 60
			}
			minutes := float64(after) / 60
			tolerance := 3.5 * math.Sqrt(perMinute/minutes) / math.Sqrt(miners)
			if mean := sum / miners; math.Abs(mean-perMinute) > tolerance {
				t.Errorf("at %v/min after %d s: mean %.4f/min, tolerance %.4f", perMinute, after, mean, tolerance)
			}
		}
	}
}

// Difficulty control changes the difficulty because of the shares that came.
// That must not show either.
func TestWindowUnbiasedUnderVardiff(t *testing.T) {
	const truth = 2000.0 // work per minute
	rng := rand.New(rand.NewPCG(3, 3))
	w, now := window{since: epoch}, epoch
	difficulty, recent := 100.0, 0.0
	const looks = 800
	var sum, squares float64
	for range looks {
		for i := range 601 {
			n := poisson(rng, truth/60/difficulty)
			now = step(&w, now, n, difficulty)
			recent += float64(n)
			if i%60 == 59 { // aims at 10 shares a minute, greedily
				difficulty = min(max(difficulty*(recent+1)/10, 20), 1000)
				recent = 0
			}
		}
		rate := w.estimate(now).work * 60
		sum += rate
		squares += rate * rate
	}
	mean := sum / looks
	deviation := math.Sqrt(squares/looks - mean*mean)
	if tolerance := 3.5 * deviation / math.Sqrt(looks); math.Abs(mean-truth) > tolerance {
		t.Errorf("mean %.1f per minute, tolerance %.1f", mean, tolerance)
	}
}

// A silent miner sinks without ever rising, and is at zero after ten minutes.
func TestWindowDecays(t *testing.T) {
	w, now := window{since: epoch}, epoch
	for range 900 {
		now = step(&w, now, 1, 16)
	}
	if got := w.estimate(now).work; math.Abs(got-16) > 1e-9 {
		t.Fatalf("steady work is %v per second", got)
	}
	last := math.Inf(1)
	for i := range 601 {
		now = step(&w, now, 0, 0)
		got := w.estimate(now).work
		// A leaving bucket takes half a minute away at once, from the
		// numerator and from the denominator.
		if got > last+1e-9 {
			t.Fatalf("after %d s: rose from %v to %v", i+1, last, got)
		}
		if i == 299 && (got < 6 || got > 9) {
			t.Errorf("after half the window: %v", got)
		}
		last = got
	}
	if last != 0 {
		t.Errorf("after ten minutes: %v", last)
	}
}

// The first seconds do not make a giant of a dwarf.
func TestWindowFirstSeconds(t *testing.T) {
	w := window{since: epoch}
	now := step(&w, epoch, 1, 1000)
	if got := w.estimate(now).work; got != 100 {
		t.Errorf("one share in the first second: %v per second, want 1000/10", got)
	}
	if got := (&window{since: epoch}).estimate(epoch).work; got != 0 {
		t.Errorf("nothing yet: %v", got)
	}
}

// A miner that comes back goes on where it was.
func TestWindowResume(t *testing.T) {
	w, now := window{since: epoch}, epoch
	for range 300 {
		now = step(&w, now, 1, 8)
	}
	w.resume(now, now.Add(5*time.Minute))
	now = now.Add(5 * time.Minute)
	if got := w.estimate(now).work; math.Abs(got-8) > 1e-9 {
		t.Errorf("after the pause: %v per second, want 8", got)
	}
	for range 300 {
		now = step(&w, now, 1, 8)
	}
	if got := w.estimate(now).work; math.Abs(got-8) > 1e-9 {
		t.Errorf("later: %v per second, want 8", got)
	}
}

// The counter of milliseconds is modulo 2^32, which is 49.7 days.
func TestWindowAfterMonths(t *testing.T) {
	w := window{since: epoch}
	w.banked = (1<<32)*time.Millisecond - 5*time.Minute
	w.head = int64(w.banked / bucketLength)
	now := epoch
	for range 1200 {
		now = step(&w, now, 1, 8)
		if e := w.estimate(now); now.Sub(epoch) > 10*time.Minute && math.Abs(e.work-8) > 1e-9 {
			t.Fatalf("after %s: %v per second, want 8", now.Sub(epoch), e.work)
		}
	}
}

// A clock that stood still, or was put back, breaks nothing.
func TestWindowOddClocks(t *testing.T) {
	w, now := window{since: epoch}, epoch
	for range 300 {
		now = step(&w, now, 1, 8)
	}
	w.add(now.Add(24*time.Hour), 1, 8, 64) // a laptop that slept
	if got := w.estimate(now.Add(24 * time.Hour)).work; got != 0 {
		t.Errorf("after a day's sleep: %v", got)
	}
	w.add(now.Add(-time.Hour), 1, 8, 64)
	if got := w.estimate(now.Add(-time.Hour)).work; math.IsNaN(got) || got < 0 {
		t.Errorf("after the clock was put back: %v", got)
	}
}

func TestAccuracy(t *testing.T) {
	for _, c := range []struct {
		shares uint32
		want   string
	}{{0, "~"}, {1, "~"}, {15, "~"}, {16, "≈"}, {63, "≈"}, {64, ""}, {1000, ""}} {
		w := window{since: epoch}
		w.add(epoch.Add(5*time.Minute), c.shares, float64(c.shares)*512, float64(c.shares)*512*512)
		if got := w.estimate(epoch.Add(5 * time.Minute)).accuracy(); got != c.want {
			t.Errorf("%d shares: %q, want %q", c.shares, got, c.want)
		}
	}

	// A hundred small shares do not make up for one that outweighs them.
	w := window{since: epoch}
	w.add(epoch.Add(time.Minute), 101, 100*1+1000, 100*1*1+1000*1000)
	if got := w.estimate(epoch.Add(time.Minute)).accuracy(); got != "~" {
		t.Errorf("one heavy share among many light ones: %q", got)
	}
}

// The mark keeps its promise: of those marked stable, about two thirds are
// within an eighth of the truth or better, and hardly any is off by half.
func TestAccuracyKeepsItsPromise(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	var marked, within, far int
	for range 1500 {
		w, now := window{since: epoch}, epoch
		for range 300 { // 75 shares are expected
			now = step(&w, now, poisson(rng, 0.25), 1)
		}
		e := w.estimate(now)
		if e.accuracy() != "" {
			continue
		}
		marked++
		if off := math.Abs(e.work-0.25) / 0.25; off <= 0.125 {
			within++
		} else if off > 0.5 {
			far++
		}
	}
	if marked < 1000 || float64(within) < 0.65*float64(marked) || far > marked/500 {
		t.Errorf("of 1500, %d are marked stable, %d of them within an eighth, %d off by more than half", marked, within, far)
	}
}
