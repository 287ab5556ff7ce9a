package clerk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/poolscope/poolscope/internal/account"
)

// revokedFor is how long a revoked session is refused at least: while Clerk
// keeps it, it makes new tokens for it. Clerk's sessions last seven days unless
// configured otherwise; they can be made to last for years. Where there is no room
// for more, those that were revoked first are forgotten first.
const revokedFor = 400 * 24 * time.Hour

// Session returns the session of a request's cookie, nil when it has none or
// an invalid one. It never waits for the provider and writes nothing.
func (c *Clerk) Session(r *http.Request) *account.Session {
	value, ok := c.cookie(r)
	if !ok {
		return nil
	}
	token, err := c.verify(value)
	if err != nil {
		return nil
	}
	session, err := c.session(r.Context(), r, token)
	if err != nil {
		return nil
	}
	return session
}

// cookie is the value of a request's session cookie. Of several cookies of the
// name none counts: a neighbor host of the same domain can plant one, and which
// comes first says nothing.
func (c *Clerk) cookie(r *http.Request) (value string, ok bool) {
	cookies := r.CookiesNamed(c.config.CookieName)
	if len(cookies) != 1 || cookies[0].Value == "" {
		return "", false
	}
	return cookies[0].Value, true
}

// SignIn verifies a token and returns the session that it is of. A token whose
// end has passed by this machine's clock is refused, whatever ClockSkew forgives:
// a cookie of it would be gone at once. Errors are those of Verify, or the
// account's.
func (c *Clerk) SignIn(r *http.Request, token string) (*account.Session, error) {
	verified, err := c.Verify(r.Context(), token)
	if err != nil {
		return nil, err
	}
	if !verified.Expires.After(c.now()) {
		return nil, fmt.Errorf("%w: the token has expired (exp)", ErrInvalid)
	}
	return c.session(r.Context(), r, verified)
}

func (c *Clerk) session(ctx context.Context, r *http.Request, t Token) (*account.Session, error) {
	now := c.now()
	user, err := c.people.get(ctx, t, now)
	if err != nil {
		return nil, fmt.Errorf("account of a person at Clerk: %w", err)
	}
	address := r.RemoteAddr
	if host, _, err := net.SplitHostPort(address); err == nil {
		address = host
	}
	key := revocationKey(t)
	session := &account.Session{
		ID: shownID(key), User: user, Created: t.Issued, LastSeen: now, Expires: t.Expires, Confirmed: t.Proven,
		UserAgent: r.UserAgent(), Address: address,
	}
	if len(session.UserAgent) > 200 {
		session.UserAgent = strings.ToValidUTF8(session.UserAgent[:200], "")
	}
	session.Created = c.seen.note(*session, key, t.SessionID == "")
	return session, nil
}

// Sessions lists those of a user that were seen in the last day.
func (c *Clerk) Sessions(userID string) []account.Session {
	var all []account.Session
	for _, known := range c.seen.of(userID, c.now()) {
		all = append(all, known.session)
	}
	return all
}

// Everybody lists the sessions of all users that were seen lately.
func (c *Clerk) Everybody() []account.Session {
	all := c.seen.all(c.now())
	sessions := make([]account.Session, 0, len(all))
	for _, known := range all {
		sessions = append(sessions, known.session)
	}
	return sessions
}

// Lives reports whether a session has brought a token that is good still, and its
// user may do what they might. A request that lasts, such as a WebSocket, has
// only its first token.
func (c *Clerk) Lives(session *account.Session) bool {
	if session.User.Provider != account.ProviderClerk || !c.seen.lives(session.ID, c.now()) {
		return false
	}
	user, err := c.people.get(context.Background(), Token{Subject: session.User.Subject}, c.now())
	return err == nil && user.Role == session.User.Role
}

// End ends sessions of a user: the one with an ID, or with "" all but the one
// with the ID keep. It returns how many.
func (c *Clerk) End(userID, id, keep string) int {
	n, now := 0, c.now()
	for _, known := range c.seen.of(userID, now) {
		if is := known.session.ID; id == "" && is != keep || is == id {
			c.revoke(is, known.key, known.session.Expires, now)
			n++
		}
	}
	return n
}

// revoke refuses the tokens of a session for as long as there can be any.
func (c *Clerk) revoke(id, key string, expires, now time.Time) {
	until := now.Add(revokedFor)
	if end := expires.Add(ClockSkew); end.After(until) {
		until = end
	}
	if err := c.revoked.add(key, until, now); err != nil {
		c.log.Error("a session that was ended may be good again after a restart", "err", err)
	}
	c.seen.forget(id)
}

// Revoke ends the session of a request's cookie: neither its token nor newer
// ones of the session are taken from now on. It reports whether there was one.
func (c *Clerk) Revoke(r *http.Request) bool {
	value, ok := c.cookie(r)
	if !ok {
		return false
	}
	token, err := c.verify(value)
	if err != nil {
		return false
	}
	key := revocationKey(token)
	c.revoke(shownID(key), key, token.Expires, c.now())
	return true
}

// revocationKey names the session of a token. A token without a session, which
// a template made, is one of its own.
func revocationKey(t Token) string {
	if t.SessionID != "" {
		return t.SessionID
	}
	return t.digest
}

// shownID is a session's handle for people: it cannot be used for anything else.
func shownID(key string) string {
	sum := sha256.Sum256([]byte("poolscope clerk session " + key))
	return "clerk-" + hex.EncodeToString(sum[:8])
}
