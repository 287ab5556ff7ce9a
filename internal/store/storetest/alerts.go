package storetest

import (
	"bytes"
	"errors"
	"maps"
	"reflect"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/alert"
)

// RunAlerts checks a kind of store of alerts. Open makes an empty one; the suite
// opens many.
func RunAlerts(t *testing.T, open func(t *testing.T) alert.Store) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, s alert.Store)
	}{
		{"Channels", testChannels},
		{"Rules", testRules},
		{"Noticed", testNoticed},
		{"Outbox", testOutbox},
		{"OneEntryForAKey", testOneEntryForAKey},
		{"Trim", testTrim},
	} {
		t.Run("Alerts/"+c.name, func(t *testing.T) { c.test(t, open(t)) })
	}
}

func testChannels(t *testing.T, s alert.Store) {
	full := alert.Channel{
		ID: "c1", UserID: "u1", Kind: "ntfy", Name: "'; DROP TABLE alert_channels; -- Zürich ⛏", Enabled: true,
		Settings: map[string]string{"topic": "x", "password": "geheim"},
		Quiet:    alert.Quiet{From: "22:00", To: "07:00", Zone: "Europe/Berlin", Blocks: true},
		Code:     []byte{1, 2, 3}, CodeUntil: noon.Add(time.Hour), CodeTries: 2, Created: noon,
	}
	plain := alert.Channel{ID: "c2", Kind: "webhook", Name: "n", Confirmed: true, Settings: map[string]string{}, Created: noon.Add(time.Second)}
	for _, c := range []alert.Channel{plain, full, full} {
		check(t, s.SaveChannel(t.Context(), c))
	}
	same(t, channels(t, s), []alert.Channel{full, plain})

	check(t, s.NoteChannel(t.Context(), "c1", alert.Outcome{Error: "refused", At: noon}))
	full.LastError, full.ErrorAt = "refused", noon
	same(t, channels(t, s), []alert.Channel{full, plain})
	check(t, s.NoteChannel(t.Context(), "c1", alert.Outcome{At: noon.Add(time.Minute)}))
	full.LastError, full.ErrorAt, full.LastSent = "", time.Time{}, noon.Add(time.Minute)
	same(t, channels(t, s), []alert.Channel{full, plain})

	// What hangs on a channel goes with it, and nothing else.
	check(t, s.SaveRule(t.Context(), alert.Rule{ID: "r", Channels: []string{"c1", "c2"}, Created: noon}))
	commit(t, s, alert.Change{Entries: []alert.Entry{entry("c1|a", "c1"), entry("c2|a", "c2")}})
	check(t, s.DeleteChannel(t.Context(), "c1"))
	same(t, channels(t, s), []alert.Channel{plain})
	rules, err := s.Rules(t.Context())
	check(t, err)
	same(t, rules[0].Channels, []string{"c2"})
	if left := openEntries(t, s); len(left) != 1 || left[0].Channel != "c2" {
		t.Errorf("left in the outbox: %+v", left)
	}
	if err := s.DeleteChannel(t.Context(), "c1"); !errors.Is(err, alert.ErrNotFound) {
		t.Errorf("deleted twice: %v", err)
	}
}

func testRules(t *testing.T, s alert.Store) {
	r := alert.Rule{
		ID: "r1", UserID: "u1", Name: "mine", Enabled: true, Kinds: []alert.Kind{alert.WorkerOffline, alert.BlockFound},
		Scope: alert.ScopeSaved, Workers: []string{"ab"}, Alarms: []string{"old_tip"}, Channels: []string{"c1"},
		OfflineAfter: 300 * time.Second, RejectPercent: 2.5, RejectWindow: time.Hour, RejectShares: 50, MinDifficulty: 1e12, Created: noon,
	}
	check(t, s.SaveRule(t.Context(), r))
	r.Enabled, r.Workers = false, nil
	check(t, s.SaveRule(t.Context(), r))
	rules, err := s.Rules(t.Context())
	check(t, err)
	same(t, rules, []alert.Rule{r})
	check(t, s.DeleteRule(t.Context(), "r1"))
	if err := s.DeleteRule(t.Context(), "r1"); !errors.Is(err, alert.ErrNotFound) {
		t.Errorf("deleted twice: %v", err)
	}
}

