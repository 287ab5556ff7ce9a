package capture

import (
	"bytes"
	"sync/atomic"
	"time"
)

// Tape records one session. Its methods never wait; those of one direction are
// called by one goroutine at a time.
type Tape struct {
	recorder *Recorder
	record   *record

	lost [len(directionNames)]atomic.Uint64 // bytes since the latest event that found room in the queue

	// Of the recorder's goroutine.
	lines     [len(directionNames)]splitter
	n         uint64
	announced bool // the analyst and the sinks know of it
	live      bool
}

// ID is the session's id.
func (t *Tape) ID() string { return t.record.ID }

// Mark is a chunk on its way to the other side.
type Mark struct {
	forwarded atomic.Int64 // Unix time in ns; 0 before
	given     bool         // up: it will not be. Of the recorder's goroutine
}

// Forwarded notes that the chunk was written. A nil Mark is fine.
func (m *Mark) Forwarded(at time.Time) {
	if m != nil {
		m.forwarded.Store(at.UnixNano())
	}
}

// Chunk takes bytes that were read, before they are forwarded, and returns the
// mark to set when they were. It is nil when the bytes could not be taken.
func (t *Tape) Chunk(d Direction, b []byte, at time.Time) *Mark {
	mark := new(Mark)
	if !t.put(event{kind: eventChunk, tape: t, direction: d, bytes: append([]byte(nil), b...), at: at, mark: mark}) {
		return nil
	}
	return mark
}

// Line takes a whole line with its ending, of a connection that is served here:
// it counts as forwarded when it was taken. Only the last one of a direction
// may have no ending.
func (t *Tape) Line(d Direction, line []byte, at time.Time) {
	t.put(event{kind: eventLine, tape: t, direction: d, bytes: bytes.Clone(line), at: at})
}

// put queues bytes of the session. With them goes what was lost just before:
// what is queued already came earlier.
func (t *Tape) put(e event) bool {
	lost := &t.lost[e.direction]
	if e.lost = lost.Swap(0); t.recorder.put(e) {
		return true
	}
	lost.Add(e.lost + uint64(len(e.bytes)))
	return false
}

// Beginning takes what was kept elsewhere of a line of size bytes, which is more
// than line has. It is recorded as a line that is too long to be kept whole.
func (t *Tape) Beginning(d Direction, line []byte, size int, at time.Time) {
	if !t.recorder.put(event{kind: eventLine, tape: t, direction: d, bytes: bytes.Clone(line), size: size, at: at}) {
		t.lost[d].Add(uint64(len(line)))
	}
}

// PoolChosen notes the host:port that is dialled now, if it is another one than
// that of the Opening.
func (t *Tape) PoolChosen(address string) {
	t.recorder.putAlways(event{kind: eventChosen, tape: t, text: address})
}

// PoolConnected notes the resolved address of the pool.
func (t *Tape) PoolConnected(peer string) {
	t.recorder.putAlways(event{kind: eventConnected, tape: t, text: peer})
}

// PoolLost notes that the pool is not connected any more, while the session
// goes on to the next one.
func (t *Tape) PoolLost() { t.recorder.putAlways(event{kind: eventDisconnected, tape: t}) }

// Close ends the session for a reason, a stable snake_case word.
func (t *Tape) Close(reason string, at time.Time) {
	t.recorder.putAlways(event{kind: eventClosed, tape: t, text: reason, at: at})
}

// splitter makes lines of one direction's chunks.
type splitter struct {
	partial []byte // of a line that has not ended, at most the limit
	size    int    // of the whole partial line
	gap     uint64 // bytes that were lost before the partial line
	resync  bool   // what comes up to the next line feed belongs to a lost line
}

// lose notes bytes that were not captured. The line that they were cut out of
// is lost as well: its rest, if what comes next may be one, means nothing.
func (s *splitter) lose(n uint64, rest bool) {
	s.gap += n + uint64(s.size)
	s.partial, s.size, s.resync = nil, 0, rest
}

// split calls line for each whole line. Lines may be longer than limit; then
// only their beginning is given, and their size. A line that is most of b is
// given as a part of it, which nobody must change afterwards; others are copied,
// or a short one would keep a long chunk in memory.
func (s *splitter) split(b []byte, limit int, line func(raw []byte, size int, gap uint64)) {
	for chunk := len(b); len(b) > 0; {
		end := indexLF(b)
		whole := end >= 0
		part := b
		if whole {
			part = b[:end+1]
		}
		b = b[len(part):]
		if s.resync {
			s.gap += uint64(len(part))
			s.resync = !whole
			continue
		}
		if whole && s.size == 0 && 2*len(part) >= chunk && len(part) <= limit {
			gap := s.gap
			s.gap = 0
			line(part[:len(part):len(part)], len(part), gap)
			continue
		}
		s.size += len(part)
		if room := limit - len(s.partial); room > 0 {
			s.partial = append(s.partial, part[:min(room, len(part))]...)
		}
		if whole {
			raw, size, gap := s.partial, s.size, s.gap
			s.partial, s.size, s.gap = nil, 0, 0
			line(raw, size, gap)
		}
	}
}

// rest gives what is left when the stream ends, and returns the bytes that were
// lost with no line after them.
func (s *splitter) rest(line func(raw []byte, size int, gap uint64)) (gap uint64) {
	last := *s
	*s = splitter{}
	if last.size == 0 {
		return last.gap
	}
	line(last.partial, last.size, last.gap)
	return 0
}
