package pool

import (
	"time"

	"github.com/poolscope/poolscope/internal/abuse"
	"github.com/poolscope/poolscope/internal/bitcoin"
)

// States of the pool as a whole.
const (
	// StateWaiting means that no node has given a usable template yet, or that
	// the last one is too old to mine on. Miners stay connected.
	StateWaiting = "waiting_for_node"
	// StateMining means that miners have work on the current tip.
	StateMining = "mining"
	// StateTurningAway means that the node has not been well for so long that
	// miners are disconnected and turned away, to mine at their backup pools.
	StateTurningAway = "turning_away"
	// StatePaused means that the pool refuses to hand out work although a
	// template is there: a coinbase failed its audit.
	StatePaused = "paused"
)

// Status is the pool's read model: an immutable picture of one moment, for the
// API and for metrics. It never points into live state.
type Status struct {
	At        time.Time
	StartedAt time.Time
	State     string // one of the State constants
	Reason    string // why, in words for the operator; empty while all is well
	Network   bitcoin.Network
	Listeners []Listener

	Connections    int // open Stratum connections, signed in or not
	TLSConnections int // those that came in through TLS
	Authorized     int // those with at least one authorized worker

	Tag        string  // text in the coinbase that names the pool
	FeePercent float64 // part of the block reward that the operator keeps
	FeeAddress string

	Job   *JobStatus   // nil until the first job
	Abuse abuse.Status // bans of address blocks, and what was counted about them

	Closes  []Count // connections closed, by reason; every reason is present
	Drops   []Count // messages dropped, by reason; every reason is present
	Rejects []Count // shares and requests refused, by stratum.Reject name
	Panics  []Count // faults of this program that were survived, by part

	BlocksAccepted uint64 // blocks that a node took, since start
	BlocksErrored  uint64 // blocks that every node refused, since start
	ShareErrors    uint64 // rejected submits, since start
	Messages       uint64 // lines received, since start
	// TipEarly and TipFull are how long after the node's announcement of the
	// last tip every miner had work on it: without transactions, and with all.
	// Zero when it was not announced by ZMQ.
	TipEarly, TipFull time.Duration

	TipFirst uint64 // tips that miners worked on before their template was there, since start

	Hashing       string // what hashes shares, such as "sha-ni avx512", or "crypto/sha256"
	HashingFailed string // kernels that were found to hash wrongly and are not used, "" for none

	Proposals ProposalStatus // what nodes say to blocks of ours before one is found

	Health HealthStatus // of the node, as miners feel it

	BlockFault string // why the last found block could not be saved to disk; empty when it was

	Errors []Event // newest first, bounded
}

// ProposalStatus says how nodes judge blocks like those that miners work on.
type ProposalStatus struct {
	Fault  string    // why a node would refuse such a block; empty when it would not, or was not asked
	LastAt time.Time // when a node last judged one; zero: never

	Passed, Refused uint64 // verdicts since start
	Unasked         uint64 // proposals without verdict: the tip moved on, or the node was not to be had

	// Unable names the nodes that do not know proposals (BIP23).
	Unable []string
}

// HealthStatus says whether miners' work is worth something.
type HealthStatus struct {
	Trouble     string    // why it is not; empty when it is
	Since       time.Time // when the trouble began; zero when there is none
	TurningAway bool      // miners are disconnected and turned away
	SentAway    uint64    // miners disconnected for that, since start
	Gates       uint64    // times that it came to that, since start
}

// Listener is one address that miners can connect to.
type Listener struct {
	Name string // as configured, may be empty
	URL  string // stratum+tcp://host:port or stratum+ssl://host:port
	Addr string // host:port as bound
	TLS  bool

	Connections int // open ones that came in here
}

// JobStatus describes the job that miners work on.
type JobStatus struct {
	ID                string
	Height            int64  // of the block being mined: tip height + 1
	PrevHash          string // display order
	Bits              uint32
	NetworkDifficulty float64
	Transactions      int   // without the coinbase
	Fees              int64 // satoshis
	Value             int64 // satoshis: subsidy and fees
	Weight            int64 // weight units of the transactions
	TemplateAt        time.Time
	CreatedAt         time.Time
	Node              string // name of the node that gave the template
}

// Count is a named counter's value.
type Count struct {
	Name  string
	Count uint64
}

// Event is something that went wrong, for people.
type Event struct {
	At      time.Time
	Type    string // "share", "submitblock", "job", "listener", "configuration", "upgrade"
	Message string
}
