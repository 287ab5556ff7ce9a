package node

import (
	"bytes"
	"encoding/json"
	"math"
)

// maxJSONDepth bounds how deep an answer may be nested.
const maxJSONDepth = 32

// scanner reads JSON once, from front to back, without building values that
// nobody asked for: encoding/json reads a template of several megabytes twice
// and copies each transaction three times. It accepts all that encoding/json
// accepts (a fuzz test holds it to that) and does not look inside strings that
// are skipped.
//
// The first error sticks; every method is harmless after it.
type scanner struct {
	data []byte
	pos  int
	bad  bool
}

func (s *scanner) fail() { s.bad = true }

// peek skips white space and returns the next byte, 0 at the end.
func (s *scanner) peek() byte {
	for s.pos < len(s.data) {
		switch c := s.data[s.pos]; c {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return c
		}
	}
	return 0
}

// expect consumes c.
func (s *scanner) expect(c byte) {
	if s.bad || s.peek() != c {
		s.fail()
		return
	}
	s.pos++
}

// more stands between the members of an object or array: it consumes the
// comma, or the closing bracket, and reports whether another member follows.
// Index counts the members.
func (s *scanner) more(index *int, closing byte) bool {
	if s.bad {
		return false
	}
	if s.peek() == closing {
		s.pos++
		return false
	}
	if *index > 0 {
		s.expect(',')
	}
	*index++
	return !s.bad
}

// key reads the name of an object's member and the colon.
func (s *scanner) key() []byte {
	k := s.str()
	s.expect(':')
	return k
}

// str reads a string. The result may be part of the input.
func (s *scanner) str() []byte {
	raw, escaped := s.token()
	if !escaped || s.bad {
		return raw
	}
	var text string
	if json.Unmarshal(s.data[s.pos-len(raw)-2:s.pos], &text) != nil {
		s.fail()
		return nil
	}
	return []byte(text)
}

// token reads a string without undoing its escapes.
func (s *scanner) token() (raw []byte, escaped bool) {
	s.expect('"')
	if s.bad {
		return nil, false
	}
	start := s.pos
	for {
		i := bytes.IndexByte(s.data[s.pos:], '"')
		if i < 0 {
			s.fail()
			return nil, false
		}
		chunk := s.data[s.pos : s.pos+i]
		s.pos += i + 1
		if bytes.IndexByte(chunk, '\\') < 0 {
			break
		}
		// The quote ends the string unless an odd number of backslashes
		// stands before it.
		escaped = true
		slashes := 0
		for j := s.pos - 2; j >= start && s.data[j] == '\\'; j-- {
			slashes++
		}
		if slashes%2 == 0 {
			break
		}
	}
	return s.data[start : s.pos-1], escaped
}

// null consumes a null if one is there.
func (s *scanner) null() bool {
	if s.bad || s.peek() != 'n' {
		return false
	}
	s.literal("null")
	return !s.bad
}

func (s *scanner) literal(word string) {
	if !bytes.HasPrefix(s.data[s.pos:], []byte(word)) {
		s.fail()
		return
	}
	s.pos += len(word)
}

// integer reads a whole number that fits into an int64. Null is 0.
func (s *scanner) integer() int64 {
	if s.null() || s.bad {
		return 0
	}
	negative := s.peek() == '-'
	if negative {
		s.pos++
	}
	var value uint64
	start := s.pos
	for s.pos < len(s.data) {
		digit := s.data[s.pos] - '0'
		if digit > 9 {
			break
		}
		if value > (math.MaxInt64-uint64(digit))/10 {
			s.fail() // math.MinInt64 is refused too; no field can hold it
			return 0
		}
		value = value*10 + uint64(digit)
		s.pos++
	}
	switch {
	case s.pos == start, s.data[start] == '0' && s.pos > start+1:
		s.fail()
		return 0
	case s.pos < len(s.data) && (s.data[s.pos] == '.' || s.data[s.pos]|0x20 == 'e'):
		s.fail()
		return 0
	}
	if negative {
		return -int64(value)
	}
	return int64(value)
}

// skip consumes any value.
func (s *scanner) skip() { s.skipDeep(0) }

func (s *scanner) skipDeep(depth int) {
	if s.bad || depth > maxJSONDepth {
		s.fail()
		return
	}
	switch c := s.peek(); c {
	case '"':
		s.token()
	case '{':
		s.pos++
		for i := 0; s.more(&i, '}'); {
			s.token()
			s.expect(':')
			s.skipDeep(depth + 1)
		}
	case '[':
		s.pos++
		for i := 0; s.more(&i, ']'); {
			s.skipDeep(depth + 1)
		}
	case 't':
		s.literal("true")
	case 'f':
		s.literal("false")
	case 'n':
		s.literal("null")
	default:
		s.skipNumber()
	}
}

func (s *scanner) skipNumber() {
	start := s.pos
	for s.pos < len(s.data) {
		switch c := s.data[s.pos]; {
		case c >= '0' && c <= '9', c == '-', c == '+', c == '.', c|0x20 == 'e':
			s.pos++
		default:
			if s.pos == start {
				s.fail()
			}
			return
		}
	}
	if s.pos == start {
		s.fail()
	}
}
