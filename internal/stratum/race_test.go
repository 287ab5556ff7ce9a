//go:build race

package stratum

// raceEnabled: the race detector makes sync.Pool drop things at random.
const raceEnabled = true
