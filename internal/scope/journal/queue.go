package journal

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

// Why a message was not journalled. They are part of the API.
const (
	reasonQueueFull   = "queue_full"   // the disk is slower than the capture
	reasonWriteFailed = "write_failed" // … because writing fails
	reasonLowSpace    = "low_space"    // … because too little is free
	reasonClosed      = "closed"       // it could not be written before the end
	reasonOutOfOrder  = "out_of_order" // its Seq is not above all before: a mistake of ours
)

const (
	// maxGaps bounds the gaps that wait to be written; above it sessions are
	// not told apart any more.
	maxGaps = 1024
	// maxSessions bounds the sessions whose news wait to be written.
	maxSessions = 1 << 16
	// messageOverhead is about what a queued message takes beside its line.
	messageOverhead = 600
)

// queue is what waits to be written. It never makes anybody wait: what finds no
// room is counted and becomes part of a gap.
type queue struct {
	maxMessages, maxBytes int

	filled chan struct{} // has a token when the queue is not empty
	plenty chan struct{} // has a token when it should be written soon

	mu       sync.Mutex
	open     *batch
	writing  *batch // taken and not yet done; nil without
	reason   string // why there is no room, when there is none
	gaps     map[gapKey]*Gap
	latest   uint64 // highest Seq that was offered, or is in the files
	dropped  uint64
	outdated uint64 // updates that found no room
}

type gapKey struct{ session, reason string }

// batch is what is written in one go. Once it was taken, only saved changes.
type batch struct {
	messages []*capture.Message // with rising Seq
	updates  []*capture.Message // newer versions of messages of earlier batches
	updated  map[uint64]int     // places in updates by Seq
	sessions map[string]capture.Session
	gaps     []Gap
	bytes    int
	saved    bool // the gaps are written; of the writer's goroutine
}

func newBatch() *batch {
	return &batch{updated: make(map[uint64]int), sessions: make(map[string]capture.Session)}
}

func (b *batch) empty() bool {
	return len(b.messages)+len(b.updates)+len(b.sessions)+len(b.gaps) == 0
}

func newQueue(maxMessages, maxBytes int) *queue {
	return &queue{
		maxMessages: maxMessages, maxBytes: maxBytes,
		filled: make(chan struct{}, 1), plenty: make(chan struct{}, 1),
		open: newBatch(), reason: reasonQueueFull, gaps: make(map[gapKey]*Gap),
	}
}

// cost is about what a message takes in memory.
func cost(m *capture.Message) int {
	n := messageOverhead + len(m.Raw) + len(m.ID) + len(m.Method)
	if m.Response != nil {
		n += len(m.Response.Raw) + len(m.Response.ID)
	}
	return n
}

// usageLocked is what is queued, and what is being written.
func (q *queue) usageLocked() (messages, bytes int) {
	messages, bytes = len(q.open.messages)+len(q.open.updates), q.open.bytes
	if q.writing != nil {
		messages += len(q.writing.messages) + len(q.writing.updates)
		bytes += q.writing.bytes
	}
	return messages, bytes
}

// roomLocked says whether there is room for another message, and tells the
// writer when there soon won't be.
func (q *queue) roomLocked(size int) bool {
	messages, bytes := q.usageLocked()
	if messages+1 > q.maxMessages/4 || bytes+size > q.maxBytes/4 {
		signal(q.plenty)
	}
	return messages < q.maxMessages && bytes+size <= q.maxBytes
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// add queues a new message.
func (q *queue) add(m *capture.Message) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if m.Seq <= q.latest {
		q.dropLocked(m, reasonOutOfOrder)
		return
	}
	q.latest = m.Seq
	size := cost(m)
	if !q.roomLocked(size) {
		q.dropLocked(m, q.reason)
		return
	}
	q.open.messages = append(q.open.messages, m)
	q.open.bytes += size
	signal(q.filled)
}

// update queues a newer version of a message. It takes the older one's place
// where that is not yet written.
func (q *queue) update(m *capture.Message) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if at, ok := find(q.open.messages, m.Seq); ok {
		q.open.bytes += cost(m) - cost(q.open.messages[at])
		q.open.messages[at] = m
		return
	}
	if at, ok := q.open.updated[m.Seq]; ok {
		q.open.bytes += cost(m) - cost(q.open.updates[at])
		q.open.updates[at] = m
		return
	}
	size := cost(m)
	if !q.roomLocked(size) {
		q.outdated++
		return
	}
	q.open.updated[m.Seq] = len(q.open.updates)
	q.open.updates = append(q.open.updates, m)
	q.open.bytes += size
	signal(q.filled)
}

