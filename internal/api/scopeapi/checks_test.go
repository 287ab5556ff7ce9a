package scopeapi

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/poolscope/poolscope/internal/scope/capture"
	"github.com/poolscope/poolscope/internal/scope/replay"
)

// TestChecks asks for what is wrong in one way or in several, and checks which
// of them is told: access, path, method, type and body, existence, bounds.
func TestChecks(t *testing.T) {
	b := newBench(t)
	scenarioA(b, "s")
	ended := b.open("ended")
	say(ended, capture.MinerToPool, `{"id":1,"method":"mining.submit","params":["w"]}`+"\n", when)
	ended.Close("miner_closed", when.Add(time.Second))
	b.until("ended", "has ended", func(s capture.Session) bool { return !s.Live() })

	const (
		submit   = "/api/messages/s-7/replay"
		repeat   = "/api/sessions/s/repeat-count"
		auto     = "/api/sessions/s/auto-replay-count"
		textPart = `{"detail":`
	)
	problems := func(list ...string) string { return `{"detail":[` + strings.Join(list, ",") + `]}` }
	tests := []struct {
		name, method, target, body string
		status                     int
		want                       string
	}{
		// Parameters.
		{"above", "GET", "/api/messages?limit=1001", "", 422, problems(`{"type":"less_than_equal","loc":["query","limit"],"msg":"Input should be less than or equal to 1000","input":"1001","ctx":{"le":1000}}`)},
		{"offset", "GET", "/api/messages?offset=100001", "", 422, problems(`{"type":"less_than_equal","loc":["query","offset"],"msg":"Input should be less than or equal to 100000","input":"100001","ctx":{"le":100000}}`)},
		{"below", "GET", "/api/messages?limit=0", "", 422, problems(`{"type":"greater_than_equal","loc":["query","limit"],"msg":"Input should be greater than or equal to 1","input":"0","ctx":{"ge":1}}`)},
		{"no number", "GET", "/api/messages?limit=ten", "", 422, problems(`{"type":"int_parsing","loc":["query","limit"],"msg":"Input should be a valid integer, unable to parse string as an integer","input":"ten"}`)},
		{"huge", "GET", "/api/messages?limit=99999999999999999999", "", 422, problems(`{"type":"int_parsing","loc":["query","limit"],"msg":"Input should be a valid integer, unable to parse string as an integer","input":"99999999999999999999"}`)},
		{"several", "GET", "/api/messages?offset=-1&direction=up", "", 422, problems(
			`{"type":"enum","loc":["query","direction"],"msg":"Input should be 'miner_to_pool', 'pool_to_miner' or 'hashscope_to_pool'","input":"up","ctx":{"expected":"'miner_to_pool', 'pool_to_miner' or 'hashscope_to_pool'"}}`,
			`{"type":"greater_than_equal","loc":["query","offset"],"msg":"Input should be greater than or equal to 0","input":"-1","ctx":{"ge":0}}`)},
		{"no time", "GET", "/api/messages?since=yesterday", "", 422, problems(`{"type":"datetime_parsing","loc":["query","since"],"msg":"Input should be a valid datetime","input":"yesterday"}`)},
		{"no boolean", "GET", "/api/messages?error=perhaps", "", 422, problems(`{"type":"bool_parsing","loc":["query","error"],"msg":"Input should be a valid boolean, unable to interpret input","input":"perhaps"}`)},
		{"no UTF-8", "GET", "/api/messages?limit=%FF", "", 422, problems(`{"type":"int_parsing","loc":["query","limit"],"msg":"Input should be a valid integer, unable to parse string as an integer","input":"\ufffd"}`)},
		{"required", "GET", "/api/compare?a=s", "", 422, problems(`{"type":"missing","loc":["query","b"],"msg":"Field required","input":null}`)},
		{"format before session", "GET", "/api/sessions/nobody/export?format=zip", "", 422, problems(`{"type":"enum","loc":["query","format"],"msg":"Input should be 'jsonl', 'pcapng' or 'csv'","input":"zip","ctx":{"expected":"'jsonl', 'pcapng' or 'csv'"}}`)},
		{"session of the export", "GET", "/api/sessions/nobody/export?format=csv", "", 404, `{"detail":"Session not found"}`},

		// Bodies.
		{"no body", "POST", repeat, "", 422, problems(`{"type":"missing","loc":["body"],"msg":"Field required","input":null}`)},
		{"no member", "POST", repeat, "{}", 422, problems(`{"type":"missing","loc":["body","repeat_count"],"msg":"Field required","input":{}}`)},
		{"no JSON", "POST", repeat, "{repeat", 422, problems(`{"type":"json_invalid","loc":["body",2],"msg":"JSON decode error","input":{},"ctx":{"error":"invalid character 'r' looking for beginning of object key string"}}`)},
		{"no object", "POST", repeat, "[1]", 422, problems(`{"type":"model_attributes_type","loc":["body"],"msg":"Input should be a valid dictionary or object to extract fields from","input":[1]}`)},
		{"a fraction", "POST", repeat, `{"repeat_count":5.5}`, 422, problems(`{"type":"int_from_float","loc":["body","repeat_count"],"msg":"Input should be a valid integer, got a number with a fractional part","input":5.5}`)},
		{"a list", "POST", repeat, `{"repeat_count":[]}`, 422, problems(`{"type":"int_type","loc":["body","repeat_count"],"msg":"Input should be a valid integer","input":[]}`)},
		{"an exponent", "POST", repeat, `{"repeat_count":1e999999999}`, 422, problems(`{"type":"int_parsing_size","loc":["body","repeat_count"],"msg":"Unable to parse input string as an integer, exceeded maximum size","input":"1e999999999"}`)},
		{"two values", "POST", repeat, `{"repeat_count":5} {}`, 422, textPart},
		{"a deep one", "POST", repeat, strings.Repeat("[", 20000), 422, textPart},
		{"a large one", "POST", repeat, `{"repeat_count":5, "x":"` + strings.Repeat("x", maxBody) + `"}`, 413, `{"detail":"The body is too large"}`},

		// The original's bounds: 404 before 400, 422 before 404.
		{"number as text", "POST", repeat, `{"repeat_count":"7"}`, 200, `{"session_id":"s","repeat_count":7}`},
		{"whole fraction", "POST", repeat, `{"repeat_count":5.0}`, 200, `{"session_id":"s","repeat_count":5}`},
		{"kept", "GET", repeat, "", 200, `{"session_id":"s","repeat_count":5}`},
		{"repeat 0", "POST", repeat, `{"repeat_count":0}`, 400, `{"detail":"Repeat count must be between 1 and 1000"}`},
		{"repeat 1001", "POST", repeat, `{"repeat_count":1001}`, 400, `{"detail":"Repeat count must be between 1 and 1000"}`},
		{"repeat huge", "POST", repeat, `{"repeat_count":9223372036854775807}`, 400, `{"detail":"Repeat count must be between 1 and 1000"}`},
		{"repeat 1001 of nobody", "POST", "/api/sessions/nobody/repeat-count", `{"repeat_count":1001}`, 404, `{"detail":"Session not found"}`},
		{"repeat 5.5 of nobody", "POST", "/api/sessions/nobody/repeat-count", `{"repeat_count":5.5}`, 422, textPart},
		{"repeat 1000", "POST", repeat, `{"repeat_count":1000}`, 200, `{"session_id":"s","repeat_count":1000}`},
		{"auto 0", "POST", auto, `{"auto_replay_count":0}`, 422, problems(`{"type":"greater_than_equal","loc":["body","auto_replay_count"],"msg":"Input should be greater than or equal to 1","input":0,"ctx":{"ge":1}}`)},
		{"auto 900001 of nobody", "POST", "/api/sessions/nobody/auto-replay-count", `{"auto_replay_count":900001}`, 422, problems(`{"type":"less_than_equal","loc":["body","auto_replay_count"],"msg":"Input should be less than or equal to 900000","input":900001,"ctx":{"le":900000}}`)},
		{"auto of nobody", "POST", "/api/sessions/nobody/auto-replay-count", `{"auto_replay_count":1}`, 404, `{"detail":"Session not found"}`},
		{"auto 900000", "POST", auto, `{"auto_replay_count":900000}`, 200, `{"session_id":"s","auto_replay_count":900000}`},
		{"auto kept", "GET", auto, "", 200, `{"session_id":"s","auto_replay_count":900000}`},

		// Switches; they work for ended sessions, too.
		{"broadcast", "GET", "/api/sessions/ended/broadcast/status", "", 200, `{"session_id":"ended","broadcast_enabled":false}`},
		{"broadcast on", "POST", "/api/sessions/ended/broadcast/enable", "", 200, `{"session_id":"ended","broadcast_enabled":true}`},
		{"broadcast is on", "GET", "/api/sessions/ended/broadcast/status", "", 200, `{"session_id":"ended","broadcast_enabled":true}`},
		{"broadcast off", "POST", "/api/sessions/ended/broadcast/disable", "", 200, `{"session_id":"ended","broadcast_enabled":false}`},
		{"broadcast of nobody", "POST", "/api/sessions/nobody/broadcast/enable", "", 404, `{"detail":"Session not found"}`},
		{"auto-replay on", "POST", "/api/sessions/s/auto-replay/enable", "", 200, `{"session_id":"s","auto_replay_enabled":true,"progress":{`},
		{"auto-replay is on", "GET", "/api/sessions/s/auto-replay/status", "", 200, `{"session_id":"s","auto_replay_enabled":true,"progress":{`},
		{"auto-replay off", "POST", "/api/sessions/s/auto-replay/disable", "", 200, `{"session_id":"s","auto_replay_enabled":false,"progress":{`},
		{"auto-replay of nobody", "GET", "/api/sessions/nobody/auto-replay/status", "", 404, `{"detail":"Session not found"}`},
		{"patch out of bounds", "PATCH", "/api/sessions/s", `{"repeat_count":0,"auto_replay_rate":"fast"}`, 422, problems(
			`{"type":"float_type","loc":["body","auto_replay_rate"],"msg":"Input should be a valid number","input":"fast"}`,
			`{"type":"greater_than_equal","loc":["body","repeat_count"],"msg":"Input should be greater than or equal to 1","input":0,"ctx":{"ge":1}}`)},
		{"patch", "PATCH", "/api/sessions/s", `{"repeat_count":3,"broadcast_enabled":true,"auto_replay_rate":7.5}`, 200, `{"session_id":"s",`},
		{"patched", "GET", repeat, "", 200, `{"session_id":"s","repeat_count":3}`},
		{"patch of nobody", "PATCH", "/api/sessions/nobody", `{}`, 404, `{"detail":"Session not found"}`},

		// Replay: 422, 404, 400, 400.
		{"replay of a wrong type", "POST", "/api/messages/nothing/replay", `{"modified_message":1}`, 422, problems(`{"type":"string_type","loc":["body","modified_message"],"msg":"Input should be a valid string","input":1}`)},
		{"replay of nothing", "POST", "/api/messages/nothing/replay", "", 404, `{"detail":"Message not found"}`},
		{"replay of the pool's", "POST", "/api/messages/s-6/replay", "", 400, `{"detail":"Can only replay messages from miner to pool"}`},
		{"replay of a subscribe", "POST", "/api/messages/s-1/replay", `{}`, 400, `{"detail":"Can only replay mining.submit messages"}`},
		{"replay", "POST", submit, "", 200, `{"success":true,"pool_response":{"id":3,"method":null,"params":null,"result":true,"error":null},"error":null,"latency_ms":0.318,"message_id":"s-9"}`},
		{"replay of null", "POST", submit, `null`, 200, `{"success":true`},
		{"replay modified", "POST", submit, `{"modified_message":"{\"id\":9}"}`, 200, `{"success":true`},

		// Ends.
		{"disconnect", "POST", "/api/sessions/s/disconnect", "", 200, `{"session_id":"s","message":"Session disconnected. Both pool and miner connections closed."}`},
		{"disconnect of nobody", "POST", "/api/sessions/nobody/disconnect", "", 404, `{"detail":"Session not found"}`},
		{"disconnect of the ended", "POST", "/api/sessions/ended/disconnect", "", 404, `{"detail":"Session not active or already disconnected"}`},

		// Paths and methods.
		{"unknown", "GET", "/api/sessions/s/nothing", "", 404, `{"detail":"Not Found"}`},
		{"unknown deeper", "GET", "/api/scope/nothing/at/all", "", 404, `{"detail":"Not Found"}`},
		{"method", "DELETE", "/api/sessions/s", "", 405, `{"detail":"Method Not Allowed"}`},
		{"method of a list", "POST", "/api/messages?limit=x", "", 405, `{"detail":"Method Not Allowed"}`},
		{"limit before the agent", "GET", "/api/agents/a/history?limit=abc", "", 422, problems(`{"type":"int_parsing","loc":["query","limit"],"msg":"Input should be a valid integer, unable to parse string as an integer","input":"abc"}`)},
		{"health", "GET", "/health", "", 200, `{"status":"ok"}`},
		{"method of health", "POST", "/health", "", 405, `{"detail":"Method Not Allowed"}`},
		{"limit of none", "GET", "/api/agents/a/history?limit=0", "", 422, problems(`{"type":"greater_than_equal","loc":["query","limit"],"msg":"Input should be greater than or equal to 1","input":"0","ctx":{"ge":1}}`)},
		{"limit of too many", "GET", "/api/agents/a/history?limit=1001", "", 422, problems(`{"type":"less_than_equal","loc":["query","limit"],"msg":"Input should be less than or equal to 1000","input":"1001","ctx":{"le":1000}}`)},
		{"agent", "GET", "/api/agents/a/history?limit=5", "", 404, `{"detail":"Agent not found"}`},
		{"series of nobody", "GET", "/api/agents/a/series?range=6h", "", 404, `{"detail":"Agent not found"}`},
		{"series of no range", "GET", "/api/agents/a/series?range=9h", "", 422, `{"detail":[{"type":"enum"`},
		{"no fleet", "GET", "/api/fleet", "", 200, `{"enabled":false,"run_id":"test-run-123"`},
		{"order without a fleet", "PUT", "/api/fleet/order", `{"rate":1,"difficulty":0}`, 503, `{"detail":"The fleet is not running"}`},

		// The tap.
		{"tap", "GET", "/api/scope/tap", "", 200, `{"mode":"off"}`},
		{"tap of nobody", "PUT", "/api/scope/tap", `{"mode":"worker"}`, 422, problems(`{"type":"missing","loc":["body","worker"],"msg":"Field required","input":null}`)},
		{"tap nonsense", "PUT", "/api/scope/tap", `{"mode":"some"}`, 422, problems(`{"type":"enum","loc":["body","mode"],"msg":"Input should be 'off', 'all' or 'worker'","input":"some","ctx":{"expected":"'off', 'all' or 'worker'"}}`)},
		{"tap of one", "PUT", "/api/scope/tap", `{"mode":"worker","worker":"bc1q.rig"}`, 200, `{"mode":"worker","worker":"bc1q.rig"}`},
		{"tap of all", "PUT", "/api/scope/tap", `{"mode":"all"}`, 200, `{"mode":"all"}`},

		// What is not running.
		{"no audit", "GET", "/api/sessions/s/facts", "", 503, `{"detail":"The audit is not running"}`},
		{"no audit of nobody", "GET", "/api/sessions/nobody/facts", "", 404, `{"detail":"Session not found"}`},
		{"kind of alarms", "GET", "/api/alarms?kind=foo", "", 422, `{"detail":[{"type":"enum","loc":["query","kind"],"msg":"Input should be 'block_found', `},
		{"kind before the session", "GET", "/api/sessions/nobody/alarms?kind=foo", "", 422, `{"detail":[{"type":"enum","loc":["query","kind"],`},
		{"a kind", "GET", "/api/alarms?kind=accepted_though_malformed", "", 503, `{"detail":"The audit is not running"}`},
		{"no alarms", "GET", "/api/alarms", "", 503, `{"detail":"The audit is not running"}`},
	}
	b.replay.result = replay.Result{
		Success: true, Response: []byte(`{"id":3,"method":null,"params":null,"result":true,"error":null}`), Latency: 318 * time.Microsecond, MessageID: "s-9",
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := b.send(test.method, test.target, test.body)
			body := w.Body.String()
			if w.Code != test.status || body != test.want && (strings.HasSuffix(test.want, "}") || !strings.HasPrefix(body, test.want)) {
				t.Errorf("got %d %s\nwant %d %s", w.Code, body, test.status, test.want)
			}
			read[any](t, w)
		})
	}
	if got := b.replay.modified; len(got) != 5 || got[4] != `{"id":9}` || got[2] != "" {
		t.Errorf("the service was given %q", got)
	}
}

