package scopeapi

import (
	"context"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

// FeedConfig bounds a feed. The zero value of each field stands for its default.
type FeedConfig struct {
	Clients  int // most WebSockets; 256
	Messages int // that may wait for one client; 4096
	Bytes    int // that may wait for one client; 4 MiB

	Ping      time.Duration // time between two pings, and to answer one; 20 s
	Patience  time.Duration // for one frame: who reads nothing for as long is gone; 20 s
	AgentPing time.Duration // the application's ping of /api/ws/agents; 30 s
	SignedIn  time.Duration // time between two looks whether who opened one is signed in still; 2 s
}

// feedQueue is how many messages may wait to be encoded.
const feedQueue = 8192

// Feed gives captured messages to WebSockets, as they come. It is one of the
// recorder's sinks, and never keeps the recorder waiting: what it is told goes
// into a bounded queue, and is not even looked at while nobody listens.
//
// A goroutine, which runs while somebody listens, encodes each message once and
// puts the same bytes into the queue of every client that wants them. A client
// whose queue is full misses messages, is told how many as soon as it reads
// again, and goes on from there. It costs the others nothing.
type Feed struct {
	cfg FeedConfig

	listeners atomic.Int64 // clients, for the recorder
	queue     chan *capture.Message
	overflow  atomic.Uint64 // messages that found no room in queue since it was last looked at

	counts feedCounts

	mu      sync.Mutex
	clients map[*listener]struct{}
	stop    context.CancelFunc // ends the encoding; nil while it does not run
	stopped chan struct{}      // closed when the latest encoding has ended; nil before the first
}

// feedCounts are what a feed did since it was made.
type feedCounts struct {
	sent      atomic.Uint64 // messages put into clients' queues
	encoded   atomic.Uint64
	skipped   atomic.Uint64 // messages that clients missed, summed over clients
	unencoded atomic.Uint64 // messages that came faster than they could be encoded
	gaps      atomic.Uint64 // notices
	faults    atomic.Uint64 // messages that could not be encoded by a mistake of ours
	ends      [numEnds]atomic.Uint64
	refusals  [numFeedRefusals]atomic.Uint64
}

// NewFeed returns a feed that nobody listens to.
func NewFeed(cfg FeedConfig) *Feed {
	if cfg.Clients <= 0 {
		cfg.Clients = 256
	}
	if cfg.Messages <= 0 {
		cfg.Messages = 4096
	}
	if cfg.Bytes <= 0 {
		cfg.Bytes = 4 << 20
	}
	for _, d := range []struct {
		value    *time.Duration
		standard time.Duration
	}{{&cfg.Ping, 20 * time.Second}, {&cfg.Patience, 20 * time.Second}, {&cfg.AgentPing, 30 * time.Second}, {&cfg.SignedIn, 2 * time.Second}} {
		if *d.value <= 0 {
			*d.value = d.standard
		}
	}
	return &Feed{cfg: cfg, queue: make(chan *capture.Message, feedQueue), clients: make(map[*listener]struct{})}
}

// Captured takes a new message.
func (f *Feed) Captured(m *capture.Message) { f.take(m) }

// Updated takes the new version of a message.
func (f *Feed) Updated(m *capture.Message) { f.take(m) }

// SessionChanged does nothing: the feed is of messages.
func (f *Feed) SessionChanged(capture.Session) {}

var _ capture.Sink = (*Feed)(nil)

func (f *Feed) take(m *capture.Message) {
	if f.listeners.Load() == 0 {
		return
	}
	select {
	case f.queue <- m:
	default:
		f.overflow.Add(1)
	}
}

// frame is an encoded message.
type frame struct {
	text []byte
	seq  uint64
}

// listener is one client's queue.
type listener struct {
	feed    *Feed
	session string        // whose messages it wants, "" for all
	ready   chan struct{} // there may be something in the queue

	mu      sync.Mutex
	frames  []frame // guarded by mu
	bytes   int     // of frames; guarded by mu
	dropped uint64  // messages missed since the last frame; guarded by mu
	unknown bool    // of some of them nobody knows the Seq; guarded by mu
	first   uint64  // Seq of the first of them that is known, 0 when none is; guarded by mu
	last    uint64  // Seq of the last of them; guarded by mu
}

// join adds a client, or reports that there are too many.
func (f *Feed) join(session string) (l *listener, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.clients) >= f.cfg.Clients {
		return nil, false
	}
	l = &listener{feed: f, session: session, ready: make(chan struct{}, 1)}
	f.clients[l] = struct{}{}
	if f.stop == nil {
		var ctx context.Context
		ctx, f.stop = context.WithCancel(context.Background())
		// What came between the last client's leaving and now is for nobody.
		f.drain()
		f.overflow.Store(0)
		before, after := f.stopped, make(chan struct{})
		f.stopped = after
		go func() {
			defer close(after)
			if before != nil {
				<-before // one at a time, or messages would change places
			}
			f.encode(ctx)
		}()
	}
	f.listeners.Store(int64(len(f.clients)))
	return l, true
}

// drain empties the queue. The goroutine of the clients before may still be at
// it, so that waiting for a message that was just there could last for ever.
func (f *Feed) drain() {
	for {
		select {
		case <-f.queue:
		default:
			return
		}
	}
}

// leave takes a client away. The last one ends the encoding.
func (f *Feed) leave(l *listener) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.clients, l)
	f.listeners.Store(int64(len(f.clients)))
	if len(f.clients) == 0 {
		f.stop()
		f.stop = nil
	}
}

// encode gives messages to the clients until ctx ends.
func (f *Feed) encode(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case m := <-f.queue:
			f.distribute(m)
		}
	}
}

