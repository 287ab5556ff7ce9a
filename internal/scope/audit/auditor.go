package audit

import (
	"log/slog"
	"sync"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/bitcoin/sharehash"
	"github.com/poolscope/poolscope/internal/scope/capture"
)

// Auditor looks at all sessions. Make one with New, give it to the recorder as
// its analyst, and Run it. Readers may call its methods at any time.
type Auditor struct {
	cfg    Config
	log    *slog.Logger
	engine *sharehash.Engine

	mu       sync.Mutex // guards everything below; held for a message or a page
	now      func() time.Time
	sessions map[string]*session
	order    []*session // in which they began
	ended    int
	bytes    int // of all sessions, about
	roomAt   int // bytes at which room is made
	alarms   book
	recent   sightings
	told     map[string]time.Time // when a kind of alarm was logged last
	payouts  [][]byte             // scripts of Config.Payouts
	dropped  uint64               // jobs, shares and difficulties that made room
	skipped  uint64               // lines too long to be decoded
	forgot   uint64               // ended sessions that were let go of
	scratch  sharehash.Scratch
	buffer   [maxExtranonce1 + maxExtranonce2]byte

	// Work for Run, which may wait. Both are bounded.
	blocks    chan *foundBlock
	questions chan question
	overflow  uint64 // of the two
	submitted uint64 // blocks that our node took
	faults    uint64 // panics of Run's parts
}

// New returns an auditor. It starts nothing.
func New(cfg Config, log *slog.Logger) *Auditor { return newAuditor(cfg, log, sharehash.New()) }

func newAuditor(cfg Config, log *slog.Logger, engine *sharehash.Engine) *Auditor {
	cfg.Limits.setDefaults()
	cfg.Rules.setDefaults()
	return &Auditor{
		cfg:       cfg,
		log:       log,
		engine:    engine,
		now:       time.Now,
		sessions:  make(map[string]*session),
		roomAt:    cfg.Limits.Bytes,
		alarms:    newBook(cfg.Limits.Alarms),
		told:      make(map[string]time.Time),
		payouts:   scriptsOf(cfg.Payouts),
		blocks:    make(chan *foundBlock, maxQueued),
		questions: make(chan question, maxQueued),
	}
}

// An auditor is also to be one of the recorder's sinks: so it hears which pool a
// session came to.
var (
	_ capture.Analyst = (*Auditor)(nil)
	_ capture.Sink    = (*Auditor)(nil)
)

// Opened begins a session.
func (a *Auditor) Opened(s capture.Session) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.open(s)
}

func (a *Auditor) open(info capture.Session) *session {
	if s := a.sessions[info.ID]; s != nil {
		return s
	}
	s := newSession(a, info)
	a.sessions[info.ID] = s
	a.order = append(a.order, s)
	return s
}

// Message looks at a new message, and sets the Share of a mining.submit.
func (a *Auditor) Message(m *capture.Message) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.sessions[m.Session]
	if s == nil {
		s = a.open(capture.Session{Opening: capture.Opening{ID: m.Session, At: m.Received}})
	}
	s.message(m)
	if a.bytes > a.roomAt {
		a.makeRoom()
	}
}

// Answered looks at a request whose response came. The response was given to
// Message before, unless it is the answer to a line of our own.
func (a *Auditor) Answered(request, response *capture.Message) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if s := a.sessions[request.Session]; s != nil {
		s.answered(request, response)
	}
}

// Closed ends a session. What is known of it is kept for a while.
func (a *Auditor) Closed(info capture.Session) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.open(info)
	if s.closed {
		return
	}
	s.close(info)
	a.ended++
	if a.ended > a.cfg.Limits.Ended {
		a.forget(a.ended - a.cfg.Limits.Ended + a.cfg.Limits.Ended/10)
	}
}

// SessionChanged takes what a session has learned besides its messages.
func (a *Auditor) SessionChanged(info capture.Session) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if s := a.sessions[info.ID]; s != nil && !s.closed {
		s.info.Pool, s.info.PoolPeer, s.info.LostBytes = info.Pool, info.PoolPeer, info.LostBytes
	}
}

// Captured does nothing: Message saw it before.
func (a *Auditor) Captured(*capture.Message) {}

// Updated does nothing: Answered saw it before.
func (a *Auditor) Updated(*capture.Message) {}

// forget lets go of n ended sessions, those that began first.
func (a *Auditor) forget(n int) {
	live := a.order[:0]
	for _, s := range a.order {
		if n > 0 && s.closed {
			n--
			a.ended--
			a.forgot++
			a.bytes -= s.bytes
			delete(a.sessions, s.info.ID)
			continue
		}
		live = append(live, s)
	}
	clear(a.order[len(live):])
	a.order = live
}

// makeRoom shortens the lists of the sessions that keep more than their share
// of three quarters of the limit.
func (a *Auditor) makeRoom() {
	each := a.cfg.Limits.Bytes / 4 * 3 / max(len(a.sessions), 1)
	for _, s := range a.order {
		for keep := max(s.jobs.len(), s.shares.len()) / 2; s.bytes > each && keep > 0; keep /= 2 {
			s.shorten(keep)
		}
	}
	// Sessions themselves cannot be shortened: there are as many as there are
	// connections. Who looks through all of them must not do so all the time.
	a.roomAt = max(a.cfg.Limits.Bytes, a.bytes+a.cfg.Limits.Bytes/16)
}

// Status is what the auditor as a whole keeps and has dropped.
type Status struct {
	Sessions  int          `json:"sessions"`      // known, ended ones included
	Live      int          `json:"live"`          // of these, not ended
	Bytes     int          `json:"bytes"`         // kept, about
	Dropped   uint64       `json:"dropped"`       // jobs, shares and difficulties that made room
	Skipped   uint64       `json:"lines_skipped"` // lines of more than 64 KiB, which are not decoded
	Forgotten uint64       `json:"forgotten"`     // ended sessions that made room
	Alarms    int          `json:"alarms"`        // kept
	Lost      uint64       `json:"alarms_dropped"`
	Raised    []AlarmCount `json:"raised"`           // of every kind, since start
	Faults    uint64       `json:"faults"`           // mistakes of ours that were survived
	Overflow  uint64       `json:"overflow"`         // blocks and questions to the node that found their queue full
	Submitted uint64       `json:"blocks_submitted"` // that our node took from us
	Hashing   string       `json:"hashing"`          // how shares are hashed
}

// Status tells what is kept.
func (a *Auditor) Status() Status {
	a.mu.Lock()
	defer a.mu.Unlock()
	return Status{
		Sessions: len(a.sessions), Live: len(a.sessions) - a.ended, Bytes: a.bytes,
		Dropped: a.dropped, Skipped: a.skipped, Forgotten: a.forgot,
		Alarms: len(a.alarms.list), Lost: a.alarms.dropped, Raised: a.alarms.counts(),
		Faults: a.faults, Overflow: a.overflow, Submitted: a.submitted, Hashing: a.engine.Names(),
	}
}

// network is the chain of our node, as far as it is known.
func (a *Auditor) network() bitcoin.Network {
	if a.cfg.Chain == nil {
		return ""
	}
	return a.cfg.Chain.Network()
}
