package scopeapi

import (
	"net/http"
	"strings"
	"time"
)

// exportPace is how long a client may take for what fits into a socket.
const exportPace = 30 * time.Second

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
	switch {
	case err != nil:
		return err
	case c.api.src.Export == nil:
		return notRunning("The export")
	}
	format := c.text("format")
	c.header(exportTypes()[format])
	c.w.Header().Set("Content-Disposition", `attachment; filename="`+fileName(s.ID)+"."+format+`"`)
	out := &paced{call: c, below: http.NewResponseController(c.w)}
	if err := c.api.src.Export.Export(c.r.Context(), out, s.ID, format); err != nil {
		c.api.log.Warn("export failed", "session", s.ID, "format", format, "err", err)
		return err
	}
	return nil
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

// paced writes a long response: the client has time for each part of it, and not
// one time for all.
type paced struct {
	call  *call
	below *http.ResponseController
	until time.Time
}

// Write sends a part.
func (p *paced) Write(b []byte) (int, error) {
	if now := time.Now(); p.until.Sub(now) < exportPace/2 {
		p.until = now.Add(exportPace)
		_ = p.below.SetWriteDeadline(p.until) // a test's recorder has none
	}
	return p.call.w.Write(b)
}
