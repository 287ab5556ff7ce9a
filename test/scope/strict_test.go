package scope

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"testing"
	"unicode/utf8"
)

// halfPair finds half of a surrogate pair in a JSON text, which strict readers
// refuse; -1 when there is none.
func halfPair(text []byte) int {
	unit := func(i int) uint64 {
		if i+6 > len(text) || text[i] != '\\' || text[i+1] != 'u' {
			return 0
		}
		n, _ := strconv.ParseUint(string(text[i+2:i+6]), 16, 16)
		return n
	}
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			continue
		}
		switch first, second := unit(i), unit(i+6); {
		case first < 0xd800 || first > 0xdfff:
			i++ // the character that is escaped
		case first > 0xdbff || second < 0xdc00 || second > 0xdfff:
			return i
		default:
			i += 11
		}
	}
	return -1
}

func TestHalfPair(t *testing.T) {
	for text, want := range map[string]int{
		`"\\ud83d"`: -1, `"\ud83d"`: 1, `"a\ud83d\ude00"`: -1, `"\ude00"`: 1, `"\\\ud83dx"`: 3, `"\n\u0041\ud83d\u0041"`: 9, `"\ud83d\`: 1,
	} {
		if got := halfPair([]byte(text)); got != want {
			t.Errorf("%s: %d, not %d", text, got, want)
		}
	}
}

// strict checks that a text is JSON that the strictest readers take: UTF-8, no
// half surrogate pairs, not deeper than a hundred.
func strict(t testing.TB, text []byte) {
	t.Helper()
	if !utf8.Valid(text) {
		t.Errorf("not UTF-8: %.300q", text)
	}
	if at := halfPair(text); at >= 0 {
		t.Errorf("half a surrogate pair: %.60q", text[at:])
	}
	d := json.NewDecoder(bytes.NewReader(text))
	for depth := 0; ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Errorf("not JSON: %v in %.300q", err, text)
			return
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			if depth++; depth > 100 {
				t.Errorf("deeper than a hundred: %.300q", text)
				return
			}
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
	}
}
