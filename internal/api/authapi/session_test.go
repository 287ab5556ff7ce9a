package authapi

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolscope/poolscope/internal/account"
)

// TestSignInAndOut goes the usual way, by JSON and by a form.
func TestSignInAndOut(t *testing.T) {
	b := newBench(t, account.Config{})
	who := b.browser()
	if v := who.session(); v.SignedIn || v.Operator || v.Local || !v.Providers.Local || v.Providers.Registration || v.User != nil {
		t.Errorf("before: %+v", v)
	}
	who.want(http.StatusUnauthorized, "GET", "/api/auth/sessions", nil)
	who.want(http.StatusUnauthorized, "GET", "/api/admin/accounts", nil)
	w := who.ask("POST", "/api/auth/sign-in", url.Values{"name": {" Operator "}, "password": {b.password}})
	if w.Code != http.StatusOK || w.Body.String() != `{"ok":true}`+"\n" || w.Header().Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %s %v", w.Code, w.Body, w.Header())
	}
	v := who.session()
	if !v.SignedIn || !v.Operator || v.Local || v.User.Name != "operator" || v.User.Role != "operator" || v.User.Provider != "local" || v.ConfirmedUntil.IsZero() {
		t.Errorf("signed in: %+v %+v", v, v.User)
	}
	value := who.cookies[cookie]
	who.want(http.StatusOK, "POST", "/api/auth/sign-out", nil)
	if who.cookies[cookie] != "" || who.isSignedIn() {
		t.Error("signed out, and signed in still")
	}
	who.cookies[cookie] = value
	if who.isSignedIn() {
		t.Error("the cookie of before is good still")
	}
	who.want(http.StatusOK, "POST", "/api/auth/sign-out", nil)
	if got, want := b.trail(), []string{"account.add", "session.sign_in", "session.sign_out"}; !slices.Equal(got, want) {
		t.Errorf("audit trail %v, want %v", got, want)
	}
}

// TestMethods: nothing is done by GET, and every path says what it takes.
func TestMethods(t *testing.T) {
	b := newBench(t, account.Config{})
	for _, pattern := range b.api.Patterns() {
		path := strings.ReplaceAll(pattern, "{id}", "x")
		w := b.browser().ask("TRACE", path, nil)
		if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") == "" || w.Body.String() != "method not allowed\n" {
			t.Errorf("%s: %d %v", path, w.Code, w.Header())
		}
	}
	for _, path := range []string{"sign-in", "sign-out", "register", "confirm", "password"} {
		b.browser().want(http.StatusMethodNotAllowed, "GET", "/api/auth/"+path+"?name=operator&password="+b.password, nil)
	}
}

// TestExpiry: a session ends a while after the last request, and in any case.
func TestExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, account.Config{IdleFor: time.Hour, LastFor: 5 * time.Hour})
		used, idle := b.signedIn("operator", b.password), b.signedIn("operator", b.password)
		began := time.Now()
		for time.Since(began) < 5*time.Hour-time.Minute {
			if v := used.session(); !v.SignedIn || v.ExpiresAt.After(began.Add(5*time.Hour)) || v.ExpiresAt.Before(time.Now()) {
				t.Fatalf("after %v: %+v", time.Since(began), v)
			}
			if since := time.Since(began); since > time.Hour && idle.isSignedInAt(since) {
				t.Fatal("the idle one is signed in still")
			}
			time.Sleep(59 * time.Minute)
		}
		time.Sleep(time.Until(began.Add(5 * time.Hour)))
		if used.isSignedIn() {
			t.Error("the session never ends")
		}
	})
}

// isSignedInAt looks once only: looking keeps a session alive.
func (who *browser) isSignedInAt(since time.Duration) bool {
	return since < 3*time.Hour && who.isSignedIn()
}

