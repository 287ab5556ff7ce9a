package audit

import (
	"iter"
	"log/slog"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin/sharehash"
	"github.com/poolscope/poolscope/internal/scope/capture"
)

// maxAsked bounds the requests that wait for their response while a session is
// audited afterwards.
const maxAsked = 4096

// Of audits a session that was captured before: its messages in their order,
// each in its last version, as a journal or a file has them. The clock is that
// of the messages, which are not changed.
func Of(s capture.Session, messages iter.Seq[*capture.Message], cfg Config) *Auditor {
	return audit(s, messages, cfg, sharehash.New())
}

func audit(s capture.Session, messages iter.Seq[*capture.Message], cfg Config, engine *sharehash.Engine) *Auditor {
	a := newAuditor(cfg, slog.New(slog.DiscardHandler), engine)
	now := s.At
	a.setClock(now)
	opened := s
	opened.EndedAt, opened.Reason = time.Time{}, ""
	a.Opened(opened)
	pass := func(to time.Time) {
		if to.After(now) {
			a.Advance(now, to)
			now = to
		}
	}
	asked := make(map[uint64]*capture.Message)
	for m := range messages {
		pass(m.Received)
		c := *m
		c.Share, c.Response = nil, nil
		a.Message(&c)
		switch {
		case m.Direction == capture.ScopeToPool && m.Response != nil:
			c.Response = m.Response
			a.Answered(&c, m.Response)
		case m.IsRequest && m.ID != "" && len(asked) < maxAsked:
			asked[m.N] = &c
		case !m.IsRequest && m.Pair > 0:
			if request := asked[m.Pair]; request != nil {
				delete(asked, m.Pair)
				request.Pair, request.Response = m.N, &c
				a.Answered(request, &c)
			}
		}
	}
	if !s.Live() {
		pass(s.EndedAt)
		a.Closed(s)
	}
	return a
}
