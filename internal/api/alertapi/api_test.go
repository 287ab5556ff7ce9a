package alertapi

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/account"
	"github.com/poolscope/poolscope/internal/alert"
	"github.com/poolscope/poolscope/internal/api/access"
	"github.com/poolscope/poolscope/internal/ledger"
	"github.com/poolscope/poolscope/internal/notify"
	"github.com/poolscope/poolscope/internal/store"
)

// byHeader signs requests in by a header, for tests.
type byHeader struct{}

func (byHeader) Session(r *http.Request) *account.Session {
	switch id := r.Header.Get("X-Test-User"); id {
	case "":
		return nil
	case "op", "op2":
		return &account.Session{ID: id, User: account.User{ID: id, Name: id, Role: account.RoleOperator}}
	case "op2 confirmed": // gave the password lately
		return &account.Session{ID: id, User: account.User{ID: "op2", Name: "op2", Role: account.RoleOperator}, Confirmed: time.Now()}
	default:
		return &account.Session{ID: id, User: account.User{ID: id, Name: id, Role: account.RoleViewer}}
	}
}

// trail remembers what was done.
type trail struct {
	mu      sync.Mutex
	actions []account.Action
}

func (t *trail) Record(_ context.Context, a account.Action) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.actions = append(t.actions, a)
}

type rig struct {
	t     *testing.T
	api   http.Handler
	gate  *access.Gate
	trail *trail
	alert alert.Store
}

func newRig(t *testing.T) *rig {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	books, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "books.db"), log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = books.Close() })
	center := notify.New(notify.Config{
		Store: books.Alerts(), Settings: notify.Settings{Services: notify.Catalog(notify.CatalogConfig{AllowPrivate: true})},
		World: func(uint64) notify.World { return notify.World{Ledger: &ledger.Snapshot{}} },
		Person: func(_ context.Context, id string) (notify.Person, bool, error) {
			return notify.Person{Operator: strings.HasPrefix(id, "op")}, true, nil
		},
		MaxChannels: 3, MaxRules: 2,
	}, log)
	r := &rig{t: t, trail: &trail{}, alert: books.Alerts()}
	gate := access.NewGate(byHeader{})
	gate.SetTokens("the-token", "")
	r.gate = gate
	r.api = New(gate, center, r.trail, []string{"old_tip"}, log)
	return r
}

// do sends a request as a user and returns the status and the body.
func (r *rig) do(user, method, path, body string) (int, string) {
	r.t.Helper()
	req := httptest.NewRequestWithContext(r.t.Context(), method, "http://pool.example"+path, strings.NewReader(body))
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	switch {
	case user == "local":
		req.RemoteAddr, req.Host = "127.0.0.1:40000", "127.0.0.1:8000"
	case user == "token":
		req.Header.Set("Authorization", "Bearer the-token")
	case strings.HasPrefix(user, "here "):
		req.Header.Set("X-Test-User", strings.TrimPrefix(user, "here "))
		req.RemoteAddr, req.Host = "127.0.0.1:1", "localhost"
	case strings.HasPrefix(user, "evil "):
		req.Header.Set("X-Test-User", strings.TrimPrefix(user, "evil "))
		req.Header.Set("Origin", "https://evil.example")
		req.Header.Set("Sec-Fetch-Site", "cross-site")
	default:
		req.Header.Set("X-Test-User", user)
	}
	w := httptest.NewRecorder()
	r.api.ServeHTTP(w, req)
	text, _ := io.ReadAll(w.Body)
	if w.Code < 300 && w.Header().Get("Cache-Control") != "no-store" {
		r.t.Errorf("%s %s may be cached", method, path)
	}
	return w.Code, strings.TrimSpace(string(text))
}

// want checks an answer.
func (r *rig) want(user, method, path, body string, code int, part string) string {
	r.t.Helper()
	gotCode, got := r.do(user, method, path, body)
	if gotCode != code || !strings.Contains(got, part) {
		r.t.Errorf("%s: %s %s %s: %d %q, want %d with %q", user, method, path, body, gotCode, got, code, part)
	}
	return got
}

func idOf(t *testing.T, text string) string {
	t.Helper()
	var v struct{ ID string }
	if err := json.Unmarshal([]byte(text), &v); err != nil || v.ID == "" {
		t.Fatalf("no id in %q", text)
	}
	return v.ID
}

