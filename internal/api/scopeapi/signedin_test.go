package scopeapi

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/poolscope/poolscope/internal/account"
	"github.com/poolscope/poolscope/internal/api/access"
	"github.com/poolscope/poolscope/internal/scope/capture"
)

// fakeSessions has one session, of who sends the cookie "who=jane".
type fakeSessions struct {
	role  account.Role
	ended atomic.Bool
}

func (f *fakeSessions) Session(r *http.Request) *account.Session {
	c, err := r.Cookie("who")
	if err != nil || c.Value != "jane" || f.ended.Load() {
		return nil
	}
	return &account.Session{User: account.User{ID: "1", Name: "jane", Role: f.role}}
}

// fakeTrail keeps the names of actions.
type fakeTrail struct{ actions []account.Action }

func (f *fakeTrail) Record(_ context.Context, a account.Action) { f.actions = append(f.actions, a) }

// TestSignedIn: operators who are signed in read and change without the token,
// from their own pages only; viewers do not.
func TestSignedIn(t *testing.T) {
	trail := &fakeTrail{}
	for _, role := range []account.Role{account.RoleOperator, account.RoleViewer} {
		sessions := &fakeSessions{role: role}
		b := newBench(t, func(cfg *Config, _ *Sources) {
			cfg.Gate, cfg.Trail, cfg.Public = access.NewGate(sessions), trail, true
		})
		scenarioA(b, "s")
		for _, test := range []struct {
			what   string
			header http.Header
			want   int
		}{
			{"own page", http.Header{"Cookie": {"who=jane"}, "Origin": {"http://pool.example"}, "Sec-Fetch-Site": {"same-origin"}}, 200},
			{"nobody", http.Header{}, 401},
			{"a wrong token", http.Header{"Cookie": {"who=jane"}, "Authorization": {"Bearer wrong"}}, 401},
			{"another site's page", http.Header{"Cookie": {"who=jane"}, "Origin": {"https://evil.example"}}, 403},
			{"another site's script", http.Header{"Cookie": {"who=jane"}, "Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"no-cors"}}, 403},
		} {
			for _, operation := range []string{"GET /api/sessions", "POST /api/sessions/s/broadcast/enable"} {
				method, target, _ := strings.Cut(operation, " ")
				r := httptest.NewRequest(method, "http://pool.example"+target, nil)
				r.Header = test.header.Clone()
				r.RemoteAddr = "192.0.2.1:1"
				want := test.want
				if role == account.RoleViewer && want == 200 {
					want = 403
				}
				if w := b.serve(r); w.Code != want {
					t.Errorf("%s, %s: %s: %d %s, want %d", role, test.what, operation, w.Code, w.Body, want)
				}
			}
		}
	}
	if len(trail.actions) != 1 || trail.actions[0].User != "jane" || trail.actions[0].Target != "/api/sessions/s/broadcast/enable" || trail.actions[0].Failed {
		t.Errorf("audit trail: %+v", trail.actions)
	}
}

// TestSignOutEndsWebSockets: what was opened by a session ends with it, and what
// was opened with the token does not.
func TestSignOutEndsWebSockets(t *testing.T) {
	sessions := &fakeSessions{role: account.RoleOperator}
	b := newBench(t, func(cfg *Config, _ *Sources) { cfg.Gate, cfg.Public = access.NewGate(sessions), true })
	b.feed.cfg.SignedIn = time.Millisecond
	server := httptest.NewServer(b.api)
	defer server.Close()
	bySession := b.dial(server.URL+"/api/ws", &websocket.DialOptions{HTTPHeader: http.Header{"Cookie": {"who=jane"}}})
	byToken := b.dial(server.URL+"/api/ws", &websocket.DialOptions{HTTPHeader: http.Header{"Cookie": {"who=jane"}, "Authorization": {"Bearer " + testToken}}})
	sessions.ended.Store(true)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, _, err := bySession.Read(ctx); websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
		t.Errorf("the session's WebSocket: %v", err)
	}
	for b.feed.Status().Ends["signed_out"] != 1 {
		if ctx.Err() != nil {
			t.Fatalf("%+v", b.feed.Status().Ends)
		}
		time.Sleep(time.Millisecond)
	}
	tape := b.open("s")
	say(tape, capture.MinerToPool, "{}\n", when)
	if frame := next(t, byToken); frame["id"] != "s-1" {
		t.Errorf("%v", frame)
	}
}