// TestLastSeen: requests are not written down one by one, and what is written
// survives the end of the program.
func TestLastSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, account.Config{})
		who := b.signedIn("operator", b.password)
		user := who.session().User.ID
		signedIn := time.Now()
		time.Sleep(10 * time.Second)
		who.isSignedIn()
		stored := func() time.Time {
			all, err := b.books.Sessions(t.Context(), user)
			if err != nil || len(all) != 1 {
				t.Fatal(all, err)
			}
			return all[0].LastSeen
		}
		if at := stored(); !at.Equal(signedIn.Truncate(time.Millisecond)) {
			t.Errorf("the request wrote %v", at)
		}
		if err := json.Unmarshal([]byte(who.want(http.StatusOK, "GET", "/api/auth/sessions", nil)), new(sessionsView)); err != nil {
			t.Error(err)
		}
		if at := stored(); at.Before(signedIn.Add(9 * time.Second)) {
			t.Errorf("who looks at the list sees %v", at)
		}
	})
}

// TestConfirm: what is dangerous wants a password that was given lately.
func TestConfirm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, account.Config{})
		who := b.signedIn("operator", b.password)
		jane := map[string]string{"name": "jane", "role": "viewer"}
		time.Sleep(account.ConfirmedFor)
		if got := who.want(http.StatusForbidden, "POST", "/api/admin/accounts", jane); got != "confirm" {
			t.Errorf("the page cannot tell: %q", got)
		}
		if v := who.session(); !v.ConfirmedUntil.IsZero() {
			t.Errorf("%+v", v)
		}
		who.want(http.StatusForbidden, "POST", "/api/auth/confirm", map[string]string{"password": "wrong"})
		who.want(http.StatusForbidden, "POST", "/api/admin/accounts", jane)
		var v confirmView
		if err := json.Unmarshal([]byte(who.want(http.StatusOK, "POST", "/api/auth/confirm", map[string]string{"password": b.password})), &v); err != nil || time.Until(v.ConfirmedUntil) > account.ConfirmedFor {
			t.Errorf("%+v, %v", v, err)
		}
		who.want(http.StatusCreated, "POST", "/api/admin/accounts", jane)
		// Another browser of the same person is another matter.
		time.Sleep(account.ConfirmedFor)
		other := b.signedIn("operator", b.password)
		other.want(http.StatusConflict, "POST", "/api/admin/accounts", jane)
		who.want(http.StatusForbidden, "POST", "/api/admin/accounts", jane)
	})
}

// TestOwnSessions: people see where they are signed in, and end it there.
func TestOwnSessions(t *testing.T) {
	b := newBench(t, account.Config{})
	if _, _, err := b.accounts.Add(t.Context(), "jane", "", "a good password", account.RoleViewer); err != nil {
		t.Fatal(err)
	}
	jane := b.signedIn("jane", "a good password")
	first, second, third := b.signedIn("operator", b.password), b.browser(), b.signedIn("operator", b.password)
	second.header.Set("User-Agent", "Mozilla/5.0 (<b>)\x01"+strings.Repeat("x", 500))
	second.address = "[2001:db8::1]:1"
	second.signIn("operator", b.password, http.StatusOK)

	var list sessionsView
	if err := json.Unmarshal([]byte(first.want(http.StatusOK, "GET", "/api/auth/sessions", nil)), &list); err != nil || len(list.Sessions) != 3 {
		t.Fatalf("%+v, %v", list, err)
	}
	current := 0
	for _, s := range list.Sessions {
		if s.Current {
			current++
			if s.ID != first.session().SessionID {
				t.Error("another one is called the current one")
			}
		}
		if s.Address == "2001:db8::1" && (len(s.UserAgent) > 200 || strings.Contains(s.UserAgent, "\x01")) {
			t.Errorf("browser %q", s.UserAgent)
		}
	}
	if current != 1 {
		t.Errorf("%d current sessions", current)
	}
	// Nobody ends another one's.
	jane.want(http.StatusNotFound, "DELETE", "/api/auth/sessions/"+second.session().SessionID, nil)
	first.want(http.StatusOK, "DELETE", "/api/auth/sessions/"+second.session().SessionID, nil)
	if second.isSignedIn() || !third.isSignedIn() {
		t.Error("the wrong one ended")
	}
	first.want(http.StatusOK, "DELETE", "/api/auth/sessions", nil)
	if third.isSignedIn() || !first.isSignedIn() || !jane.isSignedIn() {
		t.Error("not all others, or more than those, ended")
	}
}