// The method first, then who asks.
func TestOrderOfChecks(t *testing.T) {
	r := newRig(t)
	for path, allow := range map[string]string{
		"/api/alerts": "GET, HEAD", "/api/alerts/channels": "POST", "/api/alerts/channels/x": "PATCH, DELETE",
		"/api/alerts/channels/x/test": "POST", "/api/alerts/rules": "POST", "/api/alerts/rules/x": "PATCH, DELETE",
	} {
		req := httptest.NewRequestWithContext(t.Context(), http.MethodPut, path, nil)
		w := httptest.NewRecorder()
		r.api.ServeHTTP(w, req)
		if w.Code != 405 || w.Header().Get("Allow") != allow || strings.TrimSpace(w.Body.String()) != "method not allowed" {
			t.Errorf("%s: %d %q %q", path, w.Code, w.Header().Get("Allow"), w.Body)
		}
		method, _, _ := strings.Cut(allow, ",")
		r.want("", method, path, "", 401, "unauthorized")
		r.want("evil u1", method, path, "", 403, "forbidden")
	}
	r.want("u1", "GET", "/api/alerts", "", 200, `"channels":[],"rules":[],"recent":[]`)
	r.want("u1", "POST", "/api/alerts/rules", "{", 400, "invalid body")
	r.want("u1", "POST", "/api/alerts/rules", `{"nonsense":1}`, 400, "unknown field")
}

// Secrets go in and never come out, by no way.
func TestSecretsNeverComeOut(t *testing.T) {
	r := newRig(t)
	const secret = "tk_very-secret-0123"
	ntfy := `{"kind":"ntfy","name":"phone","settings":{"server":"https://ntfy.example","topic":"topic-secret","token":"` + secret + `"}}`
	made := r.want("u1", "POST", "/api/alerts/channels", ntfy, 201, `"secrets_set":["topic","token"]`)
	id := idOf(t, made)
	all := made + r.want("u1", "GET", "/api/alerts", "", 200, `"name":"phone"`)
	all += r.want("u1", "PATCH", "/api/alerts/channels/"+id, `{"name":"other","quiet":{"from":"22:00","to":"07:00","zone":"Europe/Berlin"}}`, 200, `"server":"https://ntfy.example"`)
	all += r.want("u1", "PATCH", "/api/alerts/channels/"+id, `{"settings":{"server":"not a server"}}`, 400, "the server must be like")
	all += r.want("u1", "PATCH", "/api/alerts/channels/"+id, `{"settings":{"server":"https://attacker.example"}}`, 400, "the server changed: enter the topic and the access token again")
	_, tested := r.do("u1", "POST", "/api/alerts/channels/"+id+"/test", "")
	all += tested
	for _, a := range r.trail.actions {
		all += a.Name + a.Target + a.Detail
	}
	for _, s := range []string{secret, "topic-secret"} {
		if strings.Contains(all, s) {
			t.Errorf("%s came out: %s", s, all)
		}
	}
	// They are still there, and what is removed is removed.
	channels, err := r.alert.Channels(t.Context())
	if err != nil || channels[0].Settings["token"] != secret || channels[0].Name != "other" {
		t.Errorf("%+v, %v", channels, err)
	}
	r.want("u1", "PATCH", "/api/alerts/channels/"+id, `{"settings":{"token":""}}`, 200, `"secrets_set":["topic"]`)
	r.want("u1", "PATCH", "/api/alerts/channels/"+id, `{"settings":{"topic":""}}`, 400, "Topic is missing")
}

// Everybody has their own, and nobody else's.
func TestOthersAreOutOfReach(t *testing.T) {
	r := newRig(t)
	hook := `{"kind":"webhook","settings":{"webhook":"https://hook.example/x"}}`
	mine := idOf(t, r.want("u1", "POST", "/api/alerts/channels", hook, 201, `"confirmed":true`))
	rule := idOf(t, r.want("u1", "POST", "/api/alerts/rules", `{"name":"r","events":["worker_offline"],"channels":["`+mine+`"]}`, 201, `"scope":"saved"`))
	for _, other := range []string{"u2", "op", "token"} {
		r.want(other, "PATCH", "/api/alerts/channels/"+mine, `{"enabled":false}`, 404, "not found")
		r.want(other, "DELETE", "/api/alerts/channels/"+mine, "", 404, "not found")
		r.want(other, "POST", "/api/alerts/channels/"+mine+"/test", "", 404, "not found")
		r.want(other, "PATCH", "/api/alerts/rules/"+rule, `{"enabled":false}`, 404, "not found")
		r.want(other, "DELETE", "/api/alerts/rules/"+rule, "", 404, "not found")
		r.want(other, "POST", "/api/alerts/rules", `{"name":"r","events":["worker_offline"],"channels":["`+mine+`"]}`, 400, "there is no channel")
		r.want(other, "GET", "/api/alerts", "", 200, `"channels":[],"rules":[]`)
	}
	// What was made without an account is all operators', and only theirs.
	shared := idOf(t, r.want("token", "POST", "/api/alerts/channels", hook, 201, `"shared":false`))
	r.want("op", "GET", "/api/alerts", "", 200, `"shared":true`)
	r.want("op2 confirmed", "PATCH", "/api/alerts/channels/"+shared, `{"name":"ours"}`, 200, `"name":"ours"`)
	r.want("u2", "DELETE", "/api/alerts/channels/"+shared, "", 404, "not found")
	r.want("op2 confirmed", "DELETE", "/api/alerts/channels/"+shared, "", 200, `{"ok":true}`)

	r.want("u1", "DELETE", "/api/alerts/channels/"+mine, "", 200, `{"ok":true}`)
	r.want("u1", "GET", "/api/alerts", "", 200, `"channels":[],`)
	r.want("u1", "DELETE", "/api/alerts/rules/"+rule, "", 200, `{"ok":true}`)

	last := r.trail.actions[len(r.trail.actions)-1]
	if last.Name != "alert_rule.delete" || last.User != "u1" || last.Target != rule || last.Failed || last.At.IsZero() {
		t.Errorf("the audit trail ends with %+v", last)
	}
}

