package devnet

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Defaults that New fills in for zero fields of Config.
const (
	DefaultRPCListen     = "127.0.0.1:18443"
	DefaultBlockInterval = 20 * time.Second
	DefaultHashrate      = 5e6 // H/s, about one core of a small machine
)

// earliestClock is the earliest time at which a chain can begin: blocks from
// before 2012-04-01 do not know P2SH (BIP16), nor segwit therefore, and the
// blocks mined in advance need decades before the clock's time.
func earliestClock() time.Time { return time.Date(2013, 1, 1, 0, 0, 0, 0, time.UTC) }

// maxTxRate bounds the transaction traffic, in transactions per second.
const maxTxRate = 1000

// Config says what network to run and where it is reached.
type Config struct {
	// DataDir holds the chain, the wallet key, the cookie and the lock.
	// Required; created when absent.
	DataDir string
	// RPCListen is the host:port of the JSON-RPC server; port 0 lets the
	// system choose. Empty means DefaultRPCListen.
	RPCListen string
	// ZMQListen is the host:port of the ZMQ publisher; empty turns it off.
	ZMQListen string

	// BlockInterval is the mean time between blocks that is wanted. With
	// Hashrate it sets the difficulty of a new chain.
	BlockInterval time.Duration
	// Hashrate is what all miners together are expected to do, in hashes
	// per second.
	Hashrate float64
	// Regtest makes the classic network instead: Bitcoin Core's own regtest
	// genesis block, the limit 207fffff for every block, a halving every
	// 150 blocks, and no blocks mined in advance unless TxRate is set.
	Regtest bool

	// TxRate is the traffic in transactions per second, 0 for none.
	TxRate float64

	// User and Password are accepted besides the cookie when User is set.
	User, Password string

	// Now is the node's clock; nil means time.Now.
	Now func() time.Time
}

// withDefaults returns the configuration with zero fields filled in, or all
// its problems at once, each wrapping ErrConfig.
func (c Config) withDefaults() (Config, error) {
	var errs []error
	bad := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("%w: "+format, append([]any{ErrConfig}, args...)...))
	}

	if c.DataDir == "" {
		bad("no data directory")
	}
	if c.RPCListen == "" {
		c.RPCListen = DefaultRPCListen
	}
	if c.BlockInterval == 0 {
		c.BlockInterval = DefaultBlockInterval
	}
	if c.BlockInterval < 0 {
		bad("block interval %v is negative", c.BlockInterval)
	}
	if c.Hashrate == 0 {
		c.Hashrate = DefaultHashrate
	}
	if !(c.Hashrate > 0) || math.IsInf(c.Hashrate, 0) {
		bad("hashrate %v is not a positive number", c.Hashrate)
	}
	if !(c.TxRate >= 0 && c.TxRate <= maxTxRate) {
		bad("transaction rate %v is outside 0…%d per second", c.TxRate, maxTxRate)
	}
	if c.User == "" && c.Password != "" {
		bad("a password without a user")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if now := c.Now(); now.Before(earliestClock()) {
		bad("the clock says %s, set it first", now.UTC().Format(time.DateOnly))
	}
	return c, errors.Join(errs...)
}
