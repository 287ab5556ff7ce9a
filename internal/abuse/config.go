package abuse

import (
	"net/netip"
	"time"
)

// Config says how patient the pool is. A zero value of each field means that
// this defence is off.
type Config struct {
	// StrikeLimit is the number of points at which a connection is dropped.
	// A junk share has one, a low-difficulty, stale or repeated one a tenth.
	StrikeLimit float64

	// BanAfter is the number of dropped connections of a block, each forgotten
	// after DropMemory, that make a ban.
	BanAfter int
	// BanTime is the time of a first ban. It doubles with each repetition, up
	// to MaxBanTime (0: without such a bound), and a day without a ban halves it
	// again.
	BanTime, MaxBanTime time.Duration

	// ConnectBurst is the number of connections that a block may open at once,
	// and ConnectRate how many per second it may go on with.
	ConnectBurst int
	ConnectRate  float64
	// MaxPending is the number of connections of a block that have not signed
	// in yet.
	MaxPending int

	// Trusted networks are treated like private ones: their connections are
	// dropped when they must be, but neither counted nor banned.
	Trusted []netip.Prefix
}

// DropMemory is how long a dropped connection counts against its block.
const DropMemory = 10 * time.Minute

// Default is the configuration of an operator who has set nothing. A farm of
// thousands behind one address may come back at once.
func Default() Config {
	return Config{
		StrikeLimit:  100,
		BanAfter:     5,
		BanTime:      15 * time.Minute,
		MaxBanTime:   24 * time.Hour,
		ConnectBurst: 10_000,
		ConnectRate:  20,
		MaxPending:   8192,
	}
}
