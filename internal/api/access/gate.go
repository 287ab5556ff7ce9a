package access

import (
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/poolscope/poolscope/internal/account"
)

// Sessions finds the session of a request.
type Sessions interface {
	// Session returns the session that a request's cookie belongs to, nil when
	// nobody is signed in or the session has ended.
	Session(r *http.Request) *account.Session
}

// Gate decides who sent a request. All parts of the HTTP interface share one.
type Gate struct {
	sessions Sessions // nil: nobody can sign in
	cross    *http.CrossOriginProtection
	tokens   atomic.Pointer[tokens]
	public   atomic.Bool // people find the page elsewhere than at this machine
	now      func() time.Time
	refused  refusals
}

// tokens open what is the operator's: that of [http], which also keeps this
// machine out, and the scope's.
type tokens struct{ configured, scope string }

// refusals are requests that were turned away, by reason.
type refusals struct{ crossSite, unauthorized, forbidden, unconfirmed atomic.Uint64 }

// NewGate returns a gate; sessions may be nil.
func NewGate(sessions Sessions) *Gate {
	g := &Gate{sessions: sessions, cross: http.NewCrossOriginProtection(), now: time.Now}
	g.SetTokens("", "")
	return g
}

// SetTokens replaces the tokens, from the next request on. "" is none. While
// there is no configured one, requests from this machine are the operator's,
// unless a session that comes with them is somebody else's.
func (g *Gate) SetTokens(configured, scope string) { g.tokens.Store(&tokens{configured, scope}) }

// SetPublicURL tells where people find the page, such as "https://pool.example",
// "" when nobody said. Where that is not this machine, a proxy is in between, and
// what seems to come from this machine may be anybody's: nobody is Local then.
func (g *Gate) SetPublicURL(address string) { g.public.Store(IsPublic(address)) }

// HasSessions reports whether anybody can sign in.
func (g *Gate) HasSessions() bool { return g.sessions != nil }

// Refused are the requests that were turned away, by reason.
func (g *Gate) Refused() map[string]uint64 {
	return map[string]uint64{
		"cross_site":   g.refused.crossSite.Load(),
		"unauthorized": g.refused.unauthorized.Load(),
		"forbidden":    g.refused.forbidden.Load(),
		"unconfirmed":  g.refused.unconfirmed.Load(),
	}
}

// Viewer is who sent a request.
type Viewer struct {
	Session *account.Session // nil when nobody is signed in
	Token   bool             // a right token came with it
	Local   bool             // it comes from this machine, where no token is configured
	Address string           // IP address of the connection
}

// Operator reports whether the viewer may see and do everything. Who is signed in
// has the role of the account, also on this machine; a token is an operator's
// beside any session.
func (v Viewer) Operator() bool {
	if v.Session != nil {
		return v.Token || v.Session.User.Role == account.RoleOperator
	}
	return v.Token || v.Local
}

// UserID is the signed-in person, "" without.
func (v Viewer) UserID() string {
	if v.Session == nil {
		return ""
	}
	return v.Session.User.ID
}

// Action begins an entry of the audit trail of what the viewer does.
func (v Viewer) Action(name, target, detail string) account.Action {
	a := account.Action{Address: v.Address, Name: name, Target: target, Detail: detail, Operator: v.Operator()}
	switch {
	case v.Session != nil:
		a.UserID, a.User = v.Session.User.ID, v.Session.User.Name
	case v.Token:
		a.User = "token"
	case v.Local:
		a.User = "this machine"
	}
	return a
}

// Viewer tells who sent a request. A request that another site's page may have
// made a browser send is nobody's, unless it carries a token, which no browser
// adds by itself.
func (g *Gate) Viewer(r *http.Request) Viewer {
	v := Viewer{Address: r.RemoteAddr}
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		v.Address = host
	}
	known, given := g.tokens.Load(), Bearer(r)
	v.Token = IsToken(given, known.configured) || IsToken(given, known.scope)
	if g.fromElsewhere(r) {
		return v
	}
	v.Local = known.configured == "" && given == "" && !g.public.Load() && IsLocal(r)
	if g.sessions != nil {
		v.Session = g.sessions.Session(r)
	}
	return v
}

// fromElsewhere reports whether another site's page may have made a browser send
// a request. Reads count, too, WebSockets and frames among them, but not the way
// of a person who follows a link to a page.
func (g *Gate) fromElsewhere(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "cross-site", "same-site":
		return !IsFollowedLink(r)
	}
	return !IsSameOrigin(r) || g.cross.Check(r) != nil
}

// Open lets everybody in, but no other site's page: those get 403 "forbidden".
func (g *Gate) Open(next func(w http.ResponseWriter, r *http.Request, v Viewer)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if g.fromElsewhere(r) {
			g.RefuseCrossSite(w)
			return
		}
		next(w, r, g.Viewer(r))
	}
}

// RefuseCrossSite answers 403 "forbidden" to a request that another site's page may
// have made a browser send, and counts it.
func (g *Gate) RefuseCrossSite(w http.ResponseWriter) {
	g.refused.crossSite.Add(1)
	http.Error(w, "forbidden", http.StatusForbidden)
}

// Lives reports whether a session of a request that lasts, such as a WebSocket,
// has not ended although the request's cookie is good no longer: its browser has
// a newer one.
func (g *Gate) Lives(session *account.Session) bool {
	others, ok := g.sessions.(interface {
		Lives(session *account.Session) bool
	})
	return ok && session != nil && others.Lives(session)
}

// User lets signed-in people in and answers others with 401 "unauthorized" or,
// when another site's page may have sent the request, 403 "forbidden".
func (g *Gate) User(next func(w http.ResponseWriter, r *http.Request, v Viewer)) http.HandlerFunc {
	return g.Open(func(w http.ResponseWriter, r *http.Request, v Viewer) {
		if v.Session == nil {
			g.refused.unauthorized.Add(1)
			http.Error(w, "unauthorized", http.StatusUnauthorized)
			return
		}
		next(w, r, v)
	})
}

// Operator lets operators in. Others get 401 "unauthorized" when nobody is
// signed in, else 403 "forbidden".
func (g *Gate) Operator(next func(w http.ResponseWriter, r *http.Request, v Viewer)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch v := g.Viewer(r); {
		case v.Operator():
			next(w, r, v)
		case v.Session != nil:
			g.refused.forbidden.Add(1)
			http.Error(w, "forbidden", http.StatusForbidden)
		default:
			g.refused.unauthorized.Add(1)
			http.Error(w, "unauthorized", http.StatusUnauthorized)
		}
	}
}

// Confirmed lets in operators who hold a token or gave their password in the
// last minutes. A signed-in operator who did not gets 403 "confirm", upon which
// the page asks for it (POST /api/auth/confirm) and tries again. An operator
// who only is at this machine must sign in.
func (g *Gate) Confirmed(next func(w http.ResponseWriter, r *http.Request, v Viewer)) http.HandlerFunc {
	return g.Operator(func(w http.ResponseWriter, r *http.Request, v Viewer) {
		switch {
		case v.Token, v.Session != nil && v.Session.User.Role == account.RoleOperator && v.Session.IsConfirmed(g.now()):
			next(w, r, v)
		case v.Session != nil && v.Session.User.Role == account.RoleOperator:
			g.refused.unconfirmed.Add(1)
			http.Error(w, "confirm", http.StatusForbidden)
		default:
			g.refused.unauthorized.Add(1)
			http.Error(w, "unauthorized", http.StatusUnauthorized)
		}
	})
}
