package config

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
)

// ErrEdit means that a file cannot be edited by a program: it is no TOML, or so
// written that a change would not be certain to change nothing else.
var ErrEdit = errors.New("the file cannot be edited here; edit it by hand")

// Set is one change of a configuration file.
type Set struct {
	// Key is a key, "http.listen" or "node.2.url", or with a nil Value also a
	// whole repeated section, "node.2". Numbers are those of the file before any
	// change; the one after the last makes another section.
	Key string
	// Value is a string, bool, int, float64, time.Duration, []string or Secret.
	// nil removes the key, which puts its default in force.
	Value any
}

// Edit makes changes in the text of a configuration file. What they do not concern
// stays as it is to the byte: comments, order, white space, line ends. A comment
// behind a key that is removed, and all comments in a section that is removed,
// stay too. Keys that are not there are added to their section, sections at the
// end of the file.
//
// The outcome is parsed again: it has the values of data but for the changes, or
// the error is ErrEdit.
func Edit(data []byte, changes []Set) ([]byte, error) {
	want, err := decode(data)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrEdit, err)
	}
	changes = inOrder(changes)
	edited := slices.Clone(data)
	for _, c := range changes {
		if err := expect(want, c); err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrEdit, c.Key, err)
		}
		if edited, err = edit(edited, c, newlineOf(data)); err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrEdit, c.Key, err)
		}
	}
	got, err := decode(edited)
	if err != nil {
		return nil, fmt.Errorf("%w: it would not be valid afterwards: %w", ErrEdit, err)
	}
	if !reflect.DeepEqual(prune(got), prune(want)) {
		return nil, fmt.Errorf("%w: it would not say afterwards what it should", ErrEdit)
	}
	return edited, nil
}

// inOrder puts changes into an order in which the numbers of sections stay what
// they are: new sections one after the other, removals last and backwards.
func inOrder(changes []Set) []Set {
	sorted := slices.Clone(changes)
	number := func(s Set) int {
		_, n, rest, ok := cutNumber(s.Key)
		if !ok || s.Value == nil && rest == "" {
			return 0
		}
		return n
	}
	removed := func(s Set) int {
		if _, n, rest, ok := cutNumber(s.Key); ok && s.Value == nil && rest == "" {
			return n
		}
		return 0
	}
	slices.SortStableFunc(sorted, func(a, b Set) int {
		ra, rb := removed(a), removed(b)
		if (ra > 0) != (rb > 0) {
			return cmp.Compare(min(ra, 1), min(rb, 1))
		}
		return cmp.Or(cmp.Compare(rb, ra), cmp.Compare(number(a), number(b)))
	})
	return sorted
}

// cutNumber takes "node", 2 and "url" out of "node.2.url"; the rest is "" for a
// whole section.
func cutNumber(key string) (section string, n int, rest string, ok bool) {
	parts := strings.Split(key, ".")
	for i := 1; i < len(parts); i++ {
		if isDigits(parts[i]) {
			n, err := strconv.Atoi(parts[i])
			return strings.Join(parts[:i], "."), n, strings.Join(parts[i+1:], "."), err == nil && n > 0
		}
	}
	return key, 0, "", false
}

// edit makes one change.
func edit(data []byte, c Set, newline string) ([]byte, error) {
	l := layOut(data, newline)
	section, n, rest, numbered := cutNumber(c.Key)
	switch {
	case numbered && rest == "" && c.Value == nil:
		return l.removeSection(section, n)
	case c.Value == nil:
		if p := l.byKey[c.Key]; p != nil {
			return l.remove(p), nil
		}
		return data, nil
	}
	if p := l.byKey[c.Key]; p != nil {
		return l.replace(p, c.Value), nil
	}
	return l.add(c.Key, tomlOf(c.Value), section, n, numbered)
}

// replace puts another value in the place of a key's.
func (l *layout) replace(p *pair, value any) []byte {
	if list, ok := value.([]string); ok && p.array {
		return l.replaceList(p, list)
	}
	text := tomlOf(value)
	if sameValue(l.data[p.value:p.to], text) {
		return l.data
	}
	kept := l.commentsIn(p.value, p.to)
	l.data = l.splice(p.value, p.to, text)
	return l.splice(p.from, p.from, l.asLines(kept, p.from))
}

// asLines writes comments in front of what begins at a place, each on a line of
// its own.
func (l *layout) asLines(comments []string, at int) string {
	start := l.lineStart(at)
	indent := string(l.data[start:min(at, l.skip(start, " \t"))])
	var b strings.Builder
	for _, c := range comments {
		b.WriteString(c + l.newline + indent)
	}
	return b.String()
}

