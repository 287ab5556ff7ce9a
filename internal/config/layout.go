package config

import (
	"bytes"
	"regexp"
	"strconv"

	"github.com/pelletier/go-toml/v2/unstable"
)

// layout is where everything stands in a TOML document, in bytes. Paths are those
// of keyPlaces; a part of a path that is no bare key is quoted, so that the key
// "http.listen" is not taken for listen in the section http.
type layout struct {
	data    []byte
	newline string
	pairs   []*pair           // in the order of the document, those of inline tables too
	headers []*header         // likewise
	inlines map[string]*list  // inline tables, by path
	arrays  map[string]*list  // inline arrays with tables, by path
	last    map[string]int    // elements of each array of tables
	byKey   map[string]*pair  // values
	parser  unstable.Parser   // of the walk
	dotted  map[string]string // sections that dotted keys make, with the text before the name: "http."
}

// pair is a key with its value.
type pair struct {
	key, section string
	from, to     int // of key and value
	value        int // where the value begins
	line         bool
	header       int   // index of the header above it, -1 for none; of lines only
	in           *list // inline table, nil for lines
	array        bool
	elements     []element // of an array
}

// element is a value in an array.
type element struct {
	from, to int
	text     string // of a text
	isText   bool
}

// header is the line of a section.
type header struct {
	path     string
	from, to int // of the line with its end
}

// list is an inline table or an inline array of tables.
type list struct {
	open, close int      // the brackets
	children    [][2]int // from and to
}

var bareKey = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// layOut reads where everything stands. The document is known to be valid.
func layOut(data []byte, newline string) *layout {
	l := &layout{
		data: data, newline: newline,
		inlines: make(map[string]*list), arrays: make(map[string]*list), last: make(map[string]int),
		byKey: make(map[string]*pair), dotted: make(map[string]string),
	}
	section := ""
	l.parser.Reset(data)
	for l.parser.NextExpression() {
		e := l.parser.Expression()
		switch e.Kind {
		case unstable.Table, unstable.ArrayTable:
			path, end := l.path("", e.Key(), e.Kind == unstable.ArrayTable)
			section = path
			l.headers = append(l.headers, &header{path: path, from: l.lineStart(end), to: l.lineEnd(end)})
		case unstable.KeyValue:
			l.keyValue(section, e, nil)
		default: // comments are what is left
		}
	}
	return l
}

// newlineOf is how a document ends its lines.
func newlineOf(data []byte) string {
	if i := bytes.IndexByte(data, '\n'); i > 0 && data[i-1] == '\r' {
		return "\r\n"
	}
	return "\n"
}

// path joins a dotted key onto base, and returns where it ends.
func (l *layout) path(base string, key unstable.Iterator, newElement bool) (path string, end int) {
	path = base
	for key.Next() {
		part := key.Node()
		name := string(part.Data)
		if !bareKey.MatchString(name) {
			name = strconv.Quote(name)
		}
		path = joinKey(path, name)
		end = int(part.Raw.Offset + part.Raw.Length)
		if key.IsLast() && newElement {
			l.last[path]++
		}
		if n := l.last[path]; n > 0 {
			path = joinKey(path, strconv.Itoa(n))
		}
	}
	return path, end
}

// keyValue notes a key, its value, and what that holds.
func (l *layout) keyValue(section string, e *unstable.Node, in *list) {
	p := &pair{from: int(e.Raw.Offset), to: int(e.Raw.Offset + e.Raw.Length), line: in == nil, header: len(l.headers) - 1, in: in}
	parts, name := 0, p.from
	for key := e.Key(); key.Next(); parts++ {
		name = int(key.Node().Raw.Offset)
	}
	path, end := l.path(section, e.Key(), false)
	p.key, p.section = path, section
	if parts > 1 {
		p.section = parentOf(path)
		if in == nil {
			l.dotted[p.section] = string(l.data[p.from:name])
		}
	}
	p.value = l.skip(l.skip(end, " \t")+len("="), " \t")
	l.pairs = append(l.pairs, p)
	l.byKey[path] = p
	if in != nil {
		in.children = append(in.children, [2]int{p.from, p.to})
	}

	value := e.Value()
	switch value.Kind {
	case unstable.InlineTable:
		l.inlineTable(path, value, p.value)
	case unstable.Array:
		p.array = true
		l.array(path, value, p)
	default:
	}
}

