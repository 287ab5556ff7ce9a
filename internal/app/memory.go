package app

import (
	"math"
	"os"
	"runtime/debug"
)

// What is in use decides when the garbage collector runs: at so many percent of
// it in garbage.
const (
	// collectAt is for a pool that captures nothing. Its memory is miners that
	// wait, and its shares make no garbage: the usual 100 would keep as much again
	// free for nothing.
	collectAt = 50
	// collectCaptured is for who captures lines. Each becomes garbage when the
	// ring is full, and while the collector looks through the ring it keeps the
	// processors from those who relay and answer: at 50 that was one percent of
	// the time.
	collectCaptured = 400
	// spareMemory is what the program may take besides a few times the ring
	// before the collector runs earlier all the same.
	spareMemory = 256 << 20
)

// paceGarbage sets the collector's pace, unless the operator did (GOGC,
// GOMEMLIMIT). ring is the most bytes of captured lines in memory; 0 means that
// none are captured.
func paceGarbage(ring int64) {
	percent, limit := collectAt, int64(math.MaxInt64)
	if ring > 0 {
		percent, limit = collectCaptured, 3*ring+spareMemory
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(percent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(limit)
	}
}

// paceGarbage follows the tap, which may be turned on and off.
func (p *poolParts) paceGarbage() {
	ring := int64(p.scope.cfg.Scope.CaptureMaxMegabytes) * mebibyte
	if p.scope.relay == nil && p.pool.Tap().Mode.String() == "off" {
		ring = 0
	}
	paceGarbage(ring)
}