// TestChangePassword: the others are signed out, and the old one is worth nothing.
func TestChangePassword(t *testing.T) {
	b := newBench(t, account.Config{})
	who, stolen := b.signedIn("operator", b.password), b.signedIn("operator", b.password)
	change := func(status int, current, next string) {
		t.Helper()
		who.want(status, "POST", "/api/auth/password", map[string]string{"current": current, "new": next})
	}
	change(http.StatusForbidden, "wrong", "a new good one")
	change(http.StatusBadRequest, b.password, "short")
	change(http.StatusBadRequest, b.password, "Operator")
	if !stolen.isSignedIn() {
		t.Error("what was refused ended a session")
	}
	change(http.StatusOK, b.password, " a new good one ")
	if stolen.isSignedIn() || !who.isSignedIn() {
		t.Error("not the others, or not they alone, were signed out")
	}
	b.browser().signIn("operator", b.password, http.StatusUnauthorized)
	b.browser().signIn("operator", "a new good one", http.StatusUnauthorized) // white space is part of it
	b.browser().signIn("operator", " a new good one ", http.StatusOK)
}

// TestAccounts: operators make, change and remove accounts, at once.
func TestAccounts(t *testing.T) {
	b := newBench(t, account.Config{})
	who := b.signedIn("operator", b.password)
	var made newAccountView
	if err := json.Unmarshal([]byte(who.want(http.StatusCreated, "POST", "/api/admin/accounts", map[string]string{"name": "Jane", "role": "operator", "email": "jane@example.com"})), &made); err != nil {
		t.Fatal(err)
	}
	who.want(http.StatusConflict, "POST", "/api/admin/accounts", map[string]string{"name": "JANE", "role": "viewer"})
	who.want(http.StatusBadRequest, "POST", "/api/admin/accounts", map[string]string{"name": "joe", "role": "owner"})
	at := "/api/admin/accounts/" + made.ID
	jane := b.signedIn("jane", made.Password)
	jane.want(http.StatusOK, "GET", "/api/admin/accounts", nil)
	who.want(http.StatusOK, "PATCH", at, map[string]string{"email": ""})
	if !jane.isSignedIn() {
		t.Error("an e-mail address signs people out")
	}
	who.want(http.StatusOK, "PATCH", at, map[string]string{"role": "viewer"})
	if jane.isSignedIn() {
		t.Error("still signed in with the role of before")
	}
	jane.signIn("jane", made.Password, http.StatusOK)
	if got := jane.want(http.StatusForbidden, "GET", "/api/admin/accounts", nil); got != "forbidden" {
		t.Errorf("%q", got)
	}
	jane.want(http.StatusForbidden, "PATCH", at, map[string]string{"role": "operator"})
	who.want(http.StatusOK, "PATCH", at, map[string]bool{"disabled": true})
	if jane.isSignedIn() {
		t.Error("disabled, and signed in")
	}
	jane.signIn("jane", made.Password, http.StatusUnauthorized)
	who.want(http.StatusOK, "PATCH", at, map[string]bool{"disabled": false})
	jane.signIn("jane", made.Password, http.StatusOK)
	who.want(http.StatusOK, "DELETE", at+"/sessions", nil)
	if jane.isSignedIn() {
		t.Error("signed out by the operator, and signed in")
	}
	jane.signIn("jane", made.Password, http.StatusOK)
	var reset passwordView
	if err := json.Unmarshal([]byte(who.want(http.StatusOK, "POST", at+"/password", nil)), &reset); err != nil || jane.isSignedIn() {
		t.Errorf("a new password, and signed in; %v", err)
	}
	jane.signIn("jane", made.Password, http.StatusUnauthorized)
	jane.signIn("jane", reset.Password, http.StatusOK)

	var list accountsView
	if err := json.Unmarshal([]byte(who.want(http.StatusOK, "GET", "/api/admin/accounts", nil)), &list); err != nil || len(list.Accounts) != 2 || list.Accounts[1].Name != "Jane" || list.Accounts[1].Sessions != 1 {
		t.Errorf("%+v, %v", list, err)
	}
	own := "/api/admin/accounts/" + list.Accounts[0].ID
	who.want(http.StatusConflict, "DELETE", own, nil)
	who.want(http.StatusConflict, "PATCH", own, map[string]string{"role": "viewer"})
	who.want(http.StatusConflict, "PATCH", own, map[string]bool{"disabled": true})
	who.want(http.StatusOK, "DELETE", at, nil)
	if jane.isSignedIn() {
		t.Error("removed, and signed in")
	}
	for _, request := range []string{"PATCH ", "DELETE ", "POST /password", "DELETE /sessions"} {
		method, path, _ := strings.Cut(request, " ")
		who.want(http.StatusNotFound, method, at+path, nil)
	}
	want := []string{
		"account.add", "session.sign_in", "account.add", "session.sign_in", "account.change", "account.change", "session.sign_in", "account.change", "session.sign_in!",
		"account.change", "session.sign_in", "session.end", "session.sign_in", "account.password", "session.sign_in!", "session.sign_in", "account.remove",
	}
	if got := b.trail(); !slices.Equal(got, want) {
		t.Errorf("audit trail\n%v, want\n%v", got, want)
	}
}

