package agent

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"time"

	"github.com/poolscope/poolscope/internal/fleet"
	"github.com/poolscope/poolscope/internal/miner"
	"github.com/poolscope/poolscope/internal/nostr"
)

// Config says where an agent works and what it does. Zero numbers and durations
// stand for their defaults, but for the two rates.
type Config struct {
	Pool     string // in any form that miner.ParseEndpoint takes
	User     string // worker name
	Password string // "x"
	Insecure bool   // take any TLS certificate
	Own      bool   // the pool is the user's own; without it there is no agent, wherever the pool is

	Relays    []string
	Member    *fleet.Member
	Key       nostr.SecretKey // of Member, for relays that ask who we are
	Authors   []string        // public keys of scopes, hexadecimal; empty: everybody
	HashScope bool            // also take the shares of HashScope

	ID      string // of the agent, unique in the run
	Region  string // where it is, such as eu-central
	Version string // of the program

	Mode       string  // fleet.ModeReplay or fleet.ModeMine
	Rate       float64 // shares per second: aimed at in mine, the most in replay; 0: none
	MaxRate    float64 // shares per second that an order may ask for; 0: no order is followed
	Difficulty float64 // least difficulty of shares in mine; 0: that of the pool
	Hashrate   float64 // most hashes per second in mine; 2 million
	MaxRepeat  int     // of one share in replay; 1000
	Queue      int     // share events that may wait; 1000

	Interval     time.Duration // between telemetry; 5 s
	ReconnectMin time.Duration // 1 s
	ReconnectMax time.Duration // 1 min

	HTTPClient *http.Client // connects to relays; http.DefaultClient
	Now        func() time.Time
}

// Bounds and defaults.
const (
	defaultReplayRate = 50
	defaultMineRate   = 0.2
	defaultHashrate   = 2_000_000
	defaultQueue      = 1000
	defaultInterval   = 5 * time.Second
	maxRepeat         = 1000
	minInterval       = 100 * time.Millisecond
	// maxInterval is what the scope has patience for.
	maxInterval = 10 * time.Minute
)

// DefaultRate is the rate of a mode for who asks for none, in shares per second.
func DefaultRate(mode string) float64 {
	if mode == fleet.ModeMine {
		return defaultMineRate
	}
	return defaultReplayRate
}

// ErrConfig says that a setting is out of range.
var ErrConfig = errors.New("agent: bad configuration")

// validate fills in defaults.
func (c *Config) validate() (miner.Endpoint, error) {
	endpoint, err := miner.ParseEndpoint(c.Pool)
	problems := []error{err}
	bad := func(format string, args ...any) {
		problems = append(problems, fmt.Errorf("%w: "+format, append([]any{ErrConfig}, args...)...))
	}
	if !c.Own {
		bad("nothing says that the pool is yours (--own), and load on other people's pools is an attack")
	}
	if c.User == "" {
		bad("no user: it is the worker name at the pool")
	}
	if err := fleet.CheckAgentID(c.ID); err != nil {
		bad("%w", err)
	}
	if len(c.Region) > 64 || fleet.Clip(c.Region, 64) != c.Region {
		bad("the region must have at most 64 bytes, without control characters")
	}
	if len(c.Relays) == 0 {
		bad("no relay")
	}
	if c.Mode != fleet.ModeReplay && c.Mode != fleet.ModeMine {
		bad("the mode must be replay or mine, not %q", c.Mode)
	}
	c.Hashrate = orDefault(c.Hashrate, defaultHashrate)
	for name, v := range map[string]float64{"rate": c.Rate, "highest rate": c.MaxRate, "difficulty": c.Difficulty, "hashrate": c.Hashrate} {
		if !(v >= 0) || math.IsInf(v, 0) {
			bad("the %s must not be %v", name, v)
		}
	}
	if c.Rate > fleet.MaxOrderRate || c.MaxRate > fleet.MaxOrderRate {
		bad("a rate is at most %d shares per second", fleet.MaxOrderRate)
	}
	if c.Interval != 0 && (c.Interval < minInterval || c.Interval > maxInterval) {
		bad("telemetry is from %s to %s apart", minInterval, maxInterval)
	}
	c.Interval = orDefault(c.Interval, defaultInterval)
	c.Queue = orDefault(c.Queue, defaultQueue)
	c.MaxRepeat = min(orDefault(c.MaxRepeat, maxRepeat), maxRepeat)
	c.ReconnectMin = orDefault(c.ReconnectMin, time.Second)
	c.ReconnectMax = max(orDefault(c.ReconnectMax, time.Minute), c.ReconnectMin)
	if c.Password == "" {
		c.Password = "x"
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return endpoint, errors.Join(problems...)
}

func orDefault[T int | float64 | time.Duration](v, otherwise T) T {
	if v == 0 {
		return otherwise
	}
	return v
}
