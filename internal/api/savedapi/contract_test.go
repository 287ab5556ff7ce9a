package savedapi

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/account/saved"
)

// The shapes were written from the contract's text, not from the code. A "?"
// behind a type says that the member is optional.
var (
	listContract = map[string]string{
		"updated_at": "rfc3339", "saved_max": "integer", "saved_count": "integer", "online_count": "integer",
		"discord_registered": "boolean?", "discord_notify_enabled": "boolean?", "best_difficulty": "number",
		"online_workers": "array", "offline_workers": "array",
	}
	rowContract = map[string]string{
		"name": "string", "hash": "string", "online": "boolean", "notify_enabled": "boolean", "best_difficulty": "number",
		"last_online_at": "rfc3339?", "last_share": "rfc3339?", "hashrate": "number", "hashrate_accuracy": "string?",
		"shares_per_minute": "number", "accepted": "integer", "rejected": "integer", "difficulty": "number",
		"estimated_ping_p50_ms": "number?", "estimated_ping_p95_ms": "number?",
		"notify_to_first_share_ms": "number?", "notify_to_first_share_p50_ms": "number?", "notify_to_first_share_p95_ms": "number?",
		"notify_to_first_share_samples": "integer?", "connection_seq": "integer?", "connection_duration_seconds": "number?",
	}
	// What this pool adds; docs/api.md has it.
	rowOurs = map[string]string{
		"owned": "boolean", "proof": "string?", "claim": "object?", "uptime_percent_24h": "number?", "best_session": "number?",
		"ordered_difficulty": "number?", "accepted_total": "integer", "rejected_total": "integer", "added_at": "rfc3339",
	}
)

// checkShape compares an object with a shape, and notes which members it has.
func checkShape(t *testing.T, where string, object map[string]any, shapes ...map[string]string) {
	t.Helper()
	shape := map[string]string{}
	for _, s := range shapes {
		maps.Copy(shape, s)
	}
	for name, kind := range shape {
		kind, optional := strings.CutSuffix(kind, "?")
		value, there := object[name]
		if !there {
			if !optional {
				t.Errorf("%s lacks %s", where, name)
			}
			continue
		}
		if !isKind(value, kind) {
			t.Errorf("%s: %s is %v (%T), want %s", where, name, value, value, kind)
		}
	}
	for name := range object {
		if shape[name] == "" {
			t.Errorf("%s has %s, which nobody described", where, name)
		}
	}
}

func isKind(value any, kind string) bool {
	number, isNumber := value.(json.Number)
	text, isText := value.(string)
	switch kind {
	case "integer":
		return isNumber && !strings.ContainsAny(number.String(), ".eE")
	case "number":
		return isNumber
	case "string":
		return isText
	case "rfc3339":
		at, err := time.Parse(time.RFC3339, text)
		return isText && err == nil && at.Year() > 2009 && strings.HasSuffix(text, "Z")
	case "boolean":
		_, ok := value.(bool)
		return ok
	case "array":
		_, ok := value.([]any)
		return ok
	case "object":
		_, ok := value.(map[string]any)
		return ok
	}
	return false
}

// list asks for the list and checks it against the contract.
func (f *fixture) list(as string) (object map[string]any) {
	f.t.Helper()
	text := f.want(as, http.MethodGet, "/api/saved-workers", "", http.StatusOK, "")
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.UseNumber()
	if err := d.Decode(&object); err != nil {
		f.t.Fatal(err)
	}
	if strings.Contains(text, "null") {
		f.t.Errorf("a null: %s", text)
	}
	checkShape(f.t, "list", object, listContract)
	for _, part := range []string{"online_workers", "offline_workers"} {
		for _, r := range object[part].([]any) {
			row := r.(map[string]any)
			checkShape(f.t, part, row, rowContract, rowOurs)
			if row["online"] != (part == "online_workers") {
				f.t.Errorf("%s has %v", part, row)
			}
			if hash := row["hash"].(string); hash != saved.HashOf(row["name"].(string)) || len(hash) != 64 || strings.ToLower(hash) != hash {
				f.t.Errorf("hash of %s is %s", row["name"], hash)
			}
		}
	}
	return object
}

