package account

import (
	"fmt"
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
		trail.add(Action{Name: "ban.add", UserID: "1", Operator: true})
		time.Sleep(personEvery)
		trail.add(Action{Name: "session.sign_in", Failed: true, Detail: "wrong name or password"})
		all := trail.take()
		if len(all) != personBurst+2 || all[personBurst].Name != "ban.add" {
			t.Fatalf("%d entries", len(all))
		}
		if last := all[len(all)-1]; !strings.Contains(last.Detail, "99940") {
			t.Errorf("%q", last.Detail)
		}
		if dropped, summed := trail.lost(); dropped != 0 || summed != 100_000-personBurst {
			t.Errorf("%d dropped, %d summed up", dropped, summed)
		}
	})
}

// TestViewersDoNotFillTheTrail: neither one viewer nor many, as fast as they can,
// take the room of what operators do, and what they did is summed up.
func TestViewersDoNotFillTheTrail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		trail := newTrail(time.Now)
		for range 27_317 {
			trail.add(Action{Name: "alert.rule_remove", UserID: "ann", User: "ann"})
		}
		trail.add(Action{Name: "note.set", UserID: "1", User: "operator", Operator: true})
		trail.add(Action{Name: "account.add", User: "this machine"})
		trail.add(Action{Name: "worker.save", UserID: "bob", User: "bob"})
		all := trail.take()
		if n := len(all); n != personBurst+3 || all[n-3].Name != "note.set" || all[n-2].Name != "account.add" || all[n-1].User != "bob" {
			t.Fatalf("%d entries", len(all))
		}
		time.Sleep(time.Minute)
		all = trail.take()
		if len(all) != 1 || all[0].User != "ann" || !strings.Contains(all[0].Detail, fmt.Sprint(27_317-personBurst-1)) {
			t.Errorf("later: %+v", all)
		}
		if all = trail.take(); len(all) != 0 {
			t.Errorf("again: %+v", all)
		}

		for i := range 100 * personBurst {
			trail.add(Action{Name: "worker.save", UserID: fmt.Sprint("viewer", i/personBurst)})
		}
		for range operatorsShare {
			trail.add(Action{Name: "ban.add", UserID: "1", Operator: true})
		}
		ofOperators := func() (n int) {
			for _, a := range all {
				if a.Operator {
					n++
				}
			}
			return n
		}
		all = trail.take()
		if n := ofOperators(); n != operatorsShare || len(all) != maxWaitingActions {
			t.Errorf("%d of operators among %d", n, len(all))
		}
		// Nor when the disk fails meanwhile.
		for range operatorsShare {
			trail.add(Action{Name: "ban.add", UserID: "1", Operator: true})
		}
		trail.putBack(all)
		all = trail.take()
		if n := ofOperators(); n != 2*operatorsShare || len(all) != maxWaitingActions {
			t.Errorf("after a failure %d of operators among %d", n, len(all))
		}
	})
}

// TestTrailIsBounded: entries that cannot be written are kept, the newest of them.
func TestTrailIsBounded(t *testing.T) {
	trail := newTrail(time.Now)
	for range 3 * maxWaitingActions {
		trail.add(Action{Name: "ban.add", UserID: "1", Operator: true})
	}
	first := trail.take()
	trail.add(Action{Name: "ban.lift", UserID: "1", Operator: true})
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

// TestEntriesAreOneLine: what others wrote neither begins a line of its own in the
// audit trail nor turns the text around it.
func TestEntriesAreOneLine(t *testing.T) {
	trail := newTrail(time.Now)
	trail.add(Action{User: "eve\u202e\u2066", Name: "ban.add", Target: "rig\r\nban.lift", Detail: "\u200fa\u2028b\x1b[2Jc"})
	all := trail.take()
	if len(all) != 1 || all[0].User != "eve" || all[0].Target != "rig  ban.lift" || all[0].Detail != "a b [2Jc" {
		t.Errorf("%#v", all)
	}
}
