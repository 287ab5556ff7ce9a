package storetest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/account"
)

// RunAccounts checks a kind of store of accounts. Open makes an empty one; the
// suite opens many.
func RunAccounts(t *testing.T, open func(t *testing.T) account.Store) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, s account.Store)
	}{
		{"Users", testUsers},
		{"ManyUsers", testManyUsers},
		{"UnusedUsers", testUnusedUsers},
		{"LastOperator", testLastOperator},
		{"Sessions", testSessions},
		{"SessionsOfTheDisabled", testSessionsOfTheDisabled},
		{"ManySessions", testManySessions},
		{"ExpiredSessions", testExpiredSessions},
		{"Edition", testEdition},
		{"Actions", testActions},
		{"Origins", testOrigins},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, open(t)) })
	}
}

// user makes a user with a name.
func user(t *testing.T, s account.Store, name string, role account.Role) account.User {
	t.Helper()
	u := account.User{ID: "id of " + name, Name: name, Provider: account.ProviderLocal, Role: role, Created: noon}
	check(t, s.AddUser(t.Context(), u, name, "hash of "+name, 1000))
	return u
}

// session makes a session with a token of that number.
func session(t *testing.T, s account.Store, u account.User, n byte, created time.Time) account.Session {
	t.Helper()
	one := account.Session{
		ID: fmt.Sprintf("session %d", n), User: u, Created: created, LastSeen: created, Confirmed: created,
		UserAgent: "browser", Address: "192.0.2.1",
	}
	check(t, s.AddSession(t.Context(), account.Token{n}, one, 100))
	one.User.LastSeen = created
	return one
}

