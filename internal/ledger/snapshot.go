package ledger

import (
	"time"
)

// Bounds of what a snapshot lists.
const (
	MaxBestShares = 12  // rows of the list of best shares ever
	MaxBlocks     = 100 // latest found blocks
	maxMinerTypes = 50  // kinds of miners, and versions of each; the rest is summed up as "(other)"

	historyEvery = 5 * time.Second // distance of the points of History6m
	historySpan  = 6 * time.Minute
)

// Snapshot is the ledger's read model: an immutable picture of one moment.
// Readers may keep it as long as they like and must not change it.
type Snapshot struct {
	At        time.Time
	StartedAt time.Time // of this process

	Workers        []WorkerView // online and recently seen ones, in the order in which they appeared
	Online         int          // workers with at least one connection
	Connections    int          // open accounts: one worker on one connection each
	TLSConnections int          // those among them that came in through TLS

	Hashrate        float64 // H/s: the sum over all connected accounts
	Accuracy        string  // of Hashrate; see [WorkerView]
	SharesPerMinute float64 // accepted shares, the sum over all connected accounts

	// Since the books were opened for the first time.
	Accepted         uint64
	Rejected         uint64
	AcceptedWork     float64       // sum of assigned difficulties
	RejectedWork     float64       // the same of rejected shares
	RejectedByReason []RejectCount // reasons that never occurred are left out
	LastShare        time.Time     // zero when there was none

	// Since this process started.
	SessionAccepted uint64
	SessionRejected uint64

	BestShares []BestShare // best ever first, at most MaxBestShares
	MinerTypes []MinerType // of the connected accounts, most frequent first
	Blocks     []Block     // newest first, at most MaxBlocks

	// All blocks ever found: those that are in the chain now, and those that
	// every node refused. Stale ones and those without an answer are neither.
	BlocksAccepted, BlocksRejected uint64

	History6m []HistoryPoint // the pool every five seconds for six minutes, oldest first; the hashrate is that of the moment, the counts are those of the step that ends there
	Height    int64          // of the chain tip; 0 until SetHeight

	Books BooksStatus
}

// BooksStatus says how writing the books goes.
type BooksStatus struct {
	LastError   string    // empty when the latest attempt succeeded
	LastErrorAt time.Time // zero when LastError is empty
	Errors      uint64    // failed attempts since start
	Batches     uint64    // batches written since start
	LastWrite   time.Time // latest success; zero when there was none

	// Losses, counted because the memory for unwritten changes is bounded.
	DroppedMinutes uint64 // minutes of workers' histories whose detail was given up; their totals are kept
	DroppedWorkers uint64 // workers whose unwritten changes were given up
}

// WorkerView is one worker, with all of its connections taken together.
type WorkerView struct {
	Name          string   // full name as authorized
	Address       string   // payout address
	UserAgents    []string // of its connections, without repetition, 32 at most; of the latest one when offline
	ConnectionIDs []string // open connections, oldest first
	Connections   int
	TLS           bool // at least one connection is through TLS
	Online        bool

	Hashrate   float64 // H/s, unbiased; 0 when offline
	Accuracy   string  // "~" warming up, "≈" settling, "" stable; see the package comment
	ShareRate  float64 // accepted shares per minute; 0 when offline
	Difficulty float64 // assigned now, of the connection with the latest share
	Vardiff    float64 // what the difficulty control would choose now, of the same connection

	// Round-trip times of the same connection, in ms, as the kernel measured
	// them in the last minutes; 0 when unknown or offline.
	PingP50, PingP95 float64

	// Since the worker was first seen.
	Accepted         uint64
	Rejected         uint64
	AcceptedWork     float64
	RejectedWork     float64
	RejectedByReason []RejectCount
	BestEver         Best
	FirstSeen        time.Time

	// Since it came online; of its last session when it is offline.
	SessionAccepted uint64
	SessionRejected uint64
	BestNow         Best
	ConnectedAt     time.Time

	LastShare time.Time // zero when there was none
	LastSeen  time.Time // the snapshot's time while it is online
}

// MinerType counts the connected accounts whose miners call themselves the same.
type MinerType struct {
	Name     string // "(unknown)" for miners that say nothing
	Total    int
	Versions []MinerVersion // most frequent first
}

// MinerVersion counts one version of a miner type.
type MinerVersion struct {
	Version string // empty when the miner does not tell
	Total   int
}