func TestListContract(t *testing.T) {
	f := newFixture(t)
	if got := f.list("ann"); len(got["online_workers"].([]any)) != 0 || got["saved_count"].(json.Number) != "0" || got["saved_max"].(json.Number) != "64" {
		t.Errorf("an empty list: %v", got)
	}
	for _, name := range []string{gone, rigB, rigA, "never here"} {
		f.save("ann", name)
	}
	f.own("ann", rigA)
	f.want("ann", http.MethodPut, path(rigA, "/difficulty"), `{"difficulty":2048}`, http.StatusOK, `{"connections":2}`)
	f.want("ann", http.MethodPost, path(gone, "/claim"), "", http.StatusOK, "own-")

	got := f.list("ann")
	for name, want := range map[string]any{
		"saved_count": json.Number("4"), "online_count": json.Number("1"), "best_difficulty": json.Number("987654.25"),
		"discord_registered": true, "discord_notify_enabled": true, "updated_at": "2026-01-31T19:55:02.5Z",
	} {
		if got[name] != want {
			t.Errorf("%s is %v, want %v", name, got[name], want)
		}
	}
	online, offline := got["online_workers"].([]any), got["offline_workers"].([]any)
	if len(online) != 2 || len(offline) != 3 {
		t.Fatalf("%d rows online, %d offline", len(online), len(offline))
	}
	seen := map[string]bool{}
	for _, r := range append(slices.Clone(online), offline...) {
		for name := range r.(map[string]any) {
			seen[name] = true
		}
	}
	for name := range rowContract {
		if !seen[name] {
			t.Errorf("%s is nowhere", name)
		}
	}
	first, second := online[0].(map[string]any), online[1].(map[string]any)
	for name, want := range map[string]any{
		"name": rigA, "notify_enabled": true, "best_difficulty": json.Number("987654.25"), "last_online_at": "2026-01-31T19:55:02.5Z",
		"last_share": "2026-01-31T19:55:01.5Z", "hashrate": json.Number("1500000000000"), "hashrate_accuracy": "≈", "shares_per_minute": json.Number("15.25"),
		"accepted": json.Number("20"), "rejected": json.Number("1"), "difficulty": json.Number("1024"),
		"estimated_ping_p50_ms": json.Number("12.5"), "estimated_ping_p95_ms": json.Number("40"),
		"notify_to_first_share_ms": json.Number("1500"), "notify_to_first_share_p50_ms": json.Number("2000"), "notify_to_first_share_p95_ms": json.Number("9000"),
		"notify_to_first_share_samples": json.Number("5"), "connection_seq": json.Number("42"), "connection_duration_seconds": json.Number("90.5"),
		"owned": true, "proof": "password", "best_session": json.Number("5000.5"), "ordered_difficulty": json.Number("2048"),
		"accepted_total": json.Number("1000"), "rejected_total": json.Number("7"),
	} {
		if first[name] != want {
			t.Errorf("first connection: %s is %v, want %v", name, first[name], want)
		}
	}
	for _, name := range []string{"estimated_ping_p50_ms", "notify_to_first_share_ms", "last_share", "hashrate_accuracy", "claim"} {
		if _, there := second[name]; there {
			t.Errorf("second connection: %s is %v", name, second[name])
		}
	}
	if second["connection_seq"] != json.Number("7") || second["accepted"] != json.Number("10") {
		t.Errorf("second connection: %v", second)
	}
	away := map[string]map[string]any{}
	for _, r := range offline {
		away[r.(map[string]any)["name"].(string)] = r.(map[string]any)
	}
	if r := away[gone]; r["last_online_at"] != "2026-01-29T19:55:02.5Z" || r["best_difficulty"] != json.Number("7777") || r["accepted_total"] != json.Number("50") ||
		r["claim"].(map[string]any)["code"] == nil {
		t.Errorf("gone for days: %v", r)
	}
	if r := away[rigB]; r["last_online_at"] != "2026-01-31T19:54:02.5Z" || r["accepted"] != json.Number("2") || r["connection_seq"] != nil || r["hashrate"] != json.Number("0") {
		t.Errorf("gone for a minute: %v", r)
	}
	if r := away["never here"]; r["last_online_at"] != nil || r["last_share"] != nil {
		t.Errorf("never here: %v", r)
	}
	if mine := f.list("bob"); len(mine["online_workers"].([]any)) != 0 {
		t.Errorf("bob sees %v", mine)
	}
}

// The members of Discord are left out where there is none.
func TestListWithoutDiscord(t *testing.T) {
	f := newFixture(t, func(c *Config) { c.Discord = nil })
	if got := f.list("ann"); got["discord_registered"] != nil || got["discord_notify_enabled"] != nil {
		t.Errorf("list: %v", got)
	}
}

