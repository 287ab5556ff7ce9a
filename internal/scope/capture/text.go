package capture

import (
	"encoding/json"
	"strings"
	"unicode"
)

// stringsOf reads the first n elements of a valid JSON array as text: the content
// of strings, printable and bounded, and "" for anything else.
func stringsOf(array []byte, n int) []string {
	if len(array) == 0 || array[0] != '[' {
		return nil
	}
	var out []string
	each(array, func(_, value []byte) {
		if len(out) == n {
			return
		}
		text := ""
		if value[0] == '"' {
			_ = json.Unmarshal(value, &text) // it is valid
		}
		out = append(out, printable(text))
	})
	return out
}

// firstText reads the first element of a valid JSON array as printable, bounded
// text; "" when it is no string.
func firstText(array []byte) string {
	if len(array) == 0 || array[0] != '[' {
		return ""
	}
	i := skipSpace(array, 1)
	if i >= len(array) || array[i] != '"' {
		return ""
	}
	value := array[i:skipValue(array, i)]
	if inner := value[1 : len(value)-1]; isPlain(inner) {
		return string(inner)
	}
	var text string
	_ = json.Unmarshal(value, &text) // it is valid
	return printable(text)
}

// isPlain says whether a JSON string's inside is short printable ASCII without
// escapes, as nearly every worker's name is.
func isPlain(inner []byte) bool {
	for _, c := range inner {
		if c < ' ' || c > '~' || c == '\\' {
			return false
		}
	}
	return len(inner) <= maxText
}

// firstNumber reads the first element of a valid JSON array as a number.
func firstNumber(array []byte) (n float64, ok bool) {
	if len(array) == 0 || array[0] != '[' {
		return 0, false
	}
	first := true
	each(array, func(_, value []byte) {
		if first {
			ok = json.Unmarshal(value, &n) == nil && n > 0
		}
		first = false
	})
	return n, ok
}

// printable makes what a peer calls itself fit for logs and pages.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "")
	}
	return s
}
