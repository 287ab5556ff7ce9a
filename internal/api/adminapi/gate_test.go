package adminapi_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/poolscope/poolscope/internal/api/adminapi"
)

// requests are one of each route and method; those that are dangerous need the
// password again.
var requests = []struct {
	method, path string
	dangerous    bool
}{
	{http.MethodGet, "/api/admin/miners", false},
	{http.MethodDelete, "/api/admin/miners/00000001", false},
	{http.MethodPost, "/api/admin/miners/00000001/ban", false},
	{http.MethodPut, "/api/admin/notes/" + strings.Repeat("ab", 32), false},
	{http.MethodGet, "/api/admin/logs", false},
	{http.MethodPut, "/api/admin/logs/level", false},
	{http.MethodGet, "/api/admin/audit", false},
	{http.MethodGet, "/api/admin/settings", false},
	{http.MethodPost, "/api/admin/settings", true},
	{http.MethodPost, "/api/admin/settings/check", false},
	{http.MethodPost, "/api/admin/restart", true},
	{http.MethodGet, "/api/admin/state", false},
}

// TestWhoGetsIn asks for every route as everybody.
func TestWhoGetsIn(t *testing.T) {
	r := newRig(t, adminapi.Sources{})
	for _, q := range requests {
		r.want(nobody, q.method, q.path, "", http.StatusUnauthorized, "unauthorized")
		r.want(viewer, q.method, q.path, "", http.StatusForbidden, "forbidden")
		r.want(token, q.method, q.path, "", http.StatusServiceUnavailable, "is not to be had here")
		if q.dangerous {
			r.want(signedIn, q.method, q.path, "", http.StatusForbidden, "confirm")
			r.want(confirmed, q.method, q.path, "", http.StatusServiceUnavailable, "is not to be had here")
		} else {
			r.want(signedIn, q.method, q.path, "", http.StatusServiceUnavailable, "is not to be had here")
		}
		r.want(token, "BREW", q.path, "", http.StatusMethodNotAllowed, "method not allowed")
		r.want(nobody, "BREW", q.path, "", http.StatusMethodNotAllowed, "method not allowed")

		for header, value := range map[string]string{"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"} {
			if header == "Sec-Fetch-Site" && q.method == http.MethodGet {
				continue // a link from elsewhere may be followed; it changes nothing
			}
			req := r.request(confirmed, q.method, q.path, "")
			req.Header.Set(header, value)
			w := httptest.NewRecorder()
			r.api.ServeHTTP(w, req)
			if w.Code != http.StatusUnauthorized && w.Code != http.StatusForbidden {
				t.Errorf("%s %s from another site (%s): %d %s", q.method, q.path, header, w.Code, w.Body)
			}
		}
	}
}

// TestEveryRouteIsInTheTable fails when a route is added that TestWhoGetsIn does
// not ask for.
func TestEveryRouteIsInTheTable(t *testing.T) {
	r := newRig(t, adminapi.Sources{})
	mux := http.NewServeMux()
	asked := map[string]bool{}
	for _, pattern := range r.api.Patterns() {
		mux.HandleFunc(pattern, func(http.ResponseWriter, *http.Request) { asked[pattern] = true })
	}
	for _, q := range requests {
		mux.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(q.method, q.path, nil))
	}
	for _, pattern := range r.api.Patterns() {
		if !asked[pattern] {
			t.Errorf("nobody asks for %s", pattern)
		}
	}
}
