package api

import (
	"net/http"
	"strings"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// operator reports whether a request is the operator's, who sees names in full
// and may do what is guarded: whoever is signed in as one; without a configured
// token whoever is at this machine, names it by a loopback name, so that a page
// in the operator's browser cannot reach it under a name of its own, and does not
// come through a proxy, which makes everybody's requests look like this
// machine's; and whoever knows the token ("Authorization: Bearer …"): the
// configured one, or the scope's, so that one token opens every page. Whoever is
// signed in as a viewer is one at this machine, too.
func (s *Server) operator(r *http.Request) bool { return s.gate.Viewer(r).Operator() }

// guard keeps everybody but the operator out.
func (s *Server) guard(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch v := s.gate.Viewer(r); {
		case v.Operator():
			next(w, r)
		case v.Session != nil:
			http.Error(w, "forbidden", http.StatusForbidden)
		case *s.token.Load() == "" && !s.gate.HasSessions():
			http.Error(w, "forbidden: only from this machine and not through a proxy, or with the token", http.StatusForbidden)
		default:
			w.Header().Set("WWW-Authenticate", `Bearer realm="poolscope"`)
			http.Error(w, "unauthorized", http.StatusUnauthorized)
		}
	}
}

// serveNames answers with a view as the public sees it, or, with names=full, to
// the operator only, with names and hashes in full. That must be asked for:
// who passes on what a pool tells on its own machine must not pass on names.
func (s *Server) serveNames(w http.ResponseWriter, r *http.Request, public *view, build func(m moment) any) {
	if r.URL.Query().Get("names") != "full" {
		s.serveView(w, r, public)
		return
	}
	s.guard(func(w http.ResponseWriter, _ *http.Request) {
		m := s.read(s.now())
		m.full = true
		s.sendJSON(w, http.StatusOK, build(m))
	})(w, r)
}

// record adds to the audit trail what the operator did.
func (s *Server) record(r *http.Request, name, target, detail string) {
	if s.src.Trail != nil {
		s.src.Trail.Record(r.Context(), s.gate.Viewer(r).Action(name, target, detail))
	}
}

// shownName is a worker's name as the viewer may see it.
func shownName(name string, full bool) string {
	if full {
		return strings.ToValidUTF8(name, "")
	}
	return censorWorker(name)
}

// shownAgent is a user agent as the viewer may see it.
func shownAgent(agent string, full bool) string {
	if full {
		return brief(agent, maxUserAgent)
	}
	return publicAgent(agent)
}

// shownHash is the hash of a share or block as the viewer may see it.
func shownHash(hash bitcoin.Hash, full bool) string {
	if full {
		return hash.String()
	}
	return censorHash(hash.String())
}
