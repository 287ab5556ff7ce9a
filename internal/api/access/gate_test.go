package access

import (
	"cmp"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/account"
)

// fakeSessions finds sessions by the value of the cookie "who".
type fakeSessions map[string]*account.Session

func (f fakeSessions) Session(r *http.Request) *account.Session {
	c, err := r.Cookie("who")
	if err != nil {
		return nil
	}
	return f[c.Value]
}

var gateNow = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

const gateToken, gateScope = "a token of many letters", "the scope's own token"

// gates are a gate where a token is configured, one where none is, and one where
// people come to the page through a proxy.
func gates() map[string]*Gate {
	session := func(role account.Role, confirmed time.Time) *account.Session {
		return &account.Session{ID: "s", User: account.User{ID: "u", Name: "somebody", Role: role}, Confirmed: confirmed}
	}
	sessions := fakeSessions{
		"viewer": session(account.RoleViewer, gateNow), "operator": session(account.RoleOperator, gateNow.Add(-account.ConfirmedFor)),
		"confirmed": session(account.RoleOperator, gateNow.Add(-account.ConfirmedFor+time.Second)),
	}
	all := map[string]*Gate{"token": NewGate(sessions), "no token": NewGate(sessions), "public": NewGate(sessions)}
	all["public"].SetPublicURL("https://pool.example")
	for name, g := range all {
		g.now = func() time.Time { return gateNow }
		g.SetTokens(map[string]string{"token": gateToken}[name], gateScope)
	}
	return all
}

