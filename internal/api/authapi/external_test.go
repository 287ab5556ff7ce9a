package authapi

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/account"
	"github.com/poolscope/poolscope/internal/account/clerk"
	"github.com/poolscope/poolscope/internal/account/oidc"
	"github.com/poolscope/poolscope/internal/account/providertest"
	"github.com/poolscope/poolscope/internal/api/access"
	"github.com/poolscope/poolscope/internal/store"
)

// house is a server with accounts, a Clerk and an OpenID Connect provider.
type house struct {
	api      *API
	accounts *account.Service
	gate     *access.Gate
	clerk    *providertest.Provider
	oidc     *providertest.OIDC
	keys     *clerk.Clerk
}

// build makes one that asks its providers while the test runs.
func build(t *testing.T, account_ account.Config, change func(*clerk.Config, *External)) *house {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	books, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "books.db"), quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = books.Close() })
	h := &house{accounts: account.New(account_, books, quiet), clerk: providertest.New(t), oidc: providertest.NewOIDC(t)}
	h.clerk.AddRSA(t, "key")
	h.gate = access.NewGate(h.accounts)
	config := clerk.Config{Issuer: h.clerk.URL, PublishableKey: "pk_test_x", CallbackPath: "/clerk/callback"}
	external := External{OIDC: oidc.New([]oidc.Config{{ID: "corp", Name: "Corp", Issuer: h.oidc.URL, ClientID: "poolscope"}}, quiet)}
	if change != nil {
		change(&config, &external)
	}
	h.keys = clerk.New(config, h.accounts, quiet)
	external.Clerk = h.keys
	h.accounts.AlsoSessionsOf(h.keys)
	h.api = New(Config{Service: h.accounts, Gate: h.gate, External: external})

	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{}, 2)
	go func() { _ = h.keys.Run(ctx); done <- struct{}{} }()
	go func() { _ = external.OIDC.Run(ctx); done <- struct{}{} }()
	t.Cleanup(func() { cancel(); <-done; <-done })
	for h.keys.Status().Keys == 0 || !external.OIDC.List()[0].Ready {
		time.Sleep(time.Millisecond)
	}
	return h
}

// token is a session token of a person at Clerk, changed as said.
func (h *house) token(t *testing.T, change map[string]any) string {
	t.Helper()
	now := time.Now()
	claims := map[string]any{"iss": h.clerk.URL, "sub": "user_1", "sid": "sess_1", "iat": now.Unix(), "exp": now.Add(time.Minute).Unix()}
	for name, value := range change {
		claims[name] = value
	}
	return h.clerk.Sign(t, "key", claims)
}

const site = "http://pool.example"

// answer is what came of a request.
type answer struct {
	StatusCode int
	Header     http.Header
	Body       string
	cookies    []*http.Cookie
}

// ask sends a request with a browser's cookies, and keeps those of the answer.
func (h *house) ask(b *providertest.Browser, r *http.Request) answer {
	r.RemoteAddr = "192.0.2.7:4711" // not this machine
	if b != nil {
		for _, c := range b.Cookies {
			r.AddCookie(c)
		}
	}
	w := httptest.NewRecorder()
	h.api.ServeHTTP(w, r)
	result := w.Result()
	defer func() { _ = result.Body.Close() }()
	out := answer{result.StatusCode, result.Header, strings.TrimSpace(w.Body.String()), result.Cookies()}
	if b != nil {
		b.Take(out.cookies...)
	}
	return out
}

func post(path, kind, body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, site+path, strings.NewReader(body))
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	return r
}

func get(path string) *http.Request { return httptest.NewRequest(http.MethodGet, site+path, nil) }

// session is what GET /api/auth/session says.
func (h *house) session(t *testing.T, b *providertest.Browser) sessionView {
	t.Helper()
	var view sessionView
	if err := json.Unmarshal([]byte(h.ask(b, get("/api/auth/session")).Body), &view); err != nil {
		t.Fatal(err)
	}
	return view
}

