package node

import (
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// States of a node, as NodeStatus.State holds them.
const (
	StateConnecting   = "connecting"    // no answer yet since start
	StateReady        = "ready"         // gives templates
	StateSyncing      = "syncing"       // downloads the chain, or is behind another node
	StateWarmingUp    = "warming_up"    // just started, RPC error -28
	StateUnreachable  = "unreachable"   // no answer, or not the answer of a node
	StateUnauthorized = "unauthorized"  // refuses our credentials
	StateNoPeers      = "no_peers"      // has no connections, RPC error -9
	StateWrongNetwork = "wrong_network" // on another chain than wanted
	StateRefused      = "refused"       // answers, but with templates that we must not mine on
)

// Status is the read model: an immutable picture of one moment.
type Status struct {
	At         time.Time
	Network    bitcoin.Network // empty until known
	NetworkErr string          // in words; empty when no node is on a wrong chain
	Active     string          // name of the node that templates come from; empty: none
	Nodes      []NodeStatus    // in order of preference
	RPC        RPCStats
	ZMQ        ZMQStats
	Tip        *Tip    // tip of the active node's best chain; nil until known
	Errors     []Event // newest first, at most 50

	// RecentBlockTimes are the header times of the last four blocks at most,
	// oldest first.
	RecentBlockTimes []time.Time
	Faults           uint64    // panics of this package that were caught, since start
	LastTemplateAt   time.Time // zero: none yet
	Feed             FeedStatus
}

// NodeStatus describes one node. None of its strings holds a credential.
type NodeStatus struct { //nolint:revive // Status is that of all nodes
	Name    string
	Address string // host:port
	State   string // one of the State constants
	Reason  string // in words for people; empty while ready and all is well
	Version int64  // as getnetworkinfo gives it, e.g. 290100
	// Subversion is the user agent, e.g. /Satoshi:29.1.0/.
	Subversion      string
	ProtocolVersion int64

	Chain          string // as the node names it
	Blocks         int64
	Headers        int64
	BestBlockHash  string
	IBD            bool // initial block download
	Connections    int
	ConnectionsIn  int
	ConnectionsOut int
	Pruned         bool
	SizeOnDisk     int64  // bytes
	Peers          []Peer // longest connected first, at most 64

	GenesisHash     string
	GenesisExpected string
	GenesisMatch    bool

	// Split is since when the node has been on another branch of the chain than
	// the active node; zero when it is not.
	Split time.Time

	Latency time.Duration // of the last regular look at the node
	ZMQ     bool          // every configured publisher is connected and has missed no block
}

// Peer is a peer of a node.
type Peer struct {
	Display     string // host:port as the node knows it; never resolved to a name
	PingMS      float64
	ConnectedAt int64 // Unix seconds
}

// RPCStats sums up the calls to all nodes.
type RPCStats struct {
	Healthy     bool         // there is an active node, and its last call was answered
	LastError   string       // of the active node, or of the most preferred one when none is active
	Disconnects uint64       // times that a node that answered stopped answering
	Reconnects  uint64       // times that one answered again
	Errors      uint64       // failed calls
	GBT         LatencyStats // getblocktemplate, without long polls
	Submit      LatencyStats // submitblock
}

// LatencyStats describes the durations of one kind of call.
type LatencyStats struct {
	Count               uint64        // calls that were answered, since start
	Last, Max           time.Duration // since start
	Min1h, Avg1h, Max1h time.Duration // over the last hour; zero when there was no call
}

// ZMQStats describes the active node's publishers; the counters are of all
// nodes.
type ZMQStats struct {
	Healthy           bool
	Disconnects       uint64
	Reconnects        uint64
	Gaps              uint64 // messages lost, by their sequence numbers
	LastRawBlockAt    time.Time
	LastRawBlockBytes int
	Tip               *Tip // the same as Status.Tip
}

// Tip is the last block of a node's best chain. Time and Bits are zero when the
// node did not give its header.
type Tip struct {
	Hash   bitcoin.Hash
	Height int64 // of the tip itself
	Time   time.Time
	Bits   uint32

	Previous bitcoin.Hash // the block before it; zero when not known

	// SeenAt is when the node announced the block; zero when it was found out
	// otherwise.
	SeenAt time.Time
}

// Event is something that went wrong, or right again.
type Event struct {
	At      time.Time
	Type    string // "rpc", "zmq", "feed", "node", "longpoll", "fault"
	Message string
}

// FeedStatus describes the flow of templates.
type FeedStatus struct {
	LastError   string    // empty while templates arrive
	LastErrorAt time.Time // of the last error, also when it is over
	History     []string  // the last three errors and events, oldest first
}
