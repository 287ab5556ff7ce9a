package scopeapi

import (
	"encoding/base64"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/poolscope/poolscope/internal/account"
	"github.com/poolscope/poolscope/internal/api/access"
)

// guard is who may ask for an operation.
type guard uint8

const (
	guardRead  guard = iota // this machine, unless Config.Public; others as operators or with the token
	guardWrite              // only operators who are signed in, or with the token
	guardOpen               // anybody: it shows nothing of the user's
)

// Answers to those who may not.
var (
	errCrossSite   = fail(http.StatusForbidden, "The request comes from another site's page")
	errNoToken     = fail(http.StatusForbidden, "Only from this machine: no token is configured")
	errNoWriteHere = fail(http.StatusForbidden, "Nothing can be changed: no token is configured")
	errNotOperator = fail(http.StatusForbidden, "Only for operators")
	errToken       = fail(http.StatusUnauthorized, "Not authenticated: send Authorization: Bearer TOKEN")
)

// refusals are requests that were turned away, by reason.
type refusals struct {
	crossSite, noToken, token, notOperator atomic.Uint64
}

// admit checks who asks. A token that is given must be right, even where none is
// needed: who sends one wants to know. bySession says that it is their session
// alone that lets somebody in.
func (a *API) admit(op *operation, w http.ResponseWriter, r *http.Request) (bySession bool, err error) {
	if op.guard == guardOpen {
		return false, nil
	}
	if a.cross.Check(r) != nil || !a.sameSite(op, r) {
		a.refusals.crossSite.Add(1)
		return false, errCrossSite
	}
	given := tokenOf(r)
	if op.guard == guardRead && given == "" && !a.cfg.Public && access.IsLocal(r) {
		return false, nil
	}
	if given == "" && a.cfg.Gate != nil {
		switch s := a.cfg.Gate.Viewer(r).Session; {
		case s != nil && s.User.Role == account.RoleOperator:
			return true, nil
		case s != nil:
			a.refusals.notOperator.Add(1)
			return false, errNotOperator
		}
	}
	switch want := *a.token.Load(); {
	case access.IsToken(given, want):
		return false, nil
	case want == "":
		a.refusals.noToken.Add(1)
		if op.guard == guardWrite {
			return false, errNoWriteHere
		}
		return false, errNoToken
	}
	a.refusals.token.Add(1)
	w.Header().Set("WWW-Authenticate", `Bearer realm="poolscope"`)
	return false, errToken
}

// signedIn reports whether a request comes from an operator's session.
func (a *API) signedIn(r *http.Request) bool {
	if a.cfg.Gate == nil {
		return false
	}
	s := a.cfg.Gate.Viewer(r).Session
	return s != nil && s.User.Role == account.RoleOperator
}

// record adds to the audit trail what somebody changed or sent, or tried to.
func (a *API) record(op *operation, r *http.Request, err error) {
	if a.cfg.Trail == nil || a.cfg.Gate == nil || op.guard != guardWrite {
		return
	}
	action := a.cfg.Gate.Viewer(r).Action("scope."+op.OperationID, r.URL.Path, "")
	action.Failed = err != nil
	a.cfg.Trail.Record(r.Context(), action)
}

// sameSite refuses what another site's page asks for where the protection of
// the standard library lets it pass: reads, and WebSockets among them, which no
// browser keeps a page from opening.
func (a *API) sameSite(_ *operation, r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "cross-site", "same-site":
		return access.IsFollowedLink(r)
	}
	return access.IsSameOrigin(r)
}

// Subprotocols of a WebSocket. Pages cannot set headers; they offer both, and
// the server takes the first: new WebSocket(url, ["poolscope", "bearer.TOKEN"])
// with the token in unpadded base64url.
const (
	feedProtocol  = "poolscope"
	bearerPrefix  = "bearer."
	protocolField = "Sec-WebSocket-Protocol"
)

// tokenOf is the token that a request carries, "" without.
func tokenOf(r *http.Request) string {
	if _, set := r.Header["Authorization"]; set {
		if token := access.Bearer(r); token != "" {
			return token
		}
		return "\x00" // something that is never right
	}
	for _, line := range r.Header.Values(protocolField) {
		for offer := range strings.SplitSeq(line, ",") {
			if encoded, ok := strings.CutPrefix(strings.TrimSpace(offer), bearerPrefix); ok {
				if token, err := base64.RawURLEncoding.DecodeString(encoded); err == nil && len(token) > 0 {
					return string(token)
				}
				return "\x00"
			}
		}
	}
	return ""
}
