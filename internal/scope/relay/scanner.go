package relay

import (
	"bytes"
	"encoding/json"
)

// maxToken bounds what is kept of a key or a value: the longest private id,
// or client.reconnect with every letter escaped.
const maxToken = maxWireID + 64

// scanner reads a line of JSON as it comes, in any pieces, and learns the
// values of id and method of the outermost object. It reads valid JSON right;
// of anything else it makes what it can. The zero value is at the beginning of
// a line.
type scanner struct {
	state   scanState
	escaped bool // after a backslash
	depth   int  // of containers within a value
	want    member
	token   []byte // of a key, or of a value that is wanted
	long    bool   // the token is longer than maxToken

	id, method []byte // as JSON text, without escapes; the latest of each; nil before

	private func(id []byte) bool // nil for none
	mine    []byte               // an id that is private, nil without
	moves   bool                 // a method is client.reconnect
}

type scanState uint8

const (
	scanStart scanState = iota
	scanKey
	scanInKey
	scanColon
	scanValue
	scanString
	scanScalar
	scanNested
	scanNestedString
	scanComma
	scanClosed // the object has ended
	scanBroken // it is no object
)

type member uint8

const (
	memberOther member = iota
	memberID
	memberMethod
)

// reset goes to the beginning of a line.
func (s *scanner) reset() { *s = scanner{token: s.token[:0], private: s.private} }

// done says whether the object has ended.
func (s *scanner) done() bool { return s.state == scanClosed }

// dull says that whatever follows does not matter.
func (s *scanner) dull() bool { return s.state >= scanClosed && s.mine == nil && !s.moves }

// scan reads on.
func (s *scanner) scan(b []byte) {
	for i := 0; i < len(b); i++ {
		c := b[i]
		switch s.state {
		case scanStart:
			switch {
			case c == '{':
				s.state = scanKey
			case !blank(c):
				s.state = scanBroken
			}
		case scanKey:
			switch {
			case c == '"':
				s.state = scanInKey
				s.begin(c)
			case c == '}':
				s.state = scanClosed
			case !blank(c):
				s.state = scanBroken
			}
		case scanInKey:
			s.keep(c)
			if s.endsString(c) {
				s.want, s.state = s.key(), scanColon
			}
		case scanColon:
			switch {
			case c == ':':
				s.state = scanValue
			case !blank(c):
				s.state = scanBroken
			}
		case scanValue:
			switch {
			case blank(c):
			case c == '"':
				s.state = scanString
				s.begin(c)
			case c == '{' || c == '[':
				s.state, s.depth = scanNested, 1
				s.seen([]byte("[]"))
			case c == ',' || c == '}':
				s.state = scanBroken
			default:
				s.state = scanScalar
				s.begin(c)
			}
		case scanString:
			if s.want != memberOther {
				s.keep(c)
			}
			if s.endsString(c) {
				s.state = scanComma
				s.value()
			}
		case scanScalar:
			if c != ',' && c != '}' && !blank(c) {
				s.keep(c)
				continue
			}
			s.value()
			s.state = scanComma
			i-- // it is looked at again
		case scanNested:
			switch c {
			case '"':
				s.state = scanNestedString
			case '{', '[':
				s.depth++
			case '}', ']':
				if s.depth--; s.depth == 0 {
					s.state = scanComma
				}
			}
		case scanNestedString:
			if s.endsString(c) {
				s.state = scanNested
			}
		case scanComma:
			switch {
			case c == ',':
				s.state = scanKey
			case c == '}':
				s.state = scanClosed
			case !blank(c):
				s.state = scanBroken
			}
		case scanClosed, scanBroken:
			return
		}
	}
}

func blank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// endsString says whether a byte within a string is its end.
func (s *scanner) endsString(c byte) bool {
	switch {
	case s.escaped:
		s.escaped = false
	case c == '\\':
		s.escaped = true
	case c == '"':
		return true
	}
	return false
}

// begin begins a token.
func (s *scanner) begin(c byte) {
	s.token, s.long = append(s.token[:0], c), false
}

// keep adds to the token.
func (s *scanner) keep(c byte) {
	if len(s.token) >= maxToken {
		s.long = true
		return
	}
	s.token = append(s.token, c)
}

// key says which member the token names.
func (s *scanner) key() member {
	switch name := s.plain(); {
	case string(name) == `"id"`:
		return memberID
	case bytes.EqualFold(name, []byte(`"method"`)): // some readers do not look at case
		return memberMethod
	}
	return memberOther
}

// value takes the token as the value of a member.
func (s *scanner) value() {
	if s.want != memberOther {
		s.seen(s.plain())
	}
}

// seen notes the value of a member.
func (s *scanner) seen(value []byte) {
	switch s.want {
	case memberID:
		s.id = append([]byte{}, value...)
		if s.private != nil && s.private(s.id) {
			s.mine = s.id
		}
	case memberMethod:
		s.method = append([]byte{}, value...)
		s.moves = s.moves || string(value) == `"client.reconnect"`
	case memberOther:
	}
}

// plain is the token in the way in which equal ones are equal: strings without
// escapes, whole numbers without a fraction.
func (s *scanner) plain() []byte {
	if s.long {
		return []byte("null")
	}
	if s.token[0] != '"' {
		return bytes.TrimSuffix(s.token, []byte(".0"))
	}
	if bytes.IndexByte(s.token, '\\') < 0 {
		return s.token
	}
	var text string
	if json.Unmarshal(s.token, &text) != nil {
		return s.token
	}
	return append(append([]byte{'"'}, text...), '"')
}