// sameValue says whether two texts of TOML values mean the same.
func sameValue(a []byte, b string) bool {
	x, err1 := decode([]byte("x = " + string(a)))
	y, err2 := decode([]byte("x = " + b))
	return err1 == nil && err2 == nil && reflect.DeepEqual(x, y)
}

// replaceList changes the elements of an array that differ, so that the comments
// between and behind the others stay where they are.
func (l *layout) replaceList(p *pair, list []string) []byte {
	old := p.elements
	same := func(e element, s string) bool { return e.isText && e.text == s }
	if !strings.ContainsAny(string(l.data[p.value:p.to]), "#\n") {
		if len(old) == len(list) && !slices.ContainsFunc(indexes(len(list)), func(i int) bool { return !same(old[i], list[i]) }) {
			return l.data
		}
		return l.splice(p.value, p.to, tomlOf(list))
	}
	begin := 0
	for begin < len(old) && begin < len(list) && same(old[begin], list[begin]) {
		begin++
	}
	end := 0
	for end < len(old)-begin && end < len(list)-begin && same(old[len(old)-1-end], list[len(list)-1-end]) {
		end++
	}
	oldMiddle, newMiddle := old[begin:len(old)-end], list[begin:len(list)-end]
	paired := min(len(oldMiddle), len(newMiddle))

	// From the back, so that places before stay what they are.
	if extra := newMiddle[paired:]; len(extra) > 0 {
		l.insertElements(p, begin+paired, extra)
	}
	for i := len(oldMiddle) - 1; i >= paired; i-- {
		e := oldMiddle[i]
		if comma := l.comma(e.to); comma >= 0 {
			l.data = l.splice(comma, comma+1, "")
		}
		l.data = l.splice(e.from, e.to, "")
	}
	for i := paired - 1; i >= 0; i-- {
		if e := oldMiddle[i]; !same(e, newMiddle[i]) {
			l.data = l.splice(e.from, e.to, quoteTOML(newMiddle[i]))
		}
	}
	return l.data
}

// insertElements puts texts into an array behind its first n elements, each on a
// line of its own where the one before ends its line.
func (l *layout) insertElements(p *pair, n int, texts []string) {
	var quoted []string
	for _, s := range texts {
		quoted = append(quoted, quoteTOML(s))
	}
	if n == 0 {
		l.data = l.splice(p.value+1, p.value+1, strings.Join(quoted, ", ")+",")
		return
	}
	last := p.elements[n-1]
	comma := l.comma(last.to)
	behind := last.to
	if comma >= 0 {
		behind = comma + 1
	}
	rest := l.skip(behind, " \t\r")
	if rest < len(l.data) && (l.data[rest] == '\n' || l.data[rest] == '#') {
		start := l.lineStart(last.from)
		indent := string(l.data[start:l.skip(start, " \t")])
		end := l.lineEnd(rest)
		l.data = l.splice(end, end, indent+strings.Join(quoted, ","+l.newline+indent)+","+l.newline)
	} else {
		separated := " " + strings.Join(quoted, ", ")
		if n < len(p.elements) {
			separated += ","
		}
		l.data = l.splice(behind, behind, separated)
	}
	if comma < 0 {
		l.data = l.splice(last.to, last.to, ",")
	}
}

// remove takes a key out.
func (l *layout) remove(p *pair) []byte {
	if !p.line {
		return l.removeChild(p.in, p.from)
	}
	return l.removeLines(p.from, p.to)
}

// removeLines takes out what stands alone on its lines, but for comments in it
// and behind it.
func (l *layout) removeLines(from, to int) []byte {
	kept := l.commentsIn(from, to)
	if rest := l.skip(to, " \t"); rest < len(l.data) && l.data[rest] == '#' {
		return l.splice(from, rest, l.asLines(kept, from))
	}
	start := l.lineStart(from)
	var b strings.Builder
	for _, c := range kept {
		b.WriteString(string(l.data[start:from]) + c + l.newline)
	}
	return l.splice(start, l.lineEnd(to), b.String())
}

// removeChild takes an element out of an inline table or array, with one comma.
func (l *layout) removeChild(in *list, from int) []byte {
	i := slices.IndexFunc(in.children, func(c [2]int) bool { return c[0] == from })
	c := in.children[i]
	kept := l.asLines(l.commentsIn(c[0], c[1]), c[0])
	if comma := l.comma(c[1]); comma >= 0 {
		l.data = l.splice(comma, comma+1, "")
	} else if i > 0 {
		before := l.comma(in.children[i-1][1])
		l.data = l.splice(c[0], c[1], kept)
		return l.splice(before, before+1, "")
	}
	return l.splice(c[0], c[1], kept)
}