func testNoticed(t *testing.T, s alert.Store) {
	commit(t, s, alert.Change{Put: map[string][]byte{"a": []byte(`{"x":1}`), "b": []byte("2")}})
	commit(t, s, alert.Change{Put: map[string][]byte{"b": []byte("3")}, Forget: []string{"a", "unknown"}})
	noticed, err := s.Noticed(t.Context())
	check(t, err)
	if !maps.EqualFunc(noticed, map[string][]byte{"b": []byte("3")}, bytes.Equal) {
		t.Errorf("noticed %q", noticed)
	}
}

func testOutbox(t *testing.T, s alert.Store) {
	e := entry("c1|k", "c1")
	e.Event = alert.Event{Kind: alert.BlockFound, Key: "k", At: noon, Severity: alert.Good, Worker: "w", Text: "t", Values: map[string]any{"height": 7.0}}
	if added := commit(t, s, alert.Change{Entries: []alert.Entry{e, entry("c2|k", "c2")}}); added != 2 {
		t.Fatalf("%d added", added)
	}
	all := openEntries(t, s)
	e.ID, e.Updated = all[0].ID, e.Created
	same(t, all[0], e)

	ids := []int64{all[0].ID}
	check(t, s.Begin(t.Context(), ids, "batch", noon.Add(time.Second)))
	got := openEntries(t, s)[0]
	if got.State != alert.Sending || got.Batch != "batch" || got.Attempts != 1 {
		t.Errorf("begun: %+v", got)
	}
	check(t, s.Finish(t.Context(), ids, alert.Outcome{State: alert.Queued, NextTry: noon.Add(time.Minute), Error: "no route", At: noon}))
	got = openEntries(t, s)[0]
	if got.State != alert.Queued || got.Batch != "batch" || !got.NextTry.Equal(noon.Add(time.Minute)) || got.Error != "no route" {
		t.Errorf("to be tried again: %+v", got)
	}
	check(t, s.Finish(t.Context(), ids, alert.Outcome{State: alert.Sent, At: noon}))
	if left := openEntries(t, s); len(left) != 1 || left[0].Channel != "c2" {
		t.Errorf("left: %+v", left)
	}
	for users, want := range map[string]int{"u1": 2, "u2": 0} {
		recent, err := s.Recent(t.Context(), []string{users}, 10)
		check(t, err)
		if len(recent) != want {
			t.Errorf("%s has %d entries, want %d", users, len(recent), want)
		}
	}
}

// The same event is never put into the outbox again, whatever became of it, and
// what was noticed is written with it or not at all.
func testOneEntryForAKey(t *testing.T, s alert.Store) {
	for i, want := range []int{1, 0, 0} {
		if added := commit(t, s, alert.Change{Put: map[string][]byte{"n": []byte("1")}, Entries: []alert.Entry{entry("c1|k", "c1")}}); added != want {
			t.Errorf("time %d: %d added", i, added)
		}
		if i == 1 {
			check(t, s.Finish(t.Context(), []int64{openEntries(t, s)[0].ID}, alert.Outcome{State: alert.Sent, At: noon}))
		}
	}
	if left := openEntries(t, s); len(left) != 0 {
		t.Errorf("left: %+v", left)
	}
}

func testTrim(t *testing.T, s alert.Store) {
	for i, key := range []string{"old", "a", "b", "c", "open"} {
		e := entry(key, "c1")
		e.Created = noon.Add(time.Duration(i) * time.Hour)
		commit(t, s, alert.Change{Entries: []alert.Entry{e}})
	}
	for _, e := range openEntries(t, s)[:4] {
		check(t, s.Finish(t.Context(), []int64{e.ID}, alert.Outcome{State: alert.Sent, At: e.Created}))
	}
	check(t, s.Trim(t.Context(), noon.Add(time.Minute), 2))
	recent, err := s.Recent(t.Context(), []string{"u1"}, 10)
	check(t, err)
	var keys []string
	for _, e := range recent {
		keys = append(keys, e.Key)
	}
	same(t, keys, []string{"open", "c", "b"})
}

func entry(key, channel string) alert.Entry {
	return alert.Entry{Key: key, Channel: channel, UserID: "u1", State: alert.Queued, NextTry: noon, Created: noon}
}

func commit(t *testing.T, s alert.Store, c alert.Change) int {
	t.Helper()
	added, err := s.Commit(t.Context(), c)
	check(t, err)
	return added
}

func channels(t *testing.T, s alert.Store) []alert.Channel {
	t.Helper()
	list, err := s.Channels(t.Context())
	check(t, err)
	return list
}

func openEntries(t *testing.T, s alert.Store) []alert.Entry {
	t.Helper()
	list, err := s.Open(t.Context(), 100)
	check(t, err)
	return list
}

func same[T any](t *testing.T, got, want T) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}
