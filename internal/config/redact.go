package config

import (
	"regexp"
	"slices"
	"strings"
)

// Redact returns the text of a configuration file with the values of secrets, and
// of keys that do not exist, replaced: one of those may be a secret with its name
// misspelt. So are users in URLs, and comments that look like secret keys. The values of the
// keys in changed are marked, so that a comparison shows that they differ.
//
// A file that is no TOML is returned as nothing.
func Redact(data []byte, changed []string) []byte {
	if _, err := decode(data); err != nil {
		return nil
	}
	l := layOut(data, newlineOf(data))
	types := keyTypes()
	for _, p := range slices.Backward(l.pairs) {
		key := withoutNumbers(p.key)
		t, known := types[key]
		isSecret := t == secretType || key == feedKey && mayHoldKey(string(l.data[p.value:p.to]))
		if known && !isSecret || !known && (l.inlines[p.key] != nil || l.arrays[p.key] != nil) {
			continue
		}
		text := `"` + redacted + `"`
		if slices.Contains(changed, p.key) {
			text = `"[redacted, changed]"`
		}
		l.data = l.splice(p.value, p.to, text)
	}
	text := secretComment().ReplaceAll(l.data, []byte("${1}"+redacted))
	return userInURL.ReplaceAll(text, []byte("${1}"+redacted+"@"))
}

// userInURL finds user and password in front of a URL's host.
var userInURL = regexp.MustCompile(`(://)[^\s/?#"']+@`)

// secretComment finds comments that look like a secret key with its value.
func secretComment() *regexp.Regexp {
	var names []string
	for key, t := range keyTypes() {
		if t == secretType {
			names = append(names, regexp.QuoteMeta(key[strings.LastIndexByte(key, '.')+1:]))
		}
	}
	slices.Sort(names)
	return regexp.MustCompile(`(?mi)(#[^\r\n]*\b(?:` + strings.Join(append(names, "pass(?:word)?", "secret", "token"), "|") + `)["']?[ \t]*[=:][ \t]*)[^\r\n]+`)
}
