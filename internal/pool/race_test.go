//go:build race

package pool

// raceEnabled: the race detector makes sync.Pool drop things at random.
const raceEnabled = true
