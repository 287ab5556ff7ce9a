package relay

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/poolscope/poolscope/internal/nostr"
)

var (
	noon  = time.Unix(1_700_000_000, 0)
	wide  = Bounds{Events: 1000, Bytes: 1 << 20}
	begin = noon.Unix() - 1000
)

func openDisk(t testing.TB, path string, maxEvents, maxBytes int) *Disk {
	t.Helper()
	d, err := OpenDisk(t.Context(), path, maxEvents, maxBytes)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

// eachStore runs a test with every kind of store.
func eachStore(t *testing.T, maxEvents, maxBytes int, test func(*testing.T, Store)) {
	t.Run("memory", func(t *testing.T) { test(t, newMemory(maxEvents, maxBytes)) })
	t.Run("disk", func(t *testing.T) {
		test(t, openDisk(t, filepath.Join(t.TempDir(), "relay.db"), maxEvents, maxBytes))
	})
}

func add(t testing.TB, s Store, e *nostr.Event) Outcome {
	t.Helper()
	outcome, err := s.Add(e, e.AppendJSON(nil), noon)
	if err != nil {
		t.Fatal(err)
	}
	return outcome
}

// contents are the contents of what a store finds, in its order.
func contents(t testing.TB, s Store, now time.Time, within Bounds, filters ...nostr.Filter) (list []string) {
	t.Helper()
	found, err := s.Find(filters, within, now)
	if err != nil {
		t.Fatal(err)
	}
	for _, json := range found {
		e, err := nostr.ParseEvent(json)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, e.Content)
	}
	return list
}

func TestStoresKeepOneEventOfAPlace(t *testing.T) {
	k := secret(t, 1)
	eachStore(t, 100, 1<<20, func(t *testing.T, s Store) {
		for _, c := range []struct {
			e    *nostr.Event
			want Outcome
		}{
			{event(t, k, 10_000, begin, "old"), Added},
			{event(t, k, 10_000, begin+2, "new"), Added},
			{event(t, k, 10_000, begin+1, "late"), Outdated},
			{event(t, k, 10_000, begin+2, "new"), Duplicate},
			{event(t, secret(t, 2), 10_000, begin, "other's"), Added},
			{event(t, k, 30_000, begin, "d", nostr.Tag{"d", "1"}), Added},
			{event(t, k, 30_000, begin, "e", nostr.Tag{"d", "2"}), Added},
			{event(t, k, 30_000, begin+1, "f", nostr.Tag{"d", "2"}), Added},
			{event(t, k, 1, begin, "g"), Added},
		} {
			if got := add(t, s, c.e); got != c.want {
				t.Errorf("%s: %d, want %d", c.e.Content, got, c.want)
			}
		}
		got := contents(t, s, noon, wide, nostr.Filter{})
		slices.Sort(got)
		if want := []string{"d", "f", "g", "new", "other's"}; !slices.Equal(got, want) {
			t.Errorf("kept %q, want %q", got, want)
		}
	})
}

func TestStoresAreBounded(t *testing.T) {
	k := secret(t, 1)
	eachStore(t, 3, 1<<20, func(t *testing.T, s Store) {
		for i := range 5 {
			add(t, s, event(t, k, 1, begin-int64(i), fmt.Sprint(i)))
		}
		if got := contents(t, s, noon, wide, nostr.Filter{}); !slices.Equal(got, []string{"2", "3", "4"}) {
			t.Errorf("kept %q: not the last to arrive, newest first", got)
		}
		if size := s.Size(); size.Events != 3 || size.Evicted != 2 || size.Bytes == 0 {
			t.Errorf("%+v", size)
		}
	})
	long := strings.Repeat("x", 1000)
	eachStore(t, 100, 3000, func(t *testing.T, s Store) {
		for i := range 4 {
			add(t, s, event(t, k, 1, begin, long+fmt.Sprint(i)))
		}
		if size := s.Size(); size.Events != 2 || size.Bytes > 3000 || size.Evicted != 2 {
			t.Errorf("%+v", size)
		}
		add(t, s, event(t, k, 1, begin, strings.Repeat(long, 5)))
		if size := s.Size(); size.Events != 1 || size.Evicted != 4 {
			t.Errorf("an event beyond the bound is not alone: %+v", size)
		}
	})
}

