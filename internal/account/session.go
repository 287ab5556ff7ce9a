package account

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"time"
)

const (
	// lookEvery is how long what another process did to the accounts may go
	// unnoticed. Requests in between do not read the store.
	lookEvery = 50 * time.Millisecond
	// readTime is how long a session may take to be read.
	readTime = 2 * time.Second
)

// Session returns the session that a request's cookie belongs to, nil when
// nobody is signed in or the session has ended. It is the caller's.
func (s *Service) Session(r *http.Request) *Session {
	if token, ok := s.tokenOf(r); ok {
		if session := s.session(r.Context(), token); session != nil {
			return session
		}
	}
	if s.external != nil {
		return s.external.Session(r)
	}
	return nil
}

// session finds the session of a token, nil when it has ended. That the store
// cannot be read is no session either.
func (s *Service) session(ctx context.Context, token Token) *Session {
	session, _ := s.find(ctx, token)
	return session
}

// find is session, and fails when the store cannot be read.
func (s *Service) find(ctx context.Context, token Token) (*Session, error) {
	now := s.now()
	s.look(ctx, now)
	session, generation := s.cache.get(token)
	if session == nil {
		read, err := s.readSession(ctx, token)
		if errors.Is(err, ErrNoSession) {
			return nil, nil
		} else if err != nil {
			return nil, err
		}
		session = &read
		s.cache.add(token, read, generation)
	}
	session.Expires = s.expiry(session)
	if session.User.Disabled || !now.Before(session.Expires) {
		return nil, nil
	}
	s.cache.see(token, now)
	session.LastSeen = now
	session.Expires = s.expiry(session)
	return session, nil
}

// endPresent ends the session that a request came with, and returns it; nil when
// there was none.
func (s *Service) endPresent(ctx context.Context, r *http.Request) (*Session, error) {
	token, ok := s.tokenOf(r)
	if !ok {
		return nil, nil
	}
	session, err := s.find(ctx, token)
	if session == nil || err != nil {
		return nil, err
	}
	if err := s.endSession(ctx, session.User.ID, session.ID); err != nil && !errors.Is(err, ErrNoSession) {
		return nil, err
	}
	return session, nil
}

// expiry is when a session ends if nothing comes any more.
func (s *Service) expiry(session *Session) time.Time {
	cfg := s.cfg.Load()
	idle, last := session.LastSeen.Add(cfg.IdleFor), session.Created.Add(cfg.LastFor)
	if idle.Before(last) {
		return idle
	}
	return last
}

// look forgets the cached sessions when another process changed accounts. While
// the store cannot be read, they are what there is.
func (s *Service) look(ctx context.Context, now time.Time) {
	if !s.cache.due(now, lookEvery) {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readTime)
	defer cancel()
	edition, err := s.store.Edition(ctx)
	if err != nil {
		s.failed("accounts not read", err)
		return
	}
	s.cache.atEdition(edition)
}

// Generation changes whenever what was read of accounts before may be out of
// date, whoever changed it.
func (s *Service) Generation(ctx context.Context) uint64 {
	s.look(ctx, s.now())
	return s.cache.age()
}

// readSession reads a session from the store. Few are read at a time: made-up
// cookies must not keep others from the books.
func (s *Service) readSession(ctx context.Context, token Token) (Session, error) {
	ctx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	select {
	case s.lookups <- struct{}{}:
	case <-ctx.Done():
		return Session{}, ctx.Err()
	}
	defer func() { <-s.lookups }()
	session, err := s.store.SessionByToken(ctx, token)
	if err != nil && !errors.Is(err, ErrNoSession) && !errors.Is(err, context.Canceled) {
		s.failed("session not read", err)
	}
	return session, err
}

// open makes a new session for a user, who proved at a time to be there, and ends
// the one that the request came with: what a stranger planted in a browser is
// worth nothing afterwards.
func (s *Service) open(ctx context.Context, w http.ResponseWriter, r *http.Request, u User, proven time.Time) (*Session, error) {
	if u.Disabled {
		return nil, ErrDisabled
	}
	now := s.now()
	if _, err := s.endPresent(ctx, r); err != nil {
		return nil, err
	}
	value, token := newToken()
	session := Session{
		ID: newID(8), User: u, Created: now, LastSeen: now, Confirmed: proven,
		UserAgent: clean(r.UserAgent(), 200), Address: AddressOf(r),
	}
	if err := s.store.AddSession(ctx, token, session, maxSessionsPerUser); err != nil {
		return nil, err
	}
	s.cache.clear() // the oldest session may have ended
	session.Expires = s.expiry(&session)
	s.setCookie(w, r, value, s.cfg.Load().LastFor)
	return &session, nil
}

// AddressOf is the IP address that a request's connection comes from.
func AddressOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return clean(r.RemoteAddr, 64)
	}
	return host
}

// SignOut ends the request's session, which it returns, and takes the cookie away.
// Without a session, nil, it does nothing else. When the store does not answer, the
// session may live on: the cookie stays, to try again with.
func (s *Service) SignOut(ctx context.Context, w http.ResponseWriter, r *http.Request) (*Session, error) {
	session, err := s.endPresent(ctx, r)
	if err != nil {
		return nil, err
	}
	if session != nil {
		s.trail.add(Action{UserID: session.User.ID, User: session.User.Name, Address: AddressOf(r), Name: "session.sign_out", Operator: session.User.isOperator()})
	}
	s.setCookie(w, r, "", 0)
	return session, nil
}

// Sessions lists those of a user that have not expired, newest first.
func (s *Service) Sessions(ctx context.Context, userID string) ([]Session, error) {
	s.see(ctx)
	all, err := s.store.Sessions(ctx, userID)
	if err != nil {
		return nil, err
	}
	now, live := s.now(), all[:0]
	for _, session := range all {
		if session.Expires = s.expiry(&session); now.Before(session.Expires) {
			live = append(live, session)
		}
	}
	if s.external != nil {
		live = append(live, s.external.Sessions(userID)...)
		slices.SortStableFunc(live, func(a, b Session) int { return b.Created.Compare(a.Created) })
	}
	return live, nil
}

// Lives reports whether a session has not ended, whose request lasts longer than
// its cookie is good, such as a WebSocket.
func (s *Service) Lives(session *Session) bool {
	return s.external != nil && session != nil && s.external.Lives(session)
}

// EndSession ends one session of a user, or fails with ErrNoSession.
func (s *Service) EndSession(ctx context.Context, userID, id string) error {
	if s.external != nil && s.external.End(userID, id, "") > 0 {
		return nil
	}
	return s.endSession(ctx, userID, id)
}

// EndAllSessions ends all sessions of a user.
func (s *Service) EndAllSessions(ctx context.Context, userID string) error {
	return s.EndSessions(ctx, userID, "")
}

func (s *Service) endSession(ctx context.Context, userID, id string) error {
	defer s.cache.clear() // whatever the store says: it may have ended
	return s.store.EndSession(ctx, userID, id)
}

// EndSessions ends all sessions of a user but the one with the ID keep, which
// may be "".
func (s *Service) EndSessions(ctx context.Context, userID, keep string) error {
	defer s.cache.clear()
	if s.external != nil {
		s.external.End(userID, "", keep)
	}
	return s.store.EndSessions(ctx, userID, keep)
}
