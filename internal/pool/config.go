package pool

import (
	"context"
	"log/slog"
	"time"

	"github.com/poolscope/poolscope/internal/abuse"
	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/node"
)

// Config says how the pool behaves. Reconfigure changes most of it while the
// pool runs.
type Config struct {
	Payout     PayoutConfig
	Difficulty DifficultyConfig

	// Version is the program's, for miners that ask.
	Version string

	// Tag is the text in every coinbase that names the pool.
	Tag string
	// MaxCoinbase bounds the stripped coinbase in bytes. ESP32 miners need at
	// most 255, Antminers of the S19 age 750.
	MaxCoinbase int
	// VersionMask holds the version bits that miners may roll (BIP320: 1fffe000).
	VersionMask uint32

	// TipFirst hands out work without transactions on a new tip at once, until
	// the node's template for it is there.
	TipFirst bool

	// FailoverAfter is how long the node may be unwell before miners are
	// disconnected and turned away, so that they use their backup pool. 0 keeps
	// them, on the last job.
	FailoverAfter time.Duration

	// Provisional gives work that pays the fee address to miners that subscribed
	// and do not authorize.
	Provisional bool

	// MaxConnections bounds the open connections, 0 is unlimited.
	MaxConnections int
	// MaxPerAddress bounds the open connections from one IP address, 0 is
	// unlimited. A farm behind one NAT address is one address.
	MaxPerAddress int

	// Abuse says when connections are dropped and addresses banned.
	Abuse abuse.Config
	// Watch knows the addresses. Nil: the pool has one of its own, which forgets
	// its bans with the process.
	Watch *abuse.Watch

	// BlockDir is the directory for found blocks.
	BlockDir string
	// CaptureDir is the directory for recordings of miners' wires; "" means that
	// there are none.
	CaptureDir string
	// TapSink is shown the lines of connections; nil: the pool has no tap.
	TapSink TapSink
	// Tap says whose connections those are, until SetTap or another value here
	// changes it.
	Tap TapMode
	// Authorized is told of each authorize with a password that was accepted, one
	// at a time and some moments later; nil: nobody is. It must not wait for
	// long: what does not fit into a queue of 4096 is left out and counted.
	Authorized func(Authorization)
}

// PayoutConfig says who gets what of a block.
type PayoutConfig struct {
	FeePercent      float64 // of the block's value, to FeeAddress
	FeeAddress      string
	DonationPercent float64 // of the fee, to DonationAddress
	DonationAddress string
}

// DifficultyConfig bounds the share difficulty.
type DifficultyConfig struct {
	Start           float64 // for miners of which nothing is known
	Min             float64
	Max             float64 // 0 is unlimited
	SharesPerMinute float64 // aim of the difficulty control, per connection
	Vardiff         bool    // false keeps the start difficulty
}

// Node is what the pool needs of its Bitcoin nodes.
type Node interface {
	// SubmitBlock hands a block to all nodes, once.
	SubmitBlock(ctx context.Context, block []byte, hash bitcoin.Hash) []node.SubmitResult
	// BlockStatus asks where a block stands in the node's chain.
	BlockStatus(ctx context.Context, hash bitcoin.Hash) (node.BlockStatus, error)
	// Refresh asks for a new template soon.
	Refresh()
}

// Wire facts that the pool gives every miner (requirement R-S2) and times.
const (
	extranonce1Size = 4
	extranonce2Size = 8

	handshakeTimeout = 2 * time.Minute  // from accept to authorize
	rejectLinger     = 5 * time.Second  // a refused miner can read why
	heartbeat        = 26 * time.Second // time without a notify after which one is due (R-J8); with the tick's 4 s never more than 30
	maxFutureTime    = 2 * 60 * 60      // seconds that ntime may lie ahead (R-U5)
	shareTolerance   = 1.0 - 1e-3       // rounding of firmware at the target
)

func (c *Config) setDefaults() {
	if c.MaxCoinbase == 0 {
		c.MaxCoinbase = 250
	}
	d := &c.Difficulty
	if d.SharesPerMinute == 0 {
		d.SharesPerMinute = 15
	}
	if d.Start == 0 {
		d.Start = 1024
	}
	if d.Min == 0 {
		d.Min = 0.0001
	}
}

func (c *Config) watch(log *slog.Logger) *abuse.Watch {
	if c.Watch != nil {
		return c.Watch
	}
	return abuse.New(c.Abuse, nil, log)
}
