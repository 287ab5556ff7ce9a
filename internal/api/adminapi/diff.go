package adminapi

import (
	"fmt"
	"strings"
)

const (
	// diffContext is the number of unchanged lines that are shown around changes.
	diffContext = 3
	// maxDiffArea bounds the work of finding what two texts have in common. Beyond
	// it, what is between the first and the last difference counts as changed.
	maxDiffArea = 4 << 20
)

// diffLine is a line of one text, or of both.
type diffLine struct {
	kind byte // ' ', '-' or '+'
	text string
}

// unifiedDiff compares two texts as diff -u does; "" when they are the same.
func unifiedDiff(name, before, after string) string {
	if before == after {
		return ""
	}
	lines := compareLines(splitLines(before), splitLines(after))
	var b strings.Builder
	fmt.Fprintf(&b, "--- %s\n+++ %s\n", name, name)
	for at := 0; at < len(lines); {
		first, end := nextHunk(lines, at)
		if first == end {
			break
		}
		writeHunk(&b, lines, first, end)
		at = end
	}
	return b.String()
}

// nextHunk finds the next changes that stand so close together that their contexts
// touch, with their context.
func nextHunk(lines []diffLine, from int) (first, end int) {
	at := from
	for at < len(lines) && lines[at].kind == ' ' {
		at++
	}
	if at == len(lines) {
		return at, at
	}
	first, end = max(from, at-diffContext), at+1
	for i := at; i < len(lines) && i <= end+2*diffContext; i++ {
		if lines[i].kind != ' ' {
			end = i + 1
		}
	}
	return first, min(len(lines), end+diffContext)
}

func writeHunk(b *strings.Builder, lines []diffLine, first, end int) {
	oldLine, newLine := 1, 1
	for _, l := range lines[:first] {
		if l.kind != '+' {
			oldLine++
		}
		if l.kind != '-' {
			newLine++
		}
	}
	oldCount, newCount := 0, 0
	for _, l := range lines[first:end] {
		if l.kind != '+' {
			oldCount++
		}
		if l.kind != '-' {
			newCount++
		}
	}
	// A side without lines names the line before (GNU diffutils, "Detailed Unified").
	if oldCount == 0 {
		oldLine--
	}
	if newCount == 0 {
		newLine--
	}
	fmt.Fprintf(b, "@@ -%d,%d +%d,%d @@\n", oldLine, oldCount, newLine, newCount)
	for _, l := range lines[first:end] {
		b.WriteByte(l.kind)
		text, ended := strings.CutSuffix(l.text, "\n")
		b.WriteString(text + "\n")
		if !ended {
			b.WriteString("\\ No newline at end of file\n")
		}
	}
}

// splitLines splits a text behind each line end; the last line may have none.
func splitLines(text string) []string {
	lines := strings.SplitAfter(text, "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// compareLines finds a longest common subsequence of the lines between the first
// and the last difference.
func compareLines(a, b []string) (all []diffLine) {
	begin := 0
	for begin < len(a) && begin < len(b) && a[begin] == b[begin] {
		begin++
	}
	end := 0
	for end < len(a)-begin && end < len(b)-begin && a[len(a)-1-end] == b[len(b)-1-end] {
		end++
	}
	for _, line := range a[:begin] {
		all = append(all, diffLine{' ', line})
	}
	all = append(all, compareMiddle(a[begin:len(a)-end], b[begin:len(b)-end])...)
	for _, line := range a[len(a)-end:] {
		all = append(all, diffLine{' ', line})
	}
	return all
}

func compareMiddle(a, b []string) (all []diffLine) {
	i, j := 0, 0
	if (len(a)+1)*(len(b)+1) <= maxDiffArea {
		// common[i][j] is the length for a[i:] and b[j:].
		common := make([][]int32, len(a)+1)
		for i := range common {
			common[i] = make([]int32, len(b)+1)
		}
		for i := len(a) - 1; i >= 0; i-- {
			for j := len(b) - 1; j >= 0; j-- {
				if a[i] == b[j] {
					common[i][j] = common[i+1][j+1] + 1
				} else {
					common[i][j] = max(common[i+1][j], common[i][j+1])
				}
			}
		}
		for i < len(a) && j < len(b) {
			switch {
			case a[i] == b[j]:
				all = append(all, diffLine{' ', a[i]})
				i++
				j++
			case common[i+1][j] >= common[i][j+1]:
				all = append(all, diffLine{'-', a[i]})
				i++
			default:
				all = append(all, diffLine{'+', b[j]})
				j++
			}
		}
	}
	for ; i < len(a); i++ {
		all = append(all, diffLine{'-', a[i]})
	}
	for ; j < len(b); j++ {
		all = append(all, diffLine{'+', b[j]})
	}
	return all
}
