package capture

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"unicode/utf8"
)

// Faults of lines. They are part of the API.
const (
	FaultUTF8      = "UTF-8 decode error"
	FaultEmpty     = "Empty message"
	FaultJSON      = "JSON parse error"
	FaultDeep      = "JSON parse error: nested too deeply"
	FaultNotObject = "Message is not a JSON object"
	FaultCut       = "Line too long to be parsed"
	FaultID        = "Parse error: id is not an integer, a string or null"
	FaultMethod    = "Parse error: method is not a string or null"
	FaultLongID    = "Parse error: id is too long"
	FaultLongName  = "Parse error: method is too long"
	FaultParams    = "Parse error: params is not an array, an object or null"
)

// maxDepth is how deep a message may nest to be shown decoded: readers of the
// API must be able to parse it, and no Stratum message has more than six.
const maxDepth = 64

// maxID bounds ids and methods, in bytes as they are written: they are kept
// beside the line, and answers are found by them.
const maxID = 256

// Fields are the members of a Stratum message as JSON text, nil where absent.
type Fields struct {
	ID, Method, Params, Result, Error json.RawMessage

	authorizes bool // another method that it has makes it an authorization
}

// parse fills in what the line says. It never fails: what it does not
// understand is a Fault.
func (m *Message) parse() (f Fields) {
	line := trim(m.Raw)
	switch {
	case m.Cut:
		m.Fault = FaultCut
		return f
	case !utf8.Valid(m.Raw):
		m.Fault = FaultUTF8
		return f
	case len(line) == 0:
		m.Fault = FaultEmpty
		return f
	}
	if !valid(line) {
		m.Fault = FaultJSON
		if nesting(line) > maxDepth {
			m.Fault = FaultDeep
		}
		return f
	}
	if line[0] != '{' {
		m.Fault = FaultNotObject
		return f
	}
	f = members(line)
	m.IsResponse = set(f.Result) || set(f.Error)
	m.OK = m.IsResponse && !set(f.Error) && string(f.Result) != "false"
	switch {
	case !set(f.ID):
	case f.ID[0] != '"' && !isInteger(f.ID):
		m.Fault = FaultID
	case len(f.ID) > maxID:
		m.Fault = FaultLongID
	default:
		m.ID = canonicalID(f.ID)
	}
	switch {
	case !set(f.Method):
	case f.Method[0] != '"':
		m.Fault = FaultMethod
	case len(f.Method) > maxID:
		m.Fault, m.IsRequest = FaultLongName, true
	default:
		m.Method, m.IsRequest = methodOf(f.Method), true
	}
	if set(f.Params) && f.Params[0] != '[' && f.Params[0] != '{' {
		m.Fault = FaultParams
	}
	return f
}

// methods are the names of Stratum's methods, so that a line that has one of
// them costs no memory for it.
var methods = internedNames(
	"mining.submit", "mining.notify", "mining.set_difficulty", "mining.subscribe", "mining.authorize", "mining.configure",
	"mining.set_version_mask", "mining.set_extranonce", "mining.extranonce.subscribe", "mining.suggest_difficulty",
	"mining.suggest_target", "mining.get_transactions", "mining.ping", "mining.pong", "mining.multi_version",
	"client.reconnect", "client.get_version", "client.show_message",
)

func internedNames(names ...string) map[string]string {
	m := make(map[string]string, len(names))
	for _, name := range names {
		m[`"`+name+`"`] = name
	}
	return m
}

// methodOf decodes a valid JSON string.
func methodOf(raw []byte) (method string) {
	if name, ok := methods[string(raw)]; ok {
		return name
	}
	_ = json.Unmarshal(raw, &method) // valid JSON strings decode
	return method
}

// set says whether a member is there and not null.
func set(raw []byte) bool { return raw != nil && string(raw) != "null" }

// isInteger accepts JSON integers, and those that are written with a fraction
// of zero, as some proxies do.
func isInteger(raw []byte) bool {
	digits := bytes.TrimPrefix(raw, []byte("-"))
	whole, fraction, _ := bytes.Cut(digits, []byte("."))
	if len(whole) == 0 || len(bytes.Trim(fraction, "0")) > 0 {
		return false
	}
	for _, c := range whole {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// canonicalID writes an id so that equal ones are equal text. The number 1 and
// the string "1" are different ids.
func canonicalID(raw []byte) string {
	if raw[0] == '"' {
		if isPlain(raw[1 : len(raw)-1]) {
			return string(raw)
		}
		var text string
		_ = json.Unmarshal(raw, &text) // it is valid
		var canonical bytes.Buffer
		encoder := json.NewEncoder(&canonical)
		encoder.SetEscapeHTML(false)
		if encoder.Encode(text) != nil {
			return string(raw)
		}
		return string(bytes.TrimSuffix(canonical.Bytes(), []byte("\n")))
	}
	whole, _, _ := bytes.Cut(raw, []byte("."))
	return string(whole)
}

// trim takes the blanks and line endings off both ends.
func trim(line []byte) []byte { return bytes.Trim(line, " \t\r\n") }

// nesting is how deep a text's arrays and objects nest, if it were JSON.
func nesting(line []byte) (deepest int) {
	depth, inString := 0, false
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case inString:
			switch c {
			case '\\':
				i++
			case '"':
				inString = false
			}
		case c == '"':
			inString = true
		case c == '{' || c == '[':
			depth++
			deepest = max(deepest, depth)
		case c == '}' || c == ']':
			depth--
		}
	}
	return deepest
}

