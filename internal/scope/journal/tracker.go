package journal

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

// saveEvery is the time after which a session is saved of which nothing is new
// but that it has more messages.
const saveEvery = 5 * time.Second

// tracker knows the sessions that are journalled. The recorder tells of a
// session when it begins, ends or learns something; in between the tracker
// counts its messages itself.
type tracker struct {
	sessions map[string]*tracked
	fresh    map[string]*tracked // with news
	savedAt  time.Time           // when all of them were saved
	savedAll bool                // by the transaction that is going on
}

type tracked struct {
	capture.Session
	counted bool // messages that are not saved
}

func newTracker() tracker {
	return tracker{sessions: make(map[string]*tracked), fresh: make(map[string]*tracked)}
}

// enter takes in what is new of a session, to be saved soon.
func (t *tracker) enter(s capture.Session) *tracked {
	entry := &tracked{Session: s}
	t.sessions[s.ID], t.fresh[s.ID] = entry, entry
	return entry
}

// learn takes a batch in. It may be the same one again. stored tells of a
// session what was saved of it, for lines of sessions that have ended.
func (t *tracker) learn(b *batch, stored func(id string) (capture.Session, error)) error {
	for _, s := range b.sessions {
		t.enter(s)
	}
	for _, m := range b.messages {
		s := t.sessions[m.Session]
		if s == nil {
			old, err := stored(m.Session)
			if errors.Is(err, ErrNotFound) {
				old, err = capture.Session{Opening: capture.Opening{ID: m.Session, At: m.Received}}, nil
			}
			if err != nil {
				return err
			}
			s = t.enter(old)
		}
		s.counted = count(&s.Session, m.N, m.Direction, m.Received, m.Fault != "", m.Gap) || s.counted
	}
	return nil
}

// count adds a message to what is known of its session, unless that was told by
// someone who knew of the message already.
func count(s *capture.Session, n uint64, d capture.Direction, received time.Time, faulty bool, gap uint64) bool {
	if n <= s.Messages {
		return false
	}
	s.Messages = n
	if int(d) < len(s.ByDirection) {
		s.ByDirection[d]++
	}
	if faulty {
		s.Faults++
	}
	if gap > 0 {
		s.Gaps++
	}
	if received.After(s.LastSeen) {
		s.LastSeen = received
	}
	return true
}

// known is what is known of a session.
func (t *tracker) known(id string) capture.Session {
	if s := t.sessions[id]; s != nil {
		return s.Session
	}
	return capture.Session{Opening: capture.Opening{ID: id}}
}

// saved notes that what was to be saved is written, and forgets who ended.
func (t *tracker) saved() {
	for id, s := range t.fresh {
		if !s.Live() {
			delete(t.sessions, id)
		}
	}
	clear(t.fresh)
	if t.savedAll {
		for _, s := range t.sessions {
			s.counted = false
		}
		t.savedAll, t.savedAt = false, time.Now()
	}
}

// saveSessions writes what is new of sessions; with all, or after a while, also
// what was only counted.
func (j *Journal) saveSessions(ctx context.Context, tx *sql.Tx, all bool) error {
	t := &j.sessions
	for _, s := range t.fresh {
		if _, err := j.writer.saveSession(ctx, tx, s.Session); err != nil {
			return err
		}
	}
	if t.savedAll = all || time.Since(t.savedAt) >= saveEvery; !t.savedAll {
		return nil
	}
	for id, s := range t.sessions {
		if s.counted && t.fresh[id] == nil {
			if _, err := j.writer.saveSession(ctx, tx, s.Session); err != nil {
				return err
			}
		}
	}
	// Should the process be killed, the messages behind this are to be counted.
	_, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO meta (key, value) VALUES ('sessions_saved', ?)`, int64(j.writer.last))
	return err
}
