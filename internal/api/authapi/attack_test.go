package authapi

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolscope/poolscope/internal/account"
)

const (
	cookie       = "poolscope_session"
	secureCookie = "__Host-" + cookie
)

// TestFixation: a cookie that a stranger planted is worth nothing after signing
// in, neither a made-up one nor one of the stranger's own session.
func TestFixation(t *testing.T) {
	b := newBench(t, account.Config{})
	if _, _, err := b.accounts.Add(t.Context(), "mallory", "", "mallory's own", account.RoleViewer); err != nil {
		t.Fatal(err)
	}
	planted := b.signedIn("mallory", "mallory's own").cookies[cookie]
	for what, value := range map[string]string{
		"made up": base64.RawURLEncoding.EncodeToString(make([]byte, 32)), "the stranger's own session": planted,
	} {
		victim := b.browser()
		victim.cookies[cookie] = value
		victim.signIn("operator", b.password, http.StatusOK)
		if victim.cookies[cookie] == value {
			t.Errorf("%s: the cookie stayed", what)
		}
		stranger := b.browser()
		stranger.cookies[cookie] = value
		if v := stranger.session(); v.SignedIn {
			t.Errorf("%s: the stranger is signed in as %s", what, v.User.Name)
		}
		if v := victim.session(); !v.SignedIn || v.User.Name != "operator" {
			t.Errorf("%s: the victim is not", what)
		}
	}
}

