package top

import (
	"cmp"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/charmbracelet/x/term"
)

// IsScreen reports whether a program can draw on out: whether it is a terminal,
// and one that can move its cursor. why says what else it is.
func IsScreen(out io.Writer, terminal string) (ok bool, why string) {
	file, isFile := out.(*os.File)
	switch {
	case !isFile || !term.IsTerminal(file.Fd()):
		return false, "standard output is not a terminal"
	case terminal == "dumb":
		return false, "the terminal cannot be drawn on (TERM=dumb)"
	}
	return true, ""
}

// OptionsFromEnvironment reads what a terminal can show: LC_ALL, LC_CTYPE and
// LANG name its characters (POSIX.1-2017, 8.2), COLUMNS the width of its lines.
// Where they say nothing, characters are taken for UTF-8.
func OptionsFromEnvironment(getenv func(string) string) Options {
	const standardWidth, mostWidth = 120, 1000
	locale := strings.ToUpper(cmp.Or(getenv("LC_ALL"), getenv("LC_CTYPE"), getenv("LANG"), "C.UTF-8"))
	o := Options{Width: standardWidth, ASCII: !strings.Contains(locale, "UTF-8") && !strings.Contains(locale, "UTF8")}
	if columns, err := strconv.Atoi(getenv("COLUMNS")); err == nil && columns > 0 {
		o.Width = min(columns, mostWidth)
	}
	return o
}