// TestTokensAdministrate: programs with the token do what operators do.
func TestTokensAdministrate(t *testing.T) {
	b := newBench(t, account.Config{})
	program := b.browser()
	program.header.Set("Authorization", "Bearer "+testToken)
	program.want(http.StatusCreated, "POST", "/api/admin/accounts", map[string]string{"name": "jane", "role": "viewer"})
	program.want(http.StatusUnauthorized, "GET", "/api/auth/sessions", nil) // a token is nobody
	if v := program.session(); !v.Operator || v.SignedIn {
		t.Errorf("%+v", v)
	}
}

// TestThisMachine: without a token, whoever is here sees everything, and signs in
// for what is dangerous.
func TestThisMachine(t *testing.T) {
	b := newBench(t, account.Config{})
	b.gate.SetTokens("", "")
	here := b.browser()
	here.address, here.host = "127.0.0.1:1", "localhost:8000"
	if v := here.session(); !v.Operator || !v.Local || v.SignedIn {
		t.Errorf("%+v", v)
	}
	here.want(http.StatusOK, "GET", "/api/admin/accounts", nil)
	here.want(http.StatusUnauthorized, "POST", "/api/admin/accounts", map[string]string{"name": "jane", "role": "viewer"})
	here.signIn("operator", b.password, http.StatusOK)
	if v := here.session(); !v.Operator || v.Local || !v.SignedIn {
		t.Errorf("signed in: %+v", v)
	}
	here.want(http.StatusCreated, "POST", "/api/admin/accounts", map[string]string{"name": "jane", "role": "viewer"})
}

// TestViewerAtThisMachine: who is signed in has the role of the account, here too.
func TestViewerAtThisMachine(t *testing.T) {
	b := newBench(t, account.Config{Open: true})
	b.gate.SetTokens("", "")
	here := b.browser()
	here.address, here.host = "127.0.0.1:1", "localhost:8000"
	here.want(http.StatusCreated, "POST", "/api/auth/register", map[string]string{"name": "jane", "password": "a good password"})
	if v := here.session(); v.Operator || v.Local || !v.SignedIn {
		t.Errorf("%+v", v)
	}
	here.want(http.StatusForbidden, "GET", "/api/admin/accounts", nil)
	here.want(http.StatusOK, "POST", "/api/auth/sign-out", nil)
	if v := here.session(); !v.Operator || !v.Local || v.SignedIn {
		t.Errorf("signed out: %+v", v)
	}
}

