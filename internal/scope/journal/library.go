package journal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

// ErrNotFound means that neither the ring nor the journal has it, or no longer.
var ErrNotFound = errors.New("not found")

// Library answers from the ring in memory and from the journal on disk as if
// they were one. All its methods may be called at any time by anybody.
type Library struct {
	ring ring
	disk *Journal
}

// ring is what is in memory. *capture.Store is one.
type ring interface {
	Find(f capture.Filter) (page []*capture.Message, next uint64)
	Message(session string, n uint64) *capture.Message
	Session(id string) (capture.Session, bool)
	Sessions() []capture.Session
}

// NewLibrary returns a library of both; disk may be nil.
func NewLibrary(ring *capture.Store, disk *Journal) *Library {
	return &Library{ring: ring, disk: disk}
}

// Find returns the messages that f wants, newest first, and the cursor of the
// next page; 0 when there are no more. complete is false when the time for one
// search was over before the page was full: then what was found so far is
// returned, and the search goes on from next.
func (l *Library) Find(ctx context.Context, f capture.Filter) (page []*capture.Message, next uint64, complete bool, err error) {
	page, next, _, complete, err = l.FindSkipping(ctx, f)
	return page, next, complete, err
}

// FindSkipping is Find for filters with an offset. skip is the offset for the
// next page: what of f.Offset there was no time for.
func (l *Library) FindSkipping(ctx context.Context, f capture.Filter) (page []*capture.Message, next uint64, skip int, complete bool, err error) {
	if l.disk == nil {
		page, next = l.ring.Find(f)
		return page, next, 0, true, nil
	}
	return l.find(ctx, f)
}

// Message returns the message with an id, <session>-<n>, or ErrNotFound.
func (l *Library) Message(ctx context.Context, id string) (*capture.Message, error) {
	session, n, ok := splitMessageID(id)
	if !ok {
		return nil, fmt.Errorf("message %q: %w", id, ErrNotFound)
	}
	if m := l.ring.Message(session, n); m != nil {
		return m, nil
	}
	if l.disk == nil {
		return nil, fmt.Errorf("message %q: %w", id, ErrNotFound)
	}
	return l.disk.Message(ctx, session, n)
}

// splitMessageID is the reverse of capture.MessageID. A session's id may have
// dashes of its own.
func splitMessageID(id string) (session string, n uint64, ok bool) {
	dash := strings.LastIndexByte(id, '-')
	if dash < 0 {
		return "", 0, false
	}
	n, err := strconv.ParseUint(id[dash+1:], 10, 63)
	if err != nil || n == 0 || capture.MessageID(id[:dash], n) != id {
		return "", 0, false
	}
	return id[:dash], n, true
}

// Session returns one session, or ErrNotFound.
func (l *Library) Session(ctx context.Context, id string) (capture.Session, error) {
	if s, ok := l.ring.Session(id); ok {
		return s, nil
	}
	if l.disk == nil {
		return capture.Session{}, fmt.Errorf("session %q: %w", id, ErrNotFound)
	}
	return l.disk.Session(ctx, id)
}

// SessionFilter says which sessions are wanted.
type SessionFilter struct {
	Limit  int
	Before string // where to go on; "" for the first page
	Live   *bool  // only those that have not ended, or only those that have
}

func (f *SessionFilter) wants(s *capture.Session) bool { return f.Live == nil || *f.Live == s.Live() }

// Sessions returns up to f.Limit sessions, those that began last first, and what
// to give as Before for the next page; "" when there are no more.
func (l *Library) Sessions(ctx context.Context, f SessionFilter) (page []capture.Session, next string, err error) {
	below, err := parseSessionCursor(f.Before)
	if err != nil {
		return nil, "", err
	}
	byID := make(map[string]capture.Session)
	more := false
	if l.disk != nil && (f.Live == nil || !*f.Live) { // all live sessions are in the ring
		stored, cut, err := l.disk.sessionsBelow(ctx, f.Limit, below, f.Live != nil)
		if err != nil {
			return nil, "", err
		}
		more = cut
		for _, s := range stored {
			byID[s.ID] = s
		}
	}
	for _, s := range l.ring.Sessions() {
		if below.after(&s) {
			byID[s.ID] = s
		}
	}
	for _, s := range byID {
		if f.wants(&s) {
			page = append(page, s)
		}
	}
	slices.SortFunc(page, func(a, b capture.Session) int { return -compareSessions(&a, &b) })
	if len(page) > f.Limit {
		page, more = page[:f.Limit], true
	}
	if more && len(page) > 0 {
		next = cursorOf(&page[len(page)-1]).String()
	}
	return page, next, nil
}

