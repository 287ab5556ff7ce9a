package adminapi_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/account"
	"github.com/poolscope/poolscope/internal/api/access"
	"github.com/poolscope/poolscope/internal/api/adminapi"
)

// Who asks in the tests.
const (
	nobody      = ""          // another machine, not signed in
	viewer      = "viewer"    // signed in, no operator
	signedIn    = "operator"  // an operator who did not give the password lately
	confirmed   = "confirmed" // one who did
	token       = "token"     // a program with the token
	adminSecret = "correct-horse-battery"
)

// sessions knows people by a header.
type sessions struct{}

func (sessions) Session(r *http.Request) *account.Session {
	s := &account.Session{ID: "s1", User: account.User{ID: "u1", Name: "ada", Role: account.RoleOperator}}
	switch r.Header.Get("X-Test-Who") {
	case viewer:
		s.User = account.User{ID: "u2", Name: "bob", Role: account.RoleViewer}
	case signedIn:
	case confirmed:
		s.Confirmed = time.Now()
	default:
		return nil
	}
	return s
}

// trail keeps what was recorded.
type trail struct {
	mu   sync.Mutex
	list []account.Action
}

func (t *trail) Record(_ context.Context, a account.Action) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.list = append(t.list, a)
}

func (t *trail) last() account.Action {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.list) == 0 {
		return account.Action{}
	}
	return t.list[len(t.list)-1]
}

// rig is an operators' part without a program around it.
type rig struct {
	t     *testing.T
	api   *adminapi.API
	trail *trail
}

func newRig(t *testing.T, src adminapi.Sources) *rig {
	t.Helper()
	r := &rig{t: t, trail: &trail{}}
	src.Gate = access.NewGate(sessions{})
	src.Gate.SetTokens(adminSecret, "")
	src.Trail = r.trail
	r.api = adminapi.New(src)
	return r
}

// request asks as somebody; body, when it is not "", is JSON.
func (r *rig) request(who, method, path, body string) *http.Request {
	req := httptest.NewRequest(method, "http://pool.example"+path, strings.NewReader(body))
	req.RemoteAddr = "198.51.100.9:1234"
	switch who {
	case token:
		req.Header.Set("Authorization", "Bearer "+adminSecret)
	default:
		req.Header.Set("X-Test-Who", who)
		req.Header.Set("Origin", "http://pool.example")
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	return req
}

func (r *rig) do(who, method, path, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	r.api.ServeHTTP(w, r.request(who, method, path, body))
	return w
}

// get asks as an operator and decodes the answer.
func (r *rig) get(path string, into any) {
	r.t.Helper()
	w := r.do(signedIn, http.MethodGet, path, "")
	if w.Code != http.StatusOK {
		r.t.Fatalf("GET %s: %d %s", path, w.Code, w.Body)
	}
	if err := json.Unmarshal(w.Body.Bytes(), into); err != nil {
		r.t.Fatalf("GET %s: %v in %s", path, err, w.Body)
	}
}

// want asks and compares status and, unless it is "", a part of the body.
func (r *rig) want(who, method, path, body string, status int, part string) {
	r.t.Helper()
	w := r.do(who, method, path, body)
	if w.Code != status || !strings.Contains(w.Body.String(), part) {
		r.t.Errorf("%s %s as %q: %d %q, want %d with %q", method, path, who, w.Code, w.Body, status, part)
	}
}
