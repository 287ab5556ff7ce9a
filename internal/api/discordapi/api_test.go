package discordapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/account"
	"github.com/poolscope/poolscope/internal/account/link"
	"github.com/poolscope/poolscope/internal/api/access"
)

// signedIn is everybody whose cookie is their name.
type signedIn struct{}

func (signedIn) Session(r *http.Request) *account.Session {
	c, err := r.Cookie("name")
	if err != nil {
		return nil
	}
	return &account.Session{ID: "s", User: account.User{ID: c.Value, Name: c.Value, Role: account.RoleViewer}}
}

// links are those of a test: ann's, and nobody else's.
type links struct {
	linked  bool
	enabled bool
	cleared string // what was asked to be cleared
	err     error
}

func (l *links) NewCode(context.Context, string) (string, time.Time, error) {
	return "TAGS-one-two-three", time.Date(2026, 1, 31, 19, 55, 2, 123456789, time.FixedZone("", 3600)), l.err
}

func (l *links) ClearCode(_ context.Context, user, code string) (bool, error) {
	l.cleared = user + " " + code
	return code == "TAGS-one-two-three", l.err
}

func (l *links) Link(_ context.Context, user string) (link.Link, error) {
	if l.err == nil && (user != "ann" || !l.linked) {
		return link.Link{}, link.ErrNotLinked
	}
	return link.Link{UserID: user, DiscordID: "111", DiscordName: "ann_at_discord", Enabled: l.enabled, Linked: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}, l.err
}

func (l *links) SetEnabled(_ context.Context, user string, enabled bool) error {
	if l.err == nil && (user != "ann" || !l.linked) {
		return link.ErrNotLinked
	}
	l.enabled = enabled
	return l.err
}

func (l *links) Unlink(_ context.Context, user string) error {
	if l.err == nil && (user != "ann" || !l.linked) {
		return link.ErrNotLinked
	}
	l.linked = false
	return l.err
}

type trail []account.Action

func (t *trail) Record(_ context.Context, a account.Action) { *t = append(*t, a) }

const (
	enabledPath = "/api/discord/notify-enabled"
	codePath    = "/api/saved-workers/one-time-code"
	clearPath   = "/api/saved-workers/one-time-code/clear"
	showPath    = "/api/discord"
	unlinkPath  = "/api/discord/unlink"
)

// ask sends a request as somebody, "" for nobody, and returns the answer.
func ask(a *API, method, path, as, kind, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if as != "" {
		r.AddCookie(&http.Cookie{Name: "name", Value: as})
	}
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	return w
}

func newAPI(l Links, t account.Trail) *API {
	return New(Config{Gate: access.NewGate(signedIn{}), Links: l, Trail: t, InviteURL: "https://discord.gg/x"}, slog.New(slog.DiscardHandler))
}

const (
	asJSON = "application/json; charset=utf-8"
	asForm = "application/x-www-form-urlencoded"
)

