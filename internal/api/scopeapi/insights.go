package scopeapi

import (
	"net/http"
	"strconv"

	"github.com/poolscope/poolscope/internal/scope/audit"
)

// errNotAudited is for sessions that are kept, but whose audit is not: it lives
// in memory, and the one of sessions that ended long ago is let go of.
var errNotAudited = fail(http.StatusNotFound, "The audit of this session is not kept any more")

// errNoAudit is for a program that audits nothing.
var errNoAudit = notRunning("The audit")

// audited answers with what the audit knows of the session in the path.
func audited[T any](c *call, ask func(a Audit, session string) (T, bool)) (v T, err error) {
	s, err := c.session()
	switch {
	case err != nil:
		return v, err
	case c.api.src.Audit == nil:
		return v, errNoAudit
	}
	v, ok := ask(c.api.src.Audit, s.ID)
	if !ok {
		return v, errNotAudited
	}
	return v, nil
}

// serveFacts answers GET /api/sessions/{session_id}/facts.
func serveFacts(c *call) error {
	facts, err := audited(c, Audit.Facts)
	if err != nil {
		return err
	}
	return c.json(facts)
}

// serveDifficulty answers GET /api/sessions/{session_id}/difficulty.
func serveDifficulty(c *call) error {
	timeline, err := audited(c, Audit.Difficulty)
	if err != nil {
		return err
	}
	return c.json(timeline)
}

// serveJobs answers GET /api/sessions/{session_id}/jobs.
func serveJobs(c *call) error {
	return servePage(c, func(a Audit, session string) (audit.Page[audit.Job], bool) {
		return a.Jobs(session, uint64(c.integer("cursor")), c.integer("limit"))
	})
}

// serveShares answers GET /api/sessions/{session_id}/shares.
func serveShares(c *call) error {
	return servePage(c, func(a Audit, session string) (audit.Page[audit.Share], bool) {
		return a.Shares(session, uint64(c.integer("cursor")), c.integer("limit"))
	})
}

// servePage answers with a part of a list. The next cursor is in the body, and
// told as in the other lists, too.
func servePage[T any](c *call, ask func(a Audit, session string) (audit.Page[T], bool)) error {
	page, err := audited(c, ask)
	if err != nil {
		return err
	}
	if page.Next > 0 {
		c.linkNext(strconv.FormatUint(page.Next, 10), 0)
	}
	return c.json(page)
}

// serveSessionAlarms answers GET /api/sessions/{session_id}/alarms.
func serveSessionAlarms(c *call) error {
	s, err := c.session()
	if err != nil {
		return err
	}
	return c.alarms(s.ID)
}

// serveAlarms answers GET /api/alarms.
func serveAlarms(c *call) error { return c.alarms(c.text("session_id")) }

func (c *call) alarms(session string) error {
	if c.api.src.Audit == nil {
		return errNoAudit
	}
	return c.json(c.api.src.Audit.Alarms(audit.AlarmFilter{
		Session: session, Kind: c.text("kind"), Since: uint64(c.integer("since")), Limit: c.integer("limit"),
	}))
}

// serveCompare answers GET /api/compare.
func serveCompare(c *call) error {
	if c.api.src.Audit == nil {
		return errNoAudit
	}
	comparison, ok := c.api.src.Audit.Compare(c.text("a"), c.text("b"))
	if !ok {
		return errSessionNotFound
	}
	return c.json(comparison)
}
