package ledger

import (
	"math"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

const (
	bucketCount  = 20
	bucketLength = 30 * time.Second

	// minSpan is the shortest time that work is divided by, so that a share
	// in the first second does not count as a share per second. Until it has
	// passed, and only then, an estimate is too low.
	minSpan = 10 * time.Second

	// Standard errors above which a hashrate is marked.
	warmingUp = 1.0 / 4 // fewer than 16 shares of equal difficulty
	settling  = 1.0 / 8 // fewer than 64
)

// window sums up the work of the last ten minutes that one miner was
// connected, in buckets of half a minute. See the package comment.
//
// Its clock is the miner's online time: it stands still between two
// connections that share a window.
type window struct {
	banked time.Duration // online time of earlier connections
	since  time.Time     // beginning of this connection
	head   int64         // number of the newest bucket: online time / bucketLength
	*marks               // nil before the first share: most memory of an idle miner would be zeros
}

// marks are the buckets of a window.
type marks struct {
	buckets [bucketCount]bucket
	starts  [bucketCount]uint32 // online time at which a bucket was opened, in milliseconds modulo 2^32
}

// bucket is the work of half a minute.
type bucket struct {
	work    float64
	squares float32 // sum of the credits' squares: the variance of work
	shares  uint32
}

// online is the miner's online time at now.
func (w *window) online(now time.Time) time.Duration {
	return w.banked + max(0, now.Sub(w.since))
}

// add books what was done since the call before, and opens a new bucket when
// it is time. A bucket ends where the next one was really opened, not where
// it should have been, so that no work is divided by another time than that
// in which it was done.
func (w *window) add(now time.Time, shares uint32, work, squares float64) {
	online := w.online(now)
	if w.marks == nil {
		if shares == 0 {
			w.head = max(w.head, int64(online/bucketLength))
			return
		}
		w.mark()
	}
	b := &w.buckets[w.head%bucketCount]
	b.shares += shares
	b.work += work
	b.squares += float32(squares)

	for next := int64(online / bucketLength); w.head < next; {
		// After a long pause only the last bucketCount buckets matter.
		w.head = max(w.head+1, next-bucketCount+1)
		w.buckets[w.head%bucketCount] = bucket{}
		w.starts[w.head%bucketCount] = uint32(online.Milliseconds())
	}
}

// mark makes the buckets at the first share. Those before it are empty and began
// when they should.
func (w *window) mark() {
	w.marks = new(marks)
	for n := max(0, w.head-bucketCount+1); n <= w.head; n++ {
		w.starts[n%bucketCount] = uint32(n * bucketLength.Milliseconds())
	}
}

// estimate is what a window says about its miner.
type estimate struct {
	work     float64 // difficulty units per second
	shares   float64 // shares per second
	variance float64 // of work
}

// estimate divides what is in the window by the time that it spans.
func (w *window) estimate(now time.Time) estimate {
	if w.marks == nil {
		return estimate{}
	}
	var work, squares float64
	var shares uint32
	for i := range w.buckets {
		work += w.buckets[i].work
		squares += float64(w.buckets[i].squares)
		shares += w.buckets[i].shares
	}

	oldest := max(0, w.head-bucketCount+1)
	// The difference is right although both numbers are modulo 2^32.
	millis := uint32(w.online(now).Milliseconds()) - w.starts[oldest%bucketCount]
	seconds := max(float64(millis)/1000, minSpan.Seconds())

	return estimate{
		work:     work / seconds,
		shares:   float64(shares) / seconds,
		variance: squares / (seconds * seconds),
	}
}

// plus is the estimate for two miners together.
func (e estimate) plus(o estimate) estimate {
	return estimate{work: e.work + o.work, shares: e.shares + o.shares, variance: e.variance + o.variance}
}

// hashrate is the estimate in H/s.
func (e estimate) hashrate() float64 { return e.work * bitcoin.HashesPerDifficulty }

// perMinute is the share rate.
func (e estimate) perMinute() float64 { return e.shares * 60 }

// accuracy is the contract's mark: "~" while warming up, "≈" while settling,
// empty when stable.
func (e estimate) accuracy() string {
	if e.work <= 0 {
		return "~"
	}
	switch standardError := math.Sqrt(e.variance) / e.work; {
	case standardError > warmingUp:
		return "~"
	case standardError > settling:
		return "≈"
	}
	return ""
}

// resume continues the window of a connection that ended, in a new one.
func (w *window) resume(closedAt, now time.Time) {
	w.banked = w.online(closedAt)
	w.since = now
}
