package top

import (
	"time"

	"github.com/poolscope/poolscope/internal/format"
)

// Least size of a terminal that everything fits into.
const (
	leastWidth  = 60
	leastHeight = 15
)

// screen is what is drawn on, and when.
type screen struct {
	width, height int
	now           time.Time // its zone is the reader's
	ink           ink
	ascii         bool // the terminal shows nothing beyond ASCII
}

// time writes a time of the server's, None when it is not known.
func (s *screen) time(t time.Time) string {
	if t.IsZero() {
		return format.None
	}
	return format.Time(t, s.now)
}

// ago writes how long ago a time was.
func (s *screen) ago(t time.Time) string {
	if t.IsZero() {
		return format.None
	}
	return format.Ago(s.now.Sub(t).Seconds())
}

// timeAgo writes both.
func (s *screen) timeAgo(t time.Time) string {
	if t.IsZero() {
		return format.None
	}
	return s.time(t) + " (" + s.ago(t) + ")"
}

// spread sets a text to the left and one to the right of a line. The left one
// gives way. Looks are put on afterwards, so that they take no cells.
func (s *screen) spread(a, b []cell) string {
	room := s.width - cellsWidth(b)
	if len(b) > 0 {
		room -= len(gap)
	}
	line, used := "", 0
	for _, c := range a {
		t := cut(c.text, max(room-used, 0))
		used += width(t)
		line += s.ink.paint(c.style, t)
	}
	if len(b) == 0 {
		return line
	}
	line += blank(s.width - used - cellsWidth(b))
	for _, c := range b {
		line += s.ink.paint(c.style, c.text)
	}
	return line
}

func cellsWidth(cells []cell) int {
	sum := 0
	for _, c := range cells {
		sum += width(c.text)
	}
	return sum
}

// blank is a stretch of nothing.
func blank(w int) string { return left("", max(w, 0)) }
