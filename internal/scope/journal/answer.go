package journal

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

// The response of a request is stored with the request, in the column answer,
// since a page shows both: finding its row would double the cost of a page, and
// the row may be in another file, or lost in a gap. The form is
//
//	version 1 · seq · n · direction · received · forwarded · size · flags · gap · pair ·
//	peer · id · method · worker · fault · raw
//
// where numbers are varints, times Unix nanoseconds (forwarded: 0 for none),
// and texts have their length before them.
const answerVersion = 1

func appendAnswer(dst []byte, m *capture.Message) []byte {
	dst = append(dst, answerVersion)
	forwarded := int64(0)
	if !m.Forwarded.IsZero() {
		forwarded = m.Forwarded.UnixNano()
	}
	for _, v := range [...]int64{
		int64(m.Seq), int64(m.N), int64(m.Direction), m.Received.UnixNano(), forwarded,
		int64(m.Size), flagsOf(m), int64(m.Gap), int64(m.Pair),
	} {
		dst = binary.AppendVarint(dst, v)
	}
	for _, text := range [...]string{m.Peer, m.ID, m.Method, m.Worker, m.Fault} {
		dst = binary.AppendUvarint(dst, uint64(len(text)))
		dst = append(dst, text...)
	}
	dst = binary.AppendUvarint(dst, uint64(len(m.Raw)))
	return append(dst, m.Raw...)
}

// parseAnswer is the reverse of appendAnswer; the session is left out.
func parseAnswer(b []byte) (*capture.Message, error) {
	r := reader{rest: b}
	if version := r.take(1); len(version) == 0 || version[0] != answerVersion {
		return nil, fmt.Errorf("answer: %w", errRow)
	}
	m := &capture.Message{Seq: uint64(r.varint()), N: uint64(r.varint()), Direction: capture.Direction(r.varint())}
	m.Received = time.Unix(0, r.varint()).UTC()
	if forwarded := r.varint(); forwarded != 0 {
		m.Forwarded = time.Unix(0, forwarded).UTC()
	}
	m.Size = int(r.varint())
	setFlags(m, r.varint())
	m.Gap, m.Pair = uint64(r.varint()), uint64(r.varint())
	for _, text := range []*string{&m.Peer, &m.ID, &m.Method, &m.Worker, &m.Fault} {
		*text = string(r.bytes())
	}
	m.Raw = r.bytes()
	if r.bad || len(r.rest) > 0 {
		return nil, fmt.Errorf("answer: %w", errRow)
	}
	return m, nil
}

// reader reads varints and texts with a length; bad is set when there was less.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.rest)
	if n <= 0 {
		r.bad, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.bad, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *reader) take(n uint64) []byte {
	if n > uint64(len(r.rest)) {
		r.bad, r.rest = true, nil
		return nil
	}
	out := r.rest[:n:n]
	r.rest = r.rest[n:]
	return out
}

func (r *reader) bytes() []byte { return r.take(r.uvarint()) }