// removeSection takes a repeated section out. Its comments stay.
func (l *layout) removeSection(section string, n int) ([]byte, error) {
	path := joinKey(section, strconv.Itoa(n))
	if in := l.arrays[section]; in != nil {
		if n > len(in.children) {
			return nil, errors.New("there is no such section")
		}
		return l.removeChild(in, in.children[n-1][0]), nil
	}
	for i := len(l.headers) - 1; i >= 0; i-- {
		h := l.headers[i]
		if h.path != path && !strings.HasPrefix(h.path, path+".") {
			continue
		}
		for j := len(l.pairs) - 1; j >= 0; j-- {
			if p := l.pairs[j]; p.line && p.header == i {
				l.data = l.removeLines(p.from, p.to)
			}
		}
		from, to := h.from, l.headerEnd(h)
		if rest := l.skip(to, " \t"); rest < len(l.data) && l.data[rest] == '#' {
			l.data = l.splice(from, rest, "")
			continue
		}
		if before := l.lineStart(max(0, from-1)); from > 0 && strings.TrimSpace(string(l.data[before:from])) == "" {
			from = before // the empty line that set it apart
		}
		l.data = l.splice(from, l.lineEnd(to), "")
	}
	return l.data, nil
}

// headerEnd is where the brackets of a header end.
func (l *layout) headerEnd(h *header) int {
	end := h.from
	quote := byte(0)
	for at := h.from; at < h.to; at++ {
		switch b := l.data[at]; {
		case quote == 0 && b == '#':
			return end
		case quote == 0 && (b == '"' || b == '\''):
			quote = b
		case quote == '"' && b == '\\':
			at++
		case quote != 0 && b == quote:
			quote = 0
		case quote == 0 && b == ']':
			end = at + 1
		}
	}
	return end
}

// add puts a key into its section, or makes that.
func (l *layout) add(key, value, repeated string, n int, numbered bool) ([]byte, error) {
	section := parentOf(key)
	line := key[len(section):]
	line = strings.TrimPrefix(line, ".") + " = " + value
	if in := l.inlines[section]; in != nil {
		return l.addToList(in, line), nil
	}
	if prefix, ok := l.dotted[section]; ok && section != "" {
		return l.insertLine(l.lastPair(func(p *pair) bool { return p.line && p.section == section }).to, prefix+line), nil
	}
	if section == "" {
		return l.addAtTop(line), nil
	}
	for i, h := range l.headers {
		if h.path != section {
			continue
		}
		if last := l.lastPair(func(p *pair) bool { return p.line && p.header == i }); last != nil {
			return l.insertLine(last.to, line), nil
		}
		return l.insertLine(l.headerEnd(h), line), nil
	}

	title, comment := "["+section+"]", Doc(section)
	if numbered {
		if section != joinKey(repeated, strconv.Itoa(n)) || n != l.last[repeated]+1 {
			return nil, errors.New("there is no such section, nor would it be the next")
		}
		if in := l.arrays[repeated]; in != nil {
			return l.addToList(in, "{ "+line+" }"), nil
		}
		title, comment = "[["+repeated+"]]", Doc(repeated)
		if n > 1 {
			return l.addSection(l.endOf(joinKey(repeated, strconv.Itoa(n-1))), title, "", line), nil
		}
	}
	return l.addSection(len(l.data), title, comment, line), nil
}

// endOf is where the lines of a section end.
func (l *layout) endOf(section string) int {
	end := 0
	for i, h := range l.headers {
		if h.path != section && !strings.HasPrefix(h.path, section+".") {
			continue
		}
		end = max(end, l.headerEnd(h))
		if p := l.lastPair(func(p *pair) bool { return p.line && p.header == i }); p != nil {
			end = max(end, p.to)
		}
	}
	return l.lineEnd(end)
}

// addSection puts a section with its first key at a place where a line begins.
func (l *layout) addSection(at int, title, comment, line string) []byte {
	var b strings.Builder
	if at > 0 && l.data[at-1] != '\n' {
		b.WriteString(l.newline)
	}
	if at > 0 {
		b.WriteString(l.newline)
	}
	for c := range strings.Lines(comment) {
		b.WriteString("# " + strings.TrimRight(c, "\n") + l.newline)
	}
	b.WriteString(title + l.newline + line + l.newline)
	return l.splice(at, at, b.String())
}

