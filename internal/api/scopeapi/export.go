package scopeapi

import (
	"context"
	"iter"
	"strings"

	"github.com/poolscope/poolscope/internal/scope/capture"
	"github.com/poolscope/poolscope/internal/scope/export"
)

const (
	// exportPage is how many messages are read at once.
	exportPage = 500
	// headTrailer carries the hash that proves a JSONL export.
	headTrailer = "X-Capture-Head"
)

// exportTypes are the formats, with their media types.
func exportTypes() map[string]string {
	return map[string]string{
		"jsonl":  "application/jsonl",
		"pcapng": "application/vnd.tcpdump.pcap",
		"csv":    "text/csv; charset=utf-8",
	}
}

// serveExport answers GET /api/sessions/{session_id}/export.
func serveExport(c *call) error {
	s, err := c.session()
	if err != nil {
		return err
	}
	format := c.text("format")
	c.header(exportTypes()[format])
	h := c.w.Header()
	h.Set("Content-Disposition", `attachment; filename="`+fileName(s.ID)+"."+format+`"`)
	out := newPaced(c.w)
	about := export.About{Session: s, Tool: "poolscope " + c.api.cfg.Version, Created: c.api.cfg.Now()}
	messages := c.api.messagesOf(c.r.Context(), s)
	switch format {
	case "jsonl":
		h.Set("Trailer", headTrailer)
		var sum export.Summary
		sum, err = export.JSONL(out, about, messages)
		h.Set(headTrailer, sum.Head)
	case "pcapng":
		_, err = export.PCAPNG(out, about, messages)
	default:
		_, err = export.CSV(out, messages)
	}
	if err != nil && c.r.Context().Err() == nil {
		c.api.log.Warn("export failed", "session", s.ID, "format", format, "err", err)
	}
	return err
}

// messagesOf yields the messages that a session has now, in their order.
func (a *API) messagesOf(ctx context.Context, s capture.Session) iter.Seq2[*capture.Message, error] {
	return func(yield func(*capture.Message, error) bool) {
		for from := uint64(1); from <= s.Messages; {
			page, err := a.src.Messages.SessionMessages(ctx, s.ID, from, exportPage)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, m := range page {
				if m.N > s.Messages || !yield(m, nil) {
					return
				}
				from = m.N + 1
			}
			if len(page) < exportPage {
				return
			}
		}
	}
}

// fileName is a session's id without what some system has a meaning for.
func fileName(id string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		}
		return '_'
	}, id)
}