// TestGate sends one request of each kind to each door of each gate.
func TestGate(t *testing.T) {
	const evil = "https://evil.example"
	type answers struct{ open, user, operator, confirmed int }
	none := answers{200, 401, 401, 401}
	refused := answers{403, 403, 401, 401}
	for _, test := range []struct {
		what, gate, method, from, host string
		header                         map[string]string
		want                           answers
	}{
		{"nobody", "token", "POST", "192.0.2.1:1", "pool.example", nil, none},
		{"this machine", "no token", "POST", "127.0.0.1:1", "localhost:8000", nil, answers{200, 401, 200, 401}},
		{"this machine, IPv6", "no token", "POST", "[::1]:1", "[::1]:8000", nil, answers{200, 401, 200, 401}},
		{"this machine where a token is configured", "token", "POST", "127.0.0.1:1", "localhost:8000", nil, none},
		{"this machine with a wrong token", "no token", "POST", "127.0.0.1:1", "localhost:8000", map[string]string{"Authorization": "Bearer x"}, none},
		{"through a proxy that tells nothing, such as nginx by default", "no token", "GET", "127.0.0.1:1", "127.0.0.1:8000", map[string]string{"proto": "HTTP/1.0"}, none},
		{"this machine where the page is public", "public", "GET", "127.0.0.1:1", "127.0.0.1:8000", nil, none},
		{"a viewer where the page is public", "public", "POST", "127.0.0.1:1", "127.0.0.1:8000", map[string]string{"Cookie": "who=viewer"}, answers{200, 200, 403, 403}},
		{"the scope's token where the page is public", "public", "GET", "127.0.0.1:1", "127.0.0.1:8000", map[string]string{"Authorization": "Bearer " + gateScope}, answers{200, 401, 200, 200}},
		{"a rebound name", "no token", "GET", "127.0.0.1:1", "evil.example:8000", nil, none},
		{"a rebound name that looks like loopback", "no token", "GET", "127.0.0.1:1", "127.0.0.1.evil.example", nil, none},
		{"a rebound name and its own page", "no token", "POST", "127.0.0.1:1", "evil.example:8000", map[string]string{"Origin": "http://evil.example:8000", "Sec-Fetch-Site": "same-origin"}, none},
		{"elsewhere, claiming this machine", "no token", "GET", "192.0.2.1:1", "localhost:8000", nil, none},
		{"through a proxy", "no token", "GET", "127.0.0.1:1", "localhost:8000", map[string]string{"X-Forwarded-For": "127.0.0.1"}, none},
		{"through a proxy by the standard", "no token", "GET", "127.0.0.1:1", "localhost:8000", map[string]string{"Forwarded": "for=127.0.0.1"}, none},
		{"through a proxy, lower case", "no token", "GET", "127.0.0.1:1", "localhost:8000", map[string]string{"x-real-ip": "127.0.0.1"}, none},

		{"the token", "token", "POST", "192.0.2.1:1", "pool.example", map[string]string{"Authorization": "Bearer " + gateToken}, answers{200, 401, 200, 200}},
		{"the scope's token", "token", "POST", "192.0.2.1:1", "pool.example", map[string]string{"Authorization": "bearer " + gateScope}, answers{200, 401, 200, 200}},
		{"half a token", "token", "POST", "192.0.2.1:1", "pool.example", map[string]string{"Authorization": "Bearer " + gateToken[:8]}, none},
		{"an empty token", "no token", "POST", "192.0.2.1:1", "pool.example", map[string]string{"Authorization": "Bearer "}, none},
		{"a token as a password", "token", "POST", "192.0.2.1:1", "pool.example", map[string]string{"Authorization": "Basic " + gateToken}, none},
		{"the token through a proxy", "token", "GET", "127.0.0.1:1", "pool.example", map[string]string{"Authorization": "Bearer " + gateToken, "Via": "1.1 x"}, answers{200, 401, 200, 200}},

		{"a viewer", "token", "POST", "192.0.2.1:1", "pool.example", map[string]string{"Cookie": "who=viewer"}, answers{200, 200, 403, 403}},
		{"an operator", "token", "POST", "192.0.2.1:1", "pool.example", map[string]string{"Cookie": "who=operator"}, answers{200, 200, 200, 403}},
		{"an operator who gave the password", "token", "POST", "192.0.2.1:1", "pool.example", map[string]string{"Cookie": "who=confirmed"}, answers{200, 200, 200, 200}},
		{"an ended session", "token", "POST", "192.0.2.1:1", "pool.example", map[string]string{"Cookie": "who=gone"}, none},
		{"a viewer at this machine", "no token", "POST", "127.0.0.1:1", "localhost", map[string]string{"Cookie": "who=viewer"}, answers{200, 200, 403, 403}},
		{"an operator at this machine", "no token", "POST", "127.0.0.1:1", "localhost", map[string]string{"Cookie": "who=operator"}, answers{200, 200, 200, 403}},
		{"a viewer at this machine whose session ended", "no token", "POST", "127.0.0.1:1", "localhost", map[string]string{"Cookie": "who=gone"}, answers{200, 401, 200, 401}},
		{"a viewer with the token", "token", "POST", "192.0.2.1:1", "pool.example", map[string]string{"Cookie": "who=viewer", "Authorization": "Bearer " + gateToken}, answers{200, 200, 200, 200}},

		{"own page", "token", "POST", "192.0.2.1:1", "pool.example", map[string]string{"Cookie": "who=confirmed", "Origin": "https://pool.example", "Sec-Fetch-Site": "same-origin"}, answers{200, 200, 200, 200}},
		{"another site's form", "token", "POST", "192.0.2.1:1", "pool.example", map[string]string{"Cookie": "who=confirmed", "Origin": evil, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, refused},
		{"another site's form, old browser", "token", "POST", "192.0.2.1:1", "pool.example", map[string]string{"Cookie": "who=confirmed", "Origin": evil}, refused},
		{"a page without an origin", "token", "POST", "192.0.2.1:1", "pool.example", map[string]string{"Cookie": "who=confirmed", "Origin": "null"}, refused},
		{"another site's script that reads", "token", "GET", "192.0.2.1:1", "pool.example", map[string]string{"Cookie": "who=confirmed", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, refused},
		{"another site's WebSocket", "token", "GET", "192.0.2.1:1", "pool.example", map[string]string{"Cookie": "who=confirmed", "Origin": evil, "Upgrade": "websocket"}, refused},
		{"a sister site's script", "token", "POST", "192.0.2.1:1", "pool.example", map[string]string{"Cookie": "who=confirmed", "Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"}, refused},
		{"another port's page", "no token", "POST", "127.0.0.1:1", "127.0.0.1:8000", map[string]string{"Origin": "http://127.0.0.1:3000"}, refused},
		{"another site's page on this machine", "no token", "POST", "127.0.0.1:1", "localhost:8000", map[string]string{"Origin": evil, "Sec-Fetch-Site": "cross-site"}, refused},
		{"a link that was followed", "token", "GET", "192.0.2.1:1", "pool.example", map[string]string{"Cookie": "who=confirmed", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, answers{200, 200, 200, 200}},
		{"another site's link to what is costly", "token", "GET", "192.0.2.1:1", "pool.example", map[string]string{"path": "/api/admin/audit", "Cookie": "who=confirmed", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, refused},
		{"another site's link to a profile", "token", "GET", "192.0.2.1:1", "pool.example", map[string]string{"path": "/debug/pprof/profile", "Cookie": "who=confirmed", "Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, refused},
		{"another site's frame", "token", "GET", "192.0.2.1:1", "pool.example", map[string]string{"Cookie": "who=confirmed", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}, refused},
		{"another site's page with the token", "token", "POST", "192.0.2.1:1", "pool.example", map[string]string{"Authorization": "Bearer " + gateToken, "Origin": evil}, answers{403, 403, 200, 200}},
	} {
		t.Run(test.what, func(t *testing.T) {
			g := gates()[test.gate]
			in := func(w http.ResponseWriter, _ *http.Request, _ Viewer) { w.WriteHeader(http.StatusOK) }
			ask := func(door http.HandlerFunc) int {
				r := httptest.NewRequest(test.method, cmp.Or(test.header["path"], "/"), nil)
				r.RemoteAddr, r.Host = test.from, test.host
				for name, value := range test.header {
					switch name {
					case "path":
					case "proto":
						r.Proto = value
						r.ProtoMajor, r.ProtoMinor, _ = http.ParseHTTPVersion(value)
					default:
						r.Header.Set(name, value)
					}
				}
				w := httptest.NewRecorder()
				door(w, r)
				return w.Code
			}
			got := answers{ask(g.Open(in)), ask(g.User(in)), ask(g.Operator(in)), ask(g.Confirmed(in))}
			if got != test.want {
				t.Errorf("open, user, operator, confirmed: %v, want %v", got, test.want)
			}
			refused := uint64(0)
			for _, n := range g.Refused() {
				refused += n
			}
			closed := uint64(0)
			for _, code := range []int{got.open, got.user, got.operator, got.confirmed} {
				if code != http.StatusOK {
					closed++
				}
			}
			if refused != closed {
				t.Errorf("%d were refused and %d counted: %v", closed, refused, g.Refused())
			}
		})
	}
}

// TestConfirmIsAsked: the page can tell "give your password again" from the rest.
func TestConfirmIsAsked(t *testing.T) {
	for who, want := range map[string]string{"operator": "confirm\n", "viewer": "forbidden\n", "gone": "unauthorized\n"} {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.Header.Set("Cookie", "who="+who)
		w := httptest.NewRecorder()
		gates()["token"].Confirmed(func(http.ResponseWriter, *http.Request, Viewer) { t.Error("let in") })(w, r)
		if w.Body.String() != want {
			t.Errorf("%s: %q, want %q", who, w.Body, want)
		}
	}
}

// TestAction: the audit trail knows who did it, and never the token.
func TestAction(t *testing.T) {
	for _, test := range []struct {
		v    Viewer
		id   string
		name string
	}{
		{Viewer{Session: &account.Session{User: account.User{ID: "u", Name: "jane"}}, Token: true, Local: true}, "u", "jane"},
		{Viewer{Token: true, Local: true}, "", "token"},
		{Viewer{Local: true}, "", "this machine"},
		{Viewer{}, "", ""},
	} {
		test.v.Address = "192.0.2.1"
		a := test.v.Action("ban.add", "203.0.113.7", "loud")
		if a.UserID != test.id || a.User != test.name || a.Address != "192.0.2.1" || a.Name != "ban.add" || a.Target != "203.0.113.7" || a.Detail != "loud" {
			t.Errorf("%+v: %+v", test.v, a)
		}
	}
}

// TestIsPublic: an address of this machine alone leaves who is at it the operator.
func TestIsPublic(t *testing.T) {
	for address, want := range map[string]bool{
		"": false, "http://127.0.0.1:8000": false, "http://localhost": false, "http://[::1]:8000": false,
		"https://pool.example": true, "http://192.0.2.7:8000": true, "https://localhost.example": true,
	} {
		if got := IsPublic(address); got != want {
			t.Errorf("%q: %v", address, got)
		}
	}
}
