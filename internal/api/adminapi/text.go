package adminapi

import (
	"strings"
	"unicode"
)

// maxTarget bounds what the audit trail says of a request's path, in characters.
const maxTarget = 80

// clip cuts a text to so many characters.
func clip(s string, most int) string {
	n := 0
	for i := range s {
		if n++; n > most {
			return s[:i]
		}
	}
	return s
}

// cleanLine is a text without what could pass for another line, steer a terminal
// or turn the direction of writing around, and without white space around it.
func cleanLine(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	return strings.TrimSpace(s)
}