func TestSessionRefreshKeepsTheContract(t *testing.T) {
	h := build(t, account.Config{}, nil)
	right := h.token(t, nil)
	asJSON := `{"token":"` + right + `"}`
	with := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	for name, test := range map[string]struct {
		kind, body string
		change     func(*http.Request)
		status     int
		text       string // of errors
	}{
		"JSON":                       {"application/json", asJSON, nil, 200, ""},
		"JSON with a charset":        {"application/json; charset=utf-8", asJSON, nil, 200, ""},
		"form":                       {"application/x-www-form-urlencoded", "token=" + right, nil, 200, ""},
		"of this page":               {"application/json", asJSON, with("Origin", site), 200, ""},
		"with a referer":             {"application/json", asJSON, with("Referer", site+"/saved"), 200, ""},
		"same-origin":                {"application/json", asJSON, with("Sec-Fetch-Site", "same-origin"), 200, ""},
		"white space":                {"application/json", `{"token":" ` + right + ` "}`, nil, 200, ""},
		"another site":               {"application/json", asJSON, with("Origin", "https://evil.example"), 403, "forbidden"},
		"another site's referer":     {"application/json", asJSON, with("Referer", "https://evil.example/"), 403, "forbidden"},
		"another port":               {"application/json", asJSON, with("Origin", "http://pool.example:81"), 403, "forbidden"},
		"a name that begins so":      {"application/json", asJSON, with("Origin", "http://pool.example.evil.example"), 403, "forbidden"},
		"our name as a user":         {"application/json", asJSON, with("Origin", "http://pool.example@evil.example"), 403, "forbidden"},
		"sandboxed frame":            {"application/json", asJSON, with("Origin", "null"), 403, "forbidden"},
		"referer that is no address": {"application/json", asJSON, with("Referer", "%"), 403, "forbidden"},
		"cross-site":                 {"application/json", asJSON, with("Sec-Fetch-Site", "cross-site"), 403, "forbidden"},
		"no body":                    {"", "", nil, 400, "missing token"},
		"empty token":                {"application/json", `{"token":""}`, nil, 400, "missing token"},
		"token is a number":          {"application/json", `{"token":1}`, nil, 400, "missing token"},
		"undecodable":                {"application/json", `{"token":`, nil, 400, "missing token"},
		"JSON that says form":        {"application/x-www-form-urlencoded", asJSON, nil, 400, "missing token"},
		"nonsense":                   {"application/json", `{"token":"nonsense"}`, nil, 401, "invalid token"},
		"expired":                    {"application/json", `{"token":"` + h.token(t, map[string]any{"exp": time.Now().Add(-2 * time.Minute).Unix()}) + `"}`, nil, 401, "invalid token"},
		"too large":                  {"application/json", `{"token":"` + strings.Repeat("A", access.MaxBody) + `"}`, nil, 413, "request too large"},
		"in the address":             {"", "", func(r *http.Request) { r.URL.RawQuery = "token=" + right }, 400, "missing token"},
	} {
		t.Run(name, func(t *testing.T) {
			r := post("/api/auth/session-refresh", test.kind, test.body)
			if test.change != nil {
				test.change(r)
			}
			answer := h.ask(nil, r)
			body := answer.Body
			if answer.StatusCode != test.status || test.text != "" && body != test.text {
				t.Fatalf("%d %q, want %d %q", answer.StatusCode, body, test.status, test.text)
			}
			cookies := answer.cookies
			if test.status != 200 {
				if len(cookies) > 0 {
					t.Errorf("refused, but sets %v", cookies)
				}
				return
			}
			var got map[string]any
			if err := json.Unmarshal([]byte(body), &got); err != nil || got["ok"] != true {
				t.Fatalf("%q %v", body, err)
			}
			expires, err := time.Parse(time.RFC3339, got["expires_at"].(string))
			if err != nil || time.Until(expires) > time.Minute || time.Until(expires) < 30*time.Second {
				t.Errorf("expires_at %v %v", got["expires_at"], err)
			}
			if len(cookies) != 1 || cookies[0].Name != "__session" || cookies[0].Value != right || !cookies[0].HttpOnly || cookies[0].Secure ||
				cookies[0].SameSite != http.SameSiteLaxMode || cookies[0].Path != "/" || !cookies[0].Expires.Equal(expires) {
				t.Errorf("cookie %v", cookies)
			}
			if answer.Header.Get("Cache-Control") != "no-store" {
				t.Error("may be kept")
			}
		})
	}
	if answer := h.ask(nil, get("/api/auth/session-refresh")); answer.StatusCode != 405 || answer.Header.Get("Allow") != "POST" {
		t.Errorf("GET: %d %q", answer.StatusCode, answer.Header.Get("Allow"))
	}
}

