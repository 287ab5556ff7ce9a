package pool

import (
	"math"
	"strconv"
	"strings"
	"unicode"
)

// hints are the wishes that a miner puts into its password (requirement R-A2).
type hints struct {
	start float64 // d, diff, difficulty: where to begin
	min   float64 // md, mindiff: never below
	fixed float64 // f, fixed: exactly this, no difficulty control
}

// parseHints reads key=value and key:value words separated by commas,
// semicolons, bars or spaces, and ignores everything else: passwords are
// usually "x".
func parseHints(password string) hints {
	var h hints
	words := strings.FieldsFunc(password, func(r rune) bool {
		return r == ',' || r == ';' || r == '|' || r == '&' || unicode.IsSpace(r)
	})
	for _, word := range words {
		key, value, ok := strings.Cut(word, "=")
		if !ok {
			key, value, ok = strings.Cut(word, ":")
		}
		if !ok {
			continue
		}
		d, err := strconv.ParseFloat(value, 64)
		if err != nil || !(d > 0) || math.IsInf(d, 0) {
			continue
		}
		switch strings.ToLower(key) {
		case "d", "diff", "difficulty":
			h.start = firstSet(h.start, d)
		case "md", "mindiff":
			h.min = firstSet(h.min, d)
		case "f", "fixed":
			h.fixed = firstSet(h.fixed, d)
		}
	}
	return h
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

// addressOf is the payout address in a user name: what stands before the first
// character that no address contains, as in ADDRESS.worker.
func addressOf(user string) string {
	address := user
	end := strings.IndexFunc(user, func(r rune) bool {
		return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	if end >= 0 {
		address = user[:end]
	}
	// Bech32 may be written in capitals (QR codes do); it is the same address.
	if lower := strings.ToLower(address); strings.ToUpper(address) == address &&
		(strings.HasPrefix(lower, "bc1") || strings.HasPrefix(lower, "tb1") || strings.HasPrefix(lower, "bcrt1")) {
		return lower
	}
	return address
}
