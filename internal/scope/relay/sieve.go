package relay

import (
	"bytes"
	"time"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

// maxHeld bounds the beginning of a line that is held back. Longer lines are
// passed on.
const maxHeld = 64 << 10

// sieve looks through what the pool says for the lines that the miner must not
// get: answers to injected lines, and client.reconnect. While neither is
// possible, or seen, it passes chunks on as they are.
type sieve struct {
	session *Session
	hold    bool // client.reconnect is held back

	state lineState
	line  scanner
	held  []byte // of the line, while it is undecided
	out   []byte // to be passed on
}

// lineState is what becomes of the line that the stream is in.
type lineState uint8

const (
	lineStart  lineState = iota // it has not begun
	lineHeld                    // its beginning is held back, since it may be one to take out
	linePassed                  // its beginning was passed on; it is still looked at
	lineUnseen                  // its beginning was passed on, and the rest will be
	lineTaken                   // it is an answer of ours that is too long; the rest is dropped
	lineBarred                  // it is client.reconnect; the rest is captured and not passed on
)

func (v *sieve) init(s *Session) {
	v.session = s
	v.hold = s.server.cfg.Reconnect == ReconnectHold
	v.line.private = s.private.has
}

// relay passes a chunk on, apart from what the miner must not get.
func (v *sieve) relay(b []byte, at time.Time) error {
	if (v.state == lineStart || v.state == lineUnseen) && v.session.private.active.Load() == 0 && (!v.hold || !suspicious(b)) {
		return v.glance(b, at)
	}
	return v.look(b, at)
}

// suspicious says whether there may be a client.reconnect among the whole
// lines of a chunk. Escapes may hide one.
func suspicious(b []byte) bool {
	return bytes.Contains(b, []byte("client.reconnect")) || bytes.Contains(b, []byte(`\u`))
}

// glance passes a chunk on of which at most the last line, if it goes on in
// the next chunk, is of interest.
func (v *sieve) glance(b []byte, at time.Time) error {
	end := bytes.LastIndexByte(b, '\n') + 1
	switch {
	case end == len(b):
		v.state = lineStart
	case !v.hold || v.state == lineUnseen && end == 0:
		v.state = lineUnseen
	default:
		v.line.reset()
		v.line.scan(b[end:])
		if v.state = v.decide(len(b) - end); v.state == lineHeld {
			v.held = append(v.held[:0], b[end:]...)
			b = b[:end]
		}
	}
	if len(b) == 0 {
		return nil
	}
	return v.session.relayDown(b, at)
}

// decide says what becomes of the beginning of a line, of so many bytes.
func (v *sieve) decide(size int) lineState {
	switch l, moves := &v.line, v.hold && v.line.moves; {
	case l.dull():
		return lineUnseen
	case l.mine != nil || moves:
		if size <= maxHeld {
			return lineHeld
		}
		if l.mine != nil {
			return lineTaken
		}
		return lineBarred
	case (!v.hold || l.method != nil) && (l.id != nil || v.session.private.active.Load() == 0), size > maxHeld:
		return linePassed
	}
	return lineHeld
}

// look goes through a chunk line by line.
func (v *sieve) look(b []byte, at time.Time) error {
	v.out = v.out[:0]
	for len(b) > 0 {
		part := b
		end := bytes.IndexByte(b, '\n')
		if end >= 0 {
			part = b[:end+1]
		}
		b = b[len(part):]
		if err := v.part(part, end >= 0, at); err != nil {
			return err
		}
	}
	return v.flush(at)
}

// part takes a part of a line; whole says that it ends the line.
func (v *sieve) part(b []byte, whole bool, at time.Time) (err error) {
	if v.state == lineStart {
		v.line.reset()
		v.state = lineHeld
	}
	switch v.state {
	case lineHeld:
		v.line.scan(b)
		v.held = append(v.held, b...)
		if whole {
			err = v.judge(at)
		} else {
			err = v.settle(at)
		}
	case linePassed:
		if v.line.scan(b); v.hold && v.line.moves {
			v.state = lineBarred
			err = v.bar(b, at)
			v.session.reconnect(nil, 0)
		} else {
			v.out = append(v.out, b...)
		}
	case lineBarred:
		err = v.bar(b, at)
	case lineUnseen:
		v.out = append(v.out, b...)
	case lineTaken, lineStart:
	}
	if whole {
		v.state = lineStart
	}
	return err
}

// judge lets a whole line pass, or not.
func (v *sieve) judge(at time.Time) (err error) {
	switch l := &v.line; {
	case l.mine != nil:
		v.session.private.take(l.mine, v.held, at)
	case v.hold && l.moves:
		err = v.bar(v.held, at)
		v.session.reconnect(v.held, reconnectSoonest)
	default:
		v.out = append(v.out, v.held...)
	}
	v.held = emptied(v.held)
	return err
}

// settle lets go of the beginning of a line as soon as that can be.
func (v *sieve) settle(at time.Time) (err error) {
	switch v.state = v.decide(len(v.held)); v.state {
	case lineHeld:
		return nil
	case lineTaken:
		v.session.private.take(v.line.mine, v.held, at)
	case lineBarred:
		err = v.bar(v.held, at)
		v.session.reconnect(nil, reconnectSoonest)
	default:
		v.out = append(v.out, v.held...)
	}
	v.held = emptied(v.held)
	return err
}

// bar captures bytes that the miner does not get.
func (v *sieve) bar(b []byte, at time.Time) error {
	err := v.flush(at)
	v.session.tape.Chunk(capture.PoolToMiner, b, at)
	return err
}

// flush passes on what is to be passed on.
func (v *sieve) flush(at time.Time) error {
	if len(v.out) == 0 {
		return nil
	}
	err := v.session.relayDown(v.out, at)
	v.out = emptied(v.out)
	return err
}

// rest judges what is left when the stream ends: a line without its ending.
func (v *sieve) rest(at time.Time) error {
	if len(v.held) > 0 {
		if err := v.judge(at); err != nil {
			return err
		}
	}
	return v.flush(at)
}

// emptied is a buffer for the next time, unless it became large.
func emptied(b []byte) []byte {
	if cap(b) > 2*smallBuffer {
		return nil
	}
	return b[:0]
}
