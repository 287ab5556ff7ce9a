package authapi

import (
	"net/http"
	"time"

	"github.com/poolscope/poolscope/internal/account"
	"github.com/poolscope/poolscope/internal/api/access"
)

// roleOwner is the role of a viewer who has proven to own a worker, as it is shown.
const roleOwner = "owner"

// sessionView is the answer of GET /api/auth/session.
type sessionView struct {
	SignedIn       bool          `json:"signed_in"`
	User           *userView     `json:"user,omitempty"`
	SessionID      string        `json:"session_id,omitempty"`
	ExpiresAt      time.Time     `json:"expires_at,omitzero"`
	ConfirmedUntil time.Time     `json:"confirmed_until,omitzero"` // what is dangerous can be done until then
	Operator       bool          `json:"operator"`                 // also by a token or at this machine
	Local          bool          `json:"local"`                    // operator without an account, being at this machine
	Providers      providersView `json:"providers"`
}

type userView struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Email     string    `json:"email,omitempty"`
	Provider  string    `json:"provider"`
	Role      string    `json:"role"`
	CreatedAt time.Time `json:"created_at"`
}

// providersView says how somebody can sign in.
type providersView struct {
	Local        bool       `json:"local"`
	Registration bool       `json:"registration"`
	OIDC         []oidcView `json:"oidc"`
	Clerk        *clerkView `json:"clerk,omitempty"`
}

type oidcView struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

type clerkView struct {
	SignInURL string `json:"sign_in_url"`        // of a page of ours, which takes return_to, or of Clerk's
	KeepURL   string `json:"keep_url,omitempty"` // of a page of ours that keeps the session in a frame
}

// serveSession answers GET /api/auth/session: to everybody, and never with 401.
func (a *API) serveSession(w http.ResponseWriter, r *http.Request) {
	v := a.gate.Viewer(r)
	out := sessionView{Operator: v.Operator(), Local: v.Local && v.Session == nil, Providers: providersView{Local: true, Registration: a.accounts.Open(), OIDC: []oidcView{}}}
	a.describeExternal(&out.Providers)
	if s := v.Session; s != nil {
		role := string(s.User.Role)
		if s.User.Role == account.RoleViewer && a.cfg.IsOwner != nil && a.cfg.IsOwner(r.Context(), s.User.ID) {
			role = roleOwner
		}
		out.SignedIn, out.SessionID, out.ExpiresAt = true, s.ID, access.Stamp(s.Expires)
		out.User = &userView{ID: s.User.ID, Name: s.User.Name, Email: s.User.Email, Provider: s.User.Provider, Role: role, CreatedAt: access.Stamp(s.User.Created)}
		if s.IsConfirmed(time.Now()) {
			out.ConfirmedUntil = access.Stamp(s.Confirmed.Add(account.ConfirmedFor))
		}
	}
	access.SendJSON(w, a.log, http.StatusOK, out)
}

// signIn answers POST /api/auth/sign-in.
func (a *API) signIn(w http.ResponseWriter, r *http.Request, v access.Viewer) {
	body, ok := access.ReadBody(w, r)
	if !ok {
		return
	}
	if _, err := a.accounts.SignIn(r.Context(), w, r, body.Text("name"), body.Secret("password")); err != nil {
		a.refuse(w, err)
		return
	}
	access.SendJSON(w, a.log, http.StatusOK, okAnswer{true})
}

// signOut answers POST /api/auth/sign-out.
func (a *API) signOut(w http.ResponseWriter, r *http.Request, _ access.Viewer) {
	ended, err := a.accounts.SignOut(r.Context(), w, r)
	if err != nil {
		a.refuse(w, err)
		return
	}
	location := a.signOutOfClerk(w, r)
	if location == "" && ended != nil && a.cfg.External.OIDC != nil {
		location = a.cfg.External.OIDC.SignOut(ended.User.Provider, a.origin(r)+"/")
	}
	access.SendJSON(w, a.log, http.StatusOK, signedOutView{true, location})
}

// signedOutView is the answer of POST /api/auth/sign-out.
type signedOutView struct {
	OK       bool   `json:"ok"`
	Location string `json:"location,omitempty"` // page of ours, or of a provider's, that has to be visited to be signed out at the provider, too
}

