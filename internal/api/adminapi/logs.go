package adminapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/poolscope/poolscope/internal/api/access"
	"github.com/poolscope/poolscope/internal/telemetry"
)

// Logs is what operators see and command of the log. *telemetry.Logs is one.
type Logs interface {
	// Records lists what is kept with IDs above after, the oldest first, and the
	// number of records between that were given up.
	Records(after uint64) (records []*telemetry.LogRecord, lost uint64)
	// Level is the level in force, the configured one, and until when they differ.
	Level() (inForce, configured slog.Level, until time.Time)
	// SetLevel puts another level in force for a time, 0 the configured one.
	SetLevel(level string, d time.Duration) error
}

var _ Logs = (*telemetry.Logs)(nil)

const (
	defaultLines    = 500
	maxLines        = 5000
	maxLevelMinutes = 24 * 60
)

// logPage is the response of GET /api/admin/logs.
type logPage struct {
	Level           string    `json:"level"`                // in force: debug, info, warn or error
	ConfiguredLevel string    `json:"configured_level"`     // which comes back
	LevelUntil      time.Time `json:"level_until,omitzero"` // then; left out when the configured one is in force
	Lines           []logLine `json:"lines"`                // the oldest first
	Next            uint64    `json:"next"`                 // after of the next request
	Dropped         uint64    `json:"dropped"`              // lines after after that are no longer kept
	Parts           []string  `json:"parts"`                // of the program that have lines
}

// logLine is one line of the log, escaped so that it is one.
type logLine struct {
	ID      uint64    `json:"id"`
	At      time.Time `json:"at"`
	Level   string    `json:"level"`
	Part    string    `json:"part"` // of the program, "" where it is not told
	Message string    `json:"message"`
	Attrs   logAttrs  `json:"attrs"`
}

// logAttrs is an object whose members have the order of the line.
type logAttrs []telemetry.LogAttr

