package notify

import (
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// How services count the length of a text.
func inBytes(s string) int { return len(s) }
func inRunes(s string) int { return utf8.RuneCountInString(s) }
func inUTF16(s string) int {
	n := 0
	for _, r := range s {
		n += utf16.RuneLen(r)
	}
	return n
}

// zeroWidth is a space that is not seen.
const zeroWidth = "\u200b"

// What services would take for something else than letters. Miners choose the names
// of workers: they must not call everybody in a chat (@channel), nor have a chat's
// server load an address.
var (
	plain    = strings.NewReplacer()
	harmless = strings.NewReplacer("@", "@"+zeroWidth, "://", ":"+zeroWidth+"//")
	markdown = strings.NewReplacer(
		`\`, `\\`, "*", `\*`, "_", `\_`, "~", `\~`, "`", "\\`", "|", `\|`, "<", `\<`, ">", `\>`, "[", `\[`, "]", `\]`, "#", `\#`,
		"@", "@"+zeroWidth, "://", ":"+zeroWidth+"//",
	)
)

// moreRoom is kept for the line that says how many are left out.
const moreRoom = len("\n… and 99999 more; see the page, under Alerts")

// fit is the text without the title, at most limit long as size counts. Lines that
// do not fit are counted in one at the end; the remark about a repetition stays.
func (m *Message) fit(limit int, size func(string) int, escape *strings.Replacer) string {
	lines, end := m.Lines, ""
	if last := len(lines) - 1; last > 0 && lines[last] == repetition {
		lines, end = lines[:last], "\n"+repetition
	}
	room := limit - size(end)
	var b strings.Builder
	for i, line := range lines {
		line = escape.Replace(line)
		if i > 0 {
			line = "\n" + line
		}
		need, rest := size(line), 0
		if i+1 < len(lines) {
			rest = moreRoom
		}
		if need+rest > room && i == 0 {
			line = cut(line, room-rest-1, size) + "…"
			need = size(line)
		} else if need+rest > room {
			fmt.Fprintf(&b, "\n… and %d more; see the page, under Alerts", len(lines)-i)
			break
		}
		room -= need
		b.WriteString(line)
	}
	return b.String() + end
}

// whole is the title and the text below it, at most limit long.
func (m *Message) whole(limit int, size func(string) int, escape *strings.Replacer) string {
	title := escape.Replace(m.Title) + "\n"
	return title + m.fit(limit-size(title), size, escape)
}

// cut is the beginning of a text that is at most limit long as size counts.
func cut(s string, limit int, size func(string) int) string {
	n := 0
	for i, r := range s {
		if n += size(string(r)); n > limit {
			return s[:i]
		}
	}
	return s
}
