package audit

import (
	"context"
	"iter"
	"sync"
	"time"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

// Recordings are the sessions and messages that are kept. *journal.Library is
// one.
type Recordings interface {
	Session(ctx context.Context, id string) (capture.Session, error)
	// SessionMessages returns up to limit messages of a session in their order,
	// from number from on.
	SessionMessages(ctx context.Context, session string, from uint64, limit int) ([]*capture.Message, error)
}

// Limits of audits of recordings.
const (
	maxArchived   = 8         // audits that are kept
	maxRecording  = 1_000_000 // messages of a session that are looked at
	recordingPage = 1000
	archiveTime   = 30 * time.Second
)

// archiveLimits are for one session.
func archiveLimits() Limits { return Limits{Jobs: 2000, Shares: 20_000, Bytes: 32 << 20} }

// Archive answers for an auditor. Sessions that the auditor does not know, of an
// earlier process or forgotten since, are audited when somebody asks for them.
type Archive struct {
	live       *Auditor
	recordings Recordings

	mu   sync.Mutex // held during an audit: there is one at a time
	kept []archived // latest last
}

type archived struct {
	session string
	auditor *Auditor
}

// NewArchive returns an archive.
func NewArchive(live *Auditor, recordings Recordings) *Archive {
	return &Archive{live: live, recordings: recordings}
}

// auditorOf is who knows a session; the live auditor when nobody does.
func (r *Archive) auditorOf(session string) *Auditor {
	if r.live.knows(session) {
		return r.live
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, a := range r.kept {
		if a.session == session {
			return a.auditor
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), archiveTime)
	defer cancel()
	s, err := r.recordings.Session(ctx, session)
	if err != nil {
		return r.live
	}
	cut := false
	cfg := Config{Limits: archiveLimits(), Rules: r.live.cfg.Rules, Payouts: r.live.cfg.Payouts, OwnPool: r.live.cfg.OwnPool}
	auditor := audit(s, r.messages(ctx, session, &cut), cfg, r.live.engine)
	if cut {
		auditor.cut(session)
	}
	if r.kept = append(r.kept, archived{session, auditor}); len(r.kept) > maxArchived {
		r.kept = append(r.kept[:0:0], r.kept[1:]...)
	}
	return auditor
}

// messages reads a session. cut is set when it did not come to the end.
func (r *Archive) messages(ctx context.Context, session string, cut *bool) iter.Seq[*capture.Message] {
	return func(yield func(*capture.Message) bool) {
		var from uint64
		for n := 0; n < maxRecording; n += recordingPage {
			page, err := r.recordings.SessionMessages(ctx, session, from, recordingPage)
			for _, m := range page {
				if !yield(m) {
					return
				}
				from = m.N + 1
			}
			if err != nil {
				break
			}
			if len(page) < recordingPage {
				return
			}
		}
		*cut = true
	}
}

// LiveFacts are Facts of a session that the live auditor knows: what a list asks
// for, of which nobody waits for an audit of the past.
func (r *Archive) LiveFacts(session string) (Facts, bool) { return r.live.Facts(session) }

// Facts are those of a session; false when there is no such session.
func (r *Archive) Facts(session string) (Facts, bool) { return r.auditorOf(session).Facts(session) }

// Difficulty is the timeline of a session's difficulty.
func (r *Archive) Difficulty(session string) (DifficultyTimeline, bool) {
	return r.auditorOf(session).Difficulty(session)
}

// Jobs lists a session's jobs, as Auditor.Jobs does.
func (r *Archive) Jobs(session string, before uint64, limit int) (Page[Job], bool) {
	return r.auditorOf(session).Jobs(session, before, limit)
}

// Shares lists a session's shares, as Auditor.Shares does.
func (r *Archive) Shares(session string, before uint64, limit int) (Page[Share], bool) {
	return r.auditorOf(session).Shares(session, before, limit)
}

// Alarms lists alarms: of one session, or those of the live auditor.
func (r *Archive) Alarms(f AlarmFilter) AlarmPage {
	if f.Session == "" {
		return r.live.Alarms(f)
	}
	return r.auditorOf(f.Session).Alarms(f)
}

// Compare sets two sessions side by side; false when one is not there.
func (r *Archive) Compare(first, second string) (Comparison, bool) {
	a, ok1 := r.auditorOf(first).side(first)
	b, ok2 := r.auditorOf(second).side(second)
	if !ok1 || !ok2 {
		return Comparison{}, false
	}
	return compare(&a, &b), true
}

// knows says whether the auditor has a session.
func (a *Auditor) knows(session string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.sessions[session] != nil
}

// cut notes that not all of a session was looked at.
func (a *Auditor) cut(session string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if s := a.sessions[session]; s != nil {
		s.missing = true
	}
}