// TestContract has the requests and answers of the contract and, where it is
// silent, of docs/api.md.
func TestContract(t *testing.T) {
	linked := func() Links { return &links{linked: true} }
	unlinked := func() Links { return &links{} }
	off := func() Links { return nil }
	tests := []struct {
		name                         string
		links                        func() Links
		method, path, as, kind, body string
		code                         int
		answer                       string
	}{
		{"method first", off, "GET", enabledPath, "", "", "", 405, "method not allowed"},
		{"method first", off, "GET", codePath, "", "", "", 405, "method not allowed"},
		{"method first", off, "PUT", clearPath, "", "", "", 405, "method not allowed"},
		{"then who", off, "POST", enabledPath, "", asJSON, `{}`, 401, "unauthorized"},
		{"then who", off, "POST", codePath, "", "", "", 401, "unauthorized"},
		{"then who", off, "POST", clearPath, "", "", "", 401, "unauthorized"},
		{"then Discord", off, "POST", enabledPath, "ann", asJSON, `{}`, 404, "not found"},
		{"then Discord", off, "POST", codePath, "ann", "", "", 404, "not found"},
		{"then Discord", off, "POST", clearPath, "ann", "", "", 404, "not found"},

		{"enabled", linked, "POST", enabledPath, "ann", asJSON, `{"enabled":true}`, 200, `{"enabled":true,"ok":true}`},
		{"disabled", linked, "POST", enabledPath, "ann", asJSON, `{"enabled":false}`, 200, `{"enabled":false,"ok":true}`},
		{"form", linked, "POST", enabledPath, "ann", asForm, `enabled=on`, 200, `{"enabled":true,"ok":true}`},
		{"form", linked, "POST", enabledPath, "ann", asForm, `enabled=0`, 200, `{"enabled":false,"ok":true}`},
		{"missing", linked, "POST", enabledPath, "ann", asJSON, `{}`, 400, "missing enabled"},
		{"not a yes or no", linked, "POST", enabledPath, "ann", asJSON, `{"enabled":"perhaps"}`, 400, "missing enabled"},
		{"no JSON", linked, "POST", enabledPath, "ann", asJSON, `{"enabled":tr`, 400, "missing enabled"},
		{"not linked", unlinked, "POST", enabledPath, "ann", asJSON, `{"enabled":true}`, 404, "not found"},
		{"another's link", linked, "POST", enabledPath, "bob", asJSON, `{"enabled":true}`, 404, "not found"},

		{"code", unlinked, "POST", codePath, "ann", "", "", 200, `{"code":"TAGS-one-two-three","expires_at":"2026-01-31T18:55:02.123Z"}`},
		{"clear", unlinked, "POST", clearPath, "ann", asJSON, `{"code":"TAGS-one-two-three"}`, 200, `{"cleared":true}`},
		{"clear by form", unlinked, "POST", clearPath, "ann", asForm, `code=TAGS-one-two-three`, 200, `{"cleared":true}`},
		{"clear nothing", unlinked, "POST", clearPath, "ann", asJSON, ``, 200, `{"cleared":false}`},
		{"clear another", unlinked, "POST", clearPath, "ann", asJSON, `{"code":"ABCDE-FGHIJ"}`, 200, `{"cleared":false}`},
		{"clear what is no text", unlinked, "POST", clearPath, "ann", asJSON, `{"code":[1]}`, 200, `{"cleared":false}`},

		{"show a link", linked, "GET", showPath, "ann", "", "", 200, `{"configured":true,"registered":true,"notify_enabled":false,"name":"ann_at_discord","linked_at":"2026-01-02T03:04:05Z","invite_url":"https://discord.gg/x"}`},
		{"show none", unlinked, "GET", showPath, "ann", "", "", 200, `{"configured":true,"registered":false,"notify_enabled":false,"invite_url":"https://discord.gg/x"}`},
		{"show nobody", linked, "GET", showPath, "", "", "", 401, "unauthorized"},
		{"show nothing", off, "GET", showPath, "ann", "", "", 200, `{"configured":false,"registered":false,"notify_enabled":false}`},
		{"unlink", linked, "POST", unlinkPath, "ann", "", "", 200, `{"ok":true}`},
		{"unlink nothing", unlinked, "POST", unlinkPath, "ann", "", "", 404, "not found"},
		{"unlink another's", linked, "POST", unlinkPath, "bob", "", "", 404, "not found"},
		{"unlink by GET", linked, "GET", unlinkPath, "ann", "", "", 405, "method not allowed"},
	}
	for _, tt := range tests {
		t.Run(tt.path+" "+tt.name, func(t *testing.T) {
			w := ask(newAPI(tt.links(), nil), tt.method, tt.path, tt.as, tt.kind, tt.body)
			if w.Code != tt.code || strings.TrimSpace(w.Body.String()) != tt.answer {
				t.Fatalf("%d %s\nwant %d %s", w.Code, w.Body, tt.code, tt.answer)
			}
			switch kind := w.Header().Get("Content-Type"); {
			case tt.code == 200 && (kind != "application/json" || w.Header().Get("Cache-Control") != "no-store"):
				t.Errorf("headers %v", w.Header())
			case tt.code != 200 && !strings.HasPrefix(kind, "text/plain"):
				t.Errorf("an error as %s", kind)
			case tt.code == 405 && w.Header().Get("Allow") == "":
				t.Error("no Allow")
			}
		})
	}
}

