package config

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// applyFile lays a TOML document over the configuration. The library checks
// the syntax and gives the values; its syntax tree gives the place of every key,
// so that a complaint can name it.
func (c *Config) applyFile(name string, data []byte) []Problem {
	var document map[string]any
	if err := toml.Unmarshal(data, &document); err != nil {
		p := Problem{Source: name, Message: err.Error()}
		var syntax *toml.DecodeError
		if errors.As(err, &syntax) {
			p.Line, p.Column = syntax.Position()
		}
		return []Problem{p}
	}

	d := fileDecoder{name: name, places: keyPlaces(data), origins: c.origins}
	d.table("", document, reflect.ValueOf(c).Elem())
	c.sections = make(map[string]Origin)
	for key, at := range d.places {
		if _, value := c.origins[key]; !value {
			c.sections[key] = Origin{Kind: "file", Source: name, Line: at.line, Column: at.column}
		}
	}
	return d.problems
}

// fileDecoder copies a parsed document into a struct, collecting complaints.
type fileDecoder struct {
	name     string
	places   map[string]place
	origins  map[string]Origin
	problems []Problem
}

func (d *fileDecoder) complain(key, format string, args ...any) {
	d.problems = append(d.problems, Problem{
		Source: d.name, Line: d.places[key].line, Column: d.places[key].column, Key: key, Message: fmt.Sprintf(format, args...),
	})
}

// table copies one TOML table into the struct v.
func (d *fileDecoder) table(path string, values map[string]any, v reflect.Value) {
	known := make(map[string]reflect.Value)
	var names []string
	for i := range v.NumField() {
		if name := v.Type().Field(i).Tag.Get("toml"); name != "" {
			known[name] = v.Field(i)
			names = append(names, name)
		}
	}

	for name, value := range values {
		key := joinKey(path, name)
		target, ok := known[name]
		if !ok {
			d.complain(key, "unknown key%s", didYouMean(name, names))
			continue
		}
		d.value(key, value, target)
	}
}

// value copies one value, which may be a table or an array of tables.
func (d *fileDecoder) value(key string, value any, target reflect.Value) {
	switch {
	case isTable(target.Type()):
		table, ok := value.(map[string]any)
		if !ok {
			d.complain(key, "must be a section, [%s]", key)
			return
		}
		d.table(key, table, target)

	case isTables(target.Type()):
		array, ok := value.([]any)
		if !ok {
			d.complain(key, "must be a repeated section, [[%s]] with two brackets", key)
			return
		}
		target.Set(reflect.MakeSlice(target.Type(), len(array), len(array)))
		for i, element := range array {
			elementKey := joinKey(key, strconv.Itoa(i+1))
			table, ok := element.(map[string]any)
			if !ok {
				d.complain(key, "must be a repeated section, [[%s]] with two brackets", key)
				return
			}
			d.table(elementKey, table, target.Index(i))
		}

	default:
		if err := setTOML(target, value); err != nil {
			d.complain(key, "%s", err.Error())
			return
		}
		d.origins[key] = Origin{Kind: "file", Source: d.name, Line: d.places[key].line, Column: d.places[key].column}
	}
}

// place is where something stands in a file, counted from 1.
type place struct{ line, column int }

// keyPlaces maps every key and table of a document ("http.listen", "node.2.url")
// to its place. The document is known to be valid TOML.
func keyPlaces(data []byte) map[string]place {
	k := keyFinder{places: make(map[string]place), elements: make(map[string]int)}
	k.parser.Reset(data)
	for k.parser.NextExpression() {
		e := k.parser.Expression()
		switch e.Kind {
		case unstable.Table:
			k.table = k.path("", e.Key(), false)
		case unstable.ArrayTable:
			k.table = k.path("", e.Key(), true)
		case unstable.KeyValue:
			k.keyValue(k.table, e)
		default: // comments say nothing about keys
		}
	}
	return k.places
}

// keyFinder is the state of one walk over a document.
type keyFinder struct {
	parser   unstable.Parser
	places   map[string]place
	elements map[string]int // elements seen so far of each array of tables
	table    string         // the section that we are in
}

// path joins a dotted key onto base, recording the place of each part that is
// new. Parts that name an array of tables continue in its newest element;
// newElement opens another one at the end.
func (k *keyFinder) path(base string, key unstable.Iterator, newElement bool) string {
	path := base
	for key.Next() {
		part := key.Node()
		path = joinKey(path, string(part.Data))
		start := k.parser.Shape(part.Raw).Start
		at := place{start.Line, start.Column}
		if _, seen := k.places[path]; !seen {
			k.places[path] = at
		}

		switch {
		case key.IsLast() && newElement:
			k.elements[path]++
			path = joinKey(path, strconv.Itoa(k.elements[path]))
			k.places[path] = at
		case k.elements[path] > 0:
			path = joinKey(path, strconv.Itoa(k.elements[path]))
		}
	}
	return path
}

// keyValue records a key and what its inline tables hold.
func (k *keyFinder) keyValue(base string, e *unstable.Node) {
	k.values(k.path(base, e.Key(), false), e.Value())
}

func (k *keyFinder) values(path string, value *unstable.Node) {
	switch value.Kind {
	case unstable.InlineTable:
		for it := value.Children(); it.Next(); {
			k.keyValue(path, it.Node())
		}
	case unstable.Array:
		element := 0
		for it := value.Children(); it.Next(); {
			if it.Node().Kind == unstable.Comment {
				continue
			}
			element++
			elementPath := joinKey(path, strconv.Itoa(element))
			k.places[elementPath] = k.places[path]
			k.values(elementPath, it.Node())
		}
	default: // plain values hold no keys
	}
}

// didYouMean suggests the known name that is closest to a misspelt one, when
// one is close.
func didYouMean(name string, known []string) string {
	best, distance := "", 3
	for _, k := range slices.Sorted(slices.Values(known)) {
		if d := editDistance(name, k); d < distance {
			best, distance = k, d
		}
	}
	if best == "" || distance >= len(name) {
		return ""
	}
	return fmt.Sprintf(", did you mean %q?", best)
}

// editDistance is Levenshtein's: insertions, deletions and substitutions.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			substitution := diagonal
			if a[i] != b[j] {
				substitution++
			}
			diagonal = row[j+1]
			row[j+1] = min(substitution, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
