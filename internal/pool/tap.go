package pool

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/poolscope/poolscope/internal/stratum"
)

// Sentinel errors of the tap.
var (
	// ErrNoTap means that the pool was made without a TapSink.
	ErrNoTap = errors.New("there is nobody to show lines to")
	// ErrTapMode means that a text is no mode of the tap.
	ErrTapMode = errors.New(`the tap is "off", "all" or "worker:NAME"`)
)

// TapSink is shown what miners' connections say, as long as somebody wants to
// see it. Its methods and those of its sessions must not wait: miners would.
type TapSink interface {
	// Open begins a connection that is shown from now on.
	Open(o TapOpening) TapSession
}

// TapSession is shown the lines of one connection, one at a time and in their
// order, each exactly once.
type TapSession interface {
	// ID names the session for people; "" is no name.
	ID() string
	// Line gives a line with its ending, valid during the call only. A line to
	// the miner counts when it is queued for the socket. What the miner had
	// begun when it was gone comes without an ending.
	Line(dir stratum.Direction, line []byte, at time.Time)
	// Close tells that there will be no more, and why: a stratum.CloseReason's
	// name, or TapOff.
	Close(reason string, at time.Time)
}

// TapOff is the reason of sessions that ended since nobody watches any more,
// while the connection goes on.
const TapOff = "tap_off"

// TapOpening is what is known of a connection when it begins to be shown.
type TapOpening struct {
	Connection string // id, as in the log
	Miner      string // ip:port; "" when it has none
	Listener   string // host:port that it came in at; "" when unknown
	TLS        bool
	At         time.Time

	// Late is what was said before; nil when lines are shown from the first on.
	Late *TapLate
}

// TapLate is what a connection said before somebody watched.
type TapLate struct {
	UserAgent       string
	Workers         []string
	Extranonce1     string  // hex; "" before mining.subscribe
	Extranonce2Size int     // bytes
	Difficulty      float64 // of the newest mining.set_difficulty; 0 before the first
	VersionMask     uint32  // that the miner was told; 0 when it did not ask
}

// TapMode says whose connections are shown. The zero value is nobody's.
type TapMode struct {
	All bool // everybody's
	// Worker, unless All, is a worker: ADDRESS.NAME, or only the NAME, or an
	// ADDRESS, which means all of its workers.
	Worker string
}

const tapWorkerPrefix = "worker:"

// ParseTapMode reads "off", "all" or "worker:NAME". The error is ErrTapMode.
func ParseTapMode(text string) (TapMode, error) {
	switch worker, ok := strings.CutPrefix(text, tapWorkerPrefix); {
	case text == "off":
		return TapMode{}, nil
	case text == "all":
		return TapMode{All: true}, nil
	case ok && worker != "":
		return TapMode{Worker: worker}, nil
	}
	return TapMode{}, fmt.Errorf("%w, not %q", ErrTapMode, text)
}

// String is what ParseTapMode reads.
func (m TapMode) String() string {
	switch {
	case m.All:
		return "all"
	case m.Worker != "":
		return tapWorkerPrefix + m.Worker
	}
	return "off"
}

// MarshalText is String, for JSON.
func (m TapMode) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// wants says whether a session is to be shown. Its mutex is held.
func (m TapMode) wants(s *session) bool {
	if m.All || m.Worker == "" {
		return m.All
	}
	if s.address == m.Worker {
		return true
	}
	for _, w := range s.workers {
		if m.isFor(w.name) || m.isFor(w.sent) {
			return true
		}
	}
	return false
}

func (m TapMode) isFor(worker string) bool {
	_, name, _ := strings.Cut(worker, ".")
	return worker == m.Worker || name == m.Worker
}

// TapStatus is what the tap does, and has done since start.
type TapStatus struct {
	Mode        TapMode `json:"mode"`
	Available   bool    `json:"available"`   // there is somebody to show lines to
	Connections int     `json:"connections"` // that are shown now
	Sessions    uint64  `json:"sessions"`    // begun
	Lines       uint64  `json:"lines"`       // shown
	Faults      uint64  `json:"faults"`      // panics of the sink; each ended one session of the tap, and no connection
}

