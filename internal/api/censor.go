package api

import (
	"regexp"
	"strings"
)

// How many characters of an identifier stay readable at its front and back.
const (
	nameFront, nameBack = 8, 8
	hashFront, hashBack = 0, 16
)

// censorWorker shortens a worker's full name for public display: the payout
// address before the first dot to its first and last eight characters, the
// miner's own name after it is kept, but for what may be an address in it.
//
//	1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa.rigA → 1A1zP1eP...v7DivfNa.rigA
func censorWorker(name string) string {
	head, tail, _ := strings.Cut(name, ".")
	short := shorten(head, nameFront, nameBack)
	if tail = clean(tail); tail == "" {
		return short
	}
	if head = clean(head); head != short {
		tail = strings.ReplaceAll(tail, head, short)
	}
	return short + "." + shortenAddresses(tail)
}

// minLongWord is the length of the shortest addresses, in characters; what miners
// call themselves has shorter words.
const minLongWord = 26

// What may be an address: a word as long as one, or, since miners may write one
// with separators in it, words that together are like one. Three dots are no
// separator: they stand for the middle of what is short already.
var (
	longWord    = regexp.MustCompile(`[0-9A-Za-z]{26,}`)
	joinedWords = regexp.MustCompile(`[0-9A-Za-z]+(?:(?:[_-]+|\.)[0-9A-Za-z]+)+`)
	segwit      = regexp.MustCompile(`(?i)(?:bc|tb|bcrt)1[02-9ac-hj-np-z]{20,}`)
	base58      = regexp.MustCompile(`[123mn][1-9A-HJ-NP-Za-km-z]{25,}`)
	separators  = strings.NewReplacer("-", "", "_", "", ".", "")
)

// shortenAddresses shortens the middle of all in s that may be an address.
func shortenAddresses(s string) string {
	if len(s) < minLongWord {
		return s
	}
	s = longWord.ReplaceAllStringFunc(s, func(word string) string { return shorten(word, nameFront, nameBack) })
	return joinedWords.ReplaceAllStringFunc(s, func(words string) string {
		joined := separators.Replace(words)
		if segwit.MatchString(joined) || looksBase58(base58.FindString(joined)) {
			return shorten(joined, nameFront, nameBack)
		}
		return words
	})
}

// looksBase58 tells the digits of an address from words that miners use: it has
// small and capital letters, and more digits than one.
func looksBase58(s string) bool {
	digits := 0
	for i := range len(s) {
		if '0' <= s[i] && s[i] <= '9' {
			digits++
		}
	}
	return digits > 1 && strings.ToLower(s) != s && strings.ToUpper(s) != s
}

// publicAgent makes a user agent fit for a public page. Miners put into it what
// they like, addresses included.
func publicAgent(agent string) string {
	return brief(shortenAddresses(agent), maxUserAgent)
}

// censorHash keeps the last 16 digits of a block or share hash. A hash in
// display order ends in what differs; its front is zeros.
func censorHash(hash string) string { return shorten(hash, hashFront, hashBack) }

// shorten cleans s and replaces its middle with "..." if that makes it shorter.
func shorten(s string, front, back int) string {
	s = clean(s)
	if len(s) <= front+back+3 {
		return s
	}
	return s[:front] + "..." + s[len(s)-back:]
}

// clean drops every byte that is not a letter, a digit, '.', '_' or '-', so
// that a name can be put into any page, log or shell.
func clean(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return r >= 0x80 || !plain(byte(r)) }) < 0 {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := range len(s) {
		if plain(s[i]) {
			b = append(b, s[i])
		}
	}
	return string(b)
}

func plain(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '_' || c == '-'
}

// Places and credentials that error texts of network calls carry.
var (
	urlPattern     = regexp.MustCompile(`(?i)\b[a-z][a-z0-9+.-]*://[^\s"']+`)
	lookupPattern  = regexp.MustCompile(`\blookup [^\s:]+`)
	addressPattern = regexp.MustCompile(`\[[0-9A-Za-z:.%]*:[0-9A-Za-z:.%]*\](:\d+)?|\b\d{1,3}(\.\d{1,3}){3}(:\d+)?\b|\b[A-Za-z][A-Za-z0-9-]*(\.[A-Za-z0-9-]+)*:\d{2,5}\b`)
)

// maxPublicText bounds an error text in a public response, in bytes.
const maxPublicText = 240

// publicText makes an error text fit for a public page: no URLs, no host
// addresses, no control characters, one line, bounded.
func publicText(s string) string {
	s = urlPattern.ReplaceAllString(s, "[address]")
	s = lookupPattern.ReplaceAllString(s, "lookup [address]")
	s = addressPattern.ReplaceAllString(s, "[address]")
	s = strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f {
			return ' '
		}
		return r
	}, s)
	if len(s) > maxPublicText {
		s = strings.ToValidUTF8(s[:maxPublicText], "") + "..."
	}
	return strings.TrimSpace(s)
}