func TestAnswersAreBounded(t *testing.T) {
	k, two := secret(t, 1), 2
	eachStore(t, 100, 1<<20, func(t *testing.T, s Store) {
		for i := range 6 {
			add(t, s, event(t, k, 1, begin+int64(i), strings.Repeat(fmt.Sprint(i), 500)))
		}
		first := func(list []string) (digits string) {
			for _, s := range list {
				digits += s[:1]
			}
			return digits
		}
		for name, c := range map[string]struct {
			within  Bounds
			filters []nostr.Filter
			want    string
		}{
			"number":        {Bounds{3, 1 << 20}, []nostr.Filter{{}}, "543"},
			"bytes":         {Bounds{100, 2000}, []nostr.Filter{{}}, "54"},
			"one too large": {Bounds{100, 1}, []nostr.Filter{{}}, "5"},
			"limit":         {wide, []nostr.Filter{{Limit: &two}}, "54"},
			"two filters":   {wide, []nostr.Filter{{Limit: &two}, {Kinds: []int{1}}}, "543210"},
			"no filter":     {wide, nil, ""},
		} {
			if got := first(contents(t, s, noon, c.within, c.filters...)); got != c.want {
				t.Errorf("%s: %q, want %q", name, got, c.want)
			}
		}
	})
}

func TestStoresForgetWhatExpires(t *testing.T) {
	k := secret(t, 1)
	eachStore(t, 100, 1<<20, func(t *testing.T, s Store) {
		add(t, s, event(t, k, 1, begin, "short", nostr.Tag{"expiration", fmt.Sprint(noon.Unix() + 10)}))
		add(t, s, event(t, k, 1, begin, "long", nostr.Tag{"expiration", fmt.Sprint(noon.Unix() + 1000)}))
		add(t, s, event(t, k, 1, begin, "ever", nostr.Tag{"expiration", "soon"}))
		if got := contents(t, s, noon.Add(9*time.Second), wide, nostr.Filter{}); len(got) != 3 {
			t.Errorf("after 9 s: %q", got)
		}
		got := contents(t, s, noon.Add(10*time.Second), wide, nostr.Filter{})
		slices.Sort(got)
		if !slices.Equal(got, []string{"ever", "long"}) {
			t.Errorf("after 10 s: %q", got)
		}
		e := event(t, k, 1, begin, "later")
		if _, err := s.Add(e, e.AppendJSON(nil), noon.Add(20*time.Second)); err != nil {
			t.Fatal(err)
		}
		if size := s.Size(); size.Events != 3 || size.Expired != 1 {
			t.Errorf("%+v", size)
		}
	})
}

