package load

import "bytes"

// acceptedReply recognises the answer to an accepted share in the forms that
// pools use, and returns its id: the members id, result and error (and
// jsonrpc), each at most once, in any order and with any white space, where the
// result is true and the error null. Everything else takes the way through
// encoding/json, which is ten times slower and so would measure the generator.
func acceptedReply(line []byte) (id int64, ok bool) {
	rest, ok := bytes.CutPrefix(line, []byte("{"))
	if !ok {
		return 0, false
	}
	var sawID, sawResult, sawError, sawVersion bool
	for {
		name, value, ok := cutName(rest)
		if !ok {
			return 0, false
		}
		switch {
		case string(name) == "id" && !sawID:
			if id, rest, ok = cutNumber(value); !ok {
				return 0, false
			}
			sawID = true
		case string(name) == "result" && !sawResult:
			rest, sawResult = bytes.CutPrefix(value, []byte("true"))
			if !sawResult {
				return 0, false
			}
		case string(name) == "error" && !sawError:
			rest, sawError = bytes.CutPrefix(value, []byte("null"))
			if !sawError {
				return 0, false
			}
		case string(name) == "jsonrpc" && !sawVersion:
			rest, sawVersion = bytes.CutPrefix(value, []byte(`"2.0"`))
			if !sawVersion {
				return 0, false
			}
		default:
			return 0, false
		}
		rest = skipSpace(rest)
		switch {
		case len(rest) == 0:
			return 0, false
		case rest[0] == '}':
			return id, sawID && sawResult && len(skipSpace(rest[1:])) == 0
		case rest[0] != ',':
			return 0, false
		}
		rest = rest[1:]
	}
}

// cutName reads the name of a member and the colon behind it.
func cutName(b []byte) (name, rest []byte, ok bool) {
	b, ok = bytes.CutPrefix(skipSpace(b), []byte(`"`))
	if !ok {
		return nil, nil, false
	}
	name, b, ok = bytes.Cut(b, []byte(`"`))
	if !ok {
		return nil, nil, false
	}
	b, ok = bytes.CutPrefix(skipSpace(b), []byte(":"))
	return name, skipSpace(b), ok
}

// cutNumber reads a number of 1 to 10 digits, as JSON wants it.
func cutNumber(b []byte) (n int64, rest []byte, ok bool) {
	k := 0
	for k < len(b) && k < 10 && b[k] >= '0' && b[k] <= '9' {
		n = n*10 + int64(b[k]-'0')
		k++
	}
	if k == 0 || k > 1 && b[0] == '0' {
		return 0, nil, false
	}
	return n, b[k:], true
}

func skipSpace(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t' || b[0] == '\r') {
		b = b[1:]
	}
	return b
}
