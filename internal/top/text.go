package top

import (
	"encoding/json"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// text is a string of the server's made fit for a terminal. See clean.
type text string

// UnmarshalJSON takes a JSON string; null leaves it empty.
func (t *text) UnmarshalJSON(data []byte) error {
	var s string
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	*t = text(clean(s))
	return nil
}

// Bounds of a text: nobody reads more, and marks stacked on one letter run into
// the lines above and below.
const (
	maxText    = 1024 // bytes
	maxCluster = 16   // bytes: a letter with its marks
)

// unprintable stands for what cannot be shown.
const unprintable = "�"

// clean makes a string fit for a terminal: it holds no control characters, so
// that it cannot steer one; nothing invisible, and nothing that turns the
// direction of writing, so that it shows what it is; and only characters about
// whose width terminals agree, so that columns stay straight. Lines and tabs
// become spaces.
func clean(s string) string {
	if isPlain(s) {
		return s
	}
	var b strings.Builder
	for s != "" && b.Len() < maxText {
		cluster, width := ansi.FirstGraphemeCluster(s, ansi.GraphemeWidth)
		s = s[len(cluster):]
		switch {
		case strings.TrimLeft(cluster, "\t\n\r\v\f\u0085\u2028\u2029") == "":
			b.WriteByte(' ')
		case len(cluster) > maxCluster, !utf8.ValidString(cluster), width < 1, width > 2, !isVisible(cluster), wcwidth(cluster) != width:
			b.WriteString(unprintable)
		default:
			b.WriteString(cluster)
		}
	}
	return b.String()
}

// isPlain reports whether a string is short ASCII that can be printed.
func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return len(s) <= maxText
}

// isVisible reports whether every character of a cluster can be seen: letters,
// their marks, numbers, punctuation, symbols and the plain space.
func isVisible(cluster string) bool {
	for _, r := range cluster {
		const twoEmDash, threeEmDash = 0x2e3a, 0x2e3b // drawn far beyond the one cell that they count for
		if r == twoEmDash || r == threeEmDash {
			return false
		}
		if !unicode.IsPrint(r) || unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) || unicode.Is(unicode.Variation_Selector, r) {
			return false
		}
	}
	return true
}

// wcwidth is the width of a cluster in terminals that know no clusters and add
// up their characters.
func wcwidth(cluster string) int {
	sum := 0
	for _, r := range cluster {
		sum += ansi.StringWidthWc(string(r))
	}
	return sum
}

// width is the number of cells that clean text takes.
func width(s string) int { return ansi.StringWidth(s) }

// cut shortens a text to at most w cells; … stands for what is left out.
func cut(s string, w int) string {
	if w <= 0 {
		return ""
	}
	return ansi.Truncate(s, w, "…")
}

// cutLeft shortens a text to at most w cells at its beginning.
func cutLeft(s string, w int) string {
	over := width(s) - w
	if over <= 0 {
		return s
	}
	if w <= 0 {
		return ""
	}
	short := ansi.TruncateLeft(s, over+1, "…")
	return cut(short, w) // a wide character cut in two may leave one cell more
}

// left sets a text in w cells, to the left.
func left(s string, w int) string {
	s = cut(s, w)
	return s + strings.Repeat(" ", max(w-width(s), 0))
}

// right sets a text in w cells, to the right.
func right(s string, w int) string {
	s = cut(s, w)
	return strings.Repeat(" ", max(w-width(s), 0)) + s
}

// shortWorker is a worker's name with its address shortened to its first and
// last eight characters, the miner's own name kept whole.
func shortWorker(name string) string {
	address, rig, hasRig := strings.Cut(name, ".")
	if len(address) <= 20 || !isASCII(address) {
		return name
	}
	short := address[:8] + "..." + address[len(address)-8:]
	if hasRig {
		short += "." + rig
	}
	return short
}

// fitWorker writes a worker's name in w cells: whole, or with its address
// shortened, or only the end of it, which is what people know a machine by.
func fitWorker(name string, w int) string {
	if width(name) > w {
		name = shortWorker(name)
	}
	return left(cutLeft(name, w), w)
}

// toASCII is a line for terminals that know no more: what has a plain twin gets
// it, anything else becomes as many question marks as it took cells. Escape
// sequences of styles are ASCII and stay.
func toASCII(line string) string {
	if isASCII(line) {
		return line
	}
	var b strings.Builder
	for _, r := range line {
		twin, ok := twins[r]
		switch {
		case r < utf8.RuneSelf:
			b.WriteRune(r)
		case ok:
			b.WriteByte(twin)
		default:
			b.WriteString(strings.Repeat("?", ansi.StringWidthWc(string(r))))
		}
	}
	return b.String()
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// twins are plain characters for those that we write ourselves.
var twins = map[rune]byte{
	'–': '-', '…': '.', '≈': '~', '·': '|', '×': 'x', 'µ': 'u', '▲': '^', '▼': 'v', '●': '*', '○': 'o', '─': '-', '’': '\'', '“': '"', '”': '"', '→': '>',
	'▁': '_', '▂': '.', '▃': '-', '▄': '-', '▅': '=', '▆': '+', '▇': '*', '█': '#', '↑': '^', '↓': 'v',
}