// taps shows connections to the sink. While the mode is off a line costs what
// it cost before: a look at the connection's tap, which is nil.
type taps struct {
	sink TapSink // nil without
	log  *slog.Logger
	mode atomic.Pointer[TapMode]

	changing sync.Mutex // one change of the mode at a time

	open     atomic.Int64
	sessions atomic.Uint64
	lines    atomic.Uint64
	faults   atomic.Uint64
}

func (t *taps) init(cfg *Config, log *slog.Logger) {
	t.sink, t.log = cfg.TapSink, log
	mode := TapMode{}
	if t.sink != nil {
		mode = cfg.Tap
	}
	t.mode.Store(&mode)
}

// Tap is what the tap does.
func (p *Pool) Tap() TapStatus {
	t := &p.taps
	return TapStatus{
		Mode: *t.mode.Load(), Available: t.sink != nil, Connections: int(t.open.Load()),
		Sessions: t.sessions.Load(), Lines: t.lines.Load(), Faults: t.faults.Load(),
	}
}

// SetTap changes whose connections are shown, those that are open included.
// The error is ErrNoTap.
func (p *Pool) SetTap(mode TapMode) error {
	t := &p.taps
	if t.sink == nil && mode != (TapMode{}) {
		return ErrNoTap
	}
	t.changing.Lock()
	defer t.changing.Unlock()
	t.mode.Store(&mode)
	now := time.Now()
	for _, s := range p.snapshotSessions() {
		s.mu.Lock()
		s.tapLocked(now)
		s.mu.Unlock()
	}
	p.log.Info("tap set", "mode", mode.String(), "connections", t.open.Load())
	return nil
}

// tapLocked begins or ends to show the session, as the mode has it. It is called
// when the mode changed, and when it became known whose connection it is.
func (s *session) tapLocked(now time.Time) {
	mode := s.pool.taps.mode.Load()
	w := s.wiretap
	switch wanted := mode.wants(s); {
	case wanted && w != nil:
		if !w.shows() {
			w.begin(s.openingLocked(now))
		}
	case wanted && !s.conn.Closed():
		w = &wiretap{taps: &s.pool.taps}
		w.begin(s.openingLocked(now))
		s.setWiretapLocked(w)
	case !wanted && w != nil && (mode.Worker == "" || w.shows() || len(s.workers) > 0):
		w.end(TapOff, now)
		s.setWiretapLocked(nil)
	}
}

// tapFirst begins with a connection that nobody else knows yet. Where one worker
// is waited for, its handshake is kept until there is a name.
func (s *session) tapFirst() {
	mode := s.pool.taps.mode.Load()
	if *mode == (TapMode{}) {
		return
	}
	w := &wiretap{taps: &s.pool.taps, early: new(early)}
	if mode.All {
		w.begin(s.openingLocked(s.connectedAt))
	}
	s.setWiretapLocked(w)
}

// endTap ends what is shown of the session, with the connection.
func (s *session) endTap(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wiretap != nil {
		s.wiretap.end(s.conn.Reason().String(), now)
		s.setWiretapLocked(nil)
	}
}

func (s *session) setWiretapLocked(w *wiretap) {
	s.wiretap = w
	s.connectTapsLocked()
}

// connectTapsLocked shows the connection's lines to whoever wants to see them.
func (s *session) connectTapsLocked() {
	switch w, run := s.wiretap, s.recording; {
	case w == nil && run == nil:
		s.conn.SetTap(nil)
	case run == nil:
		s.conn.SetTap(w.take)
	case w == nil:
		s.conn.SetTap(run.recording.Take)
	default:
		s.conn.SetTap(func(who string, dir stratum.Direction, line []byte, at time.Time) {
			w.take(who, dir, line, at)
			run.recording.Take(who, dir, line, at)
		})
	}
}