// A channel of all operators is added, changed and removed by who proves to be one;
// everybody's own needs no proof, nor does a test.
func TestSharedChannelsNeedProof(t *testing.T) {
	sink := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer sink.Close()
	r := newRig(t)
	hook := `{"kind":"webhook","settings":{"webhook":"` + sink.URL + `"}}`
	shared := idOf(t, r.want("token", "POST", "/api/alerts/channels", hook, 201, ""))
	for _, method := range []string{"PATCH", "DELETE"} {
		r.want("op2", method, "/api/alerts/channels/"+shared, `{"enabled":false}`, 403, "confirm")
	}
	r.want("op2", "POST", "/api/alerts/channels/"+shared+"/test", "", 200, `{"ok":true}`)
	own := idOf(t, r.want("op2", "POST", "/api/alerts/channels", hook, 201, ""))
	r.want("op2", "PATCH", "/api/alerts/channels/"+own, `{"enabled":false}`, 200, `"enabled":false`)
	r.want("op2", "DELETE", "/api/alerts/channels/"+own, "", 200, `{"ok":true}`)

	// Whoever only is at this machine has proven nothing.
	r.gate.SetTokens("", "")
	r.want("local", "POST", "/api/alerts/channels", hook, 401, "unauthorized")
	r.want("local", "PATCH", "/api/alerts/channels/"+shared, `{"enabled":false}`, 401, "unauthorized")
	r.want("local", "DELETE", "/api/alerts/channels/"+shared, "", 401, "unauthorized")
	r.want("local", "GET", "/api/alerts", "", 200, `"enabled":true`)
	r.want("local", "POST", "/api/alerts/channels/"+shared+"/test", "", 200, `{"ok":true}`)
}

// What is the operators' is refused to others.
func TestWhatIsForOperators(t *testing.T) {
	r := newRig(t)
	raw := `{"kind":"shoutrrr","settings":{"url":"zulip://bot:key@zulip.example/?stream=x"}}`
	r.want("u1", "POST", "/api/alerts/channels", raw, 400, "operators only")
	r.want("op", "POST", "/api/alerts/channels", raw, 201, `"kind":"shoutrrr"`)
	for _, body := range []string{
		`{"name":"r","events":["node_trouble"]}`, `{"name":"r","events":["scope_alarm"]}`, `{"name":"r","events":["backup_failed"]}`,
		`{"name":"r","events":["worker_offline"],"scope":"pool"}`, `{"name":"r","events":["best_share"],"scope":"pool"}`,
	} {
		r.want("u1", "POST", "/api/alerts/rules", body, 400, "for operators")
	}
	r.want("u1", "POST", "/api/alerts/rules", `{"name":"r","events":["block_found"],"scope":"pool"}`, 201, `"scope":"pool"`)
	r.want("op", "POST", "/api/alerts/rules", `{"name":"r","events":["node_trouble","worker_offline"],"scope":"pool","alarms":["old_tip"]}`, 201, `"alarms":["old_tip"]`)
	viewer := r.want("u1", "GET", "/api/alerts", "", 200, `"alarm_kinds":[]`)
	if strings.Contains(viewer, "shoutrrr") || strings.Contains(viewer, "node_trouble") {
		t.Error("a viewer is offered what is the operators'")
	}
}

