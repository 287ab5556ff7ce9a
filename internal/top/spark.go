package top

import (
	"math"
	"strings"
)

// levels are the heights of a bar in one cell, lowest first.
var levels = []rune("▁▂▃▄▅▆▇█")

// spark draws values as bars, oldest to the left, in w cells by h lines, from
// zero to the largest. More values than cells are averaged; fewer keep to the
// right, where now is.
func spark(values []float64, w, h int) []string {
	lines := make([]string, h)
	if w <= 0 {
		return lines
	}
	values = resample(values, w)
	largest := 0.0
	for _, v := range values {
		if v > largest {
			largest = v
		}
	}
	for row := range lines {
		var b strings.Builder
		b.WriteString(strings.Repeat(" ", w-len(values)))
		floor := (h - 1 - row) * len(levels) // eighths below this line
		for _, v := range values {
			eighths := 1 // what was measured is seen, even if it was nothing
			if largest > 0 {
				eighths = max(int(math.Round(v/largest*float64(h*len(levels)))), 1)
			}
			switch above := eighths - floor; {
			case above <= 0:
				b.WriteByte(' ')
			default:
				b.WriteRune(levels[min(above, len(levels))-1])
			}
		}
		lines[row] = b.String()
	}
	return lines
}

// resample averages values into at most n.
func resample(values []float64, n int) []float64 {
	if len(values) <= n {
		return values
	}
	out := make([]float64, n)
	for i := range out {
		from, to := i*len(values)/n, (i+1)*len(values)/n
		sum := 0.0
		for _, v := range values[from:to] {
			sum += v
		}
		out[i] = sum / float64(to-from)
	}
	return out
}