// TestRegister makes accounts of strangers, if that is allowed.
func TestRegister(t *testing.T) {
	b := newBench(t, account.Config{})
	jane := map[string]string{"name": "jane", "password": "a good password", "email": "jane@example.com"}
	who := b.browser()
	who.want(http.StatusForbidden, "POST", "/api/auth/register", jane)
	b.accounts.Configure(account.Config{Open: true})
	if !who.session().Providers.Registration {
		t.Error("nobody is told")
	}
	who.want(http.StatusBadRequest, "POST", "/api/auth/register", map[string]string{"name": "jane", "password": "password123"})
	who.want(http.StatusCreated, "POST", "/api/auth/register", jane)
	if v := who.session(); !v.SignedIn || v.User.Role != "viewer" || v.Operator || v.User.Email != "jane@example.com" {
		t.Errorf("%+v", v.User)
	}
	b.browser().want(http.StatusConflict, "POST", "/api/auth/register", map[string]string{"name": "Operator", "password": "a good password"})
}

// TestRegisteredAndForgotten: an account that nobody used after the first day goes, one
// that an operator made does not.
func TestRegisteredAndForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, account.Config{Open: true})
		b.browser().want(http.StatusCreated, "POST", "/api/auth/register", map[string]string{"name": "jane", "password": "a good password"})
		if _, _, err := b.accounts.Add(t.Context(), "john", "", "", account.RoleViewer); err != nil {
			t.Fatal(err)
		}
		names := func() []string {
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error)
			go func() { done <- b.accounts.Run(ctx) }()
			synctest.Wait() // it looks for old accounts when it begins
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
			all, err := b.accounts.Users(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, u := range all {
				names = append(names, u.Name)
			}
			slices.Sort(names)
			return names
		}
		if got := names(); !slices.Equal(got, []string{"jane", "john", "operator"}) {
			t.Errorf("at first: %v", got)
		}
		time.Sleep(8 * 24 * time.Hour)
		if got := names(); !slices.Equal(got, []string{"john", "operator"}) {
			t.Errorf("after a week: %v", got)
		}
		if n := b.accounts.Stats().AccountsUnused; n != 1 {
			t.Errorf("%d are counted", n)
		}
	})
}

// TestOwners are viewers who are called owners.
func TestOwners(t *testing.T) {
	b := newBench(t, account.Config{Open: true})
	who := b.browser()
	who.want(http.StatusCreated, "POST", "/api/auth/register", map[string]string{"name": "jane", "password": "a good password"})
	b.api.cfg.IsOwner = func(context.Context, string) bool { return true }
	if role := who.session().User.Role; role != "owner" {
		t.Errorf("a viewer who owns a worker is %s", role)
	}
	if role := b.signedIn("operator", b.password).session().User.Role; role != "operator" {
		t.Errorf("an operator who owns a worker is %s", role)
	}
}

// TestAnotherProcess: what the command line does is in force at once.
func TestAnotherProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, account.Config{})
		u, _, err := b.accounts.Add(t.Context(), "jane", "", "a good password", account.RoleViewer)
		if err != nil {
			t.Fatal(err)
		}
		line := account.New(account.Config{}, b.books, nil) // knows nothing of the other one's memory
		yes, no, operator := true, false, account.RoleOperator
		for what, do := range map[string]func() error{
			"all sessions ended": func() error { return line.EndAllSessions(t.Context(), u.ID) },
			"disabled": func() error {
				_, err := line.Change(t.Context(), u.ID, account.Edit{Disabled: &yes})
				return err
			},
			"a new password": func() error { _, err := line.ResetPassword(t.Context(), u.ID, "a good password"); return err },
			"a new role":     func() error { _, err := line.Change(t.Context(), u.ID, account.Edit{Role: &operator}); return err },
		} {
			who := b.signedIn("jane", "a good password")
			if !who.isSignedIn() {
				t.Fatal(what)
			}
			if err := do(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(50 * time.Millisecond)
			if who.isSignedIn() {
				t.Errorf("%s: signed in still", what)
			}
			viewer := account.RoleViewer
			if _, err := line.Change(t.Context(), u.ID, account.Edit{Disabled: &no, Role: &viewer}); err != nil {
				t.Fatal(err)
			}
		}
	})
}
