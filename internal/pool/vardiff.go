package pool

import (
	"math"
	"time"
)

// Constants of the difficulty control.
const (
	minEvidence   = 8                // shares before a step upwards
	minWindow     = time.Second      // before a step upwards, however many shares
	longestWindow = 10 * time.Minute // after which a new one begins
	confidence    = 3.5              // standard deviations that a step takes
	fineBand      = 1.4              // factor of the rate that is never worth a step
	deadBand      = 2.0              // and the one for a step down without many shares
	silenceShares = 8.0              // expected shares that did not come, before a step down
	firstFall     = 1 << 11          // factor of the first step down by silence
	laterFall     = 1 << 16          // and of those after it
)

// vardiff controls one connection's difficulty so that shares come at the rate
// that the operator wants. It is a function of what it is told: it has no clock
// and no side effects.
//
// Within a window, that begins with each change, it sums the work of accepted
// shares. Their number n is Poisson distributed, so the logarithm of the rate
// that they tell is known to about 1/√n; a step is made when the wanted rate
// lies several times that far away, and it goes all the way to the estimate.
// Three steps are enough from almost anywhere, and a miner at its ideal
// difficulty is left alone. Downwards the control does not wait for shares
// that never come: silence is evidence, too.
type vardiff struct {
	interval time.Duration // wanted time between shares

	start  time.Time // of the window
	last   time.Time // of the last share in it, or start
	work   float64   // difficulty units accepted in the window
	shares int
	falls  int  // steps down in a row by silence
	proven bool // there were shares enough once to know the hashrate
}

// begin starts a new window, as after each change of difficulty.
func (v *vardiff) begin(now time.Time) {
	v.start, v.last, v.work, v.shares = now, now, 0, 0
}

// share counts an accepted share and returns the difficulty to go to, or the
// current one.
func (v *vardiff) share(now time.Time, credit, current float64) float64 {
	v.work += credit
	v.shares++
	v.last = now
	v.falls = 0
	elapsed := now.Sub(v.start)
	if v.shares < minEvidence || elapsed < minWindow {
		return current
	}
	v.proven = true
	wanted := v.estimate(elapsed, v.work)
	band := max(fineBand, math.Exp(confidence/math.Sqrt(float64(v.shares))))
	if wanted > current*band || wanted < current/band {
		return wanted
	}
	if elapsed >= longestWindow {
		v.begin(now)
	}
	return current
}

// tick looks at the time alone: it returns a lower difficulty when far fewer
// shares came than the current one should bring, or the current one.
func (v *vardiff) tick(now time.Time, current float64) float64 {
	if silence := now.Sub(v.last); v.shares > 0 && float64(silence) >= 2*silenceShares*float64(v.interval) {
		// Whatever came before, nothing does now.
		v.start, v.work, v.shares = v.last, 0, 0
	}
	elapsed := now.Sub(v.start)
	expected := float64(elapsed) / float64(v.interval)
	if expected < silenceShares*math.Sqrt(float64(1+v.shares)) || v.shares >= minEvidence {
		return current
	}
	if v.shares == 0 && !v.proven {
		// Nothing is known but that it is far too hard. Two falls reach even a
		// clock-sized miner behind a farm's difficulty; a fall too far is made
		// good by the first shares, and none is so far that firmware, which
		// sends a thousand shares a second at best, would hide its hashrate.
		v.falls++
		if v.falls == 1 {
			return current / firstFall
		}
		return current / laterFall
	}
	// One more share than came is the upper end of what is plausible.
	wanted := v.estimate(elapsed, v.work+current)
	if wanted > current/deadBand {
		return current
	}
	return wanted
}

// estimate is the difficulty at which work per time gives the wanted rate.
func (v *vardiff) estimate(elapsed time.Duration, work float64) float64 {
	return work * float64(v.interval) / float64(elapsed)
}