// openingLocked is what is known of the session, what whoever watches from now on
// has missed included.
func (s *session) openingLocked(at time.Time) TapOpening {
	o := TapOpening{Connection: s.id, Listener: s.port.shown.Addr, TLS: s.tls, At: at, Late: s.lateLocked()}
	if s.remote.IsValid() {
		o.Miner = s.remote.String()
	}
	return o
}

func (s *session) lateLocked() *TapLate {
	late := &TapLate{UserAgent: s.agent, Extranonce2Size: extranonce2Size, Difficulty: s.announced, VersionMask: s.told}
	for _, w := range s.workers {
		late.Workers = append(late.Workers, w.sent)
	}
	if s.subscribed {
		late.Extranonce1 = s.workspace()
	}
	return late
}

// wiretap shows the lines of one connection to the sink.
type wiretap struct {
	taps *taps

	// Lines of the two directions come from different goroutines.
	mu    sync.Mutex
	to    TapSession // nil before it is known that the connection is to be shown
	early *early     // nil when nothing is kept
	ended bool
}

// Bounds of what is kept of a handshake while one worker is waited for.
const (
	maxEarlyLines = 64
	maxEarlyBytes = 16 << 10
)

// early are the first lines of a connection whose miner has no name yet.
type early struct {
	text  []byte
	lines []earlyLine
}

type earlyLine struct {
	dir  stratum.Direction
	size int
	at   time.Time
}

// take is the connection's tap.
func (w *wiretap) take(_ string, dir stratum.Direction, line []byte, at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	defer w.survive()
	switch {
	case w.ended:
	case w.to != nil:
		w.to.Line(dir, line, at)
		w.taps.lines.Add(1)
	case w.early != nil && !w.early.add(dir, line, at):
		w.early = nil
	}
}

// add keeps a line, if there is room.
func (e *early) add(dir stratum.Direction, line []byte, at time.Time) bool {
	if len(e.lines) >= maxEarlyLines || len(e.text)+len(line) > maxEarlyBytes {
		return false
	}
	e.text = append(e.text, line...)
	e.lines = append(e.lines, earlyLine{dir, len(line), at})
	return true
}

// begin opens the sink's session, unless it is open, and shows it what was kept.
func (w *wiretap) begin(o TapOpening) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.to != nil || w.ended {
		return
	}
	defer w.survive()
	e := w.early
	w.early = nil
	if e != nil {
		o.Late = nil // nothing was missed
		if len(e.lines) > 0 {
			o.At = e.lines[0].at
		}
	}
	w.to = w.taps.sink.Open(o)
	w.taps.open.Add(1)
	w.taps.sessions.Add(1)
	if e == nil {
		return
	}
	for _, l := range e.lines {
		w.to.Line(l.dir, e.text[:l.size], l.at)
		w.taps.lines.Add(1)
		e.text = e.text[l.size:]
	}
}

// shows says whether the sink's session is open.
func (w *wiretap) shows() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.to != nil
}

// sessionID is the sink's name of what is shown, "" when nothing is.
func (w *wiretap) sessionID() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	defer w.survive()
	if w.to == nil || w.ended {
		return ""
	}
	return w.to.ID()
}

// end closes the sink's session, if there is one. Nothing is shown afterwards.
func (w *wiretap) end(reason string, at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	defer w.survive()
	if w.ended {
		return
	}
	w.ended, w.early = true, nil
	if w.to != nil {
		w.taps.open.Add(-1)
		w.to.Close(reason, at)
	}
}

// survive keeps a panic of the sink from the miner: it ends what is shown.
func (w *wiretap) survive() {
	v := recover()
	if v == nil {
		return
	}
	w.taps.faults.Add(1)
	if !w.ended && w.to != nil {
		w.taps.open.Add(-1)
	}
	w.ended, w.early = true, nil
	w.taps.log.Error("tap failed", "panic", v, "stack", string(debug.Stack()))
}
