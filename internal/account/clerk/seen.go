package clerk

import (
	"sync"
	"time"

	"github.com/poolscope/poolscope/internal/account"
)

// Bounds of the sessions that are remembered for their people, who may end them
// from another browser.
const (
	maxSeen    = 10_000
	forgetSeen = 24 * time.Hour // after the last request
)

// seen are sessions that brought a valid token lately. What is not in it is no
// worse: the next request puts it there.
type seen struct {
	mu   sync.Mutex
	byID map[string]sighting // by the shown ID
}

type sighting struct {
	session account.Session
	key     string // see revocationKey
	alone   bool   // no newer token comes after this one
}

// over reports whether nothing is to be expected of a session any more.
func (s *sighting) over(now time.Time) bool {
	return now.Sub(s.session.LastSeen) > forgetSeen || s.alone && now.After(s.session.Expires.Add(ClockSkew))
}

// note remembers a session. A newer token moves its end.
func (s *seen) note(session account.Session, key string, alone bool) (first time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byID == nil {
		s.byID = make(map[string]sighting)
	}
	known, ok := s.byID[session.ID]
	if ok {
		session.Created = known.session.Created
		if known.session.Expires.After(session.Expires) {
			session.Expires = known.session.Expires
		}
	} else if len(s.byID) >= maxSeen {
		s.makeRoom(session.LastSeen)
	}
	s.byID[session.ID] = sighting{session, key, alone}
	return session.Created
}

// makeRoom forgets what is old, or else what was seen the longest ago.
func (s *seen) makeRoom(now time.Time) {
	oldest, at := "", now
	for id, known := range s.byID {
		if last := known.session.LastSeen; known.over(now) {
			delete(s.byID, id)
		} else if oldest == "" || last.Before(at) {
			oldest, at = id, last
		}
	}
	if len(s.byID) >= maxSeen {
		delete(s.byID, oldest)
	}
}

// of lists the sessions of a user that were seen lately.
func (s *seen) of(userID string, now time.Time) []sighting {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []sighting
	for _, known := range s.byID {
		if known.session.User.ID == userID && !known.over(now) {
			all = append(all, known)
		}
	}
	return all
}

// all lists the sessions that were seen lately.
func (s *seen) all(now time.Time) []sighting {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]sighting, 0, len(s.byID))
	for _, known := range s.byID {
		if !known.over(now) {
			all = append(all, known)
		}
	}
	return all
}

// lives reports whether a session brought a token that is good still.
func (s *seen) lives(id string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	known, ok := s.byID[id]
	return ok && now.Before(known.session.Expires.Add(ClockSkew))
}

func (s *seen) forget(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byID, id)
}