func (l *layout) inlineTable(path string, value *unstable.Node, open int) (end int) {
	table := &list{open: open}
	l.inlines[path] = table
	end = open + 1
	for it := value.Children(); it.Next(); {
		if it.Node().Kind == unstable.KeyValue {
			l.keyValue(path, it.Node(), table)
			end = int(it.Node().Raw.Offset + it.Node().Raw.Length)
		}
	}
	table.close = l.skipToBracket(end)
	return table.close + 1
}

func (l *layout) array(path string, value *unstable.Node, p *pair) {
	tables := &list{open: p.value, close: p.to - 1}
	n := 0
	for it := value.Children(); it.Next(); {
		node := it.Node()
		switch node.Kind {
		case unstable.Comment:
			continue
		case unstable.InlineTable:
			n++
			from := int(node.Raw.Offset)
			tables.children = append(tables.children, [2]int{from, l.inlineTable(joinKey(path, strconv.Itoa(n)), node, from)})
		default:
			e := element{from: int(node.Raw.Offset), to: int(node.Raw.Offset + node.Raw.Length)}
			if node.Kind == unstable.String {
				e.text, e.isText = string(node.Data), true
			}
			p.elements = append(p.elements, e)
		}
	}
	if n > 0 {
		l.arrays[path], l.last[path] = tables, n
	}
}

// parentOf is a path without its last part, which is a bare key.
func parentOf(path string) string {
	for i := len(path) - 1; i >= 0; i-- {
		if path[i] == '.' {
			return path[:i]
		}
	}
	return ""
}

// commentsIn lists the comments between two places.
func (l *layout) commentsIn(from, to int) (comments []string) {
	parser := unstable.Parser{KeepComments: true}
	parser.Reset(l.data)
	var walk func(n *unstable.Node)
	walk = func(n *unstable.Node) {
		for ; n != nil; n = n.Next() {
			if at := int(n.Raw.Offset); n.Kind == unstable.Comment && at >= from && at < to {
				comments = append(comments, string(bytes.TrimRight(n.Data, "\r")))
			}
			walk(n.Child())
		}
	}
	for parser.NextExpression() {
		walk(parser.Expression())
	}
	return comments
}

// skip returns the first place from at on that has none of the characters.
func (l *layout) skip(at int, characters string) int {
	for at < len(l.data) && bytes.IndexByte([]byte(characters), l.data[at]) >= 0 {
		at++
	}
	return at
}

// skipToBracket returns where the bracket is that ends a list, after its last
// element.
func (l *layout) skipToBracket(at int) int {
	for at = l.skipSpace(at); at < len(l.data) && l.data[at] == ','; {
		at = l.skipSpace(at + 1)
	}
	return at
}

// skipSpace skips white space, line ends and comments.
func (l *layout) skipSpace(at int) int {
	for at = l.skip(at, " \t\r\n"); at < len(l.data) && l.data[at] == '#'; {
		at = l.skip(l.lineEnd(at), " \t\r\n")
	}
	return at
}

// comma returns where the comma after an element is, -1 when there is none.
func (l *layout) comma(at int) int {
	if at = l.skipSpace(at); at < len(l.data) && l.data[at] == ',' {
		return at
	}
	return -1
}

func (l *layout) lineStart(at int) int { return bytes.LastIndexByte(l.data[:at], '\n') + 1 }

// lineEnd is where the next line begins.
func (l *layout) lineEnd(at int) int {
	if i := bytes.IndexByte(l.data[at:], '\n'); i >= 0 {
		return at + i + 1
	}
	return len(l.data)
}
