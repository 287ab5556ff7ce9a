package capture

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// OwnLine says what a line is that the scope sends itself.
type OwnLine struct {
	WireID   string // the id, as JSON text, that the line has on the wire
	ReplayOf uint64 // number of the message that it repeats; 0 for none
}

// Own is a line that the scope sends to the pool in the miner's place. It
// becomes one message, which its answer is kept in.
type Own struct {
	tape     *Tape
	mark     Mark
	number   atomic.Uint64
	recorded chan struct{} // closed when number is known
	settled  chan struct{} // closed when what became of it is in the store, or lost
	settle   sync.Once
	lost     bool // it found no room in the queue

	latest *Message // of the recorder's goroutine
}

// Own records a line, with the id that the caller gave it, before it is sent.
func (t *Tape) Own(line []byte, o OwnLine, at time.Time) *Own {
	own := &Own{tape: t, recorded: make(chan struct{}), settled: make(chan struct{})}
	e := event{kind: eventOwn, tape: t, direction: ScopeToPool, bytes: append([]byte(nil), line...), at: at, mark: &own.mark, own: own, line: o}
	if !t.put(e) {
		own.lost = true
		close(own.recorded)
		own.isSettled()
	}
	return own
}

// Sent notes that the line was written to the pool.
func (o *Own) Sent(at time.Time) { o.mark.Forwarded(at) }

// Answered gives the pool's answer, as it came. It counts as lost when the queue
// is full.
func (o *Own) Answered(line []byte, at time.Time) {
	if !o.lost && !o.tape.recorder.put(event{kind: eventAnswer, tape: o.tape, bytes: append([]byte(nil), line...), at: at, own: o}) {
		o.isSettled()
	}
}

// Failed notes why there is no answer.
func (o *Own) Failed(why string, at time.Time) {
	if !o.lost && !o.tape.recorder.put(event{kind: eventFailed, tape: o.tape, text: why, at: at, own: o}) {
		o.isSettled()
	}
}

// Recorded waits until the line has its number in the session. It is false when
// the line was not recorded, as after the session's end, or not while ctx lasted.
func (o *Own) Recorded(ctx context.Context) (n uint64, ok bool) {
	select {
	case <-o.recorded:
	case <-ctx.Done():
	}
	n = o.number.Load()
	return n, n > 0
}

// Settled waits, after Answered or Failed, until the store has the message with
// what became of it, or until ctx ends.
func (o *Own) Settled(ctx context.Context) {
	select {
	case <-o.settled:
	case <-ctx.Done():
	}
}

func (o *Own) isSettled() { o.settle.Do(func() { close(o.settled) }) }

// own makes a message of a line of ours. It ends where the caller ended it. A
// session that has ended gets no more.
func (r *Recorder) own(e *event) {
	if !e.tape.live {
		close(e.own.recorded)
		return
	}
	m := &Message{Raw: e.bytes, Size: len(e.bytes), Gap: e.lost, WireID: e.line.WireID, ReplayOf: e.line.ReplayOf, own: e.own}
	if len(m.Raw) > r.cfg.MaxLine {
		m.Raw = m.Raw[:r.cfg.MaxLine]
	}
	r.message(e, m)
	e.own.number.Store(m.N)
	close(e.own.recorded)
}

// settleOwn enters what became of a line of ours.
func (r *Recorder) settleOwn(e *event) {
	defer e.own.isSettled()
	if e.own.latest == nil {
		return // its recording failed
	}
	update := *e.own.latest
	if update.Forwarded.IsZero() { // it was sent after its recording
		update.Forwarded = e.own.mark.at()
	}
	if e.kind == eventFailed {
		update.Failure = e.text
		e.own.mark.given = true
	} else {
		update.Response = r.answerToOwn(e, &update)
		r.analyse(update.Session, func(a Analyst) { a.Answered(&update, update.Response) })
	}
	e.own.latest = &update
	r.store.mu.Lock()
	r.store.replaceLocked(e.tape.record, &update)
	r.store.mu.Unlock()
	for _, sink := range r.sinks {
		sink.Updated(&update)
	}
}

// answerToOwn reads an answer. Its id is the caller's, as the question's is.
func (r *Recorder) answerToOwn(e *event, request *Message) *Message {
	answer := &Message{
		Session: request.Session, Direction: PoolToMiner, Peer: e.tape.peer(PoolToMiner),
		Received: e.at, Raw: e.bytes, Size: len(e.bytes),
	}
	if answer.Cut = len(answer.Raw) > r.cfg.MaxLine; answer.Cut {
		answer.Raw = answer.Raw[:r.cfg.MaxLine]
	}
	answer.parse()
	answer.ID = request.ID
	return answer
}
