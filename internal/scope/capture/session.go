package capture

import (
	"slices"
	"time"
)

// Origin says how the lines of a session reach the scope.
type Origin string

// The origins.
const (
	OriginProxy Origin = "proxy" // relayed to a pool
	OriginTap   Origin = "tap"   // a connection of our own pool
	OriginFile  Origin = "file"  // read from a capture
)

// Opening is what is known of a session when it begins.
type Opening struct {
	ID       string // unique among all sessions ever
	Origin   Origin
	Miner    string // ip:port of the miner
	Listener string // where it connected to, empty when unknown
	Pool     string // host:port that is to be dialled, as configured; empty for a tap
	At       time.Time
	Known    *Known // of a tap that began after the connection; else nil
}

// Known is what a connection had said before it was captured.
type Known struct {
	UserAgent       string
	Workers         []string // that were authorized
	Extranonce1     string   // hex; "" before mining.subscribe
	Extranonce2Size int      // bytes
	Difficulty      float64  // of the newest mining.set_difficulty; 0 before the first
	VersionMask     uint32   // that the miner may roll; 0 when it did not ask
}

// Session is what is known of one connection of a miner. It is a value: the
// store gives out copies.
type Session struct {
	Opening

	PoolPeer  string    // resolved ip:port of the pool, empty until it is connected
	Connected bool      // the pool is connected now
	LastSeen  time.Time // of the newest message, or At
	EndedAt   time.Time // zero while it lives
	Reason    string    // why it ended, snake_case

	Messages    uint64 // captured ever
	ByDirection [len(directionNames)]uint64
	Faults      uint64 // messages that are no Stratum
	Kept        int    // messages that are in memory
	Gaps        uint64 // before messages, and at the end of a direction
	LostBytes   uint64 // in all gaps together
	Unpaired    uint64 // requests that were given up waiting for their response

	UserAgent  string   // of mining.subscribe
	ResumeID   string   // the session id that the miner asked to resume
	Workers    []string // names that the miner authorized with, in their order
	Difficulty float64  // of the latest mining.set_difficulty, 0 before
}

// clone copies a session so that a reader may keep it.
func (s *Session) clone() Session {
	c := *s
	c.Workers = slices.Clone(s.Workers)
	return c
}

// Live says whether the session has not ended.
func (s *Session) Live() bool { return s.EndedAt.IsZero() }

// Limits of what a peer can make a session remember.
const (
	maxWorkers = 64
	maxText    = 256 // bytes of a name
)

// learn takes the facts that a message tells.
func (s *Session) learn(m *Message, f Fields) {
	s.LastSeen = m.Received
	s.Messages++
	s.ByDirection[m.Direction]++
	if m.Fault != "" {
		s.Faults++
	}
	s.missed(m.Gap)
	switch {
	case m.Method == "mining.subscribe" && m.Direction == MinerToPool:
		params := stringsOf(f.Params, 2)
		if len(params) > 0 && s.UserAgent == "" {
			s.UserAgent = params[0]
		}
		if len(params) > 1 && s.ResumeID == "" {
			s.ResumeID = params[1]
		}
	case m.Method == "mining.authorize" && m.Direction == MinerToPool:
		if params := stringsOf(f.Params, 1); len(params) > 0 && len(s.Workers) < maxWorkers && !slices.Contains(s.Workers, params[0]) {
			s.Workers = append(s.Workers, params[0])
		}
	case m.Method == "mining.set_difficulty" && m.Direction == PoolToMiner:
		if d, ok := firstNumber(f.Params); ok {
			s.Difficulty = d
		}
	}
}

// missed counts a gap, if there was one.
func (s *Session) missed(gap uint64) {
	if gap > 0 {
		s.Gaps++
		s.LostBytes += gap
	}
}