// TestOtherSitesPages cannot use somebody's session.
func TestOtherSitesPages(t *testing.T) {
	l := &links{linked: true, enabled: true}
	for _, headers := range []map[string]string{{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}} {
		for _, path := range []string{enabledPath, codePath, clearPath, unlinkPath} {
			r := httptest.NewRequest(http.MethodPost, path, strings.NewReader("enabled=0"))
			r.AddCookie(&http.Cookie{Name: "name", Value: "ann"})
			r.Header.Set("Content-Type", asForm)
			for k, v := range headers {
				r.Header.Set(k, v)
			}
			w := httptest.NewRecorder()
			newAPI(l, nil).ServeHTTP(w, r)
			if w.Code != http.StatusForbidden {
				t.Errorf("%s with %v: %d %s", path, headers, w.Code, w.Body)
			}
		}
	}
	if !l.linked || !l.enabled {
		t.Error("something was changed")
	}
}

// TestTrail: what somebody changes about their messages is written down, without
// the code that links an account.
func TestTrail(t *testing.T) {
	var tr trail
	a := newAPI(&links{linked: true}, &tr)
	ask(a, http.MethodPost, codePath, "ann", "", "")
	ask(a, http.MethodPost, enabledPath, "ann", asJSON, `{"enabled":false}`)
	ask(a, http.MethodPost, enabledPath, "ann", asJSON, `{}`) // nothing happens
	ask(a, http.MethodPost, unlinkPath, "ann", "", "")
	ask(a, http.MethodPost, unlinkPath, "ann", "", "")                       // nothing happens
	ask(a, http.MethodPost, enabledPath, "ann", asJSON, `{"enabled":false}`) // nothing happens
	var said []string
	for _, action := range tr {
		said = append(said, strings.Join([]string{action.UserID, action.Name, action.Target, action.Detail}, " "))
	}
	want := []string{"ann discord.code  ", "ann discord.notify  off", "ann discord.unlink 111 ann_at_discord"}
	if !slices.Equal(said, want) {
		t.Errorf("%q", said)
	}
}

func TestTrouble(t *testing.T) {
	tests := []struct {
		err  error
		code int
		body string
	}{
		{&link.TooManyError{Wait: 90*time.Second + time.Millisecond}, 429, "too many requests"},
		{link.ErrNoAccount, 401, "unauthorized"},
		{errors.New("disk: password hunter2"), 500, "internal error"},
	}
	for _, tt := range tests {
		w := ask(newAPI(&links{err: tt.err}, nil), http.MethodPost, codePath, "ann", "", "")
		if w.Code != tt.code || strings.TrimSpace(w.Body.String()) != tt.body {
			t.Errorf("%v: %d %s", tt.err, w.Code, w.Body)
		}
		if tt.code == 429 && w.Header().Get("Retry-After") != "91" {
			t.Errorf("Retry-After %q", w.Header().Get("Retry-After"))
		}
	}
}

func TestBodiesAreBounded(t *testing.T) {
	body := `{"code":"` + strings.Repeat("x", access.MaxBody) + `"}`
	if w := ask(newAPI(&links{}, nil), http.MethodPost, clearPath, "ann", asJSON, body); w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// FuzzBodies: whatever is sent, the answer is one of the contract's, and nobody
// else's code is asked for.
func FuzzBodies(f *testing.F) {
	f.Add(asJSON, `{"enabled":true,"code":"TAGS-one-two-three"}`)
	f.Add(asForm, `enabled=yes&code=TAGS-one-two-three`)
	f.Add("", "\xff")
	f.Fuzz(func(t *testing.T, kind, body string) {
		for _, path := range []string{enabledPath, clearPath} {
			l := &links{linked: true}
			w := ask(newAPI(l, nil), http.MethodPost, path, "ann", kind, body)
			switch w.Code {
			case 200:
				if !json.Valid(bytes.TrimSpace(w.Body.Bytes())) {
					t.Errorf("not JSON: %s", w.Body)
				}
			case 400, 413:
			default:
				t.Errorf("%d %s", w.Code, w.Body)
			}
			if l.cleared != "" && !strings.HasPrefix(l.cleared, "ann ") {
				t.Errorf("asked for %q", l.cleared)
			}
		}
	})
}