func TestLimitsAndNonsense(t *testing.T) {
	r := newRig(t)
	hook := `{"kind":"webhook","settings":{"webhook":"https://hook.example/x"}}`
	for range 3 {
		r.want("u1", "POST", "/api/alerts/channels", hook, 201, "")
	}
	r.want("u1", "POST", "/api/alerts/channels", hook, 409, "limit reached: 3 channels")
	r.want("u2", "POST", "/api/alerts/channels", hook, 201, "")
	for body, part := range map[string]string{
		`{"kind":"carrier_pigeon"}`:                                                                                             "no such kind of channel",
		`{"kind":"webhook","settings":{"webhook":"http://10.0.0.1/"}}`:                                                          "must begin with https",
		`{"kind":"webhook","settings":{"webhook":"https://x","more":"y"}}`:                                                      `has no "more"`,
		`{"kind":"webhook","name":"a\nb","settings":{"webhook":"https://x"}}`:                                                   "without control characters",
		`{"kind":"webhook","settings":{"webhook":"https://x"},"quiet":{"from":"22:00","to":"7","zone":"UTC"}}`:                  "not like 22:00",
		`{"kind":"webhook","settings":{"webhook":"https://x"},"quiet":{"from":"22:00","to":"07:00","zone":"<script>alert(1)"}}`: "time zone",
		`{"kind":"webhook","settings":{"webhook":"https://x/` + strings.Repeat("a", 3000) + `"}}`:                               "too long",
	} {
		r.want("u2", "POST", "/api/alerts/channels", body, 400, part)
	}
	for body, part := range map[string]string{
		`{"name":"","events":["worker_offline"]}`: "the name must have",
		`{"name":"r"}`:                       "at least one kind",
		`{"name":"r","events":["nonsense"]}`: `no kind of events "nonsense"`,
		`{"name":"r","events":["worker_offline"],"scope":"world"}`:          "scope must be",
		`{"name":"r","events":["worker_offline"],"offline_after_sec":1}`:    "offline_after",
		`{"name":"r","events":["worker_offline"],"offline_after_sec":9e15}`: "offline_after",
		`{"name":"r","events":["worker_offline"],"offline_after_sec":-300}`: "offline_after",
		`{"name":"r","events":["reject_rate"],"reject_percent":0}`:          "reject_percent",
		`{"name":"r","events":["reject_rate"],"reject_window_sec":1}`:       "reject_window",
		`{"name":"r","events":["best_share"],"min_difficulty":-1}`:          "min_difficulty",
		`{"name":"r","events":["worker_offline"],"workers":["bc1qname"]}`:   "SHA-256",
		`{"name":"r","events":["worker_offline"],"channels":["unknown"]}`:   "no channel",
		`{"name":"r","events":["worker_offline"],"reject_min_shares":1e30}`: "invalid body",
	} {
		r.want("u2", "POST", "/api/alerts/rules", body, 400, part)
	}
	id := idOf(t, r.want("u2", "POST", "/api/alerts/rules", `{"name":"r","events":["worker_offline"]}`, 201, `"offline_after_sec":300`))
	r.want("u2", "PATCH", "/api/alerts/rules/"+id, `{"offline_after_sec":600}`, 200, `"events":["worker_offline"]`)
	r.want("u2", "POST", "/api/alerts/rules", `{"name":"r","events":["worker_offline"]}`, 201, "")
	r.want("u2", "POST", "/api/alerts/rules", `{"name":"r","events":["worker_offline"]}`, 409, "limit reached: 2 rules")
}

// The test button tells at once what came of it, in words.
func TestTestButton(t *testing.T) {
	r := newRig(t)
	codes := make(chan int, 4)
	var got string
	sink := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		got = string(body)
		w.WriteHeader(<-codes)
	}))
	defer sink.Close()
	id := idOf(t, r.want("op", "POST", "/api/alerts/channels", `{"kind":"webhook","name":"mine","settings":{"webhook":"`+sink.URL+`/hook-secret"}}`, 201, ""))
	codes <- 200
	r.want("op", "POST", "/api/alerts/channels/"+id+"/test", "", 200, `{"ok":true}`)
	if !strings.Contains(got, "This is a test of the channel mine") {
		t.Errorf("the sink got %s", got)
	}
	r.want("op", "GET", "/api/alerts", "", 200, `"last_sent_at":"20`)
	codes <- 404
	r.want("op", "POST", "/api/alerts/channels/"+id+"/test", "", 502, "not sent: the service answered 404 Not Found")
	r.want("op", "GET", "/api/alerts", "", 200, `"last_error":"the service answered 404 Not Found"`)
	for range 40 {
		select {
		case codes <- 200:
		default:
		}
		if code, _ := r.do("op", "POST", "/api/alerts/channels/"+id+"/test", ""); code == 429 {
			return
		}
	}
	t.Error("the test button has no limit")
}
