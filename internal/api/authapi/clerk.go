package authapi

import (
	"errors"
	"net/http"
	"time"

	"github.com/poolscope/poolscope/internal/account"
	"github.com/poolscope/poolscope/internal/account/clerk"
	"github.com/poolscope/poolscope/internal/api/access"
)

// refreshedView is the answer of POST /api/auth/session-refresh.
type refreshedView struct {
	OK        bool      `json:"ok"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
}

// refreshSession answers POST /api/auth/session-refresh of the contract: it
// takes a session token of Clerk's and gives it back as the session cookie.
func (a *API) refreshSession(w http.ResponseWriter, r *http.Request) {
	c := a.cfg.External.Clerk
	if c == nil {
		http.Error(w, "not found", http.StatusNotFound)
		return
	}
	if !a.isOwnHost(r) {
		a.gate.RefuseCrossSite(w)
		return
	}
	body, ok := access.ReadBody(w, r)
	if !ok {
		return
	}
	token := body.Text("token")
	if token == "" {
		http.Error(w, "missing token", http.StatusBadRequest)
		return
	}
	before := c.Session(r)
	session, err := c.SignIn(r, token)
	if err != nil {
		a.refuseToken(w, r, err)
		return
	}
	http.SetCookie(w, a.clerkCookie(r, token, session.Expires))
	if before == nil || before.User.ID != session.User.ID { // not each minute
		a.accounts.NoteExternal(r, session.User, account.ProviderClerk, nil)
	}
	access.SendJSON(w, a.log, http.StatusOK, refreshedView{OK: true, ExpiresAt: session.Expires.UTC().Truncate(time.Second)})
}

// refuseToken answers to who brought a token that is not taken.
func (a *API) refuseToken(w http.ResponseWriter, r *http.Request, err error) {
	a.accounts.NoteExternal(r, account.User{}, account.ProviderClerk, err)
	switch {
	case errors.Is(err, clerk.ErrUnavailable):
		w.Header().Set("Retry-After", "10")
		http.Error(w, "Clerk's keys could not be fetched yet, so that nobody can sign in with it; try again in a moment", http.StatusServiceUnavailable)
	case errors.Is(err, clerk.ErrInvalid):
		a.log.Info("session token refused", "err", err, "address", account.AddressOf(r))
		http.Error(w, "invalid token", http.StatusUnauthorized)
	case errors.Is(err, account.ErrDisabled):
		http.Error(w, "the account is disabled", http.StatusForbidden)
	default:
		a.refuse(w, err)
	}
}

// clerkCookie holds a session token until it expires; with token "" it takes
// the cookie away.
func (a *API) clerkCookie(r *http.Request, token string, expires time.Time) *http.Cookie {
	c := &http.Cookie{
		Name: a.cfg.External.Clerk.Config().CookieName, Value: token, Path: "/", Expires: expires,
		HttpOnly: true, Secure: a.isSecure(r), SameSite: http.SameSiteLaxMode,
	}
	if token == "" {
		c.MaxAge = -1
	}
	return c
}

// clerkOutMarker tells the page that ends Clerk's own session that the person
// asked for it by POST: a link to that page signs nobody out.
const clerkOutMarker = "poolscope_clerk_out"

// signOutOfClerk ends the request's session of Clerk's kind, if it has one, and
// returns the page that ends it at Clerk, too; "" without.
func (a *API) signOutOfClerk(w http.ResponseWriter, r *http.Request) (location string) {
	c := a.cfg.External.Clerk
	if c == nil {
		return ""
	}
	session := c.Session(r)
	revoked := c.Revoke(r)
	if _, err := r.Cookie(c.Config().CookieName); err == nil {
		http.SetCookie(w, a.clerkCookie(r, "", time.Unix(1, 0)))
	}
	if !revoked {
		return ""
	}
	if session != nil {
		a.record(r, access.Viewer{Session: session, Address: account.AddressOf(r)}, "session.sign_out", "", "through "+account.ProviderClerk)
	}
	if c.Config().PublishableKey == "" {
		return ""
	}
	http.SetCookie(w, &http.Cookie{Name: clerkOutMarker, Value: "1", Path: clerkPage, MaxAge: 60, Secure: a.isSecure(r), SameSite: http.SameSiteStrictMode})
	return clerkPage + "/out"
}
