package capture

import (
	"bytes"
	"encoding/json"
	"strings"
)

// hidden is what a password is replaced by.
const hidden = `"********"`

// MaskPasswords returns a line as a recorder keeps it: with the passwords of an
// authorization replaced. A line without any is returned itself.
func MaskPasswords(line []byte) []byte {
	m := &Message{Raw: line, Size: len(line)}
	m.hidePasswords(m.parse())
	return m.Raw
}

// hidePasswords masks what looks like a password.
func (m *Message) hidePasswords(f Fields) {
	switch {
	case f.authorizes || authorizes(m.Method):
		m.Raw, m.Masked = mask(m.Raw)
	case m.Fault != "":
		m.Raw, m.Masked = maskBroken(m.Raw)
	}
}

// authorizes says whether a method is, or may be taken for, one that is given a
// password: pools differ in letter case and in the end of mining.authorize.
func authorizes(method string) bool {
	if method == "mining.submit" || method == "mining.notify" {
		return false
	}
	name := strings.ToLower(strings.TrimSpace(method))
	return strings.HasPrefix(name, "mining.auth") || strings.HasPrefix(name, "auth") || name == "login" || name == "mining.login"
}

// isPassword says whether an object's member of a name is a password.
func isPassword(name string) bool {
	switch strings.ToLower(name) {
	case "pass", "password", "passwd", "pwd":
		return true
	}
	return false
}

// mask returns the line of an authorization, a valid JSON object, with what
// follows the worker's name replaced, and all that is named as a password; and
// whether there was any.
func mask(line []byte) (masked []byte, ok bool) {
	k := masker{line: line}
	each(trim(line), func(key, value []byte) {
		switch name := keyName(key); {
		case strings.EqualFold(name, "params"):
			k.params(value)
		case isPassword(name):
			k.hide(value)
		}
	})
	if k.copied == 0 {
		return line, false
	}
	return append(k.out, line[k.copied:]...), true
}

// masker writes a line anew, from its beginning to its end.
type masker struct {
	line, out []byte
	copied    int // bytes of line that are done
}

// params masks the params of an authorization, of which there may be several.
func (k *masker) params(value []byte) {
	switch value[0] {
	case '[':
		first := true
		each(value, func(_, v []byte) {
			if first {
				k.named(v, 1)
			} else {
				k.hide(v)
			}
			first = false
		})
	case '{':
		k.named(value, 1)
	default:
		k.hide(value)
	}
}

// maxNamed is how deep in params a password is looked for by its name.
const maxNamed = 4

// named masks the members that are named as passwords.
func (k *masker) named(value []byte, depth int) {
	if depth > maxNamed || value[0] != '{' && value[0] != '[' {
		return
	}
	each(value, func(key, v []byte) {
		if key != nil && isPassword(keyName(key)) {
			k.hide(v)
			return
		}
		k.named(v, depth+1)
	})
}

// hide replaces a value, a part of the line.
func (k *masker) hide(value []byte) {
	if !set(value) || string(value) == `""` {
		return
	}
	at := cap(k.line) - cap(value)
	k.out = append(append(k.out, k.line[k.copied:at]...), hidden...)
	k.copied = at + len(value)
}

// keyName reads the key of a member.
func keyName(key []byte) (name string) {
	if inner := key[1 : len(key)-1]; bytes.IndexByte(inner, '\\') < 0 {
		return string(inner)
	}
	_ = json.Unmarshal(key, &name) // it is valid
	return name
}

// maskBroken is mask for a line that cannot be read: half of one, or one that a
// miner got wrong. From the first place on where a password may be, all of it is
// replaced.
func maskBroken(line []byte) (masked []byte, ok bool) {
	lower := bytes.Clone(line)
	for i, c := range lower {
		if c >= 'A' && c <= 'Z' {
			lower[i] = c | 0x20
		}
	}
	if !bytes.Contains(lower, []byte("authorize")) && !bytes.Contains(lower, []byte(`"mining.auth`)) && !bytes.Contains(lower, []byte(`"login"`)) {
		return line, false
	}
	from := len(line)
	if params := bytes.Index(lower, []byte(`"params"`)); params >= 0 {
		if end := bytes.IndexAny(lower[params:], ",{"); end >= 0 {
			from = params + end + 1
		}
	}
	for _, name := range []string{`"pass`, `"pwd"`} {
		if key := bytes.Index(lower, []byte(name)); key >= 0 {
			if colon := bytes.IndexByte(lower[key:], ':'); colon >= 0 {
				from = min(from, key+colon+1)
			}
		}
	}
	if from == len(line) {
		return line, false
	}
	masked = append(masked, line[:from]...)
	masked = append(masked, hidden...)
	return append(masked, line[len(bytes.TrimRight(line, "\r\n")):]...), true
}
