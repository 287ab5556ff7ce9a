package stratum

import (
	"bytes"
	"encoding/json"
	"errors"
)

// Limits of what the scanner accepts (requirement R-F10).
const (
	MaxLine   = 16 << 10 // bytes of a client's line, line feed included
	MaxDepth  = 8        // nesting of arrays and objects, the message itself included
	MaxParams = 16       // elements of params
)

// Errors of ScanRequest and of the parameter decoders.
var (
	ErrSyntax        = errors.New("stratum: not valid JSON")
	ErrNotObject     = errors.New("stratum: a message is a JSON object")
	ErrTooDeep       = errors.New("stratum: JSON nested too deeply")
	ErrTooManyParams = errors.New("stratum: too many parameters")
	ErrBadMethod     = errors.New("stratum: method is not a string")
	ErrBadParams     = errors.New("stratum: params is not an array")
)

// Request is one scanned line from a miner. Its slices point into the line and
// are valid as long as the line is.
type Request struct {
	// ID is the raw JSON of the id, to be echoed byte for byte. It is nil when
	// the member is absent.
	ID []byte
	// Method is the known method, or MethodUnknown, or MethodNone for a line
	// without one (a response).
	Method Method
	// Name is the method as written, for logs; it may hold any bytes.
	Name []byte
	// Params is the raw JSON array of the parameters; nil when absent or null.
	Params []byte
}

// WantsReply says whether the request is to be answered: a null or missing id
// is a notification (requirement R-F3).
func (r *Request) WantsReply() bool {
	return r.ID != nil && !bytes.Equal(r.ID, jsonNull)
}

var jsonNull = []byte("null")

// ScanRequest reads one line, without its line ending, into r. It allocates
// nothing for the lines that miners send; unusual but valid JSON (escaped
// member names) takes the slower path through encoding/json with the same
// result. The last of several members with the same name counts.
func ScanRequest(line []byte, r *Request) error {
	*r = Request{}
	s := scanner{b: line}
	s.space()
	if s.i == len(s.b) {
		return ErrSyntax
	}
	if s.b[s.i] != '{' {
		if err := s.skip(1); err != nil {
			return err
		}
		return ErrNotObject
	}
	s.i++
	s.space()
	if s.peek() == '}' {
		s.i++
		return s.end()
	}

	var name, params []byte
	for {
		s.space()
		key, plain, err := s.str()
		if err != nil {
			return err
		}
		if !plain {
			return scanSlow(line, r)
		}
		s.space()
		if s.peek() != ':' {
			return ErrSyntax
		}
		s.i++
		s.space()
		start := s.i
		if err := s.skip(2); err != nil {
			return err
		}
		value := s.b[start:s.i]
		switch string(key) {
		case "id":
			r.ID = value
		case "method":
			name = value
		case "params":
			params = value
		}
		s.space()
		switch s.peek() {
		case ',':
			s.i++
		case '}':
			s.i++
			if err := s.end(); err != nil {
				return err
			}
			return r.fill(name, params)
		default:
			return ErrSyntax
		}
	}
}

// fill interprets the raw method and params members.
func (r *Request) fill(name, params []byte) error {
	switch {
	case name == nil || bytes.Equal(name, jsonNull):
		r.Method = MethodNone
	case name[0] != '"':
		return ErrBadMethod
	default:
		text, ok := plainString(name)
		if !ok {
			var unescaped string
			if err := json.Unmarshal(name, &unescaped); err != nil {
				return ErrSyntax
			}
			text = []byte(unescaped)
		}
		r.Name, r.Method = text, methodOf(text)
	}
	switch {
	case params == nil || bytes.Equal(params, jsonNull):
	case params[0] != '[':
		return ErrBadParams
	default:
		if countElements(params) > MaxParams {
			return ErrTooManyParams
		}
		r.Params = params
	}
	return nil
}

