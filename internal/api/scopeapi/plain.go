package scopeapi

import (
	"encoding/json"
	"strings"
	"unicode"
)

// plain is a value as JSON has it, its members in snake_case whatever the part
// that it comes from calls them, and times that are not known null.
func plain(value any) any {
	text, err := json.Marshal(value)
	if err != nil {
		return nil
	}
	var tree any
	if json.Unmarshal(text, &tree) != nil {
		return nil
	}
	return renamed(tree)
}

// zeroTime is how encoding/json writes a time that is not set.
const zeroTime = "0001-01-01T00:00:00Z"

func renamed(tree any) any {
	switch v := tree.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, inner := range v {
			out[snake(name)] = renamed(inner)
		}
		return out
	case []any:
		for i := range v {
			v[i] = renamed(v[i])
		}
	case string:
		if v == zeroTime {
			return nil
		}
	}
	return tree
}

// flatten yields the numbers and booleans of a tree of objects by the path of
// their names. Lists are left out, since their length has no bound, except those
// of counters, {"kind", "count"}, whose kinds are ours.
func flatten(prefix string, tree any, depth int, yield func(name string, v float64)) {
	switch v := tree.(type) {
	case float64:
		yield(prefix, v)
	case bool:
		if v {
			yield(prefix, 1)
		} else {
			yield(prefix, 0)
		}
	case []any:
		for _, element := range v {
			counter, _ := element.(map[string]any)
			kind, named := counter["kind"].(string)
			count, counted := counter["count"].(float64)
			if named && counted && len(counter) == 2 {
				yield(prefix+"_"+kind, count)
			}
		}
	case map[string]any:
		if depth == 0 {
			return
		}
		for name, inner := range v {
			if prefix != "" {
				name = prefix + "_" + name
			}
			flatten(name, inner, depth-1, yield)
		}
	}
}

// snake writes an identifier of Go in snake_case: ServerName, TLS, BytesToPool.
func snake(name string) string {
	var b strings.Builder
	previous := '_'
	for i, r := range name {
		upper := unicode.IsUpper(r)
		// A word begins after a small letter, or before one.
		if upper && previous != '_' && (!unicode.IsUpper(previous) || i+1 < len(name) && unicode.IsLower(rune(name[i+1]))) {
			b.WriteByte('_')
		}
		previous = r
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
