package saved

import (
	"crypto/rand"
	"crypto/subtle"
	"strings"
)

// A code is own-XXXX-XXXX-XXXX in Crockford's base 32: 60 random bits.
const (
	codePrefix  = "own-"
	codeGroups  = 3
	codeGroup   = 4
	codeLetters = "0123456789abcdefghjkmnpqrstvwxyz"
	// maxCodes bounds the codes that one password is searched for.
	maxCodes = 4
)

// newCode makes a code.
func newCode() string {
	var random [codeGroups * codeGroup]byte
	_, _ = rand.Read(random[:]) // it never fails
	var b strings.Builder
	b.WriteString(codePrefix)
	for i, r := range random {
		if i > 0 && i%codeGroup == 0 {
			b.WriteByte('-')
		}
		b.WriteByte(codeLetters[r%byte(len(codeLetters))])
	}
	return b.String()
}

// FindCodes finds what looks like a code in a password, anywhere among other
// words such as "d=1000,own-XXXX-XXXX-XXXX", in any case, with or without the
// inner dashes, and with O, I and L for the digits that they look like. Codes
// come back as they were made.
func FindCodes(password string) (codes []string) {
	text := strings.ToLower(password)
	for len(codes) < maxCodes {
		at := strings.Index(text, codePrefix)
		if at < 0 {
			return codes
		}
		text = text[at+len(codePrefix):]
		if code, ok := readCode(text); ok {
			codes = append(codes, code)
		}
	}
	return codes
}

// readCode reads what follows the prefix.
func readCode(text string) (code string, ok bool) {
	b := []byte(codePrefix)
	n := 0
	for i := 0; i < len(text) && n < codeGroups*codeGroup; i++ {
		c := text[i]
		switch c {
		case '-':
			if n == 0 || n%codeGroup != 0 || text[i-1] == '-' {
				return "", false
			}
			continue
		case 'o':
			c = '0'
		case 'i', 'l':
			c = '1'
		}
		if strings.IndexByte(codeLetters, c) < 0 {
			return "", false
		}
		if n > 0 && n%codeGroup == 0 {
			b = append(b, '-')
		}
		b = append(b, c)
		n++
	}
	return string(b), n == codeGroups*codeGroup
}

// isCode compares codes in a time that tells nothing of them.
func isCode(given, want string) bool {
	return want != "" && subtle.ConstantTimeCompare([]byte(given), []byte(want)) == 1
}
