package fleet

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/nostr"
)

// HashScope's own contents, as it was seen to send them.
const (
	hashscopeShare = `{"schema":"hashscope.v1","run_id":"run1","event_id":"9f1c0b2e-1d5a-4c7e-9a55-6f5d4a1b2c3d","seq":1,"ts":"2026-11-21T21:53:04.212824Z",` +
		`"pool":{"host":"127.0.0.1","port":29999},"stratum":{"method":"mining.submit","id":4,"params":["u","j1","00","65","ab","1fffe000"]},` +
		`"repeat_count":3,"context":{"session_id":"e3c6ea78","miner_peer":"127.0.0.1:54752"},"raw":null}`
	hashscopeTelemetry = `{"schema":"hashscope.v1","run_id":"run1","agent_id":"ag1","ts":"2026-11-21T21:59:33.289403Z","pool_target":{"host":"stratum+tcp://127.0.0.1","port":29998},` +
		`"conn_state":"connected","stats":{"share_events_received_total":3,"submits_attempted_total":3,"submits_accepted_total":1,"submits_rejected_total":2,` +
		`"last_submit_latency_ms":12.5,"submits_per_second_1min":0.33,"submits_per_second_10sec":null},"errors":["Share rejected: [21, 'Job not found', None]"]}`
)

