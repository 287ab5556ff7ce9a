package fleet

import (
	"slices"
	"sync"
	"time"

	"github.com/poolscope/poolscope/internal/nostr"
)

// Reason is why an event of another member is not taken, snake_case.
type Reason string

// The reasons. An event has the first that applies.
const (
	Taken          Reason = ""
	Oversized      Reason = "oversized"
	WrongKind      Reason = "wrong_kind"
	ForeignRun     Reason = "foreign_run"
	ForeignAuthor  Reason = "author"
	Stale          Reason = "stale"
	Future         Reason = "future"
	Duplicate      Reason = "duplicate"
	NotEncrypted   Reason = "not_encrypted"
	Undecipherable Reason = "undecipherable"
	Malformed      Reason = "malformed"
)

// MaxSeen is how many ids a gate remembers unless it is told otherwise.
const MaxSeen = 20_000

// GateConfig says whom a gate lets in. A zero duration or number means the
// default.
type GateConfig struct {
	Authors []string      // public keys as hexadecimal digits; empty: everybody
	MaxAge  time.Duration // of an event; 15 min
	Ahead   time.Duration // by which an event's time may be later than ours; 1 min
	MaxSize int           // of a content, bytes; 64 KiB
	Seen    int           // ids that are remembered; 20 000
	Now     func() time.Time
}

// Gate lets in the events of a member's run and counts the others. Its methods
// may be called by any goroutine.
type Gate struct {
	member *Member
	cfg    GateConfig

	mu      sync.Mutex
	seen    map[string]struct{}
	order   []string // of seen, a ring
	next    int
	refused map[Reason]uint64
}

// NewGate makes a gate.
func NewGate(m *Member, cfg GateConfig) *Gate {
	if cfg.MaxAge <= 0 {
		cfg.MaxAge = 15 * time.Minute
	}
	if cfg.Ahead <= 0 {
		cfg.Ahead = time.Minute
	}
	if cfg.MaxSize <= 0 {
		cfg.MaxSize = 64 << 10
	}
	if cfg.Seen <= 0 {
		cfg.Seen = MaxSeen
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Gate{member: m, cfg: cfg, seen: make(map[string]struct{}), order: make([]string, cfg.Seen), refused: make(map[Reason]uint64)}
}

// Open returns the content of an event of a type, or why it is refused. The
// event's id and signature are taken to be true.
func (g *Gate) Open(t Type, e *nostr.Event) (content []byte, why Reason) {
	content, why = g.open(t, e)
	if why != Taken {
		g.Refuse(why)
	}
	return content, why
}

func (g *Gate) open(t Type, e *nostr.Event) ([]byte, Reason) {
	now := g.cfg.Now()
	at := time.Unix(e.CreatedAt, 0)
	switch {
	case len(e.Content) > g.cfg.MaxSize:
		return nil, Oversized
	case e.Kind != g.member.kinds.Of(t) || e.Tag("type") != string(t):
		return nil, WrongKind
	case e.Tag("run") != g.member.run:
		return nil, ForeignRun
	case len(g.cfg.Authors) > 0 && !slices.Contains(g.cfg.Authors, e.PubKey):
		return nil, ForeignAuthor
	case now.Sub(at) > g.cfg.MaxAge:
		return nil, Stale
	case at.Sub(now) > g.cfg.Ahead:
		return nil, Future
	case !g.fresh(e.ID):
		return nil, Duplicate
	}
	if g.member.shared == nil {
		if len(e.Content) == 0 || e.Content[0] != '{' {
			return nil, Malformed
		}
		return []byte(e.Content), Taken
	}
	if len(e.Content) > 0 && e.Content[0] == '{' { // base64 has no braces
		return nil, NotEncrypted
	}
	text, err := g.member.shared.Decrypt(e.Content)
	if err != nil {
		return nil, Undecipherable
	}
	return []byte(text), Taken
}

// Remember makes an event that was taken before the program's start a duplicate.
func (g *Gate) Remember(id string) { g.fresh(id) }

// fresh remembers an id, and says whether it was not known.
func (g *Gate) fresh(id string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, known := g.seen[id]; known {
		return false
	}
	delete(g.seen, g.order[g.next])
	g.order[g.next] = id
	g.seen[id] = struct{}{}
	g.next = (g.next + 1) % len(g.order)
	return true
}

// Refuse counts an event that was let in and turned out to be of no use.
func (g *Gate) Refuse(why Reason) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.refused[why]++
}

// Refused counts what was refused since the start, by reason.
func (g *Gate) Refused() map[string]uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	out := make(map[string]uint64, len(g.refused))
	for why, n := range g.refused {
		out[string(why)] = n
	}
	return out
}