func TestRefusedReplays(t *testing.T) {
	b := newBench(t)
	scenarioA(b, "s")
	for err, status := range map[*replay.Refusal]int{
		replay.ErrNotLive: 404, replay.ErrJSON: 400, replay.ErrNotObject: 400, replay.ErrNoID: 400, replay.ErrLineFeed: 400,
		replay.ErrIncomplete: 400, replay.ErrBusy: 503,
	} {
		b.replay.err = err
		wantDetail(t, b.send("POST", "/api/messages/s-7/replay", ""), status, err.Error())
	}
	b.replay.err = replay.ErrNotOwn
	wantDetail(t, b.send("POST", "/api/sessions/s/auto-replay/enable", ""), http.StatusForbidden, replay.ErrNotOwn.Error())
	if got := read[map[string]any](t, b.get("/api/sessions/s/auto-replay/status")); got["auto_replay_enabled"] != false {
		t.Errorf("refused, and yet on: %v", got)
	}
}

func TestTrailingSlash(t *testing.T) {
	b := newBench(t)
	for target, want := range map[string]string{
		"/api/sessions/":            "/api/sessions",
		"/api/sessions/a%2Fb/?x=1":  "/api/sessions/a%2Fb?x=1",
		"/api/messages/?limit=1001": "/api/messages?limit=1001",
	} {
		if w := b.get(target); w.Code != http.StatusTemporaryRedirect || w.Header().Get("Location") != want {
			t.Errorf("%s: %d to %q", target, w.Code, w.Header().Get("Location"))
		}
	}
	wantDetail(t, b.get("/api/nothing/"), http.StatusNotFound, "Not Found")
}

