package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// placeholder is {{name}}: what the name stands for, or, the first time, what
// stands in its place.
var placeholder = regexp.MustCompile(`\{\{([A-Za-z_][\w.-]*)\}\}`)

// bare marks a placeholder that stands for a whole JSON value of any type.
const bare = "\x00"

// quoteBare makes JSON of a pattern: placeholders outside of strings become
// marked strings.
func quoteBare(pattern string) string {
	var b strings.Builder
	inString := false
	for i := 0; i < len(pattern); i++ {
		if at := placeholder.FindStringIndex(pattern[i:]); !inString && at != nil && at[0] == 0 {
			b.WriteString(`"\u0000` + pattern[i:i+at[1]] + `"`)
			i += at[1] - 1
			continue
		}
		switch {
		case pattern[i] == '\\' && inString && i+1 < len(pattern):
			b.WriteByte(pattern[i])
			i++
		case pattern[i] == '"':
			inString = !inString
		}
		b.WriteByte(pattern[i])
	}
	return b.String()
}

// match compares a line with a pattern and learns the values of placeholders
// that have none yet. Objects must have the same keys, numbers the same
// digits; the order of keys and spaces do not count. {{_}} is any value and
// keeps nothing.
func match(pattern, line string, values map[string]string) error {
	want, err := decodeExact(quoteBare(pattern))
	if err != nil {
		return fmt.Errorf("the pattern: %w", err)
	}
	got, err := decodeExact(line)
	if err != nil {
		return fmt.Errorf("the line: %w", err)
	}
	learned := maps.Clone(values)
	if err := matchValue("", want, got, learned); err != nil {
		return err
	}
	maps.Copy(values, learned)
	return nil
}

func decodeExact(text string) (v any, err error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	err = d.Decode(&v)
	return v, err
}

func matchValue(at string, want, got any, values map[string]string) error {
	differs := func() error {
		return fmt.Errorf("%s is %s, want %s", strings.TrimPrefix(at+" ", "."), encode(got), strings.ReplaceAll(encode(want), `\u0000`, ""))
	}
	switch w := want.(type) {
	case string:
		if name, ok := strings.CutPrefix(w, bare); ok {
			if !learn(name, encode(got), values) {
				return differs()
			}
			return nil
		}
		g, ok := got.(string)
		if !ok || !matchText(w, g, values) {
			return differs()
		}
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok || !slices.Equal(slices.Sorted(maps.Keys(w)), slices.Sorted(maps.Keys(g))) {
			return differs()
		}
		for _, key := range slices.Sorted(maps.Keys(w)) {
			if err := matchValue(at+"."+key, w[key], g[key], values); err != nil {
				return err
			}
		}
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return differs()
		}
		for i := range w {
			if err := matchValue(fmt.Sprintf("%s[%d]", at, i), w[i], g[i], values); err != nil {
				return err
			}
		}
	default: // number, true, false, null
		if want != got {
			return differs()
		}
	}
	return nil
}

// matchText compares texts of which the wanted one may have placeholders.
func matchText(want, got string, values map[string]string) bool {
	var expression strings.Builder
	var names []string
	last := 0
	for _, at := range placeholder.FindAllStringSubmatchIndex(want, -1) {
		expression.WriteString(regexp.QuoteMeta(want[last:at[0]]) + "(.*)")
		names = append(names, want[at[2]:at[3]])
		last = at[1]
	}
	expression.WriteString(regexp.QuoteMeta(want[last:]))
	found := regexp.MustCompile("(?s)^" + expression.String() + "$").FindStringSubmatch(got)
	if found == nil {
		return false
	}
	for i, name := range names {
		if !learn("{{"+name+"}}", found[i+1], values) {
			return false
		}
	}
	return true
}

// learn gives a placeholder its value, or compares it with the one it has.
func learn(p, value string, values map[string]string) bool {
	name := placeholder.FindStringSubmatch(p)[1]
	if name == "_" {
		return true
	}
	if known, ok := values[name]; ok {
		return known == value
	}
	values[name] = value
	return true
}

func encode(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Sprint(v)
	}
	return strings.TrimSpace(b.String())
}
