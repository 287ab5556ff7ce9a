package api

import (
	"net/http"

	"github.com/poolscope/poolscope/internal/api/access"
)

// operator reports whether a request is the operator's, who sees names in full
// and may do what is guarded: without a configured token whoever is at this
// machine, names it by a loopback name, so that a page in the operator's browser
// cannot reach it under a name of its own, and does not come through a proxy,
// which makes everybody's requests look like this machine's. Otherwise whoever
// knows the token ("Authorization: Bearer …"): the configured one, or the
// scope's, so that one token opens every page.
func (s *Server) operator(r *http.Request) bool {
	configured := *s.token.Load()
	if configured == "" && access.IsLocal(r) {
		return true
	}
	given := access.Bearer(r)
	return access.IsToken(given, configured) || s.src.Scope != nil && s.src.Scope.IsToken(given)
}

// guard keeps everybody but the operator out.
func (s *Server) guard(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch {
		case s.operator(r):
			next(w, r)
		case *s.token.Load() == "":
			http.Error(w, "forbidden: only from this machine and not through a proxy unless a token is configured", http.StatusForbidden)
		default:
			w.Header().Set("WWW-Authenticate", `Bearer realm="poolscope"`)
			http.Error(w, "unauthorized", http.StatusUnauthorized)
		}
	}
}
