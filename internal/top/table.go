package top

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
)

// column is one column of a table.
type column[T any] struct {
	title   string
	width   int  // cells; of the flexible one, the least
	flex    bool // takes what is left; one column of a table
	right   bool // numbers
	rank    int  // columns of the highest ranks are left out first where there is no room
	compare func(a, b *T) int
	falling bool // sorted from the largest at first
	cell    func(row *T, w int, s *screen) cell
}

// cell is a text and its looks. The text is clean.
type cell struct {
	text  string
	style style
}

// fact is a line of a row's details.
type fact struct {
	name string
	cell
}

// table is a list that can be sorted, searched and walked through.
type table[T any] struct {
	columns []column[T]
	key     func(*T) string
	words   func(*T) string // what a search looks in
	facts   func(*T, *screen) []fact
	none    string // shown when there is nothing

	rows   []T
	order  []int // of rows: those that are shown, sorted
	by     int   // column
	fall   bool
	filter string
	cursor int    // in order
	follow string // key of the row that the cursor stays on; "" at the top
	offset int    // in order: the first that is on the screen
}

// set replaces the rows.
func (t *table[T]) set(rows []T) {
	t.rows = rows
	t.arrange()
}

// arrange filters and sorts, and finds the followed row again. Equal rows keep
// the server's order, so that a live table does not flicker.
func (t *table[T]) arrange() {
	words := strings.Fields(strings.ToLower(t.filter))
	t.order = t.order[:0]
	for i := range t.rows {
		if containsAll(&t.rows[i], t.words, words) {
			t.order = append(t.order, i)
		}
	}
	compare := t.columns[t.by].compare
	slices.SortStableFunc(t.order, func(a, b int) int {
		c := compare(&t.rows[a], &t.rows[b])
		if t.fall {
			return -c
		}
		return c
	})
	t.cursor = min(t.cursor, max(len(t.order)-1, 0))
	if t.follow == "" {
		return
	}
	for at, i := range t.order {
		if t.key(&t.rows[i]) == t.follow {
			t.cursor = at
			return
		}
	}
}

func containsAll[T any](row *T, text func(*T) string, words []string) bool {
	if len(words) == 0 {
		return true
	}
	in := strings.ToLower(text(row))
	for _, w := range words {
		if !strings.Contains(in, w) {
			return false
		}
	}
	return true
}

// search shows only rows with all the words of a text.
func (t *table[T]) search(text string) {
	t.filter = text
	t.arrange()
}

func (t *table[T]) searched() string { return t.filter }

// sortNext sorts by the column so many to the right.
func (t *table[T]) sortNext(step int) {
	n := len(t.columns)
	for {
		t.by = (t.by + step + n) % n
		if t.columns[t.by].compare != nil {
			break
		}
	}
	t.fall = t.columns[t.by].falling
	t.arrange()
}

// turn sorts the other way round.
func (t *table[T]) turn() {
	t.fall = !t.fall
	t.arrange()
}

// move moves the cursor. At the very top it stays there while rows change
// places; elsewhere it stays on its row.
func (t *table[T]) move(by int) {
	t.cursor = max(min(t.cursor+by, len(t.order)-1), 0)
	t.follow = ""
	if t.cursor > 0 {
		t.follow = t.key(t.current())
	}
}

// current is the row under the cursor, nil when there is none.
func (t *table[T]) current() *T {
	if t.cursor >= len(t.order) {
		return nil
	}
	return &t.rows[t.order[t.cursor]]
}

// counts are the rows that are shown, and all.
func (t *table[T]) counts() (shown, all int) { return len(t.order), len(t.rows) }

// detail are the facts of the row under the cursor.
func (t *table[T]) detail(s *screen) []fact {
	if row := t.current(); row != nil {
		return t.facts(row, s)
	}
	return nil
}

// draw writes the table in h lines: its header, and the rows around the cursor.
func (t *table[T]) draw(s *screen, h int) []string {
	widths := t.fit(s.width)
	lines := []string{t.header(s, widths)}
	visible := max(h-1, 1)
	t.offset = min(max(t.offset, t.cursor-visible+1), t.cursor, max(len(t.order)-visible, 0))
	for at := t.offset; at < min(t.offset+visible, len(t.order)); at++ {
		lines = append(lines, t.line(s, widths, &t.rows[t.order[at]], at == t.cursor && !s.ink.plain))
	}
	if len(t.order) == 0 {
		words := t.none
		if len(t.rows) > 0 {
			words = "Nothing matches “" + t.filter + "”. Esc shows all again."
		}
		lines = append(lines, s.ink.paint(faint, cut(words, s.width)))
	}
	return lines
}

// fit chooses the columns that fit and their widths; 0 leaves a column out.
func (t *table[T]) fit(w int) []int {
	widths := make([]int, len(t.columns))
	order := make([]int, len(t.columns))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(t.columns[a].rank, t.columns[b].rank) })
	room := w
	for _, i := range order {
		need := t.columns[i].width
		if room < w {
			need += len(gap)
		}
		if need > room {
			break // what is less important than this is not shown either
		}
		widths[i] = t.columns[i].width
		room -= need
	}
	for i, c := range t.columns {
		if c.flex && widths[i] > 0 {
			widths[i] += room
		}
	}
	return widths
}

// gap is between two columns.
const gap = "  "

func (t *table[T]) header(s *screen, widths []int) string {
	parts := make([]string, 0, len(widths))
	for i, c := range t.columns {
		if widths[i] == 0 {
			continue
		}
		title, look := c.title, faint
		if i == t.by {
			look = bold
			arrow := "▲"
			if t.fall {
				arrow = "▼"
			}
			title = cut(title, widths[i]-1) + arrow
		}
		parts = append(parts, s.ink.paint(look, align(title, widths[i], c.right)))
	}
	return strings.TrimRightFunc(strings.Join(parts, gap), unicode.IsSpace)
}

func (t *table[T]) line(s *screen, widths []int, row *T, selected bool) string {
	parts := make([]string, 0, len(widths))
	used := 0
	for i, c := range t.columns {
		if widths[i] == 0 {
			continue
		}
		v := c.cell(row, widths[i], s)
		text := align(v.text, widths[i], c.right)
		if !selected {
			text = s.ink.paint(v.style, text)
		}
		parts = append(parts, text)
		used += widths[i] + len(gap)
	}
	line := strings.Join(parts, gap)
	if selected {
		return s.ink.paint(reverse, line+strings.Repeat(" ", max(s.width-used+len(gap), 0)))
	}
	return strings.TrimRight(line, " ")
}

func align(text string, w int, toRight bool) string {
	if toRight {
		return right(text, w)
	}
	return left(text, w)
}

// natural compares names as people count: rig2 before rig10.
func natural(a, b string) int {
	for a != "" && b != "" {
		x, restA := piece(a)
		y, restB := piece(b)
		if c := comparePieces(x, y); c != 0 {
			return c
		}
		a, b = restA, restB
	}
	return cmp.Compare(len(a), len(b))
}

// piece splits a stretch of digits, or of anything else, off a text.
func piece(s string) (first, rest string) {
	isDigit := func(c byte) bool { return c >= '0' && c <= '9' }
	end := 1
	for end < len(s) && isDigit(s[end]) == isDigit(s[0]) {
		end++
	}
	return s[:end], s[end:]
}

func comparePieces(a, b string) int {
	const digits = "0123456789"
	if strings.Trim(a, digits) == "" && strings.Trim(b, digits) == "" {
		x, y := strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
		return cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y))
	}
	return cmp.Compare(strings.ToLower(a), strings.ToLower(b))
}
