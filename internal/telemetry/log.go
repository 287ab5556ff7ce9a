package telemetry

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// Sentinel errors of this package.
var (
	// ErrLogLevel means that a log level is none of debug, info, warn, error.
	ErrLogLevel = errors.New("unknown log level")
	// ErrLogFormat means that a log format is none of text, json.
	ErrLogFormat = errors.New("unknown log format")
)

// NewLogger returns a logger that writes lines to w.
//
// level is debug, info, warn or error; format is text (key=value) or json.
// Values that hold spaces, quotes, line feeds or control characters come out
// quoted and escaped, so a miner can neither forge a log line nor steer the
// operator's terminal through its worker name or user agent. Messages are not
// data: they are constant phrases in this program.
func NewLogger(w io.Writer, level, format string) (*slog.Logger, error) {
	var l slog.Level
	switch strings.ToLower(level) {
	case "debug":
		l = slog.LevelDebug
	case "", "info":
		l = slog.LevelInfo
	case "warn", "warning":
		l = slog.LevelWarn
	case "error":
		l = slog.LevelError
	default:
		return nil, fmt.Errorf("%w: %q (debug, info, warn, error)", ErrLogLevel, level)
	}

	opts := &slog.HandlerOptions{Level: l}
	switch strings.ToLower(format) {
	case "", "text":
		return slog.New(slog.NewTextHandler(w, opts)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(controlEscaper{w}, opts)), nil
	default:
		return nil, fmt.Errorf("%w: %q (text, json)", ErrLogFormat, format)
	}
}

// controlEscaper escapes what JSON allows in strings as it is and terminals
// still obey: DEL and the C1 controls, U+0080 to U+009F. In a line of JSON
// they can only be inside a string, so the escapes do not change its meaning.
type controlEscaper struct{ w io.Writer }

// Write writes one or more whole lines.
func (e controlEscaper) Write(line []byte) (int, error) {
	clean := true
	for i, c := range line {
		if c == 0x7f || c == 0xc2 && i+1 < len(line) && line[i+1] < 0xa0 {
			clean = false
			break
		}
	}
	if clean {
		return e.w.Write(line)
	}

	escaped := make([]byte, 0, len(line)+32)
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == 0x7f:
			escaped = append(escaped, `\u007f`...)
		case c == 0xc2 && i+1 < len(line) && line[i+1] < 0xa0:
			i++
			escaped = fmt.Appendf(escaped, `\u%04x`, line[i])
		default:
			escaped = append(escaped, c)
		}
	}
	if _, err := e.w.Write(escaped); err != nil {
		return 0, err
	}
	return len(line), nil
}
