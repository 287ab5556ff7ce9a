package journal

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"
	"slices"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

// A segment holds what filters look at, of up to segmentSize messages that
// follow each other, as columns of as many little-endian entries:
//
//	version 1 (1 byte) · seq − first (2 bytes each) · marks (4) · session's key (4) · worker (4) · method (2)
//
// Worker and method are the lowest bits of their hashes, so that what is found
// is looked at again in its row.
const (
	segmentVersion = 1
	segmentSize    = 1024
	segmentReach   = math.MaxUint16 // most that a Seq is above the segment's first
	entrySize      = 2 + 4 + 4 + 4 + 2
)

// The marks of a message. Each is a bit, so that those of a segment's messages
// together say what is in it.
const (
	markDirection = 1 << iota // one bit for each of the four values that two bits have
	_
	_
	_
	markFaulty
	markSound
	markVerdicts // of the first of markedVerdicts
)

// markedVerdicts are the verdicts that have a bit. Their order is part of the
// form of a segment.
var markedVerdicts = []string{
	capture.PoolAccepted, capture.PoolRejected, capture.PoolUnanswered, capture.VerdictConflict,
	capture.AuditUnknown, capture.AuditValid, capture.AuditLow, capture.AuditDuplicate, capture.AuditStale,
	capture.AuditUnknownJob, capture.AuditMalformed, capture.AuditBlock,
}

// marksOf are the marks of a message.
func marksOf(m *capture.Message) uint32 {
	marks := directionMark(m.Direction) | faultMark(m.Fault != "")
	if m.Share == nil && m.PoolVerdict() == "" {
		return marks
	}
	for i, verdict := range markedVerdicts {
		if f := (capture.Filter{Verdict: verdict}); f.Matches(m) {
			marks |= markVerdicts << i
		}
	}
	return marks
}

func directionMark(d capture.Direction) uint32 { return markDirection << (d & 3) }

func faultMark(faulty bool) uint32 {
	if faulty {
		return markFaulty
	}
	return markSound
}

// The terms of a segment are the hashes of its methods and workers.
func methodTerm(method string) uint64 { return termOf('m', method) }
func workerTerm(worker string) uint64 { return termOf('w', worker) }

func termOf(kind byte, text string) uint64 {
	if text == "" {
		return 0
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte{kind}) // it never fails
	_, _ = h.Write([]byte(text))
	return max(1, h.Sum64()&math.MaxInt64)
}

// segment is being filled.
type segment struct {
	first, last  uint64 // Seq
	since, until int64  // received
	marks        uint32 // that any message has
	bytes        int    // of all lines
	entries      []entry
	firstN       map[int64]uint64 // number of each session's first message
	terms        map[uint64]bool
}

// entry is what a segment has of a message.
type entry struct {
	offset  uint16
	marks   uint32
	session uint32
	worker  uint32
	method  uint16
}

func newSegment() *segment {
	return &segment{firstN: make(map[int64]uint64), terms: make(map[uint64]bool)}
}

// fits says whether a message with this Seq can be added.
func (s *segment) fits(seq uint64) bool {
	return len(s.entries) == 0 || len(s.entries) < segmentSize && seq-s.first <= segmentReach
}

// add adds a message that fits.
func (s *segment) add(m *capture.Message, session int64) {
	received := m.Received.UnixNano()
	if len(s.entries) == 0 {
		s.first, s.since, s.until = m.Seq, received, received
	}
	s.last, s.since, s.until = m.Seq, min(s.since, received), max(s.until, received)
	s.bytes += len(m.Raw)
	if _, ok := s.firstN[session]; !ok {
		s.firstN[session] = m.N
	}
	e := entry{offset: uint16(m.Seq - s.first), marks: marksOf(m), session: uint32(session)}
	s.marks |= e.marks
	worker, method := workerTerm(m.Worker), methodTerm(m.Method)
	e.worker, e.method = uint32(worker), uint16(method)
	for _, term := range [...]uint64{worker, method} {
		if term != 0 {
			s.terms[term] = true
		}
	}
	s.entries = append(s.entries, e)
}

