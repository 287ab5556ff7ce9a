package notify

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolscope/poolscope/internal/alert"
	"github.com/poolscope/poolscope/internal/ledger"
)

// The limit of all is not the limit of what the pool has to say; and what waits
// for it takes nothing of a person's own.
func TestOperatorsAreNotHeldUpByOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, out := newShelf(), &sink{}
		s.channel("c1", func(c *alert.Channel) { c.UserID = "u1" })
		s.channel("c2", func(c *alert.Channel) { c.UserID = "u2" })
		s.channel("c3", func(c *alert.Channel) { c.UserID = "op" })
		cfg := newStage().config(s, out.service("sink", true))
		cfg.PerHour, cfg.UserPerHour = 3, 5
		_, stop := runCenter(t, cfg)
		defer stop()
		for i := range 3 {
			s.put(t, "c1", fmt.Sprint("u1 ", i))
			settle(time.Minute)
		}
		s.put(t, "c2", "u2 waits")
		settle(20 * time.Minute)
		s.put(t, "c3", "a block")
		settle(time.Minute)
		sameTexts(t, "within the hour", out.texts(), "u1 0", "u1 1", "u1 2", "a block")
		settle(time.Hour)
		for i := range 2 {
			s.put(t, "c2", fmt.Sprint("u2 ", i))
			settle(time.Minute)
		}
		sameTexts(t, "afterwards", out.texts(), "u1 0", "u1 1", "u1 2", "a block", "u2 waits", "u2 0", "u2 1")
	})
}

// Nobody fills the outbox for all: one person's channels have a part of it, and
// operators find room whatever others do.
func TestNobodyFillsTheOutbox(t *testing.T) {
	r := newRig(t)
	fill := func(user, channel string, operator bool, n int) *draft {
		d := newDraft(r.now)
		in := &ruleInForce{Rule: alert.Rule{UserID: user}, person: Person{Operator: operator}}
		for i := range n {
			in.channels = []string{fmt.Sprint(channel, i%5)}
			d.tell(in, alert.Event{Kind: alert.WorkerOffline, Key: fmt.Sprint(user, i), Text: "x"})
		}
		return d
	}
	d := fill("u1", "a", false, 3000)
	r.c.crowdOut(d)
	if len(d.entries) != maxWaitingOfPerson {
		t.Errorf("one person has %d of the outbox", len(d.entries))
	}
	r.c.crowded = make(map[string]int)
	r.c.waiting.Store(maxWaiting)
	d = fill("u2", "b", false, 10)
	r.c.crowdOut(d)
	if len(d.entries) != 0 {
		t.Errorf("%d entries beyond the bound", len(d.entries))
	}
	d = fill("op", "c", true, 10)
	r.c.crowdOut(d)
	if len(d.entries) != 10 {
		t.Errorf("operators find room for %d", len(d.entries))
	}
	for _, n := range r.c.Counts().Drops {
		if n.Name == dropQueue && n.Count != 2010 {
			t.Errorf("%d counted", n.Count)
		}
	}
}

// A flood of alarms that nobody wants crowds out none that somebody does, and is
// not counted as something that was not told.
func TestUnwantedAlarmsAreNoFlood(t *testing.T) {
	r := newRig(t)
	addRule(t, r.store, "op", func(rule *alert.Rule) { rule.Alarms, rule.Created = []string{"old_tip"}, r.now }, "c2")
	r.pass(time.Minute)
	r.stage.set(func(w *World) {
		for i := range 3 * maxAlarms {
			w.Alarms = append(w.Alarms, Alarm{Kind: "late_job", Session: fmt.Sprint(i), At: r.now, Text: "late"})
		}
		w.Alarms = append(w.Alarms, Alarm{Kind: "old_tip", Session: "s1", At: r.now, Text: "jobs on an old block"})
	})
	r.want("the one that is wanted", r.pass(watchEvery), "Scope: jobs on an old block")
	for _, n := range r.c.Counts().Drops {
		if n.Name == dropFlood && n.Count != 0 {
			t.Errorf("%d counted as dropped", n.Count)
		}
	}
}

// A window of a day costs no more memory than one of half an hour, and is as right.
func TestTalliesAreBounded(t *testing.T) {
	var all tallies
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var accepted, rejected uint64
	for range 3 * 24 * 60 * 20 { // three days, a look every three seconds
		at = at.Add(3 * time.Second)
		accepted += 9
		rejected++
		inAccepted, inRejected := all.add(tally{at, accepted, rejected}, 24*time.Hour)
		if want := uint64(24 * 60 * 20); accepted > 20*want && (inRejected < want || inRejected > want+want/50 || inAccepted != 9*inRejected) {
			t.Fatalf("%d and %d in a day", inAccepted, inRejected)
		}
		if len(all) > 100 || cap(all) > 200 {
			t.Fatalf("%d tallies, room for %d", len(all), cap(all))
		}
	}
}

// BenchmarkLook is one look at 2,000 people's rules about ten workers each.
func BenchmarkLook(b *testing.B) {
	r := &stage{people: make(map[string]Person)}
	s := newShelf()
	snapshot := &ledger.Snapshot{}
	for i := range 2000 {
		user := fmt.Sprint("u", i)
		r.people[user] = Person{}
		s.channel("c"+user, func(c *alert.Channel) { c.UserID = user })
		for j := range 10 {
			name := fmt.Sprintf("%s.%d", user, j)
			r.save(user, name)
			snapshot.Workers = append(snapshot.Workers, ledger.WorkerView{Name: name, Online: true})
		}
		rule := newRule(Owner{UserID: user})
		rule.Channels, rule.Kinds = []string{"c" + user}, []alert.Kind{alert.WorkerOffline, alert.WorkerOnline}
		s.rules = append(s.rules, rule)
	}
	r.world = World{Ledger: snapshot}
	w := &watcher{c: New(r.config(s, (&sink{}).service("sink", true)), quietLog)}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for b.Loop() {
		now = now.Add(watchEvery)
		if err := w.tick(b.Context(), now); err != nil {
			b.Fatal(err)
		}
	}
}
