package telemetry

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// Bounds of what is kept of the log in memory.
const (
	maxRecords     = 5000
	maxRecordBytes = 4 << 20 // of all records
	maxLogText     = 4 << 10 // bytes of a message or value; the rest is cut
	maxLogAttrs    = 32      // of a record
)

// partKey is the attribute that names the part of the program.
const partKey = "part"

// LogRecord is a line of the log as it is kept in memory: redacted, and with
// everything escaped that could steer a terminal or pass for another line. It is
// never changed.
type LogRecord struct {
	// ID grows with each record, also over restarts.
	ID      uint64
	At      time.Time
	Level   slog.Level
	Part    string // of the program; "" where it is not told
	Message string
	Attrs   []LogAttr // in the order of the line, without part
}

// LogAttr is a value of a line. Members of groups have their names in the key:
// "group.name".
type LogAttr struct{ Key, Value string }

// Text is the record as one line, without its end.
func (r *LogRecord) Text() string {
	var b strings.Builder
	b.WriteString(r.At.UTC().Format("2006-01-02T15:04:05.000Z"))
	b.WriteByte(' ')
	b.WriteString(r.Level.String())
	if r.Part != "" {
		b.WriteString(" [" + r.Part + "]")
	}
	b.WriteByte(' ')
	b.WriteString(r.Message)
	for _, a := range r.Attrs {
		b.WriteString(" " + a.Key + "=")
		if a.Value == "" || strings.ContainsAny(a.Value, " =\"") {
			b.WriteString(`"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(a.Value) + `"`)
		} else {
			b.WriteString(a.Value)
		}
	}
	return b.String()
}

// size is about what the record takes, in bytes.
func (r *LogRecord) size() int {
	n := 128 + len(r.Part) + len(r.Message)
	for _, a := range r.Attrs {
		n += 32 + len(a.Key) + len(a.Value)
	}
	return n
}

// logRing keeps the newest records.
type logRing struct {
	mu      sync.Mutex
	records []*LogRecord // a circle of maxRecords, once it is full
	first   int          // index of the oldest
	bytes   int
	last    uint64 // ID of the newest
}

// newLogRing makes a ring whose IDs follow those of an earlier process, as long as
// that one wrote less than a million lines a second.
func newLogRing(now time.Time) *logRing {
	return &logRing{last: uint64(max(0, now.Unix())) << 20}
}

// add gives the record its ID and keeps it in the place of the oldest.
func (g *logRing) add(r *LogRecord) {
	size := r.size()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.last++
	r.ID = g.last
	g.records = append(g.records, r)
	g.bytes += size
	for len(g.records)-g.first > maxRecords || g.bytes > maxRecordBytes && len(g.records)-g.first > 1 {
		g.bytes -= g.records[g.first].size()
		g.records[g.first] = nil
		g.first++
	}
	if g.first >= maxRecords {
		g.records = append(make([]*LogRecord, 0, 2*maxRecords), g.records[g.first:]...)
		g.first = 0
	}
}

// after lists the records with larger IDs, the oldest first.
func (g *logRing) after(id uint64) (records []*LogRecord, lost uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	kept := g.records[g.first:]
	if len(kept) == 0 || id >= g.last {
		return nil, 0
	}
	oldest := kept[0].ID
	if id >= oldest {
		return append(records, kept[id-oldest+1:]...), 0
	}
	if id > 0 && id+1 < oldest && oldest-id-1 < 1<<20 { // otherwise it is of an earlier process
		lost = oldest - id - 1
	}
	return append(records, kept...), lost
}

// Records lists what is kept of the log with IDs above after, the oldest first,
// and the number of records between that were given up. 0 lists everything.
func (l *Logs) Records(after uint64) (records []*LogRecord, lost uint64) { return l.ring.after(after) }

// ringHandler keeps records in memory and passes them on.
type ringHandler struct {
	slog.Handler
	logs  *Logs
	part  string
	attrs []LogAttr
	group string // "a.b." of the open groups
}

var _ slog.Handler = ringHandler{}

// Handle keeps a record and passes it on.
func (h ringHandler) Handle(ctx context.Context, r slog.Record) error {
	kept := &LogRecord{At: r.Time, Level: r.Level, Part: h.part, Message: harmless(h.logs.secrets.Load().text(r.Message))}
	kept.Attrs = append(make([]LogAttr, 0, len(h.attrs)+r.NumAttrs()), h.attrs...)
	r.Attrs(func(a slog.Attr) bool {
		kept.Attrs = h.flatten(kept.Attrs, &kept.Part, h.group, a)
		return true
	})
	h.logs.ring.add(kept)
	return h.Handler.Handle(ctx, r)
}

// WithAttrs returns a handler that adds attributes.
func (h ringHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	h.Handler = h.Handler.WithAttrs(attrs)
	h.attrs = h.attrs[:len(h.attrs):len(h.attrs)]
	for _, a := range attrs {
		h.attrs = h.flatten(h.attrs, &h.part, h.group, a)
	}
	return h
}

// WithGroup returns a handler that puts attributes into a group.
func (h ringHandler) WithGroup(name string) slog.Handler {
	h.Handler = h.Handler.WithGroup(name)
	if name != "" {
		h.group += harmless(name) + "."
	}
	return h
}

// flatten appends an attribute, or the members of a group, as text.
func (h ringHandler) flatten(list []LogAttr, part *string, prefix string, a slog.Attr) []LogAttr {
	a.Value = a.Value.Resolve()
	if a.Value.Kind() == slog.KindGroup {
		if a.Key != "" {
			prefix += harmless(a.Key) + "."
		}
		for _, member := range a.Value.Group() {
			list = h.flatten(list, part, prefix, member)
		}
		return list
	}
	if a.Equal(slog.Attr{}) || len(list) >= maxLogAttrs {
		return list
	}
	value := harmless(textOf(h.logs.secrets.Load().attr(a).Value))
	if prefix == "" && a.Key == partKey {
		*part = value
		return list
	}
	return append(list, LogAttr{prefix + harmless(a.Key), value})
}

// textOf is a value as the text handler writes it.
func textOf(v slog.Value) string {
	switch v.Kind() {
	case slog.KindTime:
		return v.Time().UTC().Format(time.RFC3339Nano)
	case slog.KindAny:
		return fmt.Sprintf("%+v", v.Any())
	default:
		return v.String()
	}
}

// harmless escapes control characters, line ends and what turns the direction of
// writing around, as in Go's strings, and cuts what is too long.
func harmless(s string) string {
	cut := len(s) > maxLogText
	if cut {
		s = s[:maxLogText]
		for len(s) > 0 && !utf8.RuneStart(s[len(s)-1]) {
			s = s[:len(s)-1]
		}
		if last, _ := utf8.DecodeLastRuneInString(s); last == utf8.RuneError {
			s = s[:max(0, len(s)-1)]
		}
	}
	clean := true
	for _, r := range s {
		if r < ' ' || unsafeRune(r) || r == utf8.RuneError {
			clean = false
			break
		}
	}
	if !clean {
		var b strings.Builder
		for _, r := range s {
			switch {
			case r < ' ' || unsafeRune(r):
				quoted := strconv.QuoteRuneToASCII(r)
				b.WriteString(quoted[1 : len(quoted)-1])
			default:
				b.WriteRune(r) // what is no UTF-8 becomes U+FFFD
			}
		}
		s = b.String()
	}
	if cut {
		s += "…"
	}
	return s
}
