package api

import (
	"context"
	"net/http"
	"time"

	"github.com/poolscope/poolscope/internal/account"
	"github.com/poolscope/poolscope/internal/api/access"
	"github.com/poolscope/poolscope/internal/api/scopeapi"
	"github.com/poolscope/poolscope/internal/ledger"
	"github.com/poolscope/poolscope/internal/node"
	"github.com/poolscope/poolscope/internal/pool"
	"github.com/poolscope/poolscope/internal/price"
	"github.com/poolscope/poolscope/internal/telemetry"
)

// Ledger is what the API reads of the books. *ledger.Ledger is one.
type Ledger interface {
	// Snapshot returns the latest immutable picture, nil before the first.
	Snapshot() *ledger.Snapshot
	// Worker returns one worker by its full name; false when it is neither
	// connected nor was lately.
	Worker(name string) (ledger.WorkerDetail, bool)
	// History returns the points of one worker, or of the pool for worker "",
	// in [from, to), oldest first.
	History(ctx context.Context, worker string, res ledger.Resolution, from, to time.Time) ([]ledger.HistoryPoint, error)
}

var _ Ledger = (*ledger.Ledger)(nil)

// Miners is what the API asks of the pool about open connections. *pool.Pool is
// one.
type Miners interface {
	// Connection looks a connection up by its id; false when it is not open.
	Connection(id string) (pool.ConnectionInfo, bool)
	// Coinbase is what a connection hashes with its newest job; false when it has
	// none.
	Coinbase(id string) (*pool.Coinbase, bool)
}

var _ Miners = (*pool.Pool)(nil)

// Sources are the read models behind the API. Each may be nil, and each
// function may return nil, while that part is not running yet: the responses
// then say what is known, and /readyz what is missing.
type Sources struct {
	Ledger Ledger
	Pool   func() *pool.Status
	Node   func() *node.Status
	System func() telemetry.System
	Bans   Bans
	Miners Miners
	// Note is the operators' note on a worker, by its full name; it may be nil.
	Note func(ctx context.Context, worker string) string
	// Captures are the recordings of miners' wires.
	Captures Captures
	// Panics counts those that other parts of the program survived, by part.
	Panics func() []pool.Count
	// Desk says what the operator's requests have led to.
	Desk  func() Desk
	Build telemetry.Build
	// Scope answers for the microscope.
	Scope *scopeapi.API
	// Price is what a bitcoin costs; false while that is not known.
	Price func(now time.Time) (price.Price, bool)
	// Gate decides who asks; nil stands for one that knows nobody but this machine
	// and the tokens.
	Gate *access.Gate
	// Trail is told what operators do; it may be nil.
	Trail account.Trail
	// Owns reports whether a person has proven that a worker is theirs; it is asked
	// for signed-in people only.
	Owns func(userID, worker string) bool
	// Parts answer for what has a package of its own: people, administration.
	Parts []Part
	// Figures are numbers of parts that have packages of their own, for /metrics.
	Figures []func() []Figure
	// Faults, when set, are what /readyz tells in place of the pool's checks: of
	// a program that has no pool.
	Faults func() []Fault
}

// Part is a group of routes that is built elsewhere. It checks methods and who
// asks itself; errors are plain text, as everywhere in the pool's API.
type Part interface {
	// Patterns are the routes, in the syntax of http.ServeMux without a method.
	Patterns() []string
	http.Handler
}

// Desk is what came of the operator's requests to the running program.
type Desk struct {
	ReloadsApplied uint64 // configurations read again and put in force
	ReloadsRefused uint64 // those with mistakes, which changed nothing
	RestartKeys    int    // keys that were changed and need a restart
	LogLinesLost   uint64 // lines that the log file did not take
}

// moment is one consistent reading of all sources. Its pointers are never nil.
type moment struct {
	now     time.Time
	started time.Time // when the pool started; the server's own start before that is known
	full    bool      // names and hashes are shown in full
	ledger  *ledger.Snapshot
	pool    *pool.Status
	node    *node.Status
	price   price.Price // zero while not known
}

// read takes a moment from the sources.
func (s *Server) read(now time.Time) moment {
	m := moment{now: now, started: s.started, ledger: &ledger.Snapshot{}, pool: &pool.Status{}, node: &node.Status{}}
	if s.src.Ledger != nil {
		if snap := s.src.Ledger.Snapshot(); snap != nil {
			m.ledger = snap
		}
	}
	if s.src.Pool != nil {
		if st := s.src.Pool(); st != nil {
			m.pool = st
		}
	}
	if s.src.Node != nil {
		if st := s.src.Node(); st != nil {
			m.node = st
		}
	}
	if s.src.Price != nil {
		m.price, _ = s.src.Price(now)
	}
	if t := m.pool.StartedAt; !t.IsZero() {
		m.started = t
	}
	return m
}

// activeNode returns the node that templates come from, otherwise the first
// configured one, otherwise an empty one.
func (m moment) activeNode() node.NodeStatus {
	for _, n := range m.node.Nodes {
		if n.Name == m.node.Active && m.node.Active != "" {
			return n
		}
	}
	if len(m.node.Nodes) > 0 {
		return m.node.Nodes[0]
	}
	return node.NodeStatus{}
}

// tip returns the last block of the active node's chain, nil until known.
func (m moment) tip() *node.Tip {
	if m.node.Tip != nil {
		return m.node.Tip
	}
	return m.node.ZMQ.Tip
}