// TestCrossSite: no other site's page does anything in a signed-in operator's
// name, or signs anybody in.
func TestCrossSite(t *testing.T) {
	b := newBench(t, account.Config{Open: true})
	u, _, err := b.accounts.Add(t.Context(), "jane", "", "", account.RoleViewer)
	if err != nil {
		t.Fatal(err)
	}
	good := b.signedIn("operator", b.password)
	before := len(b.trail())
	for _, header := range []http.Header{
		{"Origin": {"https://evil.example"}},
		{"Origin": {"null"}},
		{"Origin": {"http://pool.example.evil.example"}},
		{"Origin": {"https://evil.example"}, "Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"navigate"}},
		{"Sec-Fetch-Site": {"cross-site"}},
		{"Sec-Fetch-Site": {"same-site"}},
	} {
		evil := b.browser()
		evil.header, evil.cookies = header, good.cookies
		for _, request := range []string{
			"POST /api/auth/sign-in", "POST /api/auth/sign-out", "POST /api/auth/register", "POST /api/auth/confirm", "POST /api/auth/password",
			"DELETE /api/auth/sessions", "DELETE /api/auth/sessions/" + good.session().SessionID, "POST /api/admin/accounts",
			"PATCH /api/admin/accounts/" + u.ID, "DELETE /api/admin/accounts/" + u.ID, "POST /api/admin/accounts/" + u.ID + "/password",
			"DELETE /api/admin/accounts/" + u.ID + "/sessions",
		} {
			method, path, _ := strings.Cut(request, " ")
			form := url.Values{"name": {"operator"}, "password": {b.password}, "current": {b.password}, "new": {"another good one"}}
			if w := evil.ask(method, path, form); w.Code != http.StatusForbidden && w.Code != http.StatusUnauthorized {
				t.Errorf("%v: %s: %d %s", header, request, w.Code, w.Body)
			} else if len(w.Result().Cookies()) > 0 {
				t.Errorf("%v: %s: sets %v", header, request, w.Result().Cookies())
			}
		}
	}
	if !good.isSignedIn() {
		t.Error("the operator was signed out")
	}
	if names := b.trail(); len(names) != before {
		t.Errorf("something was done: %v", names[before:])
	}
}

// TestReadsOfOtherSites get nothing, not even by a link: it leads to pages, and
// those ask for the rest themselves.
func TestReadsOfOtherSites(t *testing.T) {
	b := newBench(t, account.Config{})
	good := b.signedIn("operator", b.password)
	good.header = http.Header{"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"no-cors"}}
	if good.isSignedIn() {
		t.Error("another site's script is signed in")
	}
	good.want(http.StatusUnauthorized, "GET", "/api/admin/accounts", nil)
	good.header = http.Header{"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"navigate"}, "Sec-Fetch-Dest": {"document"}}
	if good.isSignedIn() {
		t.Error("another site's link to an answer for programs is signed in")
	}
	good.want(http.StatusUnauthorized, "GET", "/api/admin/accounts", nil)
	good.header = http.Header{"Sec-Fetch-Site": {"same-origin"}, "Sec-Fetch-Mode": {"cors"}}
	if !good.isSignedIn() {
		t.Error("the page that a link led to is signed out")
	}
}

// TestCookieTampering: only the very value that was given is a session.
func TestCookieTampering(t *testing.T) {
	b := newBench(t, account.Config{})
	good := b.signedIn("operator", b.password)
	value := good.cookies[cookie]
	id := good.session().SessionID
	raw, err := base64.RawURLEncoding.DecodeString(value)
	if err != nil || len(raw) != 32 {
		t.Fatalf("the cookie has %d bytes, %v", len(raw), err)
	}
	flipped := append([]byte{}, raw...)
	flipped[31] ^= 1
	// The last letter has two bits that are not part of the secret.
	alphabet := "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	other := value[:42] + string(alphabet[strings.IndexByte(alphabet, value[42])^1])
	for what, tampered := range map[string]string{
		"a flipped bit": base64.RawURLEncoding.EncodeToString(flipped), "another spelling": other, "nothing": "", "cut off": value[:42], "longer": value + "A",
		"padded": value + "=", "lower case": strings.ToLower(value), "the session's id": id, "SQL": "' OR 1=1 --",
		"much": strings.Repeat("A", 8000), "another user's": value + "; poolscope_session=" + value,
	} {
		who := b.browser()
		who.header.Set("Cookie", cookie+"="+tampered)
		if who.isSignedIn() {
			t.Errorf("%s is signed in", what)
		}
	}
	who := b.browser()
	who.header.Set("Cookie", cookie+"="+value+"; "+cookie+"="+base64.RawURLEncoding.EncodeToString(flipped))
	if who.isSignedIn() {
		t.Error("two cookies of the name: one of them was planted")
	}
	if !good.isSignedIn() {
		t.Error("the right one is not")
	}
}

// TestCookieOfHTTPS: over HTTPS the cookie has the prefix that browsers protect, and
// one without it is not taken.
func TestCookieOfHTTPS(t *testing.T) {
	for what, over := range map[string]func(*browser){
		"TLS":             func(who *browser) { who.secure = true },
		"a proxy's TLS":   func(who *browser) { who.header.Set("X-Forwarded-Proto", "https") },
		"a proxy's proxy": func(who *browser) { who.header.Set("X-Forwarded-Proto", "HTTPS, http") },
	} {
		b := newBench(t, account.Config{})
		plain := b.signedIn("operator", b.password)
		who := b.browser()
		over(who)
		w := who.ask("POST", "/api/auth/sign-in", map[string]string{"name": "operator", "password": b.password})
		text := w.Header().Get("Set-Cookie")
		for _, attribute := range []string{secureCookie + "=", "; Path=/", "; HttpOnly", "; Secure", "; SameSite=Lax"} {
			if !strings.Contains(text, attribute) {
				t.Errorf("%s: no %q in %s", what, attribute, text)
			}
		}
		if strings.Contains(text, "Domain") {
			t.Errorf("%s: %s", what, text)
		}
		if !who.isSignedIn() {
			t.Errorf("%s: not signed in", what)
		}
		who.cookies = map[string]string{cookie: plain.cookies[cookie]}
		if who.isSignedIn() {
			t.Errorf("%s: signed in by a cookie that anybody in the network could have planted", what)
		}
	}
}

// TestNoEnumeration: nothing in the answers tells which names there are.
func TestNoEnumeration(t *testing.T) {
	b := newBench(t, account.Config{})
	disabled, _, err := b.accounts.Add(t.Context(), "disabled", "", "a good password", account.RoleViewer)
	if err != nil {
		t.Fatal(err)
	}
	yes := true
	if _, err := b.accounts.Change(t.Context(), disabled.ID, account.Edit{Disabled: &yes}); err != nil {
		t.Fatal(err)
	}
	var first string
	for i, name := range []string{"operator", "nobody", "", "disabled", "OPERATOR ", strings.Repeat("x", 5000), "<script>", "op\x00erator", "örator"} {
		who := b.browser()
		who.address = fmt.Sprintf("198.51.100.%d:1", i)
		w := who.ask("POST", "/api/auth/sign-in", map[string]string{"name": name, "password": "a good password"})
		w.Header().Del("Date")
		answer := fmt.Sprint(w.Code, w.Header(), w.Body)
		if first == "" {
			first = answer
		}
		if answer != first || w.Code != http.StatusUnauthorized || w.Body.String() != "wrong name or password\n" {
			t.Errorf("%.20q: %s", name, answer)
		}
	}
	b.browser().signIn("disabled", "a good password", http.StatusUnauthorized)
}

// TestNamesAreNotKept: who types the password into the field of the name does
// not find it in the audit trail.
func TestNamesAreNotKept(t *testing.T) {
	b := newBench(t, account.Config{Open: true})
	secret := "correct.battery.horse"
	b.browser().signIn(secret, "operator", http.StatusUnauthorized)
	b.browser().signIn("operator", secret, http.StatusUnauthorized)
	b.browser().want(http.StatusBadRequest, "POST", "/api/auth/register", map[string]string{"name": secret + " ", "password": "short"})
	b.browser().want(http.StatusBadRequest, "POST", "/api/auth/register", map[string]string{"name": "no name: " + secret, "password": secret})
	b.accounts.Flush(t.Context())
	actions, err := b.accounts.Actions(t.Context(), account.ActionFilter{Limit: 100})
	if err != nil || len(actions) < 3 {
		t.Fatalf("%v, %v", actions, err)
	}
	for _, a := range actions {
		if strings.Contains(fmt.Sprint(a), secret) || strings.Contains(fmt.Sprint(a), b.password) {
			t.Errorf("kept: %+v", a)
		}
	}
}

// TestGuessing: passwords are guessed slower and slower, and the right one does
// not help before its time.
func TestGuessing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, account.Config{})
		who := b.browser()
		for range 5 {
			who.signIn("operator", "a wrong password", http.StatusUnauthorized)
		}
		w := who.ask("POST", "/api/auth/sign-in", map[string]string{"name": "operator", "password": b.password})
		if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") != "1" || len(w.Result().Cookies()) > 0 {
			t.Fatalf("%d %v %s", w.Code, w.Header(), w.Body)
		}
		time.Sleep(time.Second)
		who.signIn("operator", b.password, http.StatusOK)
		for range 5 {
			who.want(http.StatusForbidden, "POST", "/api/auth/confirm", map[string]string{"password": "a wrong password"})
		}
		who.want(http.StatusTooManyRequests, "POST", "/api/auth/confirm", map[string]string{"password": b.password})
		who.want(http.StatusTooManyRequests, "POST", "/api/auth/password", map[string]string{"current": b.password, "new": "another good one"})
		if !who.isSignedIn() {
			t.Error("wrong guesses end the session")
		}
		if counts := b.accounts.Stats().SignIns; counts["credentials"] != 10 || counts["pair"] != 3 || counts["ok"] != 1 {
			t.Errorf("%v", counts)
		}
	})
}