// What comes of Clerk's tokens and of other providers' answers is counted, and in the
// audit trail.
func TestSignInsThroughOthersAreCounted(t *testing.T) {
	h := build(t, account.Config{}, nil)
	before, refused := h.accounts.Stats().SignIns, h.gate.Refused()["cross_site"]
	bring := func(token, site string) {
		r := post("/api/auth/session-refresh", "application/json", `{"token":"`+token+`"}`)
		if site != "" {
			r.Header.Set("Sec-Fetch-Site", site)
		}
		h.ask(nil, r)
	}
	bring(h.token(t, nil), "")
	bring("nonsense", "")
	bring(h.token(t, nil), "cross-site")
	h.ask(nil, get("/api/auth/oidc/corp/callback?code=x&state=made-up"))
	after := h.accounts.Stats().SignIns
	if ok, bad := after["ok"]-before["ok"], after["provider"]-before["provider"]; ok != 1 || bad != 2 {
		t.Errorf("%d ok and %d refused, want 1 and 2", ok, bad)
	}
	if n := h.gate.Refused()["cross_site"] - refused; n != 1 {
		t.Errorf("%d from other sites, want 1", n)
	}
	h.accounts.Flush(t.Context())
	trail, err := h.accounts.Actions(t.Context(), account.ActionFilter{Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	var failed, done int
	for _, a := range trail {
		if a.Name == "session.sign_in" && a.Failed {
			failed++
			if strings.Contains(a.Detail, "nonsense") {
				t.Errorf("what was sent is in the trail: %q", a.Detail)
			}
		} else if a.Name == "session.sign_in" {
			done++
		}
	}
	if failed != 2 || done != 1 {
		t.Errorf("%+v", trail)
	}
}

func TestWithoutClerk(t *testing.T) {
	service := account.New(account.Config{}, nil, slog.New(slog.DiscardHandler))
	h := &house{api: New(Config{Service: service, Gate: access.NewGate(nil)})}
	answer := h.ask(nil, post("/api/auth/session-refresh", "application/json", `{"token":"x"}`))
	if answer.StatusCode != 404 {
		t.Errorf("%d", answer.StatusCode)
	}
	if answer := h.ask(nil, get("/api/auth/session-refresh")); answer.StatusCode != 405 {
		t.Errorf("method first: %d", answer.StatusCode)
	}
	for _, path := range []string{"/api/auth/oidc/corp/callback?code=x&state=y", "/sign-in/clerk"} {
		if answer := h.ask(nil, get(path)); answer.StatusCode != 404 {
			t.Errorf("%s: %d", path, answer.StatusCode)
		}
	}
	if answer := h.ask(nil, post("/api/auth/oidc/corp/start", "", "")); answer.StatusCode != 404 {
		t.Errorf("start: %d", answer.StatusCode)
	}
}

func TestWhileClerkIsDownSigningInSaysSo(t *testing.T) {
	quiet := slog.New(slog.DiscardHandler)
	c := clerk.New(clerk.Config{Issuer: "https://clerk.pool.example"}, nil, quiet)
	h := &house{clerk: providertest.New(t), api: New(Config{Service: account.New(account.Config{}, nil, quiet), Gate: access.NewGate(nil), External: External{Clerk: c}})}
	h.clerk.AddRSA(t, "key")
	answer := h.ask(nil, post("/api/auth/session-refresh", "application/json", `{"token":"`+h.token(t, nil)+`"}`))
	if answer.StatusCode != 503 || !strings.Contains(answer.Body, "Clerk") || answer.Header.Get("Retry-After") == "" {
		t.Errorf("%d", answer.StatusCode)
	}
}

func TestPublicAddressDecides(t *testing.T) {
	h := build(t, account.Config{}, func(_ *clerk.Config, e *External) { e.PublicURL = "https://pool.public.example" })
	body := `{"token":"` + h.token(t, nil) + `"}`
	r := post("/api/auth/session-refresh", "application/json", body)
	r.Header.Set("Origin", site)
	if answer := h.ask(nil, r); answer.StatusCode != 403 {
		t.Errorf("by the host of the request: %d", answer.StatusCode)
	}
	r = post("/api/auth/session-refresh", "application/json", body)
	r.Header.Set("Origin", "https://pool.public.example")
	answer := h.ask(nil, r)
	if answer.StatusCode != 200 || len(answer.cookies) != 1 || !answer.cookies[0].Secure {
		t.Errorf("by the public one: %d %v", answer.StatusCode, answer.cookies)
	}
}

func TestSigningInAndOutWithClerk(t *testing.T) {
	h := build(t, account.Config{Operators: []string{"clerk:user_boss", "boss@pool.example"}}, nil)
	var b providertest.Browser
	if s := h.session(t, &b); s.SignedIn || s.Providers.Clerk == nil || s.Providers.Clerk.SignInURL != "/sign-in/clerk" || s.Providers.Clerk.KeepURL != "/sign-in/clerk/keep" {
		t.Fatalf("before: %+v", s)
	}
	h.ask(&b, post("/api/auth/session-refresh", "application/json", `{"token":"`+h.token(t, map[string]any{"name": "Ada"})+`"}`))
	s := h.session(t, &b)
	if !s.SignedIn || s.User.Provider != "clerk" || s.User.Role != "viewer" || s.User.Name != "Ada" || s.Operator || !s.ConfirmedUntil.IsZero() {
		t.Fatalf("signed in: %+v %+v", s, s.User)
	}

	// Cross-site posts do not sign out.
	r := post("/api/auth/sign-out", "", "")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	if answer := h.ask(&b, r); answer.StatusCode != 403 || !h.session(t, &b).SignedIn {
		t.Fatalf("another site signed out: %d", answer.StatusCode)
	}
	stolen := b.Cookies["__session"]
	answer := h.ask(&b, post("/api/auth/sign-out", "", ""))
	if body := answer.Body; answer.StatusCode != 200 || body != `{"ok":true,"location":"/sign-in/clerk/out"}` {
		t.Errorf("sign out: %d %s", answer.StatusCode, body)
	}
	if b.Cookies["__session"] != nil || h.session(t, &b).SignedIn {
		t.Error("still signed in")
	}
	thief := providertest.Browser{Cookies: map[string]*http.Cookie{"__session": stolen}}
	if h.session(t, &thief).SignedIn {
		t.Error("the cookie is good after signing out")
	}

	// Operators by the configuration: by name, and by verified address only.
	for name, test := range map[string]struct {
		claims map[string]any
		role   string
	}{
		"by name":               {map[string]any{"sub": "user_boss", "sid": "a"}, "operator"},
		"by address":            {map[string]any{"sub": "user_2", "sid": "b", "email": "Boss@pool.example", "email_verified": true}, "operator"},
		"address not verified":  {map[string]any{"sub": "user_3", "sid": "c", "email": "boss@pool.example", "email_verified": false}, "viewer"},
		"address as the name":   {map[string]any{"sub": "user_4", "sid": "d", "name": "boss@pool.example"}, "viewer"},
		"address as the person": {map[string]any{"sub": "boss@pool.example", "sid": "e"}, "viewer"},
		"a name that begins so": {map[string]any{"sub": "user_boss2", "sid": "f"}, "viewer"},
	} {
		var b providertest.Browser
		h.ask(&b, post("/api/auth/session-refresh", "application/json", `{"token":"`+h.token(t, test.claims)+`"}`))
		if s := h.session(t, &b); !s.SignedIn || s.User.Role != test.role {
			t.Errorf("%s: %+v", name, s.User)
		}
	}
}

func TestClerkPages(t *testing.T) {
	h := build(t, account.Config{}, nil)
	for path, framed := range map[string]bool{"/sign-in/clerk": false, "/clerk/callback": false, "/sign-in/clerk/out": false, "/sign-in/clerk/keep": true} {
		answer := h.ask(nil, get(path+"?return_to=/saved&session_token=abc&__clerk_db_jwt=def"))
		body, policy := answer.Body, answer.Header.Get("Content-Security-Policy")
		if answer.StatusCode != 200 || !strings.Contains(body, `data-return-to="/saved"`) || strings.Contains(body, "abc") || strings.Contains(body, "def\"") {
			t.Errorf("%s: %d %s", path, answer.StatusCode, body)
		}
		if !strings.Contains(policy, "script-src 'self' "+h.clerk.URL+";") || strings.Contains(policy, "unsafe") || strings.Contains(policy, "*") {
			t.Errorf("%s: policy %q", path, policy)
		}
		if strings.Contains(policy, "frame-ancestors 'self'") != framed {
			t.Errorf("%s may be framed: %q", path, policy)
		}
	}
	body := h.ask(nil, get(`/sign-in/clerk?return_to=/%22%3E%3Cscript%3Ealert(1)%3C/script%3E`)).Body
	if strings.Contains(body, "alert") {
		t.Error("script of the address is in the page")
	}
	for _, evil := range []string{"//evil.example", `/\evil.example`, "https://evil.example", "javascript:alert(1)"} {
		if body := h.ask(nil, get("/sign-in/clerk?return_to="+url.QueryEscape(evil))).Body; !strings.Contains(body, `data-return-to="/"`) {
			t.Errorf("%s: %s", evil, body)
		}
	}
	if answer := h.ask(nil, get("/sign-in/clerk/page.js")); answer.StatusCode != 200 || !strings.HasPrefix(answer.Header.Get("Content-Type"), "text/javascript") {
		t.Errorf("script: %d", answer.StatusCode)
	}
}

// start begins a sign-in at the OpenID Connect provider.
func (h *house) start(t *testing.T, b *providertest.Browser, body string) string {
	t.Helper()
	answer := h.ask(b, post("/api/auth/oidc/corp/start", "application/json", body))
	var view startView
	if text := answer.Body; answer.StatusCode != 200 || json.Unmarshal([]byte(text), &view) != nil {
		t.Fatalf("start: %d %s", answer.StatusCode, text)
	}
	return view.Location
}

// back is where the callback sends the browser.
func (h *house) back(t *testing.T, b *providertest.Browser, callback *url.URL) string {
	t.Helper()
	answer := h.ask(b, get(callback.RequestURI()))
	if answer.StatusCode != http.StatusSeeOther {
		t.Fatalf("callback: %d %s", answer.StatusCode, answer.Body)
	}
	return answer.Header.Get("Location")
}

func TestSigningInWithOpenIDConnect(t *testing.T) {
	h := build(t, account.Config{Operators: []string{"ada@pool.example"}}, nil)
	var b providertest.Browser
	location := h.start(t, &b, `{"return_to":"/saved?x=1"}`)
	if !strings.HasPrefix(location, h.oidc.URL+"/auth?") {
		t.Fatal(location)
	}
	callback := h.oidc.Authorize(t, location)
	if to := h.back(t, &b, callback); to != "/saved?x=1" {
		t.Errorf("sent to %q", to)
	}
	s := h.session(t, &b)
	if !s.SignedIn || s.User.Provider != "corp" || s.User.Name != "Ada Lovelace" || s.User.Role != "operator" || len(s.Providers.OIDC) != 1 || s.Providers.OIDC[0].Name != "Corp" {
		t.Fatalf("%+v %+v", s, s.User)
	}
	if !s.ConfirmedUntil.IsZero() {
		t.Error("nobody knows whether the person is there, but dangerous things may be done")
	}
	for name := range b.Cookies {
		if strings.Contains(name, "flow") {
			t.Errorf("cookie %s is left", name)
		}
	}
	// The same answer once more, in the same browser.
	if to := h.back(t, &b, callback); !strings.HasPrefix(to, "/sign-in?error=expired") {
		t.Errorf("replayed: %q", to)
	}

	// To prove to be there, the person signs in at the provider once more.
	h.oidc.Claims = func(c map[string]any) { c["auth_time"] = time.Now().Unix() }
	location = h.start(t, &b, `{"return_to":"/admin","confirm":true}`)
	if !strings.Contains(location, "prompt=login") || !strings.Contains(location, "max_age=0") {
		t.Error(location)
	}
	if to := h.back(t, &b, h.oidc.Authorize(t, location)); to != "/admin" {
		t.Errorf("confirmed: %q", to)
	}
	if s := h.session(t, &b); s.ConfirmedUntil.IsZero() {
		t.Errorf("%+v", s)
	}
	// Whom the provider did not ask is not confirmed.
	h.oidc.Claims = func(c map[string]any) { c["auth_time"] = time.Now().Add(-time.Hour).Unix() }
	if to := h.back(t, &b, h.oidc.Authorize(t, h.start(t, &b, `{"confirm":true}`))); !strings.HasPrefix(to, "/sign-in?error=not_confirmed") {
		t.Errorf("not asked: %q", to)
	}

	h.ask(&b, post("/api/auth/sign-out", "", ""))
	if h.session(t, &b).SignedIn {
		t.Error("still signed in")
	}
	if answer := h.ask(&b, post("/api/auth/oidc/corp/start", "application/json", `{"confirm":true}`)); answer.StatusCode != 401 {
		t.Errorf("nobody confirms: %d", answer.StatusCode)
	}
}

// Signing out ends the session at the provider where that is configured, and leads to
// nothing but the provider's own page and ours.
func TestSigningOutAtTheProvider(t *testing.T) {
	for name, test := range map[string]struct {
		there    bool
		endpoint string // of the discovery document; "" without
		public   string
		want     string // of the location; "" for none
		back     string
	}{
		"here alone":            {false, "/end", "", "", ""},
		"there, too":            {true, "/end", "", "/end", site + "/"},
		"at our public address": {true, "/end", "https://pool.public.example/", "/end", "https://pool.public.example/"},
		"with a query":          {true, "/end?realm=home", "", "/end?realm=home", site + "/"},
		"not offered":           {true, "", "", "", ""},
		"a script":              {true, "javascript:alert(1)", "", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			provider := providertest.NewOIDC(t)
			provider.Discovery = func(d map[string]any) {
				if delete(d, "end_session_endpoint"); test.endpoint != "" {
					d["end_session_endpoint"] = strings.Replace(test.endpoint, "/end", provider.URL+"/end", 1)
				}
			}
			h := build(t, account.Config{}, func(_ *clerk.Config, e *External) {
				e.PublicURL = test.public
				e.OIDC = oidc.New([]oidc.Config{{ID: "corp", Issuer: provider.URL, ClientID: "poolscope", EndThere: test.there}}, slog.New(slog.DiscardHandler))
			})
			h.oidc = provider
			var b providertest.Browser
			h.back(t, &b, h.oidc.Authorize(t, h.start(t, &b, `{}`)))
			if !h.session(t, &b).SignedIn {
				t.Fatal("not signed in")
			}
			r := post("/api/auth/sign-out?post_logout_redirect_uri=https://evil.example", "application/json", `{"location":"https://evil.example","return_to":"https://evil.example"}`)
			var view signedOutView
			if err := json.Unmarshal([]byte(h.ask(&b, r).Body), &view); err != nil || !view.OK || h.session(t, &b).SignedIn {
				t.Fatalf("%+v %v", view, err)
			}
			if test.want == "" {
				if view.Location != "" {
					t.Errorf("sent to %q", view.Location)
				}
				return
			}
			to, err := url.Parse(view.Location)
			if err != nil {
				t.Fatal(err)
			}
			want, _ := url.Parse(h.oidc.URL + test.want)
			expected := want.Query()
			expected.Set("client_id", "poolscope")
			expected.Set("post_logout_redirect_uri", test.back)
			if to.Host != want.Host || to.Path != want.Path || to.Query().Encode() != expected.Encode() {
				t.Errorf("sent to %q", view.Location)
			}
			// Whose session is over already is sent nowhere: a link cannot sign anybody out there.
			if again := h.ask(&b, post("/api/auth/sign-out", "", "")); again.Body != `{"ok":true}` {
				t.Errorf("once more: %s", again.Body)
			}
		})
	}
}

// A cookie that somebody planted before the sign-in is worth nothing after it.
func TestSessionIsNewAfterSigningIn(t *testing.T) {
	h := build(t, account.Config{}, nil)
	var attacker providertest.Browser
	h.back(t, &attacker, h.oidc.Authorize(t, h.start(t, &attacker, `{}`)))
	planted := *attacker.Cookies["poolscope_session"]
	victim := providertest.Browser{Cookies: map[string]*http.Cookie{planted.Name: &planted}}
	h.oidc.Claims = func(c map[string]any) { c["sub"] = "victim" }
	h.back(t, &victim, h.oidc.Authorize(t, h.start(t, &victim, `{}`)))
	if victim.Cookies["poolscope_session"].Value == planted.Value {
		t.Fatal("the planted cookie became the session")
	}
	if s := h.session(t, &attacker); s.SignedIn {
		t.Errorf("the planted session lives on: %+v", s.User)
	}
	if s := h.session(t, &victim); !s.SignedIn || s.User.Name != "Ada Lovelace" {
		t.Errorf("%+v", s)
	}
}

func TestCallbackGoesNowhereElse(t *testing.T) {
	h := build(t, account.Config{}, nil)
	for _, evil := range []string{"//evil.example", `/\\evil.example`, "https://evil.example/", "/%2f/evil.example", "javascript:alert(1)", "/api/auth/oidc/corp/callback", "/\\t/evil.example"} {
		var b providertest.Browser
		callback := h.oidc.Authorize(t, h.start(t, &b, `{"return_to":"`+evil+`"}`))
		if to := h.back(t, &b, callback); to != "/" {
			t.Errorf("%s leads to %q", evil, to)
		}
		q := callback.Query()
		q.Set("return_to", "https://evil.example")
		q.Set("error", "https://evil.example")
		callback.RawQuery = q.Encode()
		if to := h.back(t, &b, callback); to != "/sign-in?error=expired&return_to=%2F" {
			t.Errorf("%s leads to %q", evil, to)
		}
	}
}

func TestStartIsOurs(t *testing.T) {
	h := build(t, account.Config{}, nil)
	r := post("/api/auth/oidc/corp/start", "application/json", `{}`)
	r.Header.Set("Origin", "https://evil.example")
	if answer := h.ask(nil, r); answer.StatusCode != 403 || len(answer.cookies) > 0 {
		t.Errorf("another site begins: %d", answer.StatusCode)
	}
	if answer := h.ask(nil, post("/api/auth/oidc/nobody/start", "application/json", `{}`)); answer.StatusCode != 404 {
		t.Errorf("nobody: %d", answer.StatusCode)
	}
	if answer := h.ask(nil, get("/api/auth/oidc/corp/start")); answer.StatusCode != 405 {
		t.Errorf("GET: %d", answer.StatusCode)
	}
}

func TestDisabledPeopleStayOut(t *testing.T) {
	h := build(t, account.Config{}, nil)
	var b, c providertest.Browser
	h.back(t, &b, h.oidc.Authorize(t, h.start(t, &b, `{}`)))
	token := h.token(t, nil)
	h.ask(&c, post("/api/auth/session-refresh", "application/json", `{"token":"`+token+`"}`))
	off := true
	for _, browser := range []*providertest.Browser{&b, &c} {
		if _, err := h.accounts.Change(t.Context(), h.session(t, browser).User.ID, account.Edit{Disabled: &off}); err != nil {
			t.Fatal(err)
		}
	}
	if h.session(t, &b).SignedIn {
		t.Error("the session of a disabled person lives on")
	}
	if to := h.back(t, &b, h.oidc.Authorize(t, h.start(t, &b, `{}`))); !strings.HasPrefix(to, "/sign-in?error=disabled") {
		t.Errorf("signed in again: %q", to)
	}
	if answer := h.ask(nil, post("/api/auth/session-refresh", "application/json", `{"token":"`+token+`"}`)); answer.StatusCode != 403 {
		t.Errorf("Clerk: %d", answer.StatusCode)
	}
}

func TestClerkSessionsAreEndedFromElsewhere(t *testing.T) {
	h := build(t, account.Config{Operators: []string{"clerk:user_1"}}, nil)
	var here, there providertest.Browser
	for sid, b := range map[string]*providertest.Browser{"sess_here": &here, "sess_there": &there} {
		h.ask(b, post("/api/auth/session-refresh", "application/json", `{"token":"`+h.token(t, map[string]any{"sid": sid})+`"}`))
		h.session(t, b)
	}
	var list sessionsView
	if err := json.Unmarshal([]byte(h.ask(&here, get("/api/auth/sessions")).Body), &list); err != nil || len(list.Sessions) != 2 {
		t.Fatalf("%+v %v", list, err)
	}
	other := ""
	for _, s := range list.Sessions {
		if !s.Current {
			other = s.ID
		}
	}
	// A request that lasts is told by the session, whose cookie it has not any more.
	lasting := h.gate.Viewer(h.request(&there)).Session
	if !h.gate.Lives(lasting) {
		t.Error("a session that is in use has ended")
	}
	r := httptest.NewRequest(http.MethodDelete, site+"/api/auth/sessions/"+other, nil)
	if answer := h.ask(&here, r); answer.StatusCode != 200 {
		t.Fatalf("%d %s", answer.StatusCode, answer.Body)
	}
	if h.session(t, &there).SignedIn || h.gate.Lives(lasting) || !h.session(t, &here).SignedIn {
		t.Error("the wrong session ended")
	}
	// Nor does the next token of that session bring it back.
	if answer := h.ask(nil, post("/api/auth/session-refresh", "application/json", `{"token":"`+h.token(t, map[string]any{"sid": "sess_there"})+`"}`)); answer.StatusCode != 401 {
		t.Errorf("revoked, but %d", answer.StatusCode)
	}
	// Who is no operator any more sees nothing more in what is still open.
	mine := h.gate.Viewer(h.request(&here)).Session
	if err := h.accounts.EndAllSessions(t.Context(), mine.User.ID); err != nil {
		t.Fatal(err)
	}
	if h.gate.Lives(mine) || h.session(t, &here).SignedIn {
		t.Error("an operator ended all sessions, but one lives")
	}
}

// request is one of a browser that lasts.
func (h *house) request(b *providertest.Browser) *http.Request {
	r := b.Get(site + "/api/ws")
	r.RemoteAddr = "192.0.2.7:4711"
	return r
}

// TestAccountsOfClerkAreSeen: operators see when a person of Clerk's was here
// last, and how many sessions there are, although the store has neither.
func TestAccountsOfClerkAreSeen(t *testing.T) {
	h := build(t, account.Config{}, nil)
	var began time.Time
	for _, session := range []string{"sess_1", "sess_2"} {
		b := &providertest.Browser{}
		token := h.token(t, map[string]any{"sid": session})
		if a := h.ask(b, post("/api/auth/session-refresh", "application/json", `{"token":"`+token+`"}`)); a.StatusCode != http.StatusOK {
			t.Fatalf("%d %s", a.StatusCode, a.Body)
		}
		began = time.Now()
		if !h.session(t, b).SignedIn {
			t.Fatal("nobody is signed in")
		}
	}
	users, err := h.accounts.Users(t.Context())
	if err != nil || len(users) != 1 {
		t.Fatalf("%+v %v", users, err)
	}
	if u := users[0]; u.Sessions != 2 || u.LastSeen.Before(began.Truncate(time.Second)) {
		t.Errorf("%d sessions, last seen %s, want 2 after %s", u.Sessions, u.LastSeen, began)
	}
}
