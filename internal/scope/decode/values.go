package decode

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxText is how many bytes of a text that a peer chose are shown.
const maxText = 512

// list splits a JSON array. It is nil for anything else.
func list(raw json.RawMessage) []json.RawMessage {
	if len(raw) == 0 || raw[0] != '[' {
		return nil
	}
	out := make([]json.RawMessage, 0, 9)
	if json.Unmarshal(raw, &out) != nil {
		return nil
	}
	return out
}

// object splits a JSON object. It is nil for anything else.
func object(raw json.RawMessage) map[string]json.RawMessage {
	if len(raw) == 0 || raw[0] != '{' {
		return nil
	}
	var out map[string]json.RawMessage
	if json.Unmarshal(raw, &out) != nil {
		return nil
	}
	return out
}

// set says whether a value is there and not null.
func set(raw json.RawMessage) bool { return len(raw) > 0 && string(raw) != "null" }

// element is element i of a list, nil when there is none.
func element(values []json.RawMessage, i int) json.RawMessage {
	if i >= len(values) {
		return nil
	}
	return values[i]
}

// stringOf reads a JSON string as it is.
func stringOf(raw json.RawMessage) (s string, ok bool) {
	if len(raw) < 2 || raw[0] != '"' {
		return "", false
	}
	if inner := raw[1 : len(raw)-1]; bytes.IndexByte(inner, '\\') < 0 {
		return string(inner), true
	}
	ok = json.Unmarshal(raw, &s) == nil
	return s, ok
}

// textOf reads a JSON string fit to be shown; "" for anything else.
func textOf(raw json.RawMessage) string {
	s, _ := stringOf(raw)
	return printable(s)
}

// anyText is a value for people: strings without their quotes, the rest as it
// was written.
func anyText(raw json.RawMessage) string {
	if s, ok := stringOf(raw); ok {
		return printable(s)
	}
	return printable(string(raw))
}

// numberOf reads a JSON number, or a string that holds one.
func numberOf(raw json.RawMessage) (n float64, ok bool) {
	s := string(raw)
	if text, isText := stringOf(raw); isText {
		s = strings.TrimSpace(text)
	}
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
		return 0, false
	}
	return n, true
}

// hexOf reads a JSON string of hex digits, in either case.
func hexOf(raw json.RawMessage) (b []byte, ok bool) {
	if len(raw) < 2 || raw[0] != '"' {
		return nil, false
	}
	digits := []byte(raw[1 : len(raw)-1])
	b = make([]byte, hex.DecodedLen(len(digits)))
	if _, err := hex.Decode(b, digits); err != nil {
		return nil, false
	}
	return b, true
}

// printable makes a text of a peer fit for pages and terminals: valid UTF-8,
// nothing that moves a cursor, and not too long.
func printable(s string) string {
	plain := len(s) <= maxText
	for i := 0; plain && i < len(s); i++ {
		plain = s[i] >= ' ' && s[i] <= '~'
	}
	if plain {
		return s
	}
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return '\ufffd'
		}
		return r
	}, s[:min(len(s), 4*maxText)])
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "") + "…"
	}
	return s
}
