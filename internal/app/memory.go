package app

import (
	"os"
	"runtime/debug"
)

// collectAt is the garbage, in percent of what is in use, at which the collector
// runs. A pool's memory is miners that wait, and its shares make no garbage: the
// usual 100 would keep as much again free for nothing.
const collectAt = 50

// boundGarbage sets the collector's pace, unless the operator did (GOGC).
func boundGarbage() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectAt)
	}
}