// scanSlow is ScanRequest by means of encoding/json.
func scanSlow(line []byte, r *Request) error {
	s := scanner{b: line}
	s.space()
	if err := s.skip(1); err != nil {
		return err
	}
	if err := s.end(); err != nil {
		return err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(line, &members); err != nil {
		return ErrSyntax
	}
	if id, ok := members["id"]; ok {
		r.ID = id
	}
	return r.fill(members["method"], members["params"])
}

// SniffID finds the id in a line that is not valid JSON, so that even its
// error can be paired. It returns nil when there is none to be seen.
func SniffID(line []byte) []byte {
	at := bytes.Index(line, []byte(`"id"`))
	if at < 0 {
		return nil
	}
	s := scanner{b: line, i: at + len(`"id"`)}
	s.space()
	if s.peek() != ':' {
		return nil
	}
	s.i++
	s.space()
	start := s.i
	if c := s.peek(); c != '"' && c != '-' && (c < '0' || c > '9') {
		return nil
	}
	if s.skip(2) != nil {
		return nil
	}
	return s.b[start:s.i]
}

// scanner walks over JSON text. It validates what it skips exactly as
// encoding/json does (RFC 8259), apart from the depth limit.
type scanner struct {
	b []byte
	i int
}

// peek returns the byte at the cursor, or 0 at the end of the text.
func (s *scanner) peek() byte {
	if s.i < len(s.b) {
		return s.b[s.i]
	}
	return 0
}

func (s *scanner) space() {
	for s.i < len(s.b) {
		switch s.b[s.i] {
		case ' ', '\t', '\r', '\n':
			s.i++
		default:
			return
		}
	}
}

// end reports whether only white space is left.
func (s *scanner) end() error {
	s.space()
	if s.i != len(s.b) {
		return ErrSyntax
	}
	return nil
}

// str reads a string at the cursor and returns what stands between its quotes.
// plain is false when it holds escapes, so that the bytes are not its value.
func (s *scanner) str() (text []byte, plain bool, err error) {
	if s.peek() != '"' {
		return nil, false, ErrSyntax
	}
	s.i++
	start := s.i
	plain = true
	for {
		// Most of a line stands inside strings: this loop is its cost.
		rest := s.b[s.i:]
		n := 0
		for n < len(rest) && !special[rest[n]] {
			n++
		}
		s.i += n
		switch s.peek() {
		case '"':
			text = s.b[start:s.i]
			s.i++
			return text, plain, nil
		case '\\':
			plain = false
			if err := s.escape(); err != nil {
				return nil, false, err
			}
		default: // a control character, or the end of the line
			return nil, false, ErrSyntax
		}
	}
}

// special marks the bytes that end a run of plain text in a string.
var special = func() (t [256]bool) {
	for c := range 0x20 {
		t[c] = true
	}
	t['"'], t['\\'] = true, true
	return t
}()

func (s *scanner) escape() error {
	if s.i+1 >= len(s.b) {
		return ErrSyntax
	}
	switch s.b[s.i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.i += 2
		return nil
	case 'u':
		if s.i+6 > len(s.b) {
			return ErrSyntax
		}
		for _, c := range s.b[s.i+2 : s.i+6] {
			if hexValue[c] > 15 {
				return ErrSyntax
			}
		}
		s.i += 6
		return nil
	}
	return ErrSyntax
}

// skip moves past one value of any kind. depth is the nesting that the value
// itself has.
func (s *scanner) skip(depth int) error {
	switch c := s.peek(); {
	case c == '"':
		_, _, err := s.str()
		return err
	case c == '[':
		return s.skipList(depth, ']')
	case c == '{':
		return s.skipList(depth, '}')
	case c == '-' || (c >= '0' && c <= '9'):
		return s.skipNumber()
	case c == 't':
		return s.literal("true")
	case c == 'f':
		return s.literal("false")
	case c == 'n':
		return s.literal("null")
	}
	return ErrSyntax
}

// skipList moves past an array or an object, by its closing byte.
func (s *scanner) skipList(depth int, closing byte) error {
	if depth > MaxDepth {
		return ErrTooDeep
	}
	s.i++
	s.space()
	if s.peek() == closing {
		s.i++
		return nil
	}
	for {
		s.space()
		if closing == '}' {
			if _, _, err := s.str(); err != nil {
				return err
			}
			s.space()
			if s.peek() != ':' {
				return ErrSyntax
			}
			s.i++
			s.space()
		}
		if err := s.skip(depth + 1); err != nil {
			return err
		}
		s.space()
		switch s.peek() {
		case ',':
			s.i++
		case closing:
			s.i++
			return nil
		default:
			return ErrSyntax
		}
	}
}

func (s *scanner) skipNumber() error {
	if s.peek() == '-' {
		s.i++
	}
	switch {
	case s.peek() == '0':
		s.i++
	case !s.digits():
		return ErrSyntax
	}
	if s.peek() == '.' {
		s.i++
		if !s.digits() {
			return ErrSyntax
		}
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		s.i++
		if c := s.peek(); c == '+' || c == '-' {
			s.i++
		}
		if !s.digits() {
			return ErrSyntax
		}
	}
	return nil
}

func (s *scanner) digits() bool {
	start := s.i
	for s.i < len(s.b) && s.b[s.i] >= '0' && s.b[s.i] <= '9' {
		s.i++
	}
	return s.i > start
}

func (s *scanner) literal(word string) error {
	if len(s.b)-s.i < len(word) || string(s.b[s.i:s.i+len(word)]) != word {
		return ErrSyntax
	}
	s.i += len(word)
	return nil
}

// plainString returns the contents of a raw JSON string without escapes.
func plainString(raw []byte) ([]byte, bool) {
	inner := raw[1 : len(raw)-1]
	return inner, bytes.IndexByte(inner, '\\') < 0
}

// countElements counts the elements of a valid raw JSON array.
func countElements(raw []byte) int {
	n := 0
	for e := (elements{s: scanner{b: raw, i: 1}}); e.next() != nil; {
		n++
	}
	return n
}

// elements walks over the elements of a raw JSON array that was validated
// before.
type elements struct{ s scanner }

// next returns the raw JSON of the next element, or nil after the last.
func (e *elements) next() []byte {
	e.s.space()
	if e.s.peek() == ',' {
		e.s.i++
		e.s.space()
	}
	if e.s.i >= len(e.s.b) || e.s.peek() == ']' {
		return nil
	}
	start := e.s.i
	if e.s.skip(1) != nil {
		return nil
	}
	return e.s.b[start:e.s.i]
}
