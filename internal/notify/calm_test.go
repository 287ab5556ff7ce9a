package notify

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolscope/poolscope/internal/alert"
)

// putCrowd has workers of people 0 to n-1 go, and adds what is not about that.
func putCrowd(t *testing.T, s *shelf, stage *stage, n int) {
	t.Helper()
	s.channel("all", func(c *alert.Channel) { c.Kind = "place" })
	var c alert.Change
	for i := range n {
		user, channel := fmt.Sprint("u", i), fmt.Sprint("c", i)
		stage.people[user] = Person{}
		s.channel(channel, func(c *alert.Channel) { c.UserID, c.Kind = user, "place" })
		e := alert.Event{Kind: alert.WorkerOffline, Key: user, At: time.Now(), Text: "Offline " + user}
		c.Entries = append(c.Entries, alert.Entry{Key: channel, Channel: channel, UserID: user, Event: e, State: alert.Queued, Created: time.Now()})
	}
	found := alert.Event{Kind: alert.BlockFound, Key: "block", At: time.Now(), Text: "Block found"}
	c.Entries = append(c.Entries, alert.Entry{Key: "block", Channel: "c0", UserID: "u0", Event: found, State: alert.Queued, Created: time.Now()})
	if _, err := s.Commit(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}

// When workers of a crowd go at once, nobody is called: one message for all says
// so. Up to a hundred people are called.
func TestCrowdsAreNotCalled(t *testing.T) {
	for n, crowd := range map[int]bool{crowdLeast: false, crowdLeast + 1: true} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, out, stage := newShelf(), &sink{}, newStage()
				putCrowd(t, s, stage, n)
				place := out.service("place", true)
				place.Shared = true
				c, stop := runCenter(t, stage.config(s, place))
				defer stop()
				settle(2 * time.Minute)
				got := out.texts()
				slices.Sort(got)
				dropped := uint64(0)
				for _, d := range c.Counts().Drops {
					if d.Name == dropCrowd {
						dropped = d.Count
					}
				}
				if !crowd {
					if len(got) != n+1 || dropped != 0 {
						t.Errorf("%d told, %d dropped", len(got), dropped)
					}
					return
				}
				want := fmt.Sprintf("Workers of %d people came or went at once (%d messages of going, 0 messages of coming back). So many are not called one by one.", n, n)
				sameTexts(t, "told", got, "Block found", want)
				if e := s.entry(0); e.State != alert.Dropped || e.Error == "" || dropped != uint64(n) {
					t.Errorf("%s %q, %d counted", e.State, e.Error, dropped)
				}
			})
		})
	}
}

// Killed between the message for all and the end of the others, there is one
// message nevertheless.
func TestCrowdOverAKill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, out, stage := newShelf(), &sink{}, newStage()
		putCrowd(t, s, stage, crowdLeast+20)
		place := out.service("place", true)
		place.Shared = true
		cfg := stage.config(s, place)
		s.die = func(step string) bool { return step == "before finish" }
		_, stop := runCenter(t, cfg)
		settle(time.Minute)
		stop()
		if out.count() != 0 {
			t.Fatalf("told %q before anything was written", out.texts())
		}
		s.die, s.dead = nil, false
		_, stop = runCenter(t, cfg)
		defer stop()
		settle(2 * time.Minute)
		if got := out.texts(); len(got) != 2 {
			t.Errorf("told %q", got)
		}
	})
}

// Who waits for a turn in a place that all share, and whose own servers hang, hold
// up nobody else.
func TestTurnsAndHangingServersHoldUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, out, stage := newShelf(), &sink{}, newStage()
		hang := Service{ID: "hang", Open: func(Opening) (Channel, error) { return hanging{}, nil }}
		place := Service{ID: "place", Shared: true, Open: func(Opening) (Channel, error) { return hanging{}, nil }}
		s.channel("mine", func(c *alert.Channel) { c.UserID = "u2" })
		for i := range 20 {
			s.channel(fmt.Sprint("p", i), func(c *alert.Channel) { c.Kind = "place" })
			s.channel(fmt.Sprint("h", i), func(c *alert.Channel) { c.Kind, c.UserID = "hang", "u1" })
		}
		_, stop := runCenter(t, stage.config(s, out.service("sink", true), hang, place))
		defer stop()
		for i := range 20 {
			s.put(t, fmt.Sprint("p", i), "a")
			s.put(t, fmt.Sprint("h", i), "a")
		}
		s.put(t, "mine", "mine")
		settle(8 * time.Second)
		sameTexts(t, "told", out.texts(), "mine")
	})
}