// The best share ever is with the worker, not with who saved it when.
func TestBestShareSurvivesRemoval(t *testing.T) {
	f := newFixture(t)
	f.save("ann", rigA)
	f.want("ann", http.MethodDelete, path(rigA, ""), "", http.StatusOK, `{"ok":true}`)
	f.save("ann", rigA)
	if got := f.list("ann"); got["best_difficulty"] != json.Number("987654.25") {
		t.Errorf("best is %v", got["best_difficulty"])
	}
}

func TestNotifyEnabledContract(t *testing.T) {
	f := newFixture(t)
	f.save("ann", rigA)
	hash := saved.HashOf(rigA)
	const target = "/api/saved-workers/notify-enabled"
	for _, c := range []struct {
		body   string
		status int
		text   string
	}{
		{`{"hash":"` + hash + `","enabled":false}`, 200, `{"ok":true,"enabled":false}`},
		{`{"hash":"` + strings.ToUpper(hash) + `","enabled":true}`, 200, `{"ok":true,"enabled":true}`},
		{"hash=" + hash + "&enabled=off", 200, `{"ok":true,"enabled":false}`},
		{"hash=" + hash + "&enabled=on", 200, `{"ok":true,"enabled":true}`},
		{`{"enabled":true}`, 400, "invalid hash"},
		{`{"hash":"` + hash[1:] + `","enabled":true}`, 400, "invalid hash"},
		{`{"hash":"` + strings.Repeat("g", 64) + `","enabled":true}`, 400, "invalid hash"},
		{`{"hash":"x"}`, 400, "invalid hash"}, // before the other
		{`{broken`, 400, "invalid hash"},
		{"", 400, "invalid hash"},
		{`{"hash":"` + hash + `"}`, 400, "missing enabled"},
		{`{"hash":"` + hash + `","enabled":"yes"}`, 400, "missing enabled"},
		{"hash=" + hash + "&enabled=perhaps", 400, "missing enabled"},
		{`{"hash":"` + saved.HashOf(rigB) + `","enabled":true}`, 404, "worker not found"},
		{`{"hash":"` + hash + `","enabled":true,"x":"` + strings.Repeat("x", 1<<16) + `"}`, 413, ""},
	} {
		f.want("ann", http.MethodPost, target, c.body, c.status, c.text)
	}
	f.want("bob", http.MethodPost, target, `{"hash":"`+hash+`","enabled":false}`, 404, "worker not found")
	f.want("", http.MethodPost, target, `{"hash":"x"}`, 401, "unauthorized")
	f.want("", http.MethodGet, target, "", 405, "method not allowed") // before who asks
	if s, err := f.API.saved.Get("ann", hash); err != nil || !s.Notify {
		t.Errorf("in the end: %+v, %v", s, err)
	}
}

// Whoever asks without being signed in gets 401 everywhere, another site's page
// 403, and a wrong method 405, in the other order.
func TestWhoMayAsk(t *testing.T) {
	f := newFixture(t)
	for pattern, by := range f.routes {
		target := strings.NewReplacer("{hash}", saved.HashOf(rigA), "{session}", "s1").Replace(pattern)
		for method := range by {
			if w := f.ask("", method, target, ""); w.Code != 401 || strings.TrimSpace(w.Body.String()) != "unauthorized" {
				t.Errorf("%s %s: %d %s", method, target, w.Code, w.Body)
			}
			if w := f.ask("ann", method, target, "", "Origin", "https://elsewhere.example"); w.Code != 403 {
				t.Errorf("%s %s from another site: %d %s", method, target, w.Code, w.Body)
			}
			if w := f.ask("ann", method, target, "", "Sec-Fetch-Site", "cross-site"); method != http.MethodGet && w.Code != 403 {
				t.Errorf("%s %s across sites: %d %s", method, target, w.Code, w.Body)
			}
		}
		if w := f.ask("", http.MethodPatch, target, ""); w.Code != 405 || w.Header().Get("Allow") == "" {
			t.Errorf("PATCH %s: %d, Allow %q", target, w.Code, w.Header().Get("Allow"))
		}
	}
	for _, pattern := range f.Patterns() {
		if _, err := url.Parse(pattern); err != nil || f.routes[pattern] == nil {
			t.Errorf("pattern %s: %v", pattern, err)
		}
	}
}