// members finds the members of a valid JSON object. Of several with one name
// the last counts.
func members(object []byte) (f Fields) {
	each(object, func(key, value []byte) {
		switch string(key) {
		case `"id"`:
			f.ID = value
		case `"method"`:
			f.authorizes = f.authorizes || f.Method != nil && isAuthorize(f.Method)
			f.Method = value
		case `"params"`:
			f.Params = value
		case `"result"`:
			f.Result = value
		case `"error"`:
			f.Error = value
		default:
			if len(key) == len(`"method"`) && bytes.EqualFold(key, []byte(`"method"`)) {
				f.authorizes = f.authorizes || isAuthorize(value)
			}
		}
	})
	return f
}

// isAuthorize says whether a JSON value is the name of a method that is given a
// password.
func isAuthorize(value []byte) bool { return value[0] == '"' && authorizes(methodOf(value)) }

// each calls do with the raw key and value of each member of a valid JSON
// object, and with a nil key and each element of an array.
func each(container []byte, do func(key, value []byte)) {
	isObject := container[0] == '{'
	i := skipSpace(container, 1)
	for i < len(container) && container[i] != '}' && container[i] != ']' {
		var key []byte
		if isObject {
			end := skipValue(container, i)
			key = container[i:end]
			i = skipSpace(container, end) + 1 // the colon
			i = skipSpace(container, i)
		}
		end := skipValue(container, i)
		do(key, container[i:end])
		i = skipSpace(container, end)
		if i < len(container) && container[i] == ',' {
			i = skipSpace(container, i+1)
		}
	}
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\r' || b[i] == '\n') {
		i++
	}
	return i
}

// skipValue returns the index behind the valid JSON value that begins at i.
func skipValue(b []byte, i int) int {
	depth := 0
	for ; i < len(b); i++ {
		switch b[i] {
		case '"':
			i++
			i += plainPrefix(b[i:])
			for i < len(b) && b[i] != '"' {
				if b[i] == '\\' {
					i++
				}
				i++
			}
			if depth == 0 {
				return min(i+1, len(b))
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i // behind a number or a literal
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ',', ' ', '\t', '\r', '\n', ':':
			if depth == 0 {
				return i
			}
		}
	}
	return i
}

// sanitize replaces what is valid JSON but what strict readers refuse: halves
// of surrogate pairs become the replacement character, and numbers beyond the
// range of a double become strings. It returns valid itself where nothing has to
// change.
func sanitize(valid []byte) []byte {
	if bytes.Contains(valid, []byte(`\ud`)) || bytes.Contains(valid, []byte(`\uD`)) {
		valid = joinSurrogates(bytes.Clone(valid))
	}
	var out []byte
	copied := 0 // bytes of valid that are in out
	for i := 0; i < len(valid); i++ {
		switch c := valid[i]; {
		case c == '"':
			i = skipValue(valid, i) - 1
		case c == '-' || c >= '0' && c <= '9':
			end := skipValue(valid, i)
			if tooBig(valid[i:end]) {
				if out == nil {
					out = make([]byte, 0, len(valid)+len(valid)/2)
				}
				out = append(append(out, valid[copied:i]...), '"')
				out = append(append(out, valid[i:end]...), '"')
				copied = end
			}
			i = end - 1
		}
	}
	if copied == 0 {
		return valid
	}
	return append(out, valid[copied:]...)
}

// tooBig says whether a JSON number overflows a double.
func tooBig(number []byte) bool {
	if len(number) < 300 && bytes.IndexByte(number, 'e') < 0 && bytes.IndexByte(number, 'E') < 0 {
		return false
	}
	switch digits := magnitude(number); {
	case digits < 309: // below 1e308, or zero
		return false
	case digits > 309:
		return true
	}
	_, err := strconv.ParseFloat(string(number), 64)
	return err != nil
}

// magnitude is how many digits a JSON number has before its decimal point when
// it is written without an exponent; the lowest integer for zero. A line may be
// full of numbers, so that it must not cost more than a look at each digit.
func magnitude(number []byte) int {
	const enough = 1 << 30
	digits, exponent := 0, 0
	significant, fraction := false, false
	for i, c := range number {
		switch {
		case c == '.':
			fraction = true
		case c >= '0' && c <= '9':
			significant = significant || c != '0'
			if significant && !fraction {
				digits++
			} else if !significant && fraction {
				digits--
			}
		case c|0x20 == 'e':
			for _, d := range number[i+1:] {
				if d >= '0' && d <= '9' && exponent < enough {
					exponent = 10*exponent + int(d-'0')
				}
			}
			if number[i+1] == '-' {
				exponent = -exponent
			}
			if !significant {
				return math.MinInt
			}
			return digits + exponent
		}
	}
	if !significant {
		return math.MinInt
	}
	return digits
}

// joinSurrogates replaces, in place, the halves of surrogate pairs that stand
// alone.
func joinSurrogates(out []byte) []byte {
	for i := 0; i+1 < len(out); i++ {
		if out[i] != '\\' {
			continue
		}
		if out[i+1] != 'u' {
			i++ // the escaped character
			continue
		}
		switch surrogate(out[i:]) {
		case highSurrogate:
			if surrogate(out[min(i+6, len(out)):]) == lowSurrogate {
				i += 11
				continue
			}
			copy(out[i:], `\ufffd`)
		case lowSurrogate:
			copy(out[i:], `\ufffd`)
		}
		i += 5
	}
	return out
}

const (
	noSurrogate = iota
	highSurrogate
	lowSurrogate
)

// surrogate tells which half of a pair an escape sequence is, if any.
func surrogate(b []byte) int {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' || b[2]|0x20 != 'd' {
		return noSurrogate
	}
	switch c := b[3] | 0x20; {
	case c == '8' || c == '9' || c == 'a' || c == 'b':
		return highSurrogate
	case c >= 'c' && c <= 'f':
		return lowSurrogate
	}
	return noSurrogate
}
