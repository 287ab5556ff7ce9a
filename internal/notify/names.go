package notify

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxName bounds a worker's name in a message, in bytes.
const maxName = 160

// hashOf is how rules name a worker.
func hashOf(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:])
}

// Plain makes a text that others chose fit for one line of a message: no
// control characters, no marks that turn the direction of writing, no invalid
// UTF-8, at most limit bytes.
func Plain(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r), unicode.In(r, unicode.Zl, unicode.Zp):
			return ' '
		case unicode.In(r, unicode.Cf):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "�"))
	if len(s) <= limit {
		return s
	}
	s = s[:limit]
	for !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return s + "…"
}

// shortName is a worker's name for those who did not save it: a few characters
// of the payout address, without what the miner calls itself.
func shortName(name string) string {
	address, _, _ := strings.Cut(Plain(name, maxName), ".")
	if runes := []rune(address); len(runes) > 19 {
		return string(runes[:8]) + "..." + string(runes[len(runes)-8:])
	}
	return address
}
