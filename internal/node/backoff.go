package node

import (
	"context"
	"math/rand/v2"
	"time"
)

// Limits of the pause between attempts.
const (
	firstPause   = 100 * time.Millisecond
	longestPause = 5 * time.Second
)

// backoff yields pauses that double from firstPause to longestPause, each varied
// by a fifth, so that several clients of a node do not return in step.
type backoff struct {
	pause time.Duration
}

func (b *backoff) next() time.Duration {
	b.pause = min(max(2*b.pause, firstPause), longestPause)
	return time.Duration(float64(b.pause) * (0.8 + 0.4*rand.Float64()))
}

func (b *backoff) reset() { b.pause = 0 }

// sleep waits for d, and reports whether it could: false when ctx ended.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
