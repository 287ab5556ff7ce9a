package clerk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/poolscope/poolscope/internal/account"
)

// revokedFor is how long a revoked session is refused at least: while Clerk
// keeps it, it makes new tokens for it. Seven days are the longest that Clerk's
// sessions last unless configured otherwise.
const revokedFor = 7 * 24 * time.Hour

// Session returns the session of a request's cookie, nil when it has none or
// an invalid one. It never waits for the provider and writes nothing.
func (c *Clerk) Session(r *http.Request) *account.Session {
	cookie, err := r.Cookie(c.config.CookieName)
	if err != nil || cookie.Value == "" {
		return nil
	}
	token, err := c.verify(cookie.Value)
	if err != nil {
		return nil
	}
	session, err := c.session(r.Context(), r, token)
	if err != nil {
		return nil
	}
	return session
}

// SignIn verifies a token and returns the session that it is of. Errors are
// those of Verify, or the account's.
func (c *Clerk) SignIn(r *http.Request, token string) (*account.Session, error) {
	verified, err := c.Verify(r.Context(), token)
	if err != nil {
		return nil, err
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
	return &account.Session{
		ID: shownID(revocationKey(t)), User: user, Created: t.Issued, LastSeen: now, Expires: t.Expires, Confirmed: t.Proven,
		UserAgent: r.UserAgent(), Address: address,
	}, nil
}

// Revoke ends the session of a request's cookie: neither its token nor newer
// ones of the session are taken from now on. It reports whether there was one.
func (c *Clerk) Revoke(r *http.Request) bool {
	cookie, err := r.Cookie(c.config.CookieName)
	if err != nil {
		return false
	}
	token, err := c.verify(cookie.Value)
	if err != nil {
		return false
	}
	now := c.now()
	until := now.Add(revokedFor)
	if token.Expires.Add(ClockSkew).After(until) {
		until = token.Expires.Add(ClockSkew)
	}
	c.revoked.add(revocationKey(token), until, now)
	c.people.forget(token.Subject)
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