// TestScriptInNames: names of local accounts cannot hold markup; those of
// providers can hold anything, and come out as JSON that no browser takes for a page.
func TestScriptInNames(t *testing.T) {
	b := newBench(t, account.Config{Open: true})
	operator := b.signedIn("operator", b.password)
	for _, name := range []string{"<script>alert(1)</script>", "a b", `"><img src=x onerror=alert(1)>`, "jane\u202eenaj", "jаne", "", strings.Repeat("x", 65), "a\nb", "../../etc/passwd", "{{7*7}}"} {
		operator.want(http.StatusBadRequest, "POST", "/api/admin/accounts", map[string]string{"name": name, "role": "viewer"})
		b.browser().want(http.StatusBadRequest, "POST", "/api/auth/register", map[string]string{"name": name, "password": "a good password"})
	}
	for _, email := range []string{"<script>", "Jane <jane@example.com>", "jane@example.com\r\nBcc: all@example.com", "jane"} {
		operator.want(http.StatusBadRequest, "POST", "/api/admin/accounts", map[string]string{"name": "jane", "role": "viewer", "email": email})
	}
	const evil = "</script><script>alert(1)</script>\r\nSet-Cookie: x=y\x00\u2028"
	if _, err := b.accounts.Identify(t.Context(), account.Identity{Provider: "idp", Subject: "1", Name: evil, Email: evil, EmailVerified: true}); err != nil {
		t.Fatal(err)
	}
	w := operator.ask("GET", "/api/admin/accounts", nil)
	if kind := w.Header().Get("Content-Type"); kind != "application/json" || strings.ContainsAny(w.Body.String(), "<>\u2028") || strings.Contains(w.Body.String(), `\r`) || strings.Contains(w.Body.String(), `\u0000`) {
		t.Errorf("%s: %s", kind, w.Body)
	}
	var v accountsView
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil || !strings.HasPrefix(v.Accounts[1].Name, "</script><script>") {
		t.Errorf("%+v, %v", v, err)
	}
}

// TestHugeBodies are refused, and cost no password check.
func TestHugeBodies(t *testing.T) {
	b := newBench(t, account.Config{Open: true})
	huge := map[string]string{"name": "operator", "password": strings.Repeat("x", 1<<20), "current": b.password, "new": strings.Repeat("x", 1<<20)}
	who := b.signedIn("operator", b.password)
	for _, path := range []string{"sign-in", "register", "confirm", "password"} {
		who.want(http.StatusRequestEntityTooLarge, "POST", "/api/auth/"+path, huge)
	}
	who.want(http.StatusRequestEntityTooLarge, "POST", "/api/admin/accounts", huge)
	long := map[string]string{"name": "operator", "password": strings.Repeat("x", 60_000)}
	who.want(http.StatusUnauthorized, "POST", "/api/auth/sign-in", long)
	for _, body := range []string{`{"name":1,"password":[]}`, `[]`, `null`, `{`, `{"name":"operator","name":"operator"}`, "\xff\xfe"} {
		who.want(http.StatusUnauthorized, "POST", "/api/auth/sign-in", body)
	}
}

// TestPasswordsAreNotTold: nothing that the interface says has a hash or a
// password in it, but where one was made.
func TestPasswordsAreNotTold(t *testing.T) {
	b := newBench(t, account.Config{})
	who := b.signedIn("operator", b.password)
	for _, path := range []string{"/api/auth/session", "/api/auth/sessions", "/api/admin/accounts"} {
		text := who.want(http.StatusOK, "GET", path, nil)
		for _, secret := range []string{"argon2", b.password, who.cookies[cookie]} {
			if strings.Contains(text, secret) {
				t.Errorf("%s: %s", path, text)
			}
		}
	}
}
