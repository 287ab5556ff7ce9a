package account

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"
)

// TestStrangersDoNotFillTheTrail: a flood of wrong passwords neither takes the
// room of what operators do nor goes unnoticed.
func TestStrangersDoNotFillTheTrail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		trail := newTrail(time.Now)
		for range 100_000 {
			trail.add(Action{Name: "session.sign_in", Failed: true, Detail: "wrong name or password"})
		}
		trail.add(Action{Name: "ban.add", UserID: "1"})
		time.Sleep(strangersEvery)
		trail.add(Action{Name: "session.sign_in", Failed: true, Detail: "wrong name or password"})
		all := trail.take()
		if len(all) != strangersBurst+2 || all[strangersBurst].Name != "ban.add" {
			t.Fatalf("%d entries", len(all))
		}
		if last := all[len(all)-1]; !strings.Contains(last.Detail, "99940") {
			t.Errorf("%q", last.Detail)
		}
		if dropped, summed := trail.lost(); dropped != 0 || summed != 100_000-strangersBurst {
			t.Errorf("%d dropped, %d summed up", dropped, summed)
		}
	})
}

// TestTrailIsBounded: entries that cannot be written are kept, the newest of them.
func TestTrailIsBounded(t *testing.T) {
	trail := newTrail(time.Now)
	for range 3 * maxWaitingActions {
		trail.add(Action{Name: "ban.add", UserID: "1"})
	}
	first := trail.take()
	trail.add(Action{Name: "ban.lift", UserID: "1"})
	trail.putBack(first)
	all := trail.take()
	if dropped, _ := trail.lost(); len(all) != maxWaitingActions || all[len(all)-1].Name != "ban.lift" || dropped != 2*maxWaitingActions+1 {
		t.Errorf("%d entries, %d dropped", len(all), dropped)
	}
}

func FuzzClean(f *testing.F) {
	f.Add("a\nb\x00\u2028\xff", 5)
	f.Fuzz(func(t *testing.T, text string, most int) {
		most = max(0, most%1000)
		out := clean(text, most)
		if len(out) > most || !utf8.ValidString(out) || strings.ContainsAny(out, "\r\n\x00\x1b\u2028\u2029\u0085\u202e\u2066") {
			t.Errorf("%q, %d: %q", text, most, out)
		}
	})
}