// compareSessions orders sessions by their beginning.
func compareSessions(a, b *capture.Session) int {
	return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID))
}

// sessionCursor is a place in the order of sessions; its zero value is behind
// the last one.
type sessionCursor struct {
	at int64 // Unix nanoseconds
	id string
}

// ErrCursor means that a cursor was not made by this program.
var ErrCursor = errors.New("no valid cursor")

func parseSessionCursor(text string) (c sessionCursor, err error) {
	if text == "" {
		return c, nil
	}
	at, id, ok := strings.Cut(text, "/")
	if c.at, err = strconv.ParseInt(at, 10, 64); err != nil || !ok || id == "" {
		return sessionCursor{}, fmt.Errorf("%q: %w", text, ErrCursor)
	}
	c.id = id
	return c, nil
}

func cursorOf(s *capture.Session) sessionCursor { return sessionCursor{s.At.UnixNano(), s.ID} }

func (c sessionCursor) String() string { return strconv.FormatInt(c.at, 10) + "/" + c.id }

// after says whether the cursor is behind the session in their order.
func (c sessionCursor) after(s *capture.Session) bool {
	if c.id == "" {
		return true
	}
	at := s.At.UnixNano()
	return at < c.at || at == c.at && s.ID < c.id
}

// SessionMessages returns up to limit messages of a session in their order,
// from number from on. Numbers that are missing were dropped by the journal, or
// deleted with age. There are no more when fewer than limit are returned.
func (l *Library) SessionMessages(ctx context.Context, session string, from uint64, limit int) (list []*capture.Message, err error) {
	if l.disk == nil {
		list, _ := l.mergeSession(session, from, limit, nil)
		return list, nil
	}
	if l.ring.Message(session, max(from, 1)) != nil {
		if list, whole := l.mergeSession(session, from, limit, nil); whole && len(list) > 0 {
			return list, nil
		}
	}
	for range maxRereads {
		stored, err := l.disk.SessionMessages(ctx, session, from, limit)
		if err != nil {
			return nil, err
		}
		var whole bool
		if list, whole = l.mergeSession(session, from, limit, stored); whole {
			break
		}
	}
	return list, nil
}

// maxRereads is how often the journal is read for what has left the ring in the
// meantime.
const maxRereads = 3

// mergeSession adds what the ring has of a session, which wins, to what the
// journal has of it. It is not whole when something left the ring meanwhile
// that the journal was not asked for late enough.
func (l *Library) mergeSession(session string, from uint64, limit int, stored []*capture.Message) (out []*capture.Message, whole bool) {
	s, ok := l.ring.Session(session)
	if !ok {
		return stored, true
	}
	first := s.Messages - uint64(s.Kept) + 1 // the ring keeps a session's latest
	at := 0
	whole = true
	for n := max(from, first); n <= s.Messages && len(out) < limit; n++ {
		for ; at < len(stored) && stored[at].N < n && len(out) < limit; at++ {
			out = append(out, stored[at])
		}
		kept := l.ring.Message(session, n)
		if at < len(stored) && stored[at].N == n {
			if kept == nil { // it has just made room for others
				kept = stored[at]
			}
			at++
		}
		switch {
		case kept == nil:
			whole = false
		case len(out) < limit:
			out = append(out, kept)
		}
	}
	return append(out, stored[at:min(len(stored), at+limit-len(out))]...), whole
}

// Gaps returns the newest gaps of the journal, those of one session or of all
// with "".
func (l *Library) Gaps(ctx context.Context, session string, limit int) ([]Gap, error) {
	if l.disk == nil {
		return nil, nil
	}
	return l.disk.Gaps(ctx, session, limit)
}

// Journal is the journal on disk; nil when there is none.
func (l *Library) Journal() *Journal { return l.disk }