// MarshalJSON writes an object of texts.
func (l logAttrs) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, a := range l {
		if i > 0 {
			b.WriteByte(',')
		}
		key, err := json.Marshal(a.Key)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(a.Value)
		if err != nil {
			return nil, err
		}
		b.Write(key)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// logFilter selects lines.
type logFilter struct {
	level slog.Level
	part  string
	query string // in lower case
}

func (f *logFilter) takes(r *telemetry.LogRecord) bool {
	if r.Level < f.level || f.part != "" && r.Part != f.part {
		return false
	}
	if f.query == "" || strings.Contains(strings.ToLower(r.Message), f.query) || strings.Contains(strings.ToLower(r.Part), f.query) {
		return true
	}
	return slices.ContainsFunc(r.Attrs, func(a telemetry.LogAttr) bool {
		return strings.Contains(strings.ToLower(a.Key+"="+a.Value), f.query)
	})
}

// logRequest is what a request asks for.
type logRequest struct {
	filter logFilter
	after  uint64
	limit  int
	text   bool
}

func readLogRequest(r *http.Request) (q logRequest, problem string) {
	values := r.URL.Query()
	q.filter = logFilter{level: slog.LevelDebug, part: values.Get("part"), query: strings.ToLower(strings.TrimSpace(values.Get("q")))}
	q.limit = defaultLines
	var err error
	if text := values.Get("level"); text != "" {
		if q.filter.level, err = telemetry.ParseLevel(text); err != nil {
			return q, "level must be debug, info, warn or error"
		}
	}
	if text := values.Get("after"); text != "" {
		if q.after, err = strconv.ParseUint(text, 10, 64); err != nil {
			return q, "after must be a number: next of an earlier response"
		}
	}
	if text := values.Get("limit"); text != "" {
		if q.limit, err = strconv.Atoi(text); err != nil || q.limit < 1 || q.limit > maxLines {
			return q, "limit must be a number from 1 to 5000"
		}
	}
	switch values.Get("format") {
	case "", "json":
	case "text":
		q.text = true
		if !values.Has("limit") {
			q.limit = maxLines
		}
	default:
		return q, "format must be json or text"
	}
	return q, ""
}

// serveLogs answers GET /api/admin/logs. Without after it gives the newest lines,
// with it those that follow.
func (a *API) serveLogs(w http.ResponseWriter, r *http.Request, _ access.Viewer) {
	if a.src.Logs == nil {
		missing(w, "the log")
		return
	}
	q, problem := readLogRequest(r)
	if problem != "" {
		http.Error(w, problem, http.StatusBadRequest)
		return
	}
	records, lost := a.src.Logs.Records(q.after)
	next, parts := q.after, []string{}
	found := make([]*telemetry.LogRecord, 0, min(len(records), q.limit))
	for _, rec := range records {
		if rec.Part != "" && !slices.Contains(parts, rec.Part) {
			parts = append(parts, rec.Part)
		}
		if q.after > 0 && len(found) == q.limit {
			continue // they are for the next request
		}
		next = rec.ID
		if q.filter.takes(rec) {
			found = append(found, rec)
		}
	}
	found = found[max(0, len(found)-q.limit):]
	if q.text {
		a.sendLogText(w, found)
		return
	}
	page := logPage{Lines: make([]logLine, 0, len(found)), Next: next, Dropped: lost, Parts: parts}
	slices.Sort(page.Parts)
	a.fillLevel(&page)
	for _, rec := range found {
		page.Lines = append(page.Lines, logLine{
			ID: rec.ID, At: access.Stamp(rec.At), Level: telemetry.LevelName(rec.Level), Part: rec.Part, Message: rec.Message, Attrs: rec.Attrs,
		})
	}
	access.SendJSON(w, a.log, http.StatusOK, &page)
}

func (a *API) fillLevel(page *logPage) {
	inForce, configured, until := a.src.Logs.Level()
	page.Level, page.ConfiguredLevel, page.LevelUntil = telemetry.LevelName(inForce), telemetry.LevelName(configured), access.Stamp(until)
}

// sendLogText sends lines as a file to keep.
func (a *API) sendLogText(w http.ResponseWriter, records []*telemetry.LogRecord) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="poolscope-%s.log"`, a.now().UTC().Format("20060102T150405Z")))
	for _, rec := range records {
		if _, err := w.Write(append([]byte(rec.Text()), '\n')); err != nil {
			return // a client that went away is no news
		}
	}
}

// levelBody is the body of PUT /api/admin/logs/level.
type levelBody struct {
	Level   string `json:"level"`
	Minutes int    `json:"minutes"` // 0: the configured level again
}

// levelView is its response.
type levelView struct {
	Level           string    `json:"level"`
	ConfiguredLevel string    `json:"configured_level"`
	LevelUntil      time.Time `json:"level_until,omitzero"`
}

// serveLogLevel answers PUT /api/admin/logs/level.
func (a *API) serveLogLevel(w http.ResponseWriter, r *http.Request, v access.Viewer) {
	var body levelBody
	switch {
	case a.src.Logs == nil:
		missing(w, "the log")
		return
	case !access.ReadJSON(w, r, &body):
		return
	case body.Minutes < 0 || body.Minutes > maxLevelMinutes:
		http.Error(w, "minutes must be 0 (the configured level again) to 1440", http.StatusBadRequest)
		return
	}
	if body.Minutes == 0 && body.Level == "" {
		body.Level = "info" // any will do: it is not put in force
	}
	if err := a.src.Logs.SetLevel(body.Level, time.Duration(body.Minutes)*time.Minute); err != nil {
		http.Error(w, "level must be debug, info, warn or error", http.StatusBadRequest)
		return
	}
	detail := "the configured level again"
	if body.Minutes > 0 {
		detail = fmt.Sprintf("for %d minutes", body.Minutes)
	}
	var page logPage
	a.fillLevel(&page)
	a.record(r.Context(), v, "log.level", page.Level, detail, false)
	a.log.Info("log level changed", "level", page.Level, "minutes", body.Minutes)
	access.SendJSON(w, a.log, http.StatusOK, levelView{page.Level, page.ConfiguredLevel, page.LevelUntil})
}
