package scopeapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

var when = time.Date(2024, 1, 7, 12, 34, 56, 789e6, time.UTC)

// scenarioA is the happy path of the reference: subscribe, authorize, a job and
// a share.
func scenarioA(b *bench, id string) *capture.Tape {
	t := b.open(id)
	say(t, capture.MinerToPool, `{"id":1,"method":"mining.subscribe","params":["cgminer/4.10","sess77"]}`+"\n", when)
	say(t, capture.PoolToMiner, `{"id":1,"result":[[],"81000000",4],"error":null}`+"\n", when.Add(5*time.Millisecond))
	say(t, capture.MinerToPool, `{"id":2,"method":"mining.authorize","params":["u.w","x"]}`+"\n", when.Add(6*time.Millisecond))
	say(t, capture.PoolToMiner, `{"id":2,"result":true,"error":null}`+"\n", when.Add(7*time.Millisecond))
	say(t, capture.PoolToMiner, `{"id":null,"method":"mining.set_difficulty","params":[8192]}`+"\n", when.Add(8*time.Millisecond))
	say(t, capture.PoolToMiner, `{"id":null,"method":"mining.notify","params":["job1","00","01","02",[],"20000000","1d00ffff","65000001",true]}`+"\n", when.Add(9*time.Millisecond))
	say(t, capture.MinerToPool, `{"id":3,"method":"mining.submit","params":["u.w","job1","0000000000000001","65000001","deadbeef"],"jsonrpc":"2.0"}`+"\n", when.Add(time.Second))
	say(t, capture.PoolToMiner, `{"id":3,"result":true,"error":null}`+"\n", when.Add(time.Second+2286*time.Microsecond))
	b.settle(id, 8)
	return t
}

// field says what a member of a response must be: a kind of JSON value, or
// several.
type field struct {
	name  string
	kinds []string
}

func wantMembers(t *testing.T, what string, got map[string]any, want []field) {
	t.Helper()
	for _, m := range want {
		v, ok := got[m.name]
		if !ok {
			t.Errorf("%s: %s is missing", what, m.name)
			continue
		}
		if kind := kindOf(v); !slices.Contains(m.kinds, kind) {
			t.Errorf("%s: %s is %s (%v), want %v", what, m.name, kind, v, m.kinds)
		}
	}
}

func kindOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case float64:
		return "number"
	case string:
		if _, err := time.Parse("2006-01-02T15:04:05.000000Z", v); err == nil {
			return "time"
		}
		return "string"
	case []any:
		return "array"
	case map[string]any:
		return "object"
	}
	return fmt.Sprintf("%T", v)
}

// The members of the contract and of the original, with what they may be.
var (
	sessionMembers = []field{
		{"session_id", []string{"string"}},
		{"peer", []string{"string"}},
		{"first_seen", []string{"time"}},
		{"last_seen", []string{"time"}},
		{"message_count", []string{"number"}},
		{"stats", []string{"object"}},
		{"user_agent", []string{"string", "null"}},
		{"mining_session_id", []string{"string", "null"}},
		{"difficulty", []string{"number", "null"}},
		{"pool_host", []string{"string", "null"}},
		{"pool_port", []string{"number", "null"}},
		{"pool_connected", []string{"boolean"}},
		{"broadcast_enabled", []string{"boolean"}},
		{"repeat_count", []string{"number"}},
		{"auto_replay_enabled", []string{"boolean"}},
		{"auto_replay_count", []string{"number"}},
	}
	statsMembers = []field{
		{"total_messages", []string{"number"}},
		{"miner_to_pool", []string{"number"}},
		{"pool_to_miner", []string{"number"}},
		{"parse_errors", []string{"number"}},
	}
	messageMembers = []field{
		{"id", []string{"string"}},
		{"ts_recv", []string{"time"}},
		{"ts_fwd", []string{"time", "null"}},
		{"direction", []string{"string"}},
		{"session_id", []string{"string"}},
		{"peer", []string{"string"}},
		{"raw", []string{"string"}},
		{"decoded", []string{"object", "null"}},
		{"parse_error", []string{"string", "null"}},
		{"size_bytes", []string{"number"}},
		{"jsonrpc_id", []string{"string", "number", "null"}},
		{"is_request", []string{"boolean"}},
		{"is_response", []string{"boolean"}},
		{"paired_message_id", []string{"string", "null"}},
		{"response", []string{"object", "null"}},
		{"response_ts_recv", []string{"time", "null"}},
		{"response_raw", []string{"string", "null"}},
		{"latency_ms", []string{"number", "null"}},
	}
	configMembers = []field{
		{"listen_host", []string{"string"}},
		{"listen_port", []string{"number"}},
		{"pool_host", []string{"string"}},
		{"pool_port", []string{"number"}},
		{"api_port", []string{"number"}},
		{"capture_max_messages", []string{"number"}},
		{"nostr_enabled", []string{"boolean"}},
		{"run_id", []string{"string"}},
	}
)

