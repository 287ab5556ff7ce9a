package capture

import (
	"slices"
	"sync"
)

// Limits bound what the store keeps. All of them hold.
type Limits struct {
	Messages   int // over all sessions
	PerSession int
	Bytes      int // over all sessions, with the overhead of each message
	Sessions   int // ended sessions are forgotten above it, the longest ended first
}

// DefaultLimits are those of the contract, and what fits a small machine.
func DefaultLimits() Limits {
	return Limits{Messages: 50_000, PerSession: 10_000, Bytes: 128 << 20, Sessions: 2_000}
}

// Store is the ring of messages in memory, and the sessions they belong to. One
// goroutine writes, any may read.
type Store struct {
	limits Limits

	mu       sync.RWMutex
	sessions map[string]*record
	order    []*record // in which they began
	ended    int
	arrivals []arrival // in which messages came, oldest first; some may be gone
	first    int       // of arrivals that may still be there
	count    int
	bytes    int

	evicted uint64 // messages that made room for others
}

// record is a session in the store.
type record struct {
	Session
	base    uint64     // number of the first kept message
	kept    []*Message // the messages base, base+1, …
	waiting waiting
	listed  bool // it was entered, and may have been forgotten since
}

// arrival is a place in the order of messages over all sessions.
type arrival struct {
	session *record
	n, seq  uint64
}

// NewStore returns an empty store.
func NewStore(limits Limits) *Store {
	return &Store{limits: limits, sessions: make(map[string]*record)}
}

// at returns a kept message of the session, or nil.
func (r *record) at(n uint64) *Message {
	if n < r.base || n-r.base >= uint64(len(r.kept)) {
		return nil
	}
	return r.kept[n-r.base]
}

// addLocked keeps a message and lets go of the oldest ones beyond the limits.
func (s *Store) addLocked(r *record, m *Message) {
	if len(r.kept) == 0 {
		r.base = m.N
	}
	r.kept = append(r.kept, m)
	r.Kept = len(r.kept)
	s.arrivals = append(s.arrivals, arrival{r, m.N, m.Seq})
	s.count++
	s.bytes += m.cost()
	for len(r.kept) > s.limits.PerSession {
		s.dropLocked(r)
	}
	for (s.count > s.limits.Messages || s.bytes > s.limits.Bytes) && s.first < len(s.arrivals) {
		oldest := s.arrivals[s.first]
		s.first++
		// What a session's own limit took away is gone already.
		if oldest.session.at(oldest.n) != nil {
			s.dropLocked(oldest.session)
		}
	}
	s.compactLocked()
}

// dropLocked lets go of a session's oldest message, which is also the oldest of
// it in the order of arrivals.
func (s *Store) dropLocked(r *record) {
	s.count--
	s.bytes -= r.kept[0].cost()
	r.kept[0] = nil
	r.kept = r.kept[1:]
	r.base++
	r.Kept = len(r.kept)
	s.evicted++
}

// compactLocked takes what is gone out of the order when that is most of it.
func (s *Store) compactLocked() {
	if len(s.arrivals)-s.first < 2*s.count+1024 && s.first < s.count+1024 {
		return
	}
	live := s.arrivals[:0]
	for _, a := range s.arrivals[s.first:] {
		if a.session.at(a.n) != nil {
			live = append(live, a)
		}
	}
	clear(s.arrivals[len(live):])
	s.arrivals, s.first = live, 0
}

// replaceLocked puts a newer version of a message in its place.
func (s *Store) replaceLocked(r *record, m *Message) {
	if r.at(m.N) != nil {
		s.bytes += m.cost() - r.kept[m.N-r.base].cost()
		r.kept[m.N-r.base] = m
	}
}

// newRecord makes the session that an opening tells of.
func newRecord(o Opening) *record {
	r := &record{Session: Session{Opening: o, LastSeen: o.At}}
	if k := o.Known; k != nil {
		r.UserAgent, r.Workers, r.Difficulty = printable(k.UserAgent), slices.Clone(k.Workers), k.Difficulty
		for i := range r.Workers {
			r.Workers[i] = printable(r.Workers[i])
		}
	}
	return r
}

// openLocked enters a session.
func (s *Store) openLocked(r *record) {
	r.listed = true
	s.sessions[r.ID] = r
	s.order = append(s.order, r)
}

// endLocked counts a session as ended, and forgets old ones.
func (s *Store) endLocked() {
	if s.ended++; s.ended > s.limits.Sessions {
		s.forgetLocked()
	}
}

// forgetLocked takes the sessions away that ended first, a tenth of the limit
// at once.
func (s *Store) forgetLocked() {
	excess := s.ended - s.limits.Sessions + s.limits.Sessions/10
	live := s.order[:0]
	for _, r := range s.order {
		if excess > 0 && !r.Live() {
			excess--
			s.ended--
			for len(r.kept) > 0 {
				s.dropLocked(r)
			}
			delete(s.sessions, r.ID)
			continue
		}
		live = append(live, r)
	}
	clear(s.order[len(live):])
	s.order = live
}

// Sessions returns all sessions in the order in which they began.
func (s *Store) Sessions() []Session {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := make([]Session, len(s.order))
	for i, r := range s.order {
		out[i] = r.clone()
	}
	return out
}

// Session returns one session.
func (s *Store) Session(id string) (session Session, ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	r := s.sessions[id]
	if r == nil {
		return Session{}, false
	}
	return r.clone(), true
}

// Message returns the nth message of a session; nil when it is not in memory.
func (s *Store) Message(session string, n uint64) *Message {
	s.mu.RLock()
	defer s.mu.RUnlock()
	r := s.sessions[session]
	if r == nil {
		return nil
	}
	return r.at(n)
}

// Latest calls yield with messages from the newest to the oldest until it
// returns false: those of one session, or of all with "". The store is not
// locked meanwhile; it shows the messages that were there at the call.
func (s *Store) Latest(session string, yield func(*Message) bool) {
	for _, m := range s.snapshot(session) {
		if !yield(m) {
			return
		}
	}
}

// snapshot lists the kept messages, newest first.
func (s *Store) snapshot(session string) []*Message {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if session != "" {
		r := s.sessions[session]
		if r == nil {
			return nil
		}
		out := make([]*Message, 0, len(r.kept))
		for i := len(r.kept) - 1; i >= 0; i-- {
			out = append(out, r.kept[i])
		}
		return out
	}
	out := make([]*Message, 0, s.count)
	for i := len(s.arrivals) - 1; i >= s.first; i-- {
		if m := s.arrivals[i].session.at(s.arrivals[i].n); m != nil {
			out = append(out, m)
		}
	}
	return out
}

// Usage is what the store holds.
type Usage struct {
	Messages, Bytes, Sessions, Live int
	Evicted                         uint64 // messages that made room for others
}

// Usage tells what the store holds.
func (s *Store) Usage() Usage {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return Usage{s.count, s.bytes, len(s.order), len(s.order) - s.ended, s.evicted}
}