func key(t testing.TB, digit string) nostr.SecretKey {
	t.Helper()
	k, err := nostr.ParseSecretKey(strings.Repeat("0", 63) + digit)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func member(t testing.TB, run string, k, group nostr.SecretKey) *Member {
	t.Helper()
	m, err := NewMember(run, DefaultKinds(), k, group)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestContentsAreHashScopesByteForByte(t *testing.T) {
	s, err := ParseShare([]byte(hashscopeShare), "run1")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.Encode(); err != nil || string(got) != hashscopeShare {
		t.Errorf("share: %v\n%s\n%s", err, got, hashscopeShare)
	}
	tel, at, err := ParseTelemetry([]byte(hashscopeTelemetry), "run1")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := tel.Encode(); err != nil || string(got) != hashscopeTelemetry {
		t.Errorf("telemetry: %v\n%s\n%s", err, got, hashscopeTelemetry)
	}
	if FormatTime(at) != tel.Time {
		t.Errorf("time %s", at)
	}
}

// TestTelemetryOfHashScopeMayLeaveOut reads what its model has defaults for, and
// members that nobody knows.
func TestTelemetryOfHashScopeMayLeaveOut(t *testing.T) {
	tel, _, err := ParseTelemetry([]byte(`{"schema":"hashscope.v1","run_id":"r","agent_id":"a","ts":"2026-11-21T21:59:33","pool_target":{"host":"h","port":1},"conn_state":"error","stats":{"new":1},"later":[]}`), "r")
	if err != nil || tel.Errors == nil || tel.Stats.LastLatency != nil || tel.Report != nil {
		t.Errorf("%+v, %v", tel, err)
	}
}

func TestContentsThatAreRefused(t *testing.T) {
	change := func(of, from, to string) []byte {
		if !strings.Contains(of, from) {
			t.Fatalf("%q is not there", from)
		}
		return []byte(strings.Replace(of, from, to, 1))
	}
	for name, content := range map[string][]byte{
		"schema":         change(hashscopeShare, "hashscope.v1", "hashscope.v2"),
		"run":            change(hashscopeShare, "run1", "run2"),
		"method":         change(hashscopeShare, "mining.submit", "mining.authorize"),
		"too few":        change(hashscopeShare, `,"65","ab","1fffe000"`, ""),
		"a number":       change(hashscopeShare, `"ab"`, "171"),
		"an object":      change(hashscopeShare, `["u","j1","00","65","ab","1fffe000"]`, `{"worker":"u"}`),
		"no event id":    change(hashscopeShare, "9f1c0b2e-1d5a-4c7e-9a55-6f5d4a1b2c3d", ""),
		"repeat no int":  change(hashscopeShare, `"repeat_count":3`, `"repeat_count":"x"`),
		"negative seq":   change(hashscopeShare, `"seq":1`, `"seq":-1`),
		"long parameter": change(hashscopeShare, `"ab"`, `"`+strings.Repeat("a", 300)+`"`),
		"not UTF-8":      change(hashscopeShare, `"ab"`, "\"\xff\""),
		"not JSON":       []byte("{"),
	} {
		if _, err := ParseShare(content, "run1"); !errors.Is(err, ErrContent) {
			t.Errorf("share, %s: %v", name, err)
		}
	}
	for name, content := range map[string][]byte{
		"schema":      change(hashscopeTelemetry, "hashscope.v1", "x"),
		"run":         change(hashscopeTelemetry, "run1", "run2"),
		"no agent":    change(hashscopeTelemetry, `"ag1"`, `""`),
		"a path":      change(hashscopeTelemetry, `"ag1"`, `".."`),
		"control":     change(hashscopeTelemetry, `"ag1"`, `"a\u0000b"`),
		"time":        change(hashscopeTelemetry, "2026-11-21T21:59:33.289403Z", "yesterday"),
		"far time":    change(hashscopeTelemetry, "2026-11-21", "9999-11-21"),
		"below zero":  change(hashscopeTelemetry, `"submits_accepted_total":1`, `"submits_accepted_total":-1`),
		"huge":        change(hashscopeTelemetry, `"submits_accepted_total":1`, `"submits_accepted_total":18446744073709551615`),
		"latency":     change(hashscopeTelemetry, "12.5", "-12.5"),
		"port":        change(hashscopeTelemetry, "29998", "99999"),
		"errors":      change(hashscopeTelemetry, `"errors":[`, `"errors":[1,`),
		"bad tip":     change(hashscopeTelemetry, `"errors"`, `"poolscope":{"tips":[{"prev_hash":"x","seen_at":"2026-11-21T21:59:33Z"}]},"errors"`),
		"bad measure": change(hashscopeTelemetry, `"errors"`, `"poolscope":{"submit_ms":{"p50":-1}},"errors"`),
	} {
		if _, _, err := ParseTelemetry(content, "run1"); !errors.Is(err, ErrContent) {
			t.Errorf("telemetry, %s: %v", name, err)
		}
	}
}

func TestRepeatCountIsBounded(t *testing.T) {
	for given, want := range map[string]int{"0": 1, "-4": 1, "1": 1, "1000": 1000, "100000": 1000} {
		s, err := ParseShare([]byte(strings.Replace(hashscopeShare, `"repeat_count":3`, `"repeat_count":`+given, 1)), "run1")
		if err != nil || s.RepeatCount != want {
			t.Errorf("%s: %v, %v", given, s, err)
		}
	}
}

func TestEventsHaveHashScopesTagsAndOneMore(t *testing.T) {
	at := time.Unix(1_700_000_000, 0)
	e, err := member(t, "run1", key(t, "1"), nostr.SecretKey{}).Seal(TypeShare, []byte(hashscopeShare), at)
	if err != nil {
		t.Fatal(err)
	}
	if e.Verify() != nil || e.CreatedAt != at.Unix() || e.Content != hashscopeShare || e.PubKey != "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798" {
		t.Errorf("%+v", e)
	}
	if got, _ := json.Marshal(e.Tags); string(got) != `[["t","hashscope"],["run","run1"],["type","share"],["schema","hashscope.v1"],["r","run1"]]` {
		t.Errorf("tags %s", got)
	}
	if c := nostr.ClassOf(e.Kind); c != nostr.Regular {
		t.Errorf("relays would replace events of kind %d", e.Kind)
	}
}

func TestRunNeedsAName(t *testing.T) {
	for _, run := range []string{"", "a\nb", strings.Repeat("r", 129), "\xff"} {
		if _, err := NewMember(run, DefaultKinds(), key(t, "1"), nostr.SecretKey{}); !errors.Is(err, ErrRun) {
			t.Errorf("%q: %v", run, err)
		}
	}
	if _, err := NewMember("r", Kinds{1, 1, 2}, key(t, "1"), nostr.SecretKey{}); !errors.Is(err, ErrKinds) {
		t.Errorf("equal kinds: %v", err)
	}
}

// TestGate opens what is meant for it, once, and names why it refuses the rest.
func TestGate(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	ours, foreign := member(t, "run1", key(t, "2"), nostr.SecretKey{}), member(t, "run2", key(t, "2"), nostr.SecretKey{})
	stranger := member(t, "run1", key(t, "3"), nostr.SecretKey{})
	g := NewGate(member(t, "run1", key(t, "1"), nostr.SecretKey{}), GateConfig{Authors: []string{ours.Public().String()}, MaxSize: 2000, Now: func() time.Time { return now }})
	seal := func(m *Member, kind Type, content string, at time.Time) *nostr.Event {
		e, err := m.Seal(kind, []byte(content), at)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	good := seal(ours, TypeShare, hashscopeShare, now)
	mistyped := seal(ours, TypeShare, hashscopeShare, now)
	mistyped.Kind = DefaultKinds().Telemetry
	for _, step := range []struct {
		event *nostr.Event
		want  Reason
	}{
		{good, Taken}, {good, Duplicate},
		{seal(foreign, TypeShare, hashscopeShare, now), ForeignRun},
		{seal(stranger, TypeShare, hashscopeShare, now), ForeignAuthor},
		{seal(ours, TypeShare, hashscopeShare, now.Add(-15*time.Minute)), Taken},
		{seal(ours, TypeShare, hashscopeShare, now.Add(-15*time.Minute-time.Second)), Stale},
		{seal(ours, TypeShare, hashscopeShare, now.Add(61*time.Second)), Future},
		{seal(ours, TypeShare, `{"a":"`+strings.Repeat("a", 2000)+`"}`, now), Oversized},
		{seal(ours, TypeTelemetry, hashscopeTelemetry, now), WrongKind},
		{mistyped, WrongKind},
		{seal(ours, TypeShare, "AAAA", now), Malformed},
	} {
		content, why := g.Open(TypeShare, step.event)
		if why != step.want || (why == Taken) != (content != nil) {
			t.Errorf("%v: %q, want %q", step.event.Tags, why, step.want)
		}
	}
	for why, n := range g.Refused() {
		want := uint64(1)
		if why == string(WrongKind) {
			want = 2
		}
		if n != want {
			t.Errorf("%s was counted %d times", why, n)
		}
	}
	if n := len(g.Refused()); n != 8 {
		t.Errorf("%d reasons: %v", n, g.Refused())
	}
}

// TestEncryptedFleet shows that contents are for members only.
func TestEncryptedFleet(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	group, other := key(t, "7"), key(t, "8")
	cfg := GateConfig{Now: func() time.Time { return now }}
	sealed, err := member(t, "run1", key(t, "2"), group).Seal(TypeShare, []byte(hashscopeShare), now)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(sealed.Content, "mining.submit") || sealed.Verify() != nil {
		t.Errorf("content %s", sealed.Content)
	}
	plain, err := member(t, "run1", key(t, "2"), nostr.SecretKey{}).Seal(TypeShare, []byte(hashscopeShare), now)
	if err != nil {
		t.Fatal(err)
	}
	inside := NewGate(member(t, "run1", key(t, "1"), group), cfg)
	if content, why := inside.Open(TypeShare, sealed); why != Taken || string(content) != hashscopeShare {
		t.Errorf("%q %s", why, content)
	}
	if _, why := inside.Open(TypeShare, plain); why != NotEncrypted {
		t.Errorf("plain: %q", why)
	}
	if _, why := NewGate(member(t, "run1", key(t, "1"), other), cfg).Open(TypeShare, sealed); why != Undecipherable {
		t.Errorf("with another key: %q", why)
	}
	if _, why := NewGate(member(t, "run1", key(t, "1"), nostr.SecretKey{}), cfg).Open(TypeShare, sealed); why != Malformed {
		t.Errorf("without a key: %q", why)
	}
}

func TestOrder(t *testing.T) {
	at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	o := Order{RunID: "r", Time: FormatTime(at), Until: FormatTime(at.Add(time.Hour)), Rate: 2.5, Agents: []string{"a"}}
	content, err := o.Encode()
	if err != nil {
		t.Fatal(err)
	}
	got, given, until, err := ParseOrder(content, "r")
	if err != nil || got.Rate != 2.5 || !given.Equal(at) || until.Sub(at) != OrderLease || !got.For("a") || got.For("b") {
		t.Errorf("%+v, %s to %s, %v", got, given, until, err)
	}
	for _, bad := range []Order{{Rate: -1}, {Rate: MaxOrderRate + 1}, {Difficulty: -1}} {
		if bad.Check() == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
}

// FuzzContents looks that what was understood can be said again, and is
// understood in the same way.
func FuzzContents(f *testing.F) {
	f.Add([]byte(hashscopeShare))
	f.Add([]byte(hashscopeTelemetry))
	f.Add([]byte(`{"schema":"poolscope.order.v1","run_id":"run1","ts":"2026-11-22T10:00:00Z","until":"2026-11-22T10:01:00Z","rate":1,"difficulty":0.5,"agents":[]}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		if s, err := ParseShare(content, "run1"); err == nil {
			again, err := s.Encode()
			if err != nil {
				t.Fatalf("a share that was read is not written: %v", err)
			}
			if s2, err := ParseShare(again, "run1"); err != nil || s2.EventID != s.EventID || len(s2.Stratum.Params) != len(s.Stratum.Params) {
				t.Fatalf("%v of %s", err, again)
			}
		}
		if s, at, err := ParseTelemetry(content, "run1"); err == nil {
			again, err := s.Encode()
			if err != nil {
				t.Fatalf("telemetry that was read is not written: %v", err)
			}
			if s2, at2, err := ParseTelemetry(again, "run1"); err != nil || s2.AgentID != s.AgentID || s2.Stats.Accepted != s.Stats.Accepted || !at2.Equal(at) {
				t.Fatalf("%v of %s", err, again)
			}
			if len(s.Errors) > maxErrors || len(again) > 64<<10 {
				t.Fatalf("%d errors, %d bytes", len(s.Errors), len(again))
			}
		}
		if o, at, until, err := ParseOrder(content, "run1"); err == nil {
			if until.Sub(at) > OrderLease || o.Rate > MaxOrderRate {
				t.Fatalf("%+v", o)
			}
		}
	})
}
