package capture

import (
	"bytes"
	"context"
	"log/slog"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Config says how lines are captured.
type Config struct {
	Limits Limits

	MaxLine       int  // bytes of a line that are kept; 0 is 256 KiB
	KeepPasswords bool // of mining.authorize and its like; otherwise they are masked
	QueueChunks   int  // chunks that may wait for the recorder; 0 is 65536
	QueueBytes    int  // bytes that may wait; 0 is 64 MiB

	// Gather is how long the recorder lets lines come together after the first.
	// It is woken so much less often, and whoever relays has not to wake it; 0
	// handles each at once.
	Gather time.Duration

	Analyst  Analyst // looks at messages before they are published; nil for none
	FirstSeq uint64  // of the first message, above all that a journal has; 0 is 1
}

const (
	defaultMaxLine     = 256 << 10
	defaultQueueChunks = 1 << 16
	defaultQueueBytes  = 64 << 20

	// forwardPatience is how old a chunk may become before its messages are
	// published without the time at which it was forwarded; forwardPoll is the
	// time between two looks, and lagPoll the one for chunks beyond patience.
	forwardPatience = 2 * time.Millisecond
	forwardPoll     = 200 * time.Microsecond
	lagPoll         = 50 * time.Millisecond
	maxBatch        = 4096

	// yieldEvery is how many chunks are handled before others may have the
	// processor: on a machine with one, those who relay must not wait for a batch.
	yieldEvery = 16
)

// Sink is told what happened to messages and sessions, in order, by the
// recorder's goroutine. It must not wait.
type Sink interface {
	// Captured gives a new message.
	Captured(m *Message)
	// Updated gives the new version of a message: its response came, or it was
	// forwarded.
	Updated(m *Message)
	// SessionChanged gives a session that began, ended or learned something.
	SessionChanged(s Session)
}

// Recorder takes what tapes recorded and keeps it. Make one with New, then Run.
type Recorder struct {
	cfg   Config
	log   *slog.Logger
	store *Store
	sinks []Sink

	queue   chan event
	waiting atomic.Int64 // bytes in the queue

	// Events that must not be lost, for when the queue is full.
	mu       sync.Mutex
	control  []event
	overflow bool // control has, or had and they are being handled: later ones must not overtake
	wake     chan struct{}

	batch  []event // taken off the queue, not handled
	seq    uint64
	lagged []lagged // messages whose chunk was not forwarded yet
	asked  int      // bytes of the requests that wait for their responses

	lostChunks atomic.Uint64
	lostBytes  atomic.Uint64
	faults     atomic.Uint64

	unforwarded atomic.Uint64 // messages whose time of forwarding was given up
}

// lagged is a message that waits for the time of its forwarding.
type lagged struct {
	tape *Tape
	n    uint64
	key  waitKey // where it waits for its response, too
	mark *Mark
}

// maxLagged bounds the messages that wait for the time of their forwarding. They
// are looked at again and again; the oldest are given up, and stay without.
const maxLagged = 1 << 14

type eventKind uint8

const (
	eventChunk eventKind = iota
	eventLine
	eventOpened
	eventChosen
	eventConnected
	eventDisconnected
	eventClosed
	eventOwn
	eventAnswer
	eventFailed
)

type event struct {
	kind      eventKind
	tape      *Tape
	direction Direction
	bytes     []byte
	lost      uint64 // bytes of the direction that were lost just before
	at        time.Time
	mark      *Mark
	text      string
	own       *Own
	line      OwnLine
	size      int // of the whole line, when bytes are only its beginning; otherwise 0
}

// New returns a recorder. It starts nothing.
func New(cfg Config, log *slog.Logger, sinks ...Sink) *Recorder {
	if cfg.MaxLine <= 0 {
		cfg.MaxLine = defaultMaxLine
	}
	if cfg.QueueChunks <= 0 {
		cfg.QueueChunks = defaultQueueChunks
	}
	if cfg.QueueBytes <= 0 {
		cfg.QueueBytes = defaultQueueBytes
	}
	if cfg.Limits == (Limits{}) {
		cfg.Limits = DefaultLimits()
	}
	return &Recorder{
		cfg:   cfg,
		seq:   max(cfg.FirstSeq, 1) - 1,
		log:   log,
		store: NewStore(cfg.Limits),
		sinks: sinks,
		queue: make(chan event, cfg.QueueChunks),
		wake:  make(chan struct{}, 1),
	}
}

// Store is where the messages are kept.
func (r *Recorder) Store() *Store { return r.store }

// Losses are the chunks and bytes that found the queue full, since start.
func (r *Recorder) Losses() (chunks, bytes uint64) { return r.lostChunks.Load(), r.lostBytes.Load() }

// Faults counts the events that the recorder failed at by a mistake of ours.
func (r *Recorder) Faults() uint64 { return r.faults.Load() }

// Unforwarded counts the messages of which the time of forwarding was not waited
// for any longer, since too many others were waited for as well.
func (r *Recorder) Unforwarded() uint64 { return r.unforwarded.Load() }

// Open begins a session. It is listed from now on.
func (r *Recorder) Open(o Opening) *Tape {
	rec := newRecord(o)
	r.list(rec)
	return r.open(rec)
}

// OpenSoon begins a session and does not wait for anybody who reads the store:
// it is listed when the recorder comes to it.
func (r *Recorder) OpenSoon(o Opening) *Tape { return r.open(newRecord(o)) }

func (r *Recorder) open(rec *record) *Tape {
	t := &Tape{recorder: r, record: rec, live: true}
	r.putAlways(event{kind: eventOpened, tape: t})
	return t
}

func (r *Recorder) list(rec *record) {
	r.store.mu.Lock()
	defer r.store.mu.Unlock()
	r.store.openLocked(rec)
}

// put queues a chunk, unless there is no room.
func (r *Recorder) put(e event) bool {
	size := int64(len(e.bytes))
	if r.waiting.Add(size) <= int64(r.cfg.QueueBytes) {
		select {
		case r.queue <- e:
			return true
		default:
		}
	}
	r.waiting.Add(-size)
	r.lostChunks.Add(1)
	r.lostBytes.Add(uint64(size))
	return false
}

// putAlways queues an event of which each session has few. They keep their order.
func (r *Recorder) putAlways(e event) {
	if r.putControl(e) {
		return
	}
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// putControl reports whether the queue had room for an event.
func (r *Recorder) putControl(e event) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.overflow {
		select {
		case r.queue <- e:
			return true
		default:
		}
	}
	r.overflow = true
	r.control = append(r.control, e)
	return false
}

// Run records until ctx ends, and what is queued then.
func (r *Recorder) Run(ctx context.Context) error {
	lag := time.NewTicker(lagPoll)
	defer lag.Stop()
	for {
		select {
		case e := <-r.queue:
			r.batch = append(r.batch, e)
			if r.cfg.Gather > 0 {
				time.Sleep(r.cfg.Gather)
			}
			r.work(forwardPatience)
		case <-r.wake:
			r.handleControl()
		case <-lag.C:
			r.settleLagged()
		case <-ctx.Done():
			r.work(0)
			for r.handleControl() {
			}
			r.settleLagged()
			return nil
		}
	}
}

// work handles what is queued, in order. It gives chunks that were just read
// the moment that their forwarding takes.
func (r *Recorder) work(patience time.Duration) {
	for {
		for len(r.batch) < maxBatch && r.take() {
		}
		if len(r.batch) == 0 {
			return
		}
		done := 0
		for done < len(r.batch) && r.batch[done].ready(patience) {
			r.handle(r.batch[done])
			if done++; done%yieldEvery == 0 {
				runtime.Gosched()
			}
		}
		clear(r.batch[:done])
		r.batch = append(r.batch[:0], r.batch[done:]...)
		if len(r.batch) > 0 && done == 0 {
			time.Sleep(forwardPoll)
		}
	}
}

// take moves an event from the queue to the batch, if there is one.
func (r *Recorder) take() bool {
	select {
	case e := <-r.queue:
		r.batch = append(r.batch, e)
		return true
	default:
		return false
	}
}

// ready says whether there is nothing to wait for any more.
func (e *event) ready(patience time.Duration) bool {
	return e.mark == nil || e.mark.forwarded.Load() != 0 || time.Since(e.at) >= patience
}

// handleControl handles the events that found the queue full. It reports whether
// there are more by now.
func (r *Recorder) handleControl() (more bool) {
	r.mu.Lock()
	events := r.control
	r.control = nil
	r.mu.Unlock()
	r.work(0) // what was queued before them comes first
	for _, e := range events {
		r.handle(e)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.overflow = len(r.control) > 0
	return r.overflow
}

// handle survives its own faults: one session's lines must not end the
// capture of the others.
func (r *Recorder) handle(e event) {
	r.waiting.Add(-int64(len(e.bytes)))
	defer r.survive("capture failed", e.tape.record.ID)
	if !e.tape.announced {
		r.announce(e.tape)
	}
	switch e.kind {
	case eventOpened: // announced
	case eventChunk, eventLine:
		r.chunk(&e)
	case eventOwn:
		r.own(&e)
	case eventAnswer, eventFailed:
		r.settleOwn(&e)
	case eventChosen:
		r.change(e.tape, func(s *Session) { s.Pool = e.text })
	case eventConnected:
		r.change(e.tape, func(s *Session) { s.PoolPeer, s.Connected = e.text, true })
	case eventDisconnected:
		r.change(e.tape, func(s *Session) { s.Connected = false })
	case eventClosed:
		r.close(&e)
	}
}

// announce tells of a session when its first event is handled, whichever that
// is: the one of its opening comes late when it found the queue full.
func (r *Recorder) announce(t *Tape) {
	t.announced = true
	if !t.record.listed {
		r.list(t.record)
	}
	session := r.change(t, func(*Session) {})
	r.analyse(session.ID, func(a Analyst) { a.Opened(session) })
}

// survive is deferred: it counts and logs a panic.
func (r *Recorder) survive(what, session string) {
	if v := recover(); v != nil {
		r.faults.Add(1)
		r.log.Error(what, "session", session, "panic", v, "stack", string(debug.Stack()))
	}
}

// chunk makes messages of a chunk.
func (r *Recorder) chunk(e *event) {
	t := e.tape
	s := &t.lines[e.direction]
	if e.lost > 0 {
		s.lose(e.lost, e.kind == eventChunk)
	}
	message := func(raw []byte, size int, gap uint64) {
		r.message(e, &Message{Raw: raw, Size: size, Gap: gap})
	}
	if e.size > len(e.bytes) {
		s.rest(message) // of a line before it that never ended
		gap := s.gap
		s.gap = 0
		message(e.bytes[:min(len(e.bytes), r.cfg.MaxLine)], e.size, gap)
		return
	}
	s.split(e.bytes, r.cfg.MaxLine, message)
}

// message completes a message, pairs it and keeps it.
func (r *Recorder) message(e *event, m *Message) {
	t := e.tape
	m.Seq, m.Session, m.N, m.Direction = r.seq+1, t.record.ID, t.n+1, e.direction // they count when it is kept
	m.Received = e.at
	m.Cut = m.Size > len(m.Raw)
	m.Peer = t.peer(e.direction)
	switch forwarded := e.mark.at(); {
	case e.kind == eventLine:
		m.Forwarded = e.at
	case !forwarded.IsZero():
		m.Forwarded = forwarded
	}
	f := m.parse()
	if m.IsRequest && (m.Method == "mining.authorize" || m.Method == "mining.submit") {
		m.Worker = firstText(f.Params)
	}
	if !r.cfg.KeepPasswords {
		m.hidePasswords(f)
	}
	request := r.pair(t, m, f)
	r.analyse(m.Session, func(a Analyst) {
		a.Message(m)
		if request != nil {
			a.Answered(request, m)
		}
	})
	changed := r.keep(t, m, request, f)
	if e.mark != nil && m.Forwarded.IsZero() {
		if len(r.lagged) >= maxLagged {
			r.unforwarded.Add(maxLagged / 4)
			r.lagged = slices.Delete(r.lagged, 0, maxLagged/4)
		}
		r.lagged = append(r.lagged, lagged{t, m.N, keyOf(m), e.mark})
	}
	if m.own != nil {
		m.own.latest, m.own = m, nil
	}
	for _, sink := range r.sinks {
		sink.Captured(m)
		if request != nil {
			sink.Updated(request)
		}
		if changed != nil {
			sink.SessionChanged(*changed)
		}
	}
}

// pair notes a request, or finds the request that a response answers and
// returns the new version of it. Lines of our own have private ids.
func (r *Recorder) pair(t *Tape, m *Message, f Fields) (request *Message) {
	rec := t.record
	before := rec.waiting.bytes
	defer func() { r.asked += rec.waiting.bytes - before }()
	switch {
	case m.ID == "" || m.Direction == ScopeToPool || m.IsRequest && !t.live:
	case m.IsRequest:
		limit := maxWaitingBytes
		if r.asked > maxAllWaiting {
			limit = scarceWaitingBytes
		}
		if given := rec.waiting.ask(m, limit); given > 0 {
			r.store.mu.Lock()
			rec.Unpaired += uint64(given) //nolint:gosec // never below zero
			r.store.mu.Unlock()
		}
	case m.IsResponse || set(f.ID):
		asked := rec.waiting.answer(m)
		if asked == nil {
			return nil
		}
		m.Pair = asked.N
		// Nobody else writes, so that this read needs no lock. Where the ring has
		// let go of it, the journal may have it still.
		if latest := rec.at(asked.N); latest != nil {
			asked = latest
		}
		update := *asked
		update.Pair, update.Response = m.N, m
		return &update
	}
	return nil
}

// keep enters a message, and the new version of the request that it answers,
// into the store. It returns the session if it learned something.
func (r *Recorder) keep(t *Tape, m, request *Message, f Fields) (changed *Session) {
	rec := t.record
	r.store.mu.Lock()
	defer r.store.mu.Unlock()
	workers, agent, difficulty, gaps := len(rec.Workers), rec.UserAgent, rec.Difficulty, rec.Gaps
	rec.learn(m, f)
	if request != nil {
		r.store.replaceLocked(rec, request)
	}
	t.n, r.seq = m.N, m.Seq
	r.store.addLocked(rec, m)
	if workers != len(rec.Workers) || agent != rec.UserAgent || difficulty != rec.Difficulty || gaps != rec.Gaps {
		session := rec.clone()
		changed = &session
	}
	return changed
}

// settleLagged enters the times of forwarding that came late. A chunk that is
// never forwarded, since the other side is gone, stays without.
func (r *Recorder) settleLagged() {
	left := r.lagged[:0]
	for _, l := range r.lagged {
		at := l.mark.at()
		if at.IsZero() {
			if l.tape.live && !l.mark.given {
				left = append(left, l)
			}
			continue
		}
		r.store.mu.Lock()
		m := l.tape.record.at(l.n)
		if m == nil { // it left the ring
			m = l.tape.record.waiting.find(l.key, l.n)
		}
		var update *Message
		if m != nil {
			c := *m
			c.Forwarded = at
			update = &c
			r.store.replaceLocked(l.tape.record, update)
			l.tape.record.waiting.renew(update)
		}
		r.store.mu.Unlock()
		if update != nil {
			for _, sink := range r.sinks {
				sink.Updated(update)
			}
		}
	}
	clear(r.lagged[len(left):])
	r.lagged = left
}

// change updates a session, tells the sinks, and returns it.
func (r *Recorder) change(t *Tape, do func(*Session)) Session {
	r.store.mu.Lock()
	do(&t.record.Session)
	session := t.record.clone()
	r.store.mu.Unlock()
	for _, sink := range r.sinks {
		sink.SessionChanged(session)
	}
	return session
}

// close ends a session, with what came without a line feed at last.
func (r *Recorder) close(e *event) {
	t := e.tape
	if !t.live {
		return
	}
	var gaps [len(t.lines)]uint64 // after the last line of each direction
	for d := range t.lines {
		if lost := t.lost[d].Swap(0); lost > 0 {
			t.lines[d].lose(lost, false)
		}
		tail := *e
		tail.direction, tail.mark = Direction(d), nil
		gaps[d] = t.lines[d].rest(func(raw []byte, size int, gap uint64) {
			r.message(&tail, &Message{Raw: raw, Size: size, Gap: gap, Tail: true})
		})
	}
	t.live = false
	session := r.change(t, func(s *Session) {
		if s.Live() {
			s.EndedAt, s.Reason, s.Connected = e.at, e.text, false
			r.store.endLocked()
		}
		for _, gap := range gaps {
			s.missed(gap)
		}
		s.Unpaired += uint64(t.record.waiting.count)
		r.asked -= t.record.waiting.bytes
		t.record.waiting = waiting{}
	})
	r.analyse(session.ID, func(a Analyst) { a.Closed(session) })
}

// peer is where a line of a direction came from.
func (t *Tape) peer(d Direction) string {
	switch d {
	case PoolToMiner:
		return t.record.PoolPeer
	case ScopeToPool:
		return "hashscope→" + t.record.PoolPeer
	}
	return t.record.Miner
}

func (m *Mark) at() time.Time {
	if m == nil {
		return time.Time{}
	}
	if nanos := m.forwarded.Load(); nanos != 0 {
		return time.Unix(0, nanos).UTC()
	}
	return time.Time{}
}

func indexLF(b []byte) int { return bytes.IndexByte(b, '\n') }
