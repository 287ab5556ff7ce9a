package authapi

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"github.com/poolscope/poolscope/internal/api/access"
)

// clerkPage is where people sign in with Clerk. It is no part of the main page,
// whose security policy lets no other host's script in: this one lets Clerk's.
const clerkPage = "/sign-in/clerk"

//go:embed clerkpage
var clerkFiles embed.FS

var clerkTemplate = template.Must(template.ParseFS(clerkFiles, "clerkpage/page.html"))

// clerkPageView is what the page's template needs.
type clerkPageView struct {
	Title, Mode        string
	ReturnTo, Callback string // paths of ours
	PublishableKey     string
	Script, SignInURL  string // addresses at Clerk
}

// clerkPages are the routes of the pages for Clerk, none without its key.
func (a *API) clerkPages() []route {
	c := a.cfg.External.Clerk
	if c == nil || c.Config().PublishableKey == "" {
		return nil
	}
	pages := []route{
		{clerkPage, methods{http.MethodGet: a.serveClerkPage("in", "Signing in with Clerk")}},
		{clerkPage + "/keep", methods{http.MethodGet: a.serveClerkPage("keep", "Staying signed in")}},
		{clerkPage + "/out", methods{http.MethodGet: a.serveClerkPage("out", "Signing out")}},
		{clerkPage + "/page.js", methods{http.MethodGet: serveClerkFile("clerkpage/page.js", "text/javascript; charset=utf-8")}},
		{clerkPage + "/page.css", methods{http.MethodGet: serveClerkFile("clerkpage/page.css", "text/css; charset=utf-8")}},
	}
	if path := c.Config().CallbackPath; path != "" && path != clerkPage {
		pages = append(pages, route{path, methods{http.MethodGet: a.serveClerkPage("in", "Signing in with Clerk")}})
	}
	return pages
}

// describeClerk says how the page gets people to Clerk, nil when it cannot.
func (a *API) describeClerk() *clerkView {
	switch c := a.cfg.External.Clerk; {
	case c == nil:
		return nil
	case c.Config().PublishableKey != "":
		return &clerkView{SignInURL: clerkPage, KeepURL: clerkPage + "/keep"}
	case c.Config().SignInURL != "":
		return &clerkView{SignInURL: c.Config().SignInURL}
	default:
		return nil
	}
}

// serveClerkPage answers GET of one of the pages. Nothing of the query is taken
// but the page to return to: no token is in an address.
func (a *API) serveClerkPage(mode, title string) http.HandlerFunc {
	config := a.cfg.External.Clerk.Config()
	frontend := strings.TrimSuffix(config.FrontendAPI, "/")
	policy := clerkPolicy(frontend, mode == "keep")
	callback := config.CallbackPath
	if callback == "" {
		callback = clerkPage
	}
	return func(w http.ResponseWriter, r *http.Request) {
		view := clerkPageView{
			Title: title, Mode: mode, ReturnTo: access.ReturnTo(r.URL.Query().Get("return_to")), Callback: callback,
			PublishableKey: config.PublishableKey, SignInURL: config.SignInURL, Script: frontend + "/npm/@clerk/clerk-js@5/dist/clerk.browser.js",
		}
		var page bytes.Buffer
		if err := clerkTemplate.Execute(&page, view); err != nil {
			a.log.Error("page not built", "err", err)
			http.Error(w, "internal error", http.StatusInternalServerError)
			return
		}
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", policy)
		if mode == "keep" {
			h.Set("X-Frame-Options", "SAMEORIGIN")
		}
		_, _ = w.Write(page.Bytes()) // a client that went away is no news
	}
}

// clerkPolicy lets a page load its own files, and Clerk's script, which may ask
// Clerk. Nothing else, and no form or frame.
func clerkPolicy(frontend string, framed bool) string {
	origin := frontend
	if u, err := url.Parse(frontend); err == nil {
		origin = u.Scheme + "://" + u.Host
	}
	ancestors := "'none'"
	if framed {
		ancestors = "'self'"
	}
	return "default-src 'none'; script-src 'self' " + origin + "; connect-src 'self' " + origin + "; style-src 'self'; img-src 'self' data:; worker-src blob:; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors " + ancestors
}

// serveClerkFile answers GET of a file of the pages.
func serveClerkFile(name, kind string) http.HandlerFunc {
	body, err := clerkFiles.ReadFile(name)
	if err != nil {
		panic(err) // it is embedded
	}
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Cache-Control", "no-cache")
		_, _ = w.Write(body)
	}
}