func TestSessions(t *testing.T) {
	b := newBench(t)
	scenarioA(b, "abc-def-123")
	b.open("quiet") // nothing was said yet

	w := b.get("/api/sessions")
	list := read[[]map[string]any](t, w)
	if w.Code != http.StatusOK || len(list) != 2 || list[0]["session_id"] != "abc-def-123" {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	detail := read[map[string]any](t, b.get("/api/sessions/abc-def-123"))
	for what, s := range map[string]map[string]any{"list": list[0], "silent": list[1], "detail": detail} {
		wantMembers(t, what, s, sessionMembers)
		stats, _ := s["stats"].(map[string]any)
		wantMembers(t, what+".stats", stats, statsMembers)
		if stats["total_messages"] != s["message_count"] {
			t.Errorf("%s: %v messages, but %v in stats", what, s["message_count"], stats)
		}
	}
	for name, want := range map[string]any{
		"peer": "192.168.1.100:12345", "first_seen": "2024-01-07T12:34:56.789000Z", "message_count": 8.0,
		"user_agent": "cgminer/4.10", "mining_session_id": "sess77", "difficulty": 8192.0,
		"pool_host": "pool.example.com", "pool_port": 3333.0, "pool_connected": true, "pool_peer": "10.0.0.1:3333",
		"broadcast_enabled": false, "repeat_count": 1.0, "auto_replay_enabled": false, "auto_replay_count": 1.0,
		"origin": "proxy", "live": true, "ended_at": nil, "close_reason": nil,
	} {
		if detail[name] != want {
			t.Errorf("%s is %v, want %v", name, detail[name], want)
		}
	}
	stats, _ := detail["stats"].(map[string]any)
	if stats["miner_to_pool"] != 3.0 || stats["pool_to_miner"] != 5.0 || stats["parse_errors"] != 0.0 {
		t.Errorf("stats are %v", stats)
	}
	if _, ok := list[1]["pool_peer"]; list[1]["user_agent"] != nil || list[1]["difficulty"] != nil || !ok {
		t.Errorf("a silent session is %v", list[1])
	}
	wantDetail(t, b.get("/api/sessions/nobody"), http.StatusNotFound, "Session not found")
}

func TestMessages(t *testing.T) {
	b := newBench(t)
	scenarioA(b, "abc-def-123")

	list := read[[]map[string]any](t, b.get("/api/messages"))
	var order []any
	for _, m := range list {
		wantMembers(t, "list", m, messageMembers)
		order = append(order, m["id"])
	}
	if len(list) != 8 || order[0] != "abc-def-123-8" || order[7] != "abc-def-123-1" {
		t.Errorf("ids are %v, want the newest first", order)
	}
	one := b.get("/api/messages/abc-def-123-7")
	want, _ := json.Marshal(list[1])
	if got, _ := json.Marshal(read[map[string]any](t, one)); string(got) != string(want) {
		t.Errorf("alone: %s\nin list: %s", got, want)
	}
	submit := list[1]
	for name, want := range map[string]any{
		"ts_recv": "2024-01-07T12:34:57.789000Z", "ts_fwd": "2024-01-07T12:34:57.789000Z", "direction": "miner_to_pool",
		"peer": "192.168.1.100:12345", "parse_error": nil, "size_bytes": 115.0, "jsonrpc_id": 3.0, "is_request": true, "is_response": false,
		"paired_message_id": "abc-def-123-8", "response_raw": `{"id":3,"result":true,"error":null}` + "\n", "latency_ms": 2.286,
		"raw_encoding": "utf-8", "worker": "u.w",
	} {
		if submit[name] != want {
			t.Errorf("%s is %v, want %v", name, submit[name], want)
		}
	}
	if decoded, _ := submit["decoded"].(map[string]any); decoded["jsonrpc"] != "2.0" {
		t.Errorf("decoded lost a member: %v", decoded)
	}
	wantDetail(t, b.get("/api/messages/abc-def-123-9"), http.StatusNotFound, "Message not found")
	wantDetail(t, b.get("/api/messages/abc-def-123"), http.StatusNotFound, "Message not found")
}

// A session that is live stays on the list, however many began after it.
func TestLiveSessionsStay(t *testing.T) {
	b := newBench(t)
	b.open("a-farm")
	for _, id := range []string{"b", "c", "d"} {
		b.open(id).Close("miner_closed", when)
		b.until(id, "has ended", func(s capture.Session) bool { return !s.Live() })
	}
	for query, want := range map[string]string{
		"limit=2":            "a-farm c d",
		"limit=1&live=true":  "a-farm",
		"limit=2&live=false": "c d",
	} {
		var got []string
		for _, s := range read[[]sessionView](t, b.get("/api/sessions?"+query)) {
			got = append(got, s.SessionID)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", query, got, want)
		}
	}
}

func TestMessageFilters(t *testing.T) {
	b := newBench(t)
	scenarioA(b, "abc-def-123")
	second := b.open("other")
	say(second, capture.MinerToPool, "no JSON\n", when.Add(time.Minute))
	b.settle("other", 1)

	for query, want := range map[string]int{
		"":                                  9,
		"session_id=abc-def-123":            8,
		"session_id=nobody":                 0,
		"direction=pool_to_miner":           5,
		"direction=hashscope_to_pool":       0,
		"limit=1":                           1,
		"limit=1000&offset=7":               2,
		"offset=100":                        0,
		"method=mining.notify":              1,
		"worker=u.w":                        2,
		"text=DEADBEEF":                     1,
		"error=true":                        1,
		"error=false":                       8,
		"since=2024-01-07T12:34:57Z":        3,
		"until=2024-01-07T12:34:57":         6,
		"since=2024-01-07T12:35:56%2B00:00": 1,
		"verdict=accepted":                  1,
		"verdict=rejected":                  0,
		"direction=miner_to_pool&error=0":   3,
		"session_id=abc-def-123&direction=miner_to_pool&method=mining.submit": 1,
	} {
		if got := read[[]any](t, b.get("/api/messages?"+query)); len(got) != want {
			t.Errorf("%s: %d messages, want %d", query, len(got), want)
		}
	}
}

// TestCursor pages through all messages while new ones arrive.
func TestCursor(t *testing.T) {
	b := newBench(t)
	tape := scenarioA(b, "s")
	seen := map[string]bool{}
	target := "/api/messages?limit=3&offset=0"
	for pages := 0; target != ""; pages++ {
		w := b.get(target)
		for _, m := range read[[]map[string]any](t, w) {
			id, _ := m["id"].(string)
			if seen[id] {
				t.Errorf("%s twice", id)
			}
			seen[id] = true
		}
		say(tape, capture.PoolToMiner, `{"id":null,"method":"mining.ping"}`+"\n", when.Add(time.Hour))
		b.settle("s", uint64(9+pages))
		target = ""
		if cursor := w.Header().Get("X-Next-Cursor"); cursor != "" {
			target = "/api/messages?limit=3&cursor=" + cursor
			if link := w.Header().Get("Link"); link != "</api/messages?cursor="+cursor+`&limit=3>; rel="next"` {
				t.Errorf("Link: %s", link)
			}
		}
	}
	for n := uint64(1); n <= 8; n++ {
		if !seen[capture.MessageID("s", n)] {
			t.Errorf("message %d was left out", n)
		}
	}
	if len(seen) != 8 {
		t.Errorf("saw %d messages, want the 8 that were there", len(seen))
	}
}

// TestOffset leaves messages out of the first page only: a cursor says where to
// go on, and an offset that is still in the address changes nothing.
func TestOffset(t *testing.T) {
	b := newBench(t)
	scenarioA(b, "s")
	ids := func(target string) (ids []string) {
		for _, m := range read[[]map[string]any](t, b.get(target)) {
			id, _ := m["id"].(string)
			ids = append(ids, id)
		}
		return ids
	}
	if got := ids("/api/messages?limit=2&offset=3"); !slices.Equal(got, []string{"s-5", "s-4"}) {
		t.Errorf("first page %q", got)
	}
	cursor := b.get("/api/messages?limit=2&offset=3").Header().Get("X-Next-Cursor")
	for _, rest := range []string{"", "&offset=3"} {
		if got := ids("/api/messages?limit=2&cursor=" + cursor + rest); !slices.Equal(got, []string{"s-3", "s-2"}) {
			t.Errorf("next page with %q: %q", rest, got)
		}
	}
}

func TestConfig(t *testing.T) {
	b := newBench(t)
	got := read[map[string]any](t, b.get("/api/config"))
	wantMembers(t, "config", got, configMembers)
	if got["listen_port"] != 3333.0 || got["run_id"] != "test-run-123" || got["pool_host"] != "stratum+tcp://pool.example.com" {
		t.Errorf("got %v", got)
	}
}

func TestAgents(t *testing.T) {
	b := newBench(t)
	if w := b.get("/api/agents"); w.Code != http.StatusOK || w.Body.String() != "[]" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	wantDetail(t, b.get("/api/agents/agent-us-west-1"), http.StatusNotFound, "Agent not found")
}
