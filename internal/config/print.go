package config

import (
	"bufio"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Print writes the configuration that is in force as TOML, secrets redacted,
// each value with its origin as a comment.
func (c *Config) Print(w io.Writer) error {
	const originColumn = 44

	out := bufio.NewWriter(w)
	table := ""
	for _, f := range c.fields() {
		if f.table != table {
			table = f.table
			fmt.Fprintf(out, "\n%s\n", tableHeader(table))
		}
		line := f.name + " = " + formatTOML(f.value)
		fmt.Fprintf(out, "%-*s # %s\n", originColumn, line, c.OriginOf(f.key))
	}
	return out.Flush() // keeps the first error of all writes
}

// tableHeader is [http] for a section and [[node]] for a repeated one, whose
// path ends in a number.
func tableHeader(table string) string {
	if name, number, ok := strings.Cut(table, "."); ok && isDigits(number) {
		return "[[" + name + "]]"
	}
	return "[" + table + "]"
}

// formatTOML writes a value the way a person would. Secrets come out redacted.
func formatTOML(v reflect.Value) string {
	switch value := v.Interface().(type) {
	case Secret:
		return quoteTOML(value.String())
	case string:
		return quoteTOML(value)
	case bool:
		return strconv.FormatBool(value)
	case int:
		return strconv.Itoa(value)
	case float64:
		return strconv.FormatFloat(value, 'f', -1, 64)
	case time.Duration:
		return quoteTOML(shortDuration(value))
	case []string:
		quoted := make([]string, len(value))
		for i, s := range value {
			quoted[i] = quoteTOML(s)
		}
		return "[" + strings.Join(quoted, ", ") + "]"
	default:
		return fmt.Sprint(value)
	}
}

// shortDuration is a duration without the zeros at its end: 15m, not 15m0s.
func shortDuration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// quoteTOML writes a basic string. TOML knows no \x escape, hence not %q.
func quoteTOML(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
