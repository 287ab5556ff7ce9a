package pool

import "strings"

// profile is what is known of the miners that call themselves alike.
type profile struct {
	// match is the beginning of the user agent, in lower case; with a * in
	// front, it may stand anywhere.
	match string

	// start is the difficulty of the first work; 0 leaves it to the operator.
	start float64
	// least is the difficulty below which the pool never goes by itself:
	// firmware of ASICs reads 0.5 as 0, rental markets refuse cheap shares, and
	// a large miner that was silent while it started must not drown in them.
	least float64

	// coinbase is the largest coinbase that the device can take, in bytes
	// without its witness.
	coinbase int

	// messages says that client.show_message is shown, or ignored safely.
	messages bool
	// masks says that mining.set_version_mask is understood once the miner has
	// configured version rolling.
	masks bool
}

// anyMiner is for miners of which nothing is known: what every firmware but
// that of ESP32 boards takes.
var anyMiner = profile{coinbase: 750}

// profiles is searched from the top. To add a device, add a row, and its user
// agent to TestProfiles. Extranonces have the same sizes for all (R-S2: 4 and 8
// bytes suit every known device), so there is no column for them. Sources:
// R-D1 (difficulties), R-C4 (coinbase sizes), section 1.3 of the dossier.
var profiles = []profile{
	// match                 start    least   coinbase messages masks

	// ESP32 boards of tens to hundreds of kH/s: a buffer of 512 hex digits.
	{"nerdminer", 0.001, 0, 255, false, false},
	{"nmminer", 0.001, 0, 255, false, false},
	{"sparkminer", 0.001, 0, 255, false, false},
	{"han_solo", 0.001, 0, 255, false, false},
	{"lottominer", 0.001, 0, 255, false, false},
	{"esp32", 0.001, 0, 255, false, false},

	// Processors.
	{"poolscope", 0.001, 0, 750, true, false},
	{"cpuminer", 0.01, 0, 750, false, false},

	// One or a few chips, 0.5 to 10 TH/s.
	{"bitaxe", 1024, 1, 6500, true, true},
	{"nerdqaxe", 1024, 1, 750, false, true},
	{"nerdoctaxe", 1024, 1, 750, false, true},

	// Braiins OS tells the machine, too.
	{"*bosminer-plus-tuner", 65536, 64, 2250, false, true},

	// Antminers. The S19's buffer ends soon after 750 bytes; the slash tells
	// the S21 from the S21 Pro, which was not tested.
	{"antminer s9", 8192, 16, 750, false, false},
	{"antminer s21/", 65536, 64, 2250, false, false},
	{"antminer", 65536, 64, 750, false, false},
	{"bmminer", 8192, 16, 750, false, false},

	// Other firmware and makes of that size.
	{"bosminer", 65536, 64, 750, false, true},
	{"braiins", 65536, 64, 750, false, true},
	{"bos", 65536, 64, 750, false, true},
	{"whatsminer/v1", 65536, 64, 6500, false, false},
	{"whatsminer", 65536, 64, 750, false, false},
	{"powerplay-bm/", 65536, 64, 16384, false, false},
	{"xminer-1.", 65536, 64, 16384, false, false},
	{"luxminer", 65536, 64, 750, false, false},

	// Rental markets.
	{"nicehash", 524288, 524288, 500, false, false},
	{"miningrigrentals", 65536, 64, 750, false, false},

	// Programs that drive anything from a USB stick to a container.
	{"cgminer", 0, 1, 750, true, true},
	{"bfgminer", 0, 1, 750, true, false},
	{"ckproxy", 0, 1, 750, false, false},
	{"ckpool", 0, 1, 750, false, false},
	{"sv1-translator", 0, 1, 750, false, false},
	{"stratum proxy", 0, 1, 750, false, false},
}

// profileOf finds the profile of a user agent. The agent is what the miner says
// of itself: a hint, and nothing to rely on.
func profileOf(agent string) *profile {
	agent = strings.ToLower(agent)
	for i := range profiles {
		p := &profiles[i]
		if part, anywhere := strings.CutPrefix(p.match, "*"); anywhere && strings.Contains(agent, part) || strings.HasPrefix(agent, p.match) {
			return p
		}
	}
	return &anyMiner
}
