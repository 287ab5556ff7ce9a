package authapi

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/poolscope/poolscope/internal/account"
	"github.com/poolscope/poolscope/internal/account/clerk"
	"github.com/poolscope/poolscope/internal/account/oidc"
)

// External are the ways to sign in that others vouch for.
type External struct {
	Clerk *clerk.Clerk    // nil: off
	OIDC  *oidc.Providers // nil: none
	// PublicURL is where people find the page, such as "https://pool.example".
	// "": wherever a request says.
	PublicURL string
}

// externalRoutes are those of other ways to sign in.
func (a *API) externalRoutes() []route {
	return append([]route{
		{"/api/auth/session-refresh", methods{http.MethodPost: a.refreshSession}},
		{"/api/auth/oidc/{id}/start", methods{http.MethodPost: a.gate.Open(a.startOIDC)}},
		{"/api/auth/oidc/{id}/callback", methods{http.MethodGet: a.finishOIDC}},
	}, a.clerkPages()...)
}

// describeExternal tells the sign-in page about other ways to sign in.
func (a *API) describeExternal(p *providersView) {
	if a.cfg.External.OIDC != nil {
		for _, one := range a.cfg.External.OIDC.List() {
			p.OIDC = append(p.OIDC, oidcView{ID: one.ID, Name: one.Name})
		}
	}
	p.Clerk = a.describeClerk()
}

// origin is how browsers see this server, such as "https://pool.example".
func (a *API) origin(r *http.Request) string {
	if public := a.cfg.External.PublicURL; public != "" {
		return strings.TrimSuffix(public, "/")
	}
	if account.IsSecure(r) {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// isSecure reports whether browsers speak HTTPS with this server.
func (a *API) isSecure(r *http.Request) bool { return strings.HasPrefix(a.origin(r), "https://") }

// isOwnHost is the contract's same-origin rule: Origin and Referer, where they
// are given, name this host, and the browser does not call the request
// cross-site. Programs that are no browsers send none of them.
func (a *API) isOwnHost(r *http.Request) bool {
	own, err := url.Parse(a.origin(r))
	if err != nil || strings.EqualFold(r.Header.Get("Sec-Fetch-Site"), "cross-site") {
		return false
	}
	for _, name := range []string{"Origin", "Referer"} {
		for _, given := range r.Header.Values(name) {
			from, err := url.Parse(given)
			if err != nil || !strings.EqualFold(from.Host, own.Host) {
				return false
			}
		}
	}
	return true
}