// distribute encodes a message if anybody wants it, once for all. It runs in a
// goroutine of its own, where a panic would end the program for the sake of a
// page: it costs this message alone.
func (f *Feed) distribute(m *capture.Message) {
	f.mu.Lock()
	defer f.mu.Unlock()
	defer func() {
		if recover() != nil {
			f.counts.faults.Add(1)
		}
	}()
	if missed := f.overflow.Swap(0); missed > 0 {
		f.counts.unencoded.Add(missed)
		for l := range f.clients {
			l.miss(missed, 0)
		}
	}
	var text []byte
	for l := range f.clients {
		if l.session != "" && l.session != m.Session {
			continue
		}
		if !l.takes(m.Seq) {
			continue
		}
		if text == nil {
			text = m.AppendJSON(make([]byte, 0, 512+4*len(m.Raw)))
			f.counts.encoded.Add(1)
		}
		l.put(frame{text, m.Seq})
	}
}

// takes says whether a client has room for a message, and counts it as missed
// when it has not: its queue is full, or was and is still more than half full.
func (l *listener) takes(seq uint64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	most, bytes := l.feed.cfg.Messages, l.feed.cfg.Bytes
	if l.dropped > 0 {
		most, bytes = most/2+1, bytes/2+1
	}
	if len(l.frames) < most && l.bytes < bytes {
		return true
	}
	l.missLocked(1, seq)
	return false
}

// miss counts messages that the client does not get; of some the number is not
// known, 0.
func (l *listener) miss(n, seq uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.missLocked(n, seq)
}

func (l *listener) missLocked(n, seq uint64) {
	l.feed.counts.skipped.Add(n)
	if l.dropped == 0 {
		l.signal()
	}
	l.dropped += n
	if seq == 0 {
		l.unknown = true
		return
	}
	l.last = max(l.last, seq)
	if l.first == 0 || seq < l.first {
		l.first = seq
	}
}

// put queues a frame, after the notice of what was missed before it.
func (l *listener) put(f frame) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.noticeLocked()
	l.frames = append(l.frames, f)
	l.bytes += len(f.text)
	l.feed.counts.sent.Add(1)
	l.signal()
}

// noticeLocked queues the notice of what was missed. It says from where to where
// only when that is all of it: a client fetches no more than it is told.
func (l *listener) noticeLocked() {
	if l.dropped == 0 {
		return
	}
	if l.unknown {
		l.first, l.last = 0, 0
	}
	text := gapNotice(l.dropped, l.first, l.last)
	l.frames = append(l.frames, frame{text: text})
	l.bytes += len(text)
	l.dropped, l.unknown, l.first, l.last = 0, false, 0, 0
	l.feed.counts.gaps.Add(1)
}

func (l *listener) signal() {
	select {
	case l.ready <- struct{}{}:
	default:
	}
}

// take returns what is to be sent next; nil when there is nothing. The notice of
// what was missed does not wait for a message to come.
func (l *listener) take() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.frames) == 0 {
		l.noticeLocked()
	}
	if len(l.frames) == 0 {
		return nil
	}
	next := l.frames[0].text
	l.frames[0] = frame{}
	l.frames = l.frames[1:]
	l.bytes -= len(next)
	if len(l.frames) == 0 {
		l.frames = nil // or a burst's room would stay
	}
	return next
}

// gapNotice tells a client what it missed. It has no id, unlike a message.
func gapNotice(dropped, first, last uint64) []byte {
	b := append([]byte(nil), `{"type":"gap","dropped":`...)
	b = strconv.AppendUint(b, dropped, 10)
	b = append(b, `,"first_seq":`...)
	b = appendSeq(b, first)
	b = append(b, `,"last_seq":`...)
	b = appendSeq(b, last)
	return append(b, '}')
}

func appendSeq(b []byte, seq uint64) []byte {
	if seq == 0 {
		return append(b, "null"...)
	}
	return strconv.AppendUint(b, seq, 10)
}

// FeedStatus is what a feed did since it was made.
type FeedStatus struct {
	Clients   int               `json:"clients" doc:"Open WebSockets"`
	Sent      uint64            `json:"sent" doc:"Messages queued for clients, summed over clients"`
	Encoded   uint64            `json:"encoded" doc:"Messages encoded"`
	Skipped   uint64            `json:"skipped" doc:"Messages that clients missed since they read too slowly, summed over clients"`
	Unencoded uint64            `json:"unencoded" doc:"Messages that came faster than they could be encoded"`
	Gaps      uint64            `json:"gap_notices" doc:"Notices of missed messages"`
	Faults    uint64            `json:"faults" doc:"Messages that could not be encoded by a mistake of ours"`
	Ends      map[string]uint64 `json:"ended" doc:"WebSockets that ended, by reason"`
	Refused   map[string]uint64 `json:"refused" doc:"WebSockets that were refused, by reason"`
}

// Status tells what the feed did.
func (f *Feed) Status() FeedStatus {
	c := &f.counts
	s := FeedStatus{
		Clients: int(f.listeners.Load()), Sent: c.sent.Load(), Encoded: c.encoded.Load(),
		Skipped: c.skipped.Load(), Unencoded: c.unencoded.Load(), Gaps: c.gaps.Load(), Faults: c.faults.Load(),
		Ends: make(map[string]uint64), Refused: make(map[string]uint64),
	}
	for end := range numEnds {
		s.Ends[end.String()] = c.ends[end].Load()
	}
	for r := range numFeedRefusals {
		s.Refused[r.String()] = c.refusals[r].Load()
	}
	return s
}

// Wait waits until nothing runs for the feed any more, or ctx ends.
func (f *Feed) Wait(ctx context.Context) {
	f.mu.Lock()
	stopped := f.stopped
	f.mu.Unlock()
	if stopped == nil {
		return
	}
	select {
	case <-stopped:
	case <-ctx.Done():
	}
}
