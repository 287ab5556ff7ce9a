package capture

import (
	"encoding/json"
	"strconv"
	"time"
)

// Direction says which way a line went.
type Direction uint8

// The directions, with the names that the API gives them.
const (
	MinerToPool Direction = iota // miner_to_pool
	PoolToMiner                  // pool_to_miner
	ScopeToPool                  // hashscope_to_pool: sent by us, in the miner's place
)

var directionNames = [...]string{"miner_to_pool", "pool_to_miner", "hashscope_to_pool"}

// String is the direction's name in the API.
func (d Direction) String() string {
	if int(d) >= len(directionNames) {
		return "unknown"
	}
	return directionNames[d]
}

// ParseDirection is the reverse of String.
func ParseDirection(name string) (d Direction, ok bool) {
	for i, n := range directionNames {
		if n == name {
			return Direction(i), true
		}
	}
	return 0, false
}

// answeredBy is the direction in which the answer to a request comes.
func (d Direction) answeredBy() Direction {
	if d == PoolToMiner {
		return MinerToPool
	}
	return PoolToMiner
}

// Message is one captured line. It never changes once it was published, and
// nor do the slices in it.
type Message struct {
	Seq       uint64 // rises over all sessions, in the order of capture; a cursor for paging
	Session   string
	N         uint64 // number within the session, from 1, without holes
	Direction Direction
	Peer      string // ip:port that the line came from

	Received  time.Time // when the line's last byte was read
	Forwarded time.Time // when it had been written to the other side; zero while it was not

	Raw    []byte // the line with its ending, as received; at most Config.MaxLine bytes of it
	Size   int    // bytes of the whole line, ending included
	Cut    bool   // Raw is only the beginning
	Masked bool   // a password in Raw was replaced
	Tail   bool   // the stream ended without a line feed after it
	Gap    uint64 // bytes before this line, in its direction, that were not captured

	Fault      string // why the line is no Stratum message, short and stable; "" when it is
	ID         string // the id as JSON text, an integer or a string; "" when null or absent
	Method     string // "" for responses
	IsRequest  bool   // has a method, notifications included
	IsResponse bool   // has a result or an error that is not null
	OK         bool   // a response without an error, whose result is not false

	Pair     uint64   // number of the request's response, or of the response's request; 0 without
	Response *Message // of an answered request

	Worker string // params[0] of mining.authorize and mining.submit, printable; "" otherwise
	Share  *Share // what the audit found out about a mining.submit; nil without

	// Of lines that the scope itself sent. Raw, ID and Response show the caller's
	// id; the answer is kept in here and is no message of its own.
	WireID   string // the private id, as JSON text, that went over the wire
	ReplayOf uint64 // number of the message that was sent again; 0 without
	Failure  string // why there was no answer; "" when there was one, or may still be

	own *Own // of the recorder's goroutine: where the answer will come
}

// MessageID is the id of a session's nth message.
func MessageID(session string, n uint64) string {
	return session + "-" + strconv.FormatUint(n, 10)
}

// MessageID is the id of the message in the API.
func (m *Message) MessageID() string { return MessageID(m.Session, m.N) }

// Latency is the time from a request to its response; 0 when there is none.
func (m *Message) Latency() time.Duration {
	if m.Response == nil {
		return 0
	}
	return m.Response.Received.Sub(m.Received)
}

// Decoded is the line as JSON, nil when it is no JSON object. Nothing is lost
// but what no strict reader accepts: half of a surrogate pair becomes U+FFFD.
func (m *Message) Decoded() json.RawMessage {
	if m.Cut || len(m.Raw) == 0 {
		return nil
	}
	switch m.Fault {
	case "", FaultID, FaultMethod, FaultParams, FaultLongID, FaultLongName:
		return sanitize(trim(m.Raw))
	}
	return nil
}

// Fields are the members of a line, as JSON text; nil where absent. They are
// parts of Raw: read only.
func (m *Message) Fields() Fields {
	if m.Fault != "" {
		return Fields{}
	}
	return members(trim(m.Raw))
}

// cost is about what the message takes in memory.
func (m *Message) cost() int {
	n := messageOverhead + len(m.Raw) + len(m.ID) + len(m.Method)
	if m.Share != nil {
		n += shareOverhead
	}
	if m.Response != nil && m.Response.N == 0 { // kept in here alone
		n += messageOverhead + len(m.Response.Raw) + len(m.Response.Method)
	}
	return n
}

const (
	messageOverhead = 480
	shareOverhead   = 300
)