// register answers POST /api/auth/register. Who made an account is signed in.
func (a *API) register(w http.ResponseWriter, r *http.Request, v access.Viewer) {
	if !a.accounts.Open() {
		a.refuse(w, account.ErrClosed)
		return
	}
	body, ok := access.ReadBody(w, r)
	if !ok {
		return
	}
	name, password := body.Text("name"), body.Secret("password")
	if _, err := a.accounts.Register(r.Context(), v.Address, name, body.Text("email"), password); err != nil {
		a.refuse(w, err)
		return
	}
	if _, err := a.accounts.SignIn(r.Context(), w, r, name, password); err != nil {
		a.refuse(w, err)
		return
	}
	access.SendJSON(w, a.log, http.StatusCreated, okAnswer{true})
}

// confirmView is the answer of POST /api/auth/confirm.
type confirmView struct {
	OK             bool      `json:"ok"`
	ConfirmedUntil time.Time `json:"confirmed_until"`
}

// confirm answers POST /api/auth/confirm.
func (a *API) confirm(w http.ResponseWriter, r *http.Request, v access.Viewer) {
	body, ok := access.ReadBody(w, r)
	if !ok {
		return
	}
	until, err := a.accounts.Confirm(r.Context(), r, v.Session, body.Secret("password"))
	if err != nil {
		a.refusePassword(w, err)
		return
	}
	access.SendJSON(w, a.log, http.StatusOK, confirmView{true, access.Stamp(until)})
}

// refusePassword answers with what went wrong to somebody who is signed in, for
// whom 401 would mean that they are not.
func (a *API) refusePassword(w http.ResponseWriter, err error) {
	if isWrong(err) {
		http.Error(w, "wrong password", http.StatusForbidden)
		return
	}
	a.refuse(w, err)
}

// changePassword answers POST /api/auth/password.
func (a *API) changePassword(w http.ResponseWriter, r *http.Request, v access.Viewer) {
	body, ok := access.ReadBody(w, r)
	if !ok {
		return
	}
	if err := a.accounts.ChangePassword(r.Context(), v.Address, v.Session, body.Secret("current"), body.Secret("new")); err != nil {
		a.refusePassword(w, err)
		return
	}
	access.SendJSON(w, a.log, http.StatusOK, okAnswer{true})
}

// sessionsView is the answer of GET /api/auth/sessions.
type sessionsView struct {
	Sessions []sessionEntry `json:"sessions"`
}

type sessionEntry struct {
	ID        string    `json:"id"`
	Current   bool      `json:"current"`
	CreatedAt time.Time `json:"created_at"`
	LastSeen  time.Time `json:"last_seen"`
	ExpiresAt time.Time `json:"expires_at"`
	UserAgent string    `json:"user_agent"`
	Address   string    `json:"address"`
	Provider  string    `json:"provider"`
}

// listSessions answers GET /api/auth/sessions.
func (a *API) listSessions(w http.ResponseWriter, r *http.Request, v access.Viewer) {
	all, err := a.accounts.Sessions(r.Context(), v.UserID())
	if err != nil {
		a.refuse(w, err)
		return
	}
	out := sessionsView{Sessions: []sessionEntry{}}
	for _, s := range all {
		out.Sessions = append(out.Sessions, sessionEntry{
			ID: s.ID, Current: s.ID == v.Session.ID, CreatedAt: access.Stamp(s.Created), LastSeen: access.Stamp(s.LastSeen), ExpiresAt: access.Stamp(s.Expires),
			UserAgent: s.UserAgent, Address: s.Address, Provider: s.User.Provider,
		})
	}
	access.SendJSON(w, a.log, http.StatusOK, out)
}

// endSession answers DELETE /api/auth/sessions/ID.
func (a *API) endSession(w http.ResponseWriter, r *http.Request, v access.Viewer) {
	err := a.accounts.EndSession(r.Context(), v.UserID(), r.PathValue("id"))
	if err != nil {
		a.refuse(w, err)
		return
	}
	a.record(r, v, "session.end", v.Session.User.Name, "")
	access.SendJSON(w, a.log, http.StatusOK, okAnswer{true})
}

// endOtherSessions answers DELETE /api/auth/sessions.
func (a *API) endOtherSessions(w http.ResponseWriter, r *http.Request, v access.Viewer) {
	if err := a.accounts.EndSessions(r.Context(), v.UserID(), v.Session.ID); err != nil {
		a.refuse(w, err)
		return
	}
	a.record(r, v, "session.end", v.Session.User.Name, "all others")
	access.SendJSON(w, a.log, http.StatusOK, okAnswer{true})
}

// record adds to the audit trail what the viewer did.
func (a *API) record(r *http.Request, v access.Viewer, name, target, detail string) {
	a.accounts.Record(r.Context(), v.Action(name, target, detail))
}