// addAtTop puts a key among those before the first section.
func (l *layout) addAtTop(line string) []byte {
	if last := l.lastPair(func(p *pair) bool { return p.line && p.header == -1 }); last != nil {
		return l.insertLine(last.to, line)
	}
	if len(l.headers) == 0 {
		if n := len(l.data); n > 0 && l.data[n-1] != '\n' {
			line = l.newline + line
		}
		return l.splice(len(l.data), len(l.data), line+l.newline)
	}
	// Before the comment of the first section.
	at := l.headers[0].from
	for at > 0 {
		before := l.lineStart(at - 1)
		if text := strings.TrimSpace(string(l.data[before:at])); !strings.HasPrefix(text, "#") {
			break
		}
		at = before
	}
	return l.splice(at, at, line+l.newline+l.newline)
}

// addToList puts an element at the end of an inline table or array.
func (l *layout) addToList(in *list, text string) []byte {
	if len(in.children) == 0 {
		return l.splice(in.open+1, in.open+1, " "+text+" ")
	}
	last := in.children[len(in.children)-1][1]
	if comma := l.comma(last); comma >= 0 {
		return l.splice(comma+1, comma+1, " "+text)
	}
	return l.splice(last, last, ", "+text)
}

// insertLine puts a line behind the one that has a place, with the same indent.
func (l *layout) insertLine(at int, line string) []byte {
	start, end := l.lineStart(at), l.lineEnd(at)
	indent := string(l.data[start:l.skip(start, " \t")])
	if end > 0 && l.data[end-1] != '\n' {
		return l.splice(end, end, l.newline+indent+line)
	}
	return l.splice(end, end, indent+line+l.newline)
}

func (l *layout) lastPair(is func(*pair) bool) *pair {
	for _, p := range slices.Backward(l.pairs) {
		if is(p) {
			return p
		}
	}
	return nil
}

// splice returns the document with another text at a place.
func (l *layout) splice(from, to int, text string) []byte {
	return slices.Concat(l.data[:from], []byte(text), l.data[to:])
}

func indexes(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// tomlOf writes a value of a Set. The value of a Secret goes into the file as it is.
func tomlOf(value any) string {
	if s, ok := value.(Secret); ok {
		return quoteTOML(s.Reveal())
	}
	return formatTOML(reflect.ValueOf(value))
}

func decode(data []byte) (map[string]any, error) {
	var document map[string]any
	err := toml.Unmarshal(data, &document)
	if document == nil {
		document = make(map[string]any)
	}
	return document, err
}

// expect makes a change in decoded values.
func expect(document map[string]any, c Set) error {
	var value any
	if c.Value != nil {
		switch c.Value.(type) {
		case string, bool, int, float64, time.Duration, []string, Secret:
		default:
			return fmt.Errorf("no value of a key: %T", c.Value)
		}
		one, err := decode([]byte("x = " + tomlOf(c.Value)))
		if err != nil {
			return err
		}
		value = one["x"]
	}
	parts := strings.Split(c.Key, ".")
	table := document
	for i := 0; i < len(parts)-1; i++ {
		if i+1 < len(parts) && isDigits(parts[i+1]) {
			array, ok := table[parts[i]].([]any)
			n, err := strconv.Atoi(parts[i+1])
			switch {
			case !ok && table[parts[i]] != nil, err != nil, n < 1, n > len(array)+1, n > len(array) && value == nil:
				return errors.New("there is no such section")
			case i+2 == len(parts):
				if value != nil {
					return errors.New("a section has no value")
				}
				array = slices.Delete(slices.Clone(array), n-1, n)
				if table[parts[i]] = array; len(array) == 0 {
					delete(table, parts[i])
				}
				return nil
			case n > len(array):
				array = append(array, make(map[string]any))
				table[parts[i]] = array
			}
			if table, ok = array[n-1].(map[string]any); !ok {
				return errors.New("there is no such section")
			}
			i++
			continue
		}
		next, ok := table[parts[i]].(map[string]any)
		if !ok {
			if table[parts[i]] != nil {
				return errors.New("is in what is no section")
			}
			if value == nil {
				return nil
			}
			next = make(map[string]any)
			table[parts[i]] = next
		}
		table = next
	}
	name := parts[len(parts)-1]
	if value == nil {
		delete(table, name)
	} else {
		table[name] = value
	}
	return nil
}

// prune takes tables without keys out, which say nothing.
func prune(table map[string]any) map[string]any {
	for name, value := range table {
		switch v := value.(type) {
		case map[string]any:
			if len(prune(v)) == 0 {
				delete(table, name)
			}
		case []any:
			for _, e := range v {
				if t, ok := e.(map[string]any); ok {
					prune(t)
				}
			}
		}
	}
	return table
}