// find finds a message by its Seq.
func find(messages []*capture.Message, seq uint64) (at int, ok bool) {
	return slices.BinarySearchFunc(messages, seq, func(m *capture.Message, seq uint64) int { return cmp.Compare(m.Seq, seq) })
}

// session queues what is new of a session.
func (q *queue) session(s capture.Session) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if _, known := q.open.sessions[s.ID]; !known && len(q.open.sessions) >= maxSessions {
		q.outdated++
		return
	}
	q.open.sessions[s.ID] = s
	signal(q.filled)
}

// outdate counts updates that are not journalled.
func (q *queue) outdate(updates int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.outdated += uint64(updates)
}

// dropLocked makes a message part of a gap.
func (q *queue) dropLocked(m *capture.Message, reason string) {
	q.dropped++
	q.gapLocked(Gap{Session: m.Session, First: m.N, Last: m.N, Messages: 1, From: m.Received, To: m.Received, Reason: reason})
}

// gapLocked adds a gap to those that wait to be written.
func (q *queue) gapLocked(gap Gap) {
	key := gapKey{gap.Session, gap.Reason}
	if q.gaps[key] == nil && len(q.gaps) >= maxGaps {
		key.session = ""
	}
	g := q.gaps[key]
	if g == nil {
		g = &Gap{Session: key.session, First: gap.First, From: gap.From, To: gap.To, Reason: gap.Reason}
		q.gaps[key] = g
	}
	g.Messages += gap.Messages
	if gap.From.Before(g.From) {
		g.From = gap.From
	}
	if gap.To.After(g.To) {
		g.To = gap.To
	}
	if g.First, g.Last = min(g.First, gap.First), max(g.Last, gap.Last); key.session == "" {
		g.First, g.Last = 0, 0 // of no one session
	}
}

// take returns what is queued, as the batch that is being written until done is
// called. It is nil when there is nothing.
func (q *queue) take() *batch {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, g := range q.gaps {
		q.open.gaps = append(q.open.gaps, *g)
	}
	clear(q.gaps)
	if q.open.empty() {
		return nil
	}
	q.writing, q.open = q.open, newBatch()
	return q.writing
}

// done lets go of the batch that was taken.
func (q *queue) done() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.writing = nil
}

// giveUp makes gaps of the batch that is being written: of the messages above
// the Seq that was written last.
func (q *queue) giveUp(reason string, written uint64) (messages int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.writing == nil {
		return 0
	}
	for _, g := range q.writing.gaps {
		if !q.writing.saved {
			q.gapLocked(g)
		}
	}
	for _, m := range q.writing.messages {
		if m.Seq > written {
			q.dropLocked(m, reason)
			messages++
		}
	}
	q.outdated += uint64(len(q.writing.updates) + len(q.writing.sessions))
	q.writing = nil
	return messages
}

// blame sets why messages find no room from now on.
func (q *queue) blame(reason string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.reason = reason
}

// pending lists the messages that are not known to be written, with rising Seq,
// and newer versions of messages that are, the latest last.
func (q *queue) pending() (messages, changed []*capture.Message) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.writing == nil {
		return slices.Clone(q.open.messages), slices.Clone(q.open.updates)
	}
	return slices.Concat(q.writing.messages, q.open.messages), slices.Concat(q.writing.updates, q.open.updates)
}

// news lists the sessions of which something is not yet written.
func (q *queue) news() map[string]capture.Session {
	q.mu.Lock()
	defer q.mu.Unlock()
	out := make(map[string]capture.Session)
	if q.writing != nil {
		maps.Copy(out, q.writing.sessions)
	}
	maps.Copy(out, q.open.sessions)
	return out
}

// newsOf is the session with an id, if something of it is not yet written.
func (q *queue) newsOf(id string) (s capture.Session, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if s, ok = q.open.sessions[id]; !ok && q.writing != nil {
		s, ok = q.writing.sessions[id]
	}
	return s, ok
}

// waitingGaps are the gaps that were not yet written.
func (q *queue) waitingGaps() []Gap {
	q.mu.Lock()
	defer q.mu.Unlock()
	var out []Gap
	if q.writing != nil {
		out = append(out, q.writing.gaps...)
	}
	for _, g := range q.gaps {
		out = append(out, *g)
	}
	return out
}

// Captured implements [capture.Sink].
func (j *Journal) Captured(m *capture.Message) { j.queue.add(m) }

// Updated implements [capture.Sink].
func (j *Journal) Updated(m *capture.Message) { j.queue.update(m) }

// SessionChanged implements [capture.Sink].
func (j *Journal) SessionChanged(s capture.Session) { j.queue.session(s) }

var _ capture.Sink = (*Journal)(nil)

// batchTime is how long messages wait for others to be written with.
const batchTime = 100 * time.Millisecond
