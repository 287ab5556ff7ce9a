package telemetry

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"
	"unicode/utf8"
)

// eitherHandler writes text or JSON, whichever is in force at the moment.
type eitherHandler struct {
	asJSON     *atomic.Bool
	json, text slog.Handler
}

var _ slog.Handler = eitherHandler{}

func (h eitherHandler) current() slog.Handler {
	if h.asJSON.Load() {
		return h.json
	}
	return h.text
}

// Enabled says whether a level is shown.
func (h eitherHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.text.Enabled(ctx, level) // both ask the same level
}

// Handle writes a record as one line.
func (h eitherHandler) Handle(ctx context.Context, r slog.Record) error {
	return h.current().Handle(ctx, r)
}

// WithAttrs returns a handler that adds attributes.
func (h eitherHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	h.json, h.text = h.json.WithAttrs(attrs), h.text.WithAttrs(attrs)
	return h
}

// WithGroup returns a handler that puts attributes into a group.
func (h eitherHandler) WithGroup(name string) slog.Handler {
	h.json, h.text = h.json.WithGroup(name), h.text.WithGroup(name)
	return h
}

// controlEscaper escapes what JSON allows in strings as it is and terminals
// still obey: DEL, the C1 controls (U+0080 to U+009F), and the characters that
// turn the direction of writing around. In a line of JSON they can only be
// inside a string, so the escapes do not change its meaning.
type controlEscaper struct{ w io.Writer }

// Write writes one or more whole lines.
func (e controlEscaper) Write(line []byte) (int, error) {
	first := 0
	for first < len(line) && line[first] < 0x7f {
		first++
	}
	if first == len(line) {
		return e.w.Write(line)
	}

	escaped := append(make([]byte, 0, len(line)+32), line[:first]...)
	for rest := line[first:]; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		if unsafeRune(r) {
			escaped = fmt.Appendf(escaped, `\u%04x`, r)
		} else {
			escaped = append(escaped, rest[:size]...)
		}
		rest = rest[size:]
	}
	if _, err := e.w.Write(escaped); err != nil {
		return 0, err
	}
	return len(line), nil
}

// unsafeRune says whether a character beyond ASCII acts on a terminal.
func unsafeRune(r rune) bool {
	switch {
	case r >= 0x7f && r < 0xa0:
	case r == 0x061c, r == 0x200e, r == 0x200f, r >= 0x2028 && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
	default:
		return false
	}
	return true
}