func TestHead(t *testing.T) {
	b := newBench(t)
	if w := b.serve(request(http.MethodHead, "/api/sessions", "")); w.Code != http.StatusOK {
		t.Errorf("HEAD: %d", w.Code)
	}
	w := b.send(http.MethodDelete, "/api/sessions/s", "")
	if got := w.Header().Get("Allow"); got != "GET, HEAD, PATCH" {
		t.Errorf("Allow: %s", got)
	}
}

// TestPanic lets a handler fail by a mistake of ours.
func TestPanic(t *testing.T) {
	b := newBench(t, func(_ *Config, s *Sources) {
		s.Parts = []Part{{Name: "broken", Status: func() any { panic("a mistake") }}}
	})
	wantDetail(t, b.get("/api/scope/status"), http.StatusInternalServerError, "Internal Server Error")
	if b.api.panics.Load() != 1 {
		t.Errorf("%d panics counted", b.api.panics.Load())
	}
}

// TestPanickingPart scrapes metrics of a part that fails: the scrape fails, the
// program goes on.
func TestPanickingPart(t *testing.T) {
	b := newBench(t, func(_ *Config, s *Sources) {
		s.Parts = []Part{{Name: "broken", Status: func() any { panic("a mistake") }}}
	})
	registry := prometheus.NewRegistry()
	registry.MustRegister(b.api)
	if _, err := registry.Gather(); err == nil || b.api.panics.Load() != 1 {
		t.Errorf("%v; %d panics counted", err, b.api.panics.Load())
	}
}

// TestFeedSurvives gives the feed a message that cannot be encoded.
func TestFeedSurvives(t *testing.T) {
	f := NewFeed(FeedConfig{})
	l, _ := f.join("")
	defer f.leave(l)
	f.distribute(nil)
	f.distribute(&capture.Message{Seq: 1, Session: "s", N: 1, Raw: []byte("{}\n")})
	if l.take() == nil || f.Status().Faults != 1 {
		t.Errorf("%+v", f.Status())
	}
}

// TestNothingRuns asks an API without any part behind it.
func TestNothingRuns(t *testing.T) {
	b := newBench(t, func(_ *Config, s *Sources) { *s = Sources{} })
	for _, target := range []string{"/api/sessions", "/api/sessions/s", "/api/messages", "/api/messages/s-1", "/api/alarms", "/api/scope/tap"} {
		if w := b.get(target); w.Code != http.StatusServiceUnavailable || !strings.Contains(read[map[string]string](t, w)["detail"], "not running") {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
	for _, target := range []string{"/api/config", "/api/agents", "/api/scope/status", "/openapi.json"} {
		if w := b.get(target); w.Code != http.StatusOK {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
}