// change enters the marks of a newer version of a message, if it is in here.
func (s *segment) change(m *capture.Message) {
	if len(s.entries) == 0 || m.Seq < s.first || m.Seq > s.last {
		return
	}
	at, ok := slices.BinarySearchFunc(s.entries, uint16(m.Seq-s.first), func(e entry, offset uint16) int { return int(e.offset) - int(offset) })
	if ok {
		s.entries[at].marks = marksOf(m)
		s.marks |= s.entries[at].marks
	}
}

// encode writes the segment's columns.
func (s *segment) encode() []byte {
	dst := make([]byte, 0, 1+len(s.entries)*entrySize)
	dst = append(dst, segmentVersion)
	for _, e := range s.entries {
		dst = binary.LittleEndian.AppendUint16(dst, e.offset)
	}
	for _, column := range []func(*entry) uint32{
		func(e *entry) uint32 { return e.marks }, func(e *entry) uint32 { return e.session }, func(e *entry) uint32 { return e.worker },
	} {
		for i := range s.entries {
			dst = binary.LittleEndian.AppendUint32(dst, column(&s.entries[i]))
		}
	}
	for _, e := range s.entries {
		dst = binary.LittleEndian.AppendUint16(dst, e.method)
	}
	return dst
}

// columns is a segment as it was read.
type columns struct {
	first                                   uint64
	count                                   int
	offsets, marks, session, worker, method []byte
}

// parseColumns is the reverse of encode. It refers to the blob's bytes.
func parseColumns(first uint64, blob []byte) (c columns, err error) {
	if len(blob) == 0 || blob[0] != segmentVersion || (len(blob)-1)%entrySize != 0 {
		return c, fmt.Errorf("segment %d: %w", first, errRow)
	}
	rest := blob[1:]
	take := func(size int) (column []byte) {
		column, rest = rest[:size*c.count], rest[size*c.count:]
		return column
	}
	c.first, c.count = first, len(rest)/entrySize
	c.offsets, c.marks, c.session, c.worker, c.method = take(2), take(4), take(4), take(4), take(2)
	return c, nil
}

// seq is the Seq of an entry.
func (c *columns) seq(at int) uint64 {
	return c.first + uint64(binary.LittleEndian.Uint16(c.offsets[2*at:]))
}

// remark enters the marks of a newer version of a message into the blob that
// the columns refer to, and returns them; 0 when they are the same.
func (c *columns) remark(m *capture.Message) (marks uint32) {
	low, high := 0, c.count
	for low < high {
		middle := (low + high) / 2
		if c.seq(middle) < m.Seq {
			low = middle + 1
		} else {
			high = middle
		}
	}
	if low == c.count || c.seq(low) != m.Seq {
		return 0
	}
	at := c.marks[4*low:]
	if marks = marksOf(m); marks == binary.LittleEndian.Uint32(at) {
		return 0
	}
	binary.LittleEndian.PutUint32(at, marks)
	return marks
}

// wanted is a filter in the terms of segments. Zero values stand for anything.
type wanted struct {
	marks   uint32 // all of them
	session int64  // key in the file
	worker  uint64
	method  uint64
}

// want makes segments' terms of a filter. What they cannot say is left out.
func want(f *capture.Filter, session int64) wanted {
	w := wanted{session: session, worker: workerTerm(f.Worker), method: methodTerm(f.Method)}
	if f.Direction != nil {
		w.marks |= directionMark(*f.Direction)
	}
	if f.Faulty != nil {
		w.marks |= faultMark(*f.Faulty)
	}
	if i := slices.Index(markedVerdicts, f.Verdict); i >= 0 {
		w.marks |= markVerdicts << i
	}
	return w
}

// candidates returns the Seqs that may be wanted, the newest first: those below
// a cursor (0: all).
func (c *columns) candidates(w *wanted, below uint64) (seqs []uint64) {
	session, worker, method := uint32(w.session), uint32(w.worker), uint16(w.method)
	for i := c.count - 1; i >= 0; i-- {
		if binary.LittleEndian.Uint32(c.marks[4*i:])&w.marks != w.marks ||
			w.session != 0 && binary.LittleEndian.Uint32(c.session[4*i:]) != session ||
			w.worker != 0 && binary.LittleEndian.Uint32(c.worker[4*i:]) != worker ||
			w.method != 0 && binary.LittleEndian.Uint16(c.method[2*i:]) != method {
			continue
		}
		if seq := c.seq(i); below == 0 || seq < below {
			seqs = append(seqs, seq)
		}
	}
	return seqs
}
