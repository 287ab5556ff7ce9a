package capture

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// fill captures lines of several sessions, in an order of its own.
func fill(t *testing.T, limits Limits, lines int) *Store {
	t.Helper()
	r, _ := capture(t, Config{Limits: limits}, func(r *Recorder) {
		tapes := []*Tape{r.Open(Opening{ID: "a", At: time.Now()}), r.Open(Opening{ID: "b", At: time.Now()}), r.Open(Opening{ID: "c", At: time.Now()})}
		for i := range lines {
			tape := tapes[(i*i+i/3)%len(tapes)]
			switch i % 5 {
			case 0:
				say(tape, MinerToPool, fmt.Sprintf(`{"id":%d,"method":"mining.submit","params":["Rig%d","j"]}`+"\n", i, i%2))
			case 1:
				say(tape, PoolToMiner, fmt.Sprintf(`{"id":%d,"result":%t}`+"\n", i-1, i%2 == 0))
			case 2:
				say(tape, PoolToMiner, `{"id":null,"method":"mining.notify","params":["`+strings.Repeat("x", i%7)+`ZEBRA"]}`+"\n")
			case 3:
				say(tape, MinerToPool, "garbage\n")
			default:
				say(tape, MinerToPool, fmt.Sprintf(`{"id":"s%d","method":"mining.authorize","params":["rig%d",""]}`+"\n", i, i%3))
			}
			time.Sleep(time.Millisecond)
		}
	})
	return r.Store()
}

// Find gives what a plain walk over all messages gives, page after page.
func TestFindAgainstWalk(t *testing.T) {
	store := fill(t, Limits{Messages: 3000, PerSession: 1200, Bytes: 1 << 30, Sessions: 10}, 4000)
	all := store.snapshot("")
	if len(all) < 2500 {
		t.Fatalf("only %d messages", len(all))
	}
	begin := all[len(all)-1].Received
	rapid.Check(t, func(t *rapid.T) {
		yes := rapid.Bool().Draw(t, "faulty")
		f := Filter{
			Session: rapid.SampledFrom([]string{"", "", "a", "b", "nobody"}).Draw(t, "session"),
			Method:  rapid.SampledFrom([]string{"", "", "mining.submit", "mining.notify"}).Draw(t, "method"),
			Worker:  rapid.SampledFrom([]string{"", "", "Rig1", "rig1"}).Draw(t, "worker"),
			Text:    rapid.SampledFrom([]string{"", "", "zebra", "XZ", "garb", "\n"}).Draw(t, "text"),
			Verdict: rapid.SampledFrom([]string{"", "", "accepted", "rejected", "unanswered", "valid", "conflict"}).Draw(t, "verdict"),
			Limit:   rapid.IntRange(1, 700).Draw(t, "limit"),
			Offset:  rapid.SampledFrom([]int{0, 0, 1, 50}).Draw(t, "offset"),
		}
		if rapid.Bool().Draw(t, "direction") {
			d := rapid.SampledFrom([]Direction{MinerToPool, PoolToMiner, ScopeToPool}).Draw(t, "which")
			f.Direction = &d
		}
		if rapid.Bool().Draw(t, "times") {
			f.After = begin.Add(time.Duration(rapid.IntRange(0, 4000).Draw(t, "after")) * time.Millisecond)
			f.Before = f.After.Add(time.Duration(rapid.IntRange(0, 4000).Draw(t, "long")) * time.Millisecond)
		}
		if rapid.Bool().Draw(t, "fault") {
			f.Faulty = &yes
		}
		var want []*Message
		for _, m := range all {
			if f.Matches(m) {
				want = append(want, m)
			}
		}
		want = want[min(f.Offset, len(want)):]
		var got []*Message
		for page, next := store.Find(f); ; page, next = store.Find(f) {
			got = append(got, page...)
			if next == 0 {
				break
			}
			if len(page) != f.Limit {
				t.Fatalf("a page of %d with another after it", len(page))
			}
			f.Cursor, f.Offset = next, 0
		}
		if !slices.Equal(got, want) {
			t.Fatalf("found %d messages, want %d", len(got), len(want))
		}
	})
}