// TestStoresAgree gives the same events and questions to both stores, and
// compares with a plain search besides.
func TestStoresAgree(t *testing.T) {
	authors := []nostr.SecretKey{secret(t, 1), secret(t, 2)}
	values := []string{"", "a", "é", "\x00", "a\x00b", "b", "\u2028", strings.Repeat("v", 70)}
	var events []*nostr.Event
	for i := range 40 {
		e := &nostr.Event{CreatedAt: begin + int64(i*7%13), Kind: []int{1, 1, 1, 7, 65_535}[i%5], Content: fmt.Sprint(i)}
		for j := range i % 4 {
			e.Tags = append(e.Tags, nostr.Tag{[]string{"r", "e", "run"}[j], values[(i+j)%len(values)], "more"})
		}
		if i%6 == 0 {
			e.Tags = append(e.Tags, nostr.Tag{"r"}, nostr.Tag{"r", values[i%len(values)]})
		}
		if err := e.Sign(authors[i%2]); err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
	}
	memory, disk := newMemory(1000, 1<<20), openDisk(t, filepath.Join(t.TempDir(), "relay.db"), 1000, 1<<20)
	for _, e := range events {
		if a, b := add(t, memory, e), add(t, disk, e); a != Added || b != Added {
			t.Fatalf("%s: %d, %d", e.Content, a, b)
		}
	}
	subset := func(rt *rapid.T, label string, list []string) []string {
		if rapid.Bool().Draw(rt, label+" given") {
			return rapid.SliceOfN(rapid.SampledFrom(list), 0, 3).Draw(rt, label)
		}
		return nil
	}
	ids := make([]string, len(events))
	for i, e := range events {
		ids[i] = e.ID
	}
	rapid.Check(t, func(rt *rapid.T) {
		filters := make([]nostr.Filter, rapid.IntRange(1, 2).Draw(rt, "filters"))
		for i := range filters {
			f := &filters[i]
			f.IDs = subset(rt, "ids", ids)
			f.Authors = subset(rt, "authors", []string{authors[0].Public().String(), authors[1].Public().String(), ids[0]})
			if rapid.Bool().Draw(rt, "kinds given") {
				f.Kinds = rapid.SliceOfN(rapid.SampledFrom([]int{1, 7, 8, 65_535}), 0, 3).Draw(rt, "kinds")
			}
			for _, name := range []string{"r", "e"} {
				if list := subset(rt, name, values); list != nil {
					if f.Tags == nil {
						f.Tags = map[string][]string{}
					}
					f.Tags[name] = list
				}
			}
			if rapid.Bool().Draw(rt, "since given") {
				f.Since = new(begin + rapid.Int64Range(0, 13).Draw(rt, "since"))
			}
			if rapid.Bool().Draw(rt, "until given") {
				f.Until = new(begin + rapid.Int64Range(0, 13).Draw(rt, "until"))
			}
		}
		a, b := contents(t, memory, noon, wide, filters...), contents(t, disk, noon, wide, filters...)
		if diff := cmp.Diff(a, b); diff != "" {
			rt.Fatalf("memory and disk differ for %s:\n%s", filters[0].AppendJSON(nil), diff)
		}
		n := 0
		for _, e := range events {
			if slices.ContainsFunc(filters, func(f nostr.Filter) bool { return f.Matches(e) }) {
				n++
			}
		}
		if n != len(a) {
			rt.Fatalf("%d found, %d fit", len(a), n)
		}
	})
}

func TestARestartKeepsEvents(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a folder", "relay ?#%.db")
	e := event(t, secret(t, 1), 1, begin, "kept", nostr.Tag{"r", "run1"})
	first := openDisk(t, path, 0, 0)
	add(t, first, e)
	before := first.Size()
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("others may read the file: %v, %v", info, err)
	}
	second := openDisk(t, path, 0, 0)
	found, err := second.Find([]nostr.Filter{{Tags: map[string][]string{"r": {"run1"}}}}, wide, noon)
	if err != nil || len(found) != 1 || !bytes.Equal(found[0], e.AppendJSON(nil)) {
		t.Errorf("%s, %v", found, err)
	}
	if after := second.Size(); after != before {
		t.Errorf("%+v became %+v", before, after)
	}
	if add(t, second, e) != Duplicate {
		t.Error("it is taken again")
	}
}

func TestForeignFilesAreLeftAlone(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte("not a database, and longer than a header is"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenDisk(t.Context(), text, 0, 0); err == nil || !strings.Contains(err.Error(), text) {
		t.Errorf("a text: %v", err)
	}
	other := filepath.Join(dir, "other.db")
	d := openDisk(t, other, 0, 0)
	if _, err := d.db.Exec(`PRAGMA user_version = 7`); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenDisk(t.Context(), other, 0, 0); !errors.Is(err, ErrDisk) {
		t.Errorf("another version: %v", err)
	}
	// Programs whose schemas have the same number.
	for _, application := range []int{0, 0x7073666c} {
		path := filepath.Join(dir, fmt.Sprint(application))
		db, err := sql.Open("sqlite", path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec(fmt.Sprintf(`CREATE TABLE telemetry (a); PRAGMA user_version = %d; PRAGMA application_id = %d`, schemaVersion, application)); err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenDisk(t.Context(), path, 0, 0); !errors.Is(err, ErrDisk) {
			t.Errorf("application %#x: %v", application, err)
		}
	}
}