func wantError(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func testUsers(t *testing.T, s account.Store) {
	jane := user(t, s, "jane", account.RoleOperator)
	other := account.User{ID: "other", Name: "jane", Email: "jane@example.com", Provider: "idp", Subject: "jane", Role: account.RoleViewer, Created: noon.Add(time.Second)}
	check(t, s.AddUser(t.Context(), other, other.Subject, "", 1000))

	got, hash, err := s.UserBySubject(t.Context(), account.ProviderLocal, "jane")
	check(t, err)
	equal(t, "local user", got, jane)
	equal(t, "hash", hash, "hash of jane")
	got, hash, err = s.UserBySubject(t.Context(), "idp", "jane")
	check(t, err)
	equal(t, "provider's user", got, other)
	equal(t, "no hash", hash, "")
	got, err = s.User(t.Context(), "other")
	check(t, err)
	equal(t, "user", got, other)

	again := account.User{ID: "again", Name: "Jane", Provider: account.ProviderLocal, Role: account.RoleViewer, Created: noon}
	wantError(t, "the same name", s.AddUser(t.Context(), again, "jane", "", 1000), account.ErrTaken)
	_, err = s.User(t.Context(), "again")
	wantError(t, "who was not added", err, account.ErrUnknown)
	_, _, err = s.UserBySubject(t.Context(), account.ProviderLocal, "JANE")
	wantError(t, "another name", err, account.ErrUnknown)

	changed, err := s.EditUser(t.Context(), "other", func(u *account.User) error {
		u.Email, u.Name = "new@example.com", "Jane"
		return nil
	}, func(_, _ account.User) bool { return false }, local)
	check(t, err)
	other.Email, other.Name = "new@example.com", "Jane"
	equal(t, "changed user", changed, other)
	refuse := errors.New("no")
	_, err = s.EditUser(t.Context(), "other", func(u *account.User) error {
		u.Email = ""
		return refuse
	}, func(_, _ account.User) bool { return true }, local)
	wantError(t, "an edit that fails", err, refuse)
	_, err = s.EditUser(t.Context(), "nobody", func(*account.User) error { return nil }, func(_, _ account.User) bool { return false }, local)
	wantError(t, "an edit of nobody", err, account.ErrUnknown)

	session(t, s, other, 1, noon)
	other.LastSeen = noon
	all, err := s.Users(t.Context())
	check(t, err)
	equal(t, "users", all, []account.Listed{{User: jane}, {User: other, Sessions: 1}})

	check(t, s.SetPassword(t.Context(), jane.ID, "new", ""))
	check(t, s.RehashPassword(t.Context(), jane.ID, "newer"))
	_, hash, err = s.UserBySubject(t.Context(), account.ProviderLocal, "jane")
	check(t, err)
	equal(t, "new hash", hash, "newer")
	wantError(t, "a password of nobody", s.SetPassword(t.Context(), "nobody", "x", ""), account.ErrUnknown)

	check(t, s.RemoveUser(t.Context(), "other", local))
	wantError(t, "removed twice", s.RemoveUser(t.Context(), "other", local), account.ErrUnknown)
	_, err = s.SessionByToken(t.Context(), account.Token{1})
	wantError(t, "a session of who was removed", err, account.ErrNoSession)
}

func testManyUsers(t *testing.T, s account.Store) {
	user(t, s, "one", account.RoleOperator)
	two := account.User{ID: "2", Name: "two", Provider: account.ProviderLocal, Role: account.RoleViewer}
	wantError(t, "beyond the limit", s.AddUser(t.Context(), two, "two", "", 1), account.ErrFull)
	check(t, s.AddUser(t.Context(), two, "two", "", 2))
}

// local are the providers of a program that is configured with none.
var local = []string{account.ProviderLocal}

func testLastOperator(t *testing.T, s account.Store) {
	first, viewer := user(t, s, "first", account.RoleOperator), user(t, s, "viewer", account.RoleViewer)
	never := func(_, _ account.User) bool { return false }
	demote := func(u *account.User) error { u.Role = account.RoleViewer; return nil }
	disable := func(u *account.User) error { u.Disabled = true; return nil }
	_, err := s.EditUser(t.Context(), first.ID, demote, never, local)
	wantError(t, "demoted", err, account.ErrLastOperator)
	_, err = s.EditUser(t.Context(), first.ID, disable, never, local)
	wantError(t, "disabled", err, account.ErrLastOperator)
	wantError(t, "removed", s.RemoveUser(t.Context(), first.ID, local), account.ErrLastOperator)
	got, err := s.User(t.Context(), first.ID)
	check(t, err)
	equal(t, "the last operator", got, first)

	second := user(t, s, "second", account.RoleOperator)
	_, err = s.EditUser(t.Context(), second.ID, disable, never, local)
	check(t, err)
	wantError(t, "removed while the other one is disabled", s.RemoveUser(t.Context(), first.ID, local), account.ErrLastOperator)
	_, err = s.EditUser(t.Context(), viewer.ID, disable, never, local)
	check(t, err)
	check(t, s.RemoveUser(t.Context(), viewer.ID, local))
	check(t, s.RemoveUser(t.Context(), second.ID, local)) // is none of those who can sign in
	third := user(t, s, "third", account.RoleOperator)
	check(t, s.RemoveUser(t.Context(), first.ID, local))

	// Who signs in through a provider that is not configured cannot sign in.
	clerk := account.User{ID: "c", Name: "clerk's", Provider: account.ProviderClerk, Subject: "user_1", Role: account.RoleOperator}
	check(t, s.AddUser(t.Context(), clerk, clerk.Subject, "", 100))
	both := append(slices.Clone(local), account.ProviderClerk)
	_, err = s.EditUser(t.Context(), third.ID, disable, never, local)
	wantError(t, "disabled while nobody else can sign in", err, account.ErrLastOperator)
	wantError(t, "removed while nobody else can sign in", s.RemoveUser(t.Context(), third.ID, local), account.ErrLastOperator)
	_, err = s.EditUser(t.Context(), clerk.ID, demote, never, local) // is no loss
	check(t, err)
	_, err = s.EditUser(t.Context(), clerk.ID, func(u *account.User) error { u.Role = account.RoleOperator; return nil }, never, local)
	check(t, err)
	_, err = s.EditUser(t.Context(), third.ID, disable, never, both)
	check(t, err)
	wantError(t, "the last one, of a provider", s.RemoveUser(t.Context(), clerk.ID, both), account.ErrLastOperator)
}

func testSessions(t *testing.T, s account.Store) {
	jane, joe := user(t, s, "jane", account.RoleOperator), user(t, s, "joe", account.RoleViewer)
	first, second := session(t, s, jane, 1, noon), session(t, s, jane, 2, noon.Add(time.Minute))
	session(t, s, joe, 3, noon)

	got, err := s.SessionByToken(t.Context(), account.Token{1})
	check(t, err)
	first.User.LastSeen, second.User.LastSeen = noon.Add(time.Minute), noon.Add(time.Minute) // is the user's, of any session
	equal(t, "session", got, first)
	_, err = s.SessionByToken(t.Context(), account.Token{9})
	wantError(t, "another token", err, account.ErrNoSession)
	all, err := s.Sessions(t.Context(), jane.ID)
	check(t, err)
	equal(t, "sessions", all, []account.Session{second, first})

	later := noon.Add(time.Hour)
	check(t, s.SeeSessions(t.Context(), map[account.Token]time.Time{{1}: later, {2}: noon, {9}: later}))
	got, err = s.SessionByToken(t.Context(), account.Token{1})
	check(t, err)
	if !got.LastSeen.Equal(later) || !got.User.LastSeen.Equal(later) {
		t.Errorf("last seen %v, the user %v", got.LastSeen, got.User.LastSeen)
	}
	got, err = s.SessionByToken(t.Context(), account.Token{2})
	check(t, err)
	if !got.LastSeen.Equal(second.LastSeen) {
		t.Errorf("an older time replaced a newer one: %v", got.LastSeen)
	}

	check(t, s.ConfirmSession(t.Context(), account.Token{1}, later))
	wantError(t, "nothing to confirm", s.ConfirmSession(t.Context(), account.Token{9}, later), account.ErrNoSession)
	got, err = s.SessionByToken(t.Context(), account.Token{1})
	check(t, err)
	if !got.Confirmed.Equal(later) {
		t.Errorf("confirmed at %v", got.Confirmed)
	}

	wantError(t, "another user's session", s.EndSession(t.Context(), joe.ID, first.ID), account.ErrNoSession)
	check(t, s.EndSession(t.Context(), jane.ID, first.ID))
	_, err = s.SessionByToken(t.Context(), account.Token{1})
	wantError(t, "an ended session", err, account.ErrNoSession)

	session(t, s, jane, 4, noon)
	check(t, s.EndSessions(t.Context(), jane.ID, second.ID))
	left(t, s, map[byte]bool{2: true, 3: true, 4: false})
	session(t, s, jane, 5, noon)
	check(t, s.SetPassword(t.Context(), jane.ID, "new", second.ID))
	left(t, s, map[byte]bool{2: true, 3: true, 5: false})
	_, err = s.EditUser(t.Context(), jane.ID, func(*account.User) error { return nil }, func(_, _ account.User) bool { return true }, local)
	check(t, err)
	left(t, s, map[byte]bool{2: false, 3: true})
	check(t, s.EndSessions(t.Context(), joe.ID, ""))
	left(t, s, map[byte]bool{3: false})
}

// left checks which tokens have a session.
func left(t *testing.T, s account.Store, want map[byte]bool) {
	t.Helper()
	for n, there := range want {
		if _, err := s.SessionByToken(t.Context(), account.Token{n}); (err == nil) != there {
			t.Errorf("session %d: %v, want %v", n, err, there)
		}
	}
}

func testSessionsOfTheDisabled(t *testing.T, s account.Store) {
	user(t, s, "operator", account.RoleOperator)
	u := user(t, s, "jane", account.RoleViewer)
	_, err := s.EditUser(t.Context(), u.ID, func(u *account.User) error { u.Disabled = true; return nil }, func(_, _ account.User) bool { return true }, local)
	check(t, err)
	wantError(t, "a session", s.AddSession(t.Context(), account.Token{1}, account.Session{ID: "s", User: u}, 9), account.ErrUnknown)
	left(t, s, map[byte]bool{1: false})
}

func testManySessions(t *testing.T, s account.Store) {
	jane, joe := user(t, s, "jane", account.RoleOperator), user(t, s, "joe", account.RoleViewer)
	session(t, s, joe, 100, noon)
	for n := range byte(5) {
		one := account.Session{ID: fmt.Sprint(n), User: jane, Created: noon.Add(time.Duration(n) * time.Second), LastSeen: noon}
		check(t, s.AddSession(t.Context(), account.Token{n}, one, 3))
	}
	left(t, s, map[byte]bool{0: false, 1: false, 2: true, 3: true, 4: true, 100: true})
}

func testExpiredSessions(t *testing.T, s account.Store) {
	u := user(t, s, "jane", account.RoleOperator)
	for n, created := range map[byte]time.Time{1: noon, 2: noon.Add(time.Hour), 3: noon.Add(2 * time.Hour)} {
		session(t, s, u, n, created)
	}
	check(t, s.SeeSessions(t.Context(), map[account.Token]time.Time{{1}: noon.Add(9 * time.Hour), {3}: noon.Add(9 * time.Hour)}))
	check(t, s.PruneSessions(t.Context(), noon.Add(time.Minute), noon.Add(90*time.Minute)))
	left(t, s, map[byte]bool{1: false, 2: false, 3: true})
}

// testEdition: another process sees that something was changed that it may have
// in memory.
func testEdition(t *testing.T, s account.Store) {
	var u account.User
	edit := func(*account.User) error { return nil }
	for _, step := range []struct {
		name string
		do   func() error
	}{
		{"a new user", func() error {
			u = user(t, s, "jane", account.RoleOperator)
			user(t, s, "joe", account.RoleOperator)
			return nil
		}},
		{"a change", func() error {
			_, err := s.EditUser(t.Context(), u.ID, edit, func(_, _ account.User) bool { return false }, local)
			return err
		}},
		{"a password", func() error { return s.SetPassword(t.Context(), u.ID, "x", "") }},
		{"the end of a session", func() error { session(t, s, u, 1, noon); return s.EndSession(t.Context(), u.ID, "session 1") }},
		{"the end of all", func() error { return s.EndSessions(t.Context(), u.ID, "") }},
		{"a removal", func() error { return s.RemoveUser(t.Context(), u.ID, local) }},
	} {
		before, err := s.Edition(t.Context())
		check(t, err)
		check(t, step.do())
		after, err := s.Edition(t.Context())
		check(t, err)
		if before == after {
			t.Errorf("%s changes nothing", step.name)
		}
	}
}

func testActions(t *testing.T, s account.Store) {
	var actions []account.Action
	for i := range 10 {
		actions = append(actions, account.Action{
			At: noon.Add(time.Duration(i) * time.Minute), UserID: "u", User: "Jane", Address: "192.0.2.1",
			Name: "ban.add", Target: fmt.Sprintf("203.0.113.%d", i), Detail: "100%_'\"", Failed: i%2 == 1, Operator: true,
		})
	}
	check(t, s.AddActions(t.Context(), actions[:5]))
	check(t, s.AddActions(t.Context(), actions[5:]))
	read := func(f account.ActionFilter) []account.Action {
		t.Helper()
		page, err := s.Actions(t.Context(), f)
		check(t, err)
		return page
	}
	page := read(account.ActionFilter{Limit: 4})
	next := read(account.ActionFilter{Limit: 100, Before: page[3].ID})
	all := slices.Concat(page, next)
	slices.Reverse(all)
	for i := range all {
		all[i].ID = 0
	}
	equal(t, "pages", all, actions)
	for query, want := range map[string]int{"jane": 10, "JANE": 10, "203.0.113.7": 1, "ban.add": 10, "100%_'": 10, "%": 10, "_x": 0, "jane 192": 0} {
		if n := len(read(account.ActionFilter{Query: query, Limit: 100})); n != want {
			t.Errorf("%q: %d entries, want %d", query, n, want)
		}
	}
	check(t, s.PruneActions(t.Context(), noon.Add(2*time.Minute), account.ActionLimits{Operators: 100, People: 100, Strangers: 100}))
	if n := len(read(account.ActionFilter{Limit: 100})); n != 8 {
		t.Errorf("%d entries, want those of the last minutes", n)
	}
	check(t, s.PruneActions(t.Context(), noon, account.ActionLimits{Operators: 3, People: 100, Strangers: 100}))
	if rest := read(account.ActionFilter{Limit: 100}); len(rest) != 3 || rest[0].Target != "203.0.113.9" {
		t.Errorf("%+v", rest)
	}
	// What strangers fail at and what viewers do does not push out what operators did.
	var others []account.Action
	for i := range 20 {
		others = append(others,
			account.Action{At: noon, Name: "session.sign_in", Failed: true, Target: fmt.Sprint(i)},
			account.Action{At: noon, Name: "worker.save", UserID: "v", User: "Ann", Target: fmt.Sprint(i)})
	}
	check(t, s.AddActions(t.Context(), others))
	check(t, s.PruneActions(t.Context(), noon, account.ActionLimits{Operators: 3, People: 4, Strangers: 5}))
	left := make(map[string]int)
	for _, a := range read(account.ActionFilter{Limit: 100}) {
		left[a.Name]++
	}
	if want := map[string]int{"ban.add": 3, "worker.save": 4, "session.sign_in": 5}; !maps.Equal(left, want) {
		t.Errorf("left: %v, want %v", left, want)
	}
	check(t, s.AddActions(t.Context(), actions[:1]))
	if newest := read(account.ActionFilter{Limit: 1}); newest[0].Target != "203.0.113.0" {
		t.Errorf("the newest is %+v", newest)
	}
}

func testOrigins(t *testing.T, s account.Store) {
	jane, joe := user(t, s, "jane", account.RoleViewer), user(t, s, "joe", account.RoleOperator)
	clerk := account.User{ID: "c", Name: "clerk's", Provider: account.ProviderClerk, Subject: "user_1", Role: account.RoleOperator}
	check(t, s.AddUser(t.Context(), clerk, clerk.Subject, "", 100))
	add := func(u account.User, address string, hours int, failed bool) {
		check(t, s.AddActions(t.Context(), []account.Action{{
			At: noon.Add(time.Duration(hours) * time.Hour), UserID: u.ID, User: u.Name, Address: address, Name: "session.sign_in", Failed: failed,
		}}))
	}
	add(joe, "192.0.2.1", 1, false)
	add(joe, "192.0.2.1", 3, false)
	add(joe, "192.0.2.2", 4, true)
	add(joe, "192.0.2.3", -9, false)
	add(jane, "192.0.2.4", 9, false)
	add(clerk, "192.0.2.5", 9, false)
	check(t, s.AddSession(t.Context(), account.Token{7}, account.Session{ID: "7", User: jane, Created: noon.Add(2 * time.Hour), Address: "192.0.2.6"}, 9))
	got, err := s.Origins(t.Context(), noon, 100)
	check(t, err)
	at := func(hours int) time.Time { return noon.Add(time.Duration(hours) * time.Hour) }
	equal(t, "origins", got, []account.Origin{{Account: "joe", Address: "192.0.2.1", At: at(3)}, {Account: "jane", Address: "192.0.2.4", At: at(9)}, {Account: "jane", Address: "192.0.2.6", At: at(2)}})
	got, err = s.Origins(t.Context(), noon, 1)
	check(t, err)
	if len(got) != 1 || got[0].Account != "joe" {
		t.Errorf("of one: %+v", got)
	}
}

// Of those who registered, only those go who are viewers that never came back.
func testUnusedUsers(t *testing.T, s account.Store) {
	const day = 24 * time.Hour
	add := func(name string, change func(u *account.User)) {
		u := account.User{ID: name, Name: name, Provider: account.ProviderLocal, Role: account.RoleViewer, Registered: true, Created: noon, LastSeen: noon.Add(time.Hour)}
		if change != nil {
			change(&u)
		}
		check(t, s.AddUser(t.Context(), u, name, "hash", 1000))
	}
	add("unused", nil)
	add("unused-and-signed-in", func(u *account.User) { u.LastSeen = time.Time{} })
	add("came-back", func(u *account.User) { u.LastSeen = noon.Add(2 * day) })
	add("new", func(u *account.User) { u.Created = noon.Add(6 * day); u.LastSeen = u.Created })
	add("made-by-an-operator", func(u *account.User) { u.Registered = false })
	add("disabled", func(u *account.User) { u.Disabled = true })
	add("operator", func(u *account.User) { u.Role = account.RoleOperator })
	session(t, s, account.User{ID: "unused-and-signed-in"}, 1, noon.Add(time.Minute))
	before, err := s.Edition(t.Context())
	check(t, err)
	n, err := s.PruneUnused(t.Context(), noon.Add(5*day), day)
	check(t, err)
	all, err := s.Users(t.Context())
	check(t, err)
	var left []string
	for _, u := range all {
		left = append(left, u.Name)
		if u.Registered != (u.Name != "made-by-an-operator") {
			t.Errorf("%s: registered %v", u.Name, u.Registered)
		}
	}
	slices.Sort(left)
	if want := []string{"came-back", "disabled", "made-by-an-operator", "new", "operator"}; n != 2 || !slices.Equal(left, want) {
		t.Errorf("%d deleted, left are %v, want %v", n, left, want)
	}
	if _, err := s.SessionByToken(t.Context(), account.Token{1}); !errors.Is(err, account.ErrNoSession) {
		t.Errorf("the session of a deleted account: %v", err)
	}
	if after, err := s.Edition(t.Context()); err != nil || after == before {
		t.Errorf("edition %d after %d: %v", after, before, err)
	}
	if n, err := s.PruneUnused(t.Context(), noon.Add(5*day), day); n != 0 || err != nil {
		t.Errorf("once more: %d, %v", n, err)
	}
}
