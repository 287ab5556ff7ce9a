package capture

import (
	"sort"
	"time"
)

// Filter says which messages are wanted. Its zero value wants all.
type Filter struct {
	Session   string
	Direction *Direction
	Method    string    // exactly; of responses, the method that they answer is not looked at
	Worker    string    // exactly
	After     time.Time // received then or later
	Before    time.Time // received earlier
	Text      string    // a part of the line, whatever the case of its ASCII letters
	// Verdict is PoolAccepted, PoolRejected, PoolUnanswered, one of the Audit
	// constants, or VerdictConflict.
	Verdict string
	Faulty  *bool // lines that are no Stratum messages, or those that are

	Cursor uint64 // only messages whose Seq is below; 0 for all
	Offset int    // matching messages that are left out, the newest first
	Limit  int    // most messages; 0 is 100
}

// VerdictConflict finds the shares that pool and audit disagree about.
const VerdictConflict = "conflict"

const defaultLimit = 100

// PageSize is Limit, or its default.
func (f *Filter) PageSize() int {
	if f.Limit <= 0 {
		return defaultLimit
	}
	return f.Limit
}

// Verdicts are the words that Filter.Verdict knows.
func Verdicts() []string {
	return []string{
		PoolAccepted, PoolRejected, PoolUnanswered, VerdictConflict,
		AuditUnknown, AuditValid, AuditLow, AuditDuplicate, AuditStale, AuditUnknownJob, AuditMalformed, AuditBlock,
	}
}

// Matches says whether the filter wants the message; Offset and Limit are not
// looked at.
func (f *Filter) Matches(m *Message) bool {
	switch {
	case f.Cursor > 0 && m.Seq >= f.Cursor,
		f.Session != "" && m.Session != f.Session,
		f.Direction != nil && m.Direction != *f.Direction,
		f.Method != "" && m.Method != f.Method,
		f.Worker != "" && m.Worker != f.Worker,
		!f.After.IsZero() && m.Received.Before(f.After),
		!f.Before.IsZero() && !m.Received.Before(f.Before),
		f.Faulty != nil && *f.Faulty != (m.Fault != ""):
		return false
	}
	return f.matchesVerdict(m) && (f.Text == "" || containsFold(m.Raw, f.Text))
}

func (f *Filter) matchesVerdict(m *Message) bool {
	switch f.Verdict {
	case "":
		return true
	case PoolAccepted, PoolRejected, PoolUnanswered:
		return m.PoolVerdict() == f.Verdict
	case VerdictConflict:
		return m.Share != nil && m.Share.Conflict != ""
	}
	return m.Share != nil && m.Share.Audit == f.Verdict
}

// containsFold looks for text in raw, whatever the case of ASCII letters.
func containsFold(raw []byte, text string) bool {
	lower, upper := asciiLower(text[0]), asciiUpper(text[0])
	for i := 0; len(raw)-i >= len(text); i++ {
		if c := raw[i]; (c == lower || c == upper) && equalFold(raw[i:i+len(text)], text) {
			return true
		}
	}
	return false
}

func equalFold(b []byte, s string) bool {
	for i := range b {
		if asciiLower(b[i]) != asciiLower(s[i]) {
			return false
		}
	}
	return true
}

func asciiLower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

func asciiUpper(c byte) byte {
	if c >= 'a' && c <= 'z' {
		c -= 'a' - 'A'
	}
	return c
}

// windowSize is how many messages are looked at before the store is let go of
// for a moment, so that a search never holds up the capture.
const windowSize = 1024

// Find returns the messages that f wants, newest first, and the cursor of the
// next page; 0 when there are no more.
func (s *Store) Find(f Filter) (page []*Message, next uint64) {
	limit, skip, below := f.PageSize(), f.Offset, f.Cursor
	for {
		window := s.window(f.Session, below, windowSize)
		if len(window) == 0 {
			return page, 0
		}
		for _, m := range window {
			below = m.Seq
			switch {
			case !f.Matches(m):
			case skip > 0:
				skip--
			case len(page) == limit:
				return page, page[limit-1].Seq
			default:
				page = append(page, m)
			}
		}
	}
}

// window lists up to most messages whose Seq is below (0: any), newest first:
// those of one session, or of all with "".
func (s *Store) window(session string, below uint64, most int) []*Message {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []*Message
	if session != "" {
		r := s.sessions[session]
		if r == nil {
			return nil
		}
		end := len(r.kept)
		if below > 0 {
			end = sort.Search(end, func(i int) bool { return r.kept[i].Seq >= below })
		}
		for i := end - 1; i >= 0 && len(out) < most; i-- {
			out = append(out, r.kept[i])
		}
		return out
	}
	live := s.arrivals[s.first:]
	end := len(live)
	if below > 0 {
		end = sort.Search(end, func(i int) bool { return live[i].seq >= below })
	}
	for i := end - 1; i >= 0 && len(out) < most; i-- {
		if m := live[i].session.at(live[i].n); m != nil {
			out = append(out, m)
		}
	}
	return out
}
