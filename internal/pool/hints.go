package pool

import (
	"math"
	"strconv"
	"strings"
	"unicode"
)

// hints are the wishes that a miner puts into its password or behind its user
// name (requirement R-A2).
type hints struct {
	start float64 // d, diff, difficulty, sd, suggestdiff: where to begin
	min   float64 // md, mindiff: never below
	fixed float64 // f, fixed: exactly this, no difficulty control
}

// or fills in what h leaves open.
func (h hints) or(o hints) hints {
	return hints{firstSet(h.start, o.start), firstSet(h.min, o.min), firstSet(h.fixed, o.fixed)}
}

// parseHints reads key=value and key:value words, and ignores everything else:
// passwords are usually "x". Of several words for the same wish the first one
// counts.
func parseHints(password string) hints {
	var h hints
	for _, word := range strings.FieldsFunc(password, isSeparator) {
		h.word(word)
	}
	return h
}

// userHints takes the wishes off a user name: ADDRESS.rig+1024,
// ADDRESS.rig#diff=2.5, ADDRESS.rig,d=0x400,md=64. A name whose end is no wish
// is kept whole, and a bare number is one only right behind a sign, since
// "rig 2" is a name.
func userHints(user string) (name string, h hints) {
	end := strings.IndexFunc(user, func(r rune) bool { return r == ':' || isSeparator(r) })
	if end < 0 {
		return user, h
	}
	name, suffix := user[:end], strings.TrimPrefix(user[end:], user[end:end+1])
	if d, ok := hintNumber(suffix); ok && user[end] > ' ' {
		return name, hints{start: d}
	}
	if h = parseHints(suffix); h == (hints{}) {
		return user, h
	}
	return name, h
}

// WorkerName is the full name of a worker that a miner signs in as a user: without
// wishes and what cannot be printed, and of bounded length.
func WorkerName(user string) string {
	name, _ := userHints(user)
	return cleanText(name, maxName)
}

// isSeparator says what stands between the words of a password, and between a
// user name and its wishes.
func isSeparator(r rune) bool { return strings.ContainsRune("+#,;|& \t\r\n", r) }

// plainKey is a key without what people spell differently.
var plainKey = strings.NewReplacer("-", "", "_", "")

// word takes one wish in.
func (h *hints) word(word string) {
	key, value, ok := strings.Cut(word, "=")
	if !ok {
		key, value, ok = strings.Cut(word, ":")
	}
	d, valid := hintNumber(value)
	if !ok || !valid {
		return
	}
	switch plainKey.Replace(strings.ToLower(key)) {
	case "d", "diff", "difficulty", "sd", "suggestdiff", "suggestdifficulty":
		h.start = firstSet(h.start, d)
	case "md", "mindiff", "mindifficulty":
		h.min = firstSet(h.min, d)
	case "f", "fixed", "fixeddiff", "fixeddifficulty":
		h.fixed = firstSet(h.fixed, d)
	}
}

// hintNumber reads a positive number: decimal, with an exponent, or 0x and hex.
func hintNumber(text string) (float64, bool) {
	text = strings.ToLower(text)
	if digits, isHex := strings.CutPrefix(text, "0x"); isHex {
		n, err := strconv.ParseUint(digits, 16, 64)
		return float64(n), err == nil && n > 0
	}
	d, err := strconv.ParseFloat(text, 64)
	return d, err == nil && d > 0 && !math.IsInf(d, 0)
}

func firstSet(have, wish float64) float64 {
	if have > 0 {
		return have
	}
	return wish
}

// maxName bounds the names that are kept of a miner, in bytes.
const (
	maxName  = 128
	maxAgent = 128
)

// cleanText keeps the printable characters of what a miner calls itself, up to
// a number of bytes, so that it can go into logs and pages.
func cleanText(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.TrimSpace(s))
	if len(s) > limit {
		// A character that the cut goes through decodes as U+FFFD.
		s = strings.TrimRightFunc(s[:limit], func(r rune) bool { return r == unicode.ReplacementChar })
	}
	return s
}
