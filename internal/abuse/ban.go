package abuse

import (
	"math"
	"net/netip"
	"time"
)

// forgetAfter is how long after a ban a block must behave to sink by a level.
const forgetAfter = 24 * time.Hour

// Ban is a block's ban, or the memory of one that is over.
type Ban struct {
	Block netip.Prefix
	Since time.Time
	Until time.Time // zero: until somebody lifts it
	Level int       // 1 for a first ban; each level doubles the time
	// Reason is for people.
	Reason string
	// Manual says that a person made it.
	Manual bool
}

// InForce reports whether the ban holds at a time.
func (b *Ban) InForce(now time.Time) bool { return b.Until.IsZero() || b.Until.After(now) }

// level is the level that is left of a ban at a time.
func (b *Ban) level(now time.Time) int {
	if b.InForce(now) {
		return b.Level
	}
	return max(0, b.Level-int(now.Sub(b.Until)/forgetAfter))
}

// longest is the time of a ban where no other bound is set.
const longest = 10 * 365 * 24 * time.Hour

// duration is the time of a ban of a level: the first's, doubled for each level
// above, up to most unless that is 0.
func duration(first, most time.Duration, level int) time.Duration {
	if most <= 0 {
		most = longest
	}
	// Beyond 2^30 times the first, every bound is reached.
	d := float64(first) * math.Exp2(float64(min(level-1, 30)))
	return time.Duration(min(d, float64(most)))
}
