package notify

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolscope/poolscope/internal/alert"
	"github.com/poolscope/poolscope/internal/ledger"
)

// shelf is a store in memory, for tests whose clock is not the real one. It can
// be told to fail.
type shelf struct {
	mu       sync.Mutex
	channels map[string]alert.Channel
	rules    []alert.Rule
	noticed  map[string][]byte
	entries  []alert.Entry
	die      func(step string) bool // the process ends at this step: nothing is written any more
	dead     bool
}

var _ alert.Store = (*shelf)(nil)

var errDead = errors.New("the process has ended")

func newShelf() *shelf {
	return &shelf{channels: make(map[string]alert.Channel), noticed: make(map[string][]byte)}
}

// at is called before and after every write.
func (s *shelf) at(step string) error {
	if s.die != nil && s.die(step) {
		s.dead = true
	}
	if s.dead {
		return errDead
	}
	return nil
}

func (s *shelf) write(name string, do func()) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.at("before " + name); err != nil {
		return err
	}
	do()
	return s.at("after " + name) // written, but nobody hears of it
}

func (s *shelf) Channels(context.Context) (list []alert.Channel, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.channels {
		list = append(list, c.Clone())
	}
	return list, nil
}

func (s *shelf) Rules(context.Context) ([]alert.Rule, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.rules), nil
}

func (s *shelf) SaveChannel(_ context.Context, c alert.Channel) error {
	return s.write("channel", func() { s.channels[c.ID] = c })
}

func (s *shelf) SaveRule(_ context.Context, r alert.Rule) error {
	return s.write("rule", func() { s.rules = append(s.rules, r) })
}

func (s *shelf) DeleteChannel(_ context.Context, id string) error {
	return s.write("channel", func() { delete(s.channels, id) })
}

func (s *shelf) DeleteRule(context.Context, string) error { return nil }

func (s *shelf) NoteChannel(_ context.Context, id string, o alert.Outcome) error {
	return s.write("note", func() {
		c := s.channels[id]
		if c.LastError = o.Error; o.Error == "" {
			c.LastSent = o.At
		}
		s.channels[id] = c
	})
}

func (s *shelf) Noticed(context.Context) (map[string][]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make(map[string][]byte)
	for k, v := range s.noticed {
		out[k] = v
	}
	return out, nil
}

func (s *shelf) Commit(_ context.Context, c alert.Change) (added int, err error) {
	err = s.write("commit", func() {
		for k, v := range c.Put {
			s.noticed[k] = v
		}
		for _, k := range c.Forget {
			delete(s.noticed, k)
		}
		for _, e := range c.Entries {
			if !slices.ContainsFunc(s.entries, func(o alert.Entry) bool { return o.Key == e.Key }) {
				e.ID = int64(len(s.entries) + 1)
				s.entries = append(s.entries, e)
				added++
			}
		}
	})
	return added, err
}

func (s *shelf) Open(context.Context, int) (list []alert.Entry, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dead {
		return nil, errDead
	}
	for _, e := range s.entries {
		if e.State == alert.Queued || e.State == alert.Sending {
			list = append(list, e)
		}
	}
	return list, nil
}

func (s *shelf) change(ids []int64, do func(e *alert.Entry)) {
	for i := range s.entries {
		if slices.Contains(ids, s.entries[i].ID) {
			do(&s.entries[i])
		}
	}
}

func (s *shelf) Begin(_ context.Context, ids []int64, batch string, at time.Time) error {
	return s.write("begin", func() {
		s.change(ids, func(e *alert.Entry) { e.State, e.Batch, e.Updated, e.Attempts = alert.Sending, batch, at, e.Attempts+1 })
	})
}

func (s *shelf) Finish(_ context.Context, ids []int64, o alert.Outcome) error {
	return s.write("finish", func() {
		s.change(ids, func(e *alert.Entry) { e.State, e.NextTry, e.Error, e.Updated = o.State, o.NextTry, o.Error, o.At })
	})
}

func (s *shelf) Recent(context.Context, []string, int) ([]alert.Entry, error) { return nil, nil }
func (s *shelf) Trim(context.Context, time.Time, int) error                   { return nil }

// states are those of all entries.
func (s *shelf) states() (list []alert.State) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.entries {
		list = append(list, e.State)
	}
	return list
}

// entry is the i-th one as it is now, now a channel.
func (s *shelf) entry(i int) alert.Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.entries[i]
}

func (s *shelf) now(id string) alert.Channel {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.channels[id]
}

// put puts events into the outbox.
func (s *shelf) put(t *testing.T, channel string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		e := alert.Event{Kind: alert.BackupFailed, Key: text, At: time.Now(), Text: text}
		if strings.HasPrefix(text, "block") {
			e.Kind = alert.BlockFound
		}
		c := alert.Change{Entries: []alert.Entry{{Key: channel + "|" + text, Channel: channel, Event: e, State: alert.Queued, Created: time.Now()}}}
		if _, err := s.Commit(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
}

func (s *shelf) channel(id string, change func(c *alert.Channel)) {
	c := alert.Channel{ID: id, Kind: "sink", Name: id, Enabled: true, Settings: map[string]string{"token": "geheim-1"}}
	if change != nil {
		change(&c)
	}
	s.channels[id] = c
}

// runCenter runs alerts in the bubble until the returned function is called.
func runCenter(t *testing.T, cfg Config) (c *Center, stop func()) {
	t.Helper()
	c = New(cfg, quietLog)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	return c, func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	}
}

// settle lets time pass in the bubble, and waits until nobody does anything.
func settle(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func sameTexts(t *testing.T, name string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %q, want %q", name, got, want)
	}
}

// Events that come together go together.
func TestBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, out := newShelf(), &sink{}
		s.channel("c1", nil)
		_, stop := runCenter(t, newStage().config(s, out.service("sink", true)))
		defer stop()
		s.put(t, "c1", "a", "b")
		settle(3 * time.Second)
		s.put(t, "c1", "c")
		settle(4 * time.Second)
		s.put(t, "c1", "d")
		settle(10 * time.Second)
		if out.count() != 2 {
			t.Errorf("%d messages", out.count())
		}
		sameTexts(t, "told", out.texts(), "a", "b", "c", "d")
	})
}

// Temporary errors are tried again, later and later, as one message under one id,
// and what comes meanwhile waits for its turn.
func TestTriesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, out := newShelf(), &sink{}
		var at []time.Duration
		start := time.Now()
		out.fail = func(n int) error {
			at = append(at, time.Since(start))
			if n <= 6 {
				return errors.New("refused geheim-1 at https://user:pass@host/geheim-1")
			}
			return nil
		}
		s.channel("c1", nil)
		_, stop := runCenter(t, newStage().config(s, out.service("sink", false)))
		defer stop()
		s.put(t, "c1", "a")
		settle(20 * time.Second)
		s.put(t, "c1", "b")
		if e := s.entry(0).Error; e != "refused [redacted] at [address]" {
			t.Errorf("error is shown as %q", e)
		}
		settle(time.Hour)
		sameTexts(t, "told", out.texts(), "a", "b")
		if len(at) != 8 {
			t.Fatalf("tried at %v", at)
		}
		for i := 1; i < 6; i++ {
			pause, want := at[i]-at[i-1], firstPause<<(i-1)
			if pause < want*8/10 || pause > want*12/10+2*courierEvery {
				t.Errorf("pause %d is %v, want about %v", i, pause, want)
			}
		}
	})
}

// A definite no ends a message at once, a day of failures in the end; both are
// shown, and the channel stays.
func TestGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, out := newShelf(), &sink{}
		out.fail = func(int) error { return Permanent(errors.New("no such chat")) }
		s.channel("c1", nil)
		c, stop := runCenter(t, newStage().config(s, out.service("sink", true)))
		defer stop()
		s.put(t, "c1", "a")
		settle(10 * time.Second)
		if s.states()[0] != alert.Failed || out.attempts() != 1 || s.now("c1").LastError != "no such chat" || !s.now("c1").Enabled {
			t.Errorf("%v after %d tries, channel %+v", s.states(), out.attempts(), s.now("c1"))
		}
		out.mu.Lock()
		out.fail = func(int) error { return errors.New("not now") }
		out.mu.Unlock()
		s.put(t, "c1", "b")
		settle(23 * time.Hour)
		if s.states()[1] != alert.Queued {
			t.Errorf("after 23 hours: %v", s.states())
		}
		settle(4 * time.Hour)
		if s.states()[1] != alert.Failed || !strings.HasPrefix(s.entry(1).Error, "given up after a day") {
			t.Errorf("after a day: %+v", s.entry(1))
		}
		for _, n := range c.Counts().Results {
			if want := map[string]uint64{sentPermanent: 1, sentGivenUp: 1}[n.Name]; want > 0 && n.Count != want {
				t.Errorf("%s %d", n.Name, n.Count)
			}
		}
	})
}

// A service that asks for a pause gets it.
func TestRetryAfterIsHeeded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, out := newShelf(), &sink{}
		out.fail = func(n int) error {
			if n == 1 {
				return Later(errors.New("slow down"), 10*time.Minute)
			}
			return nil
		}
		s.channel("c1", nil)
		_, stop := runCenter(t, newStage().config(s, out.service("sink", true)))
		defer stop()
		s.put(t, "c1", "a")
		settle(9 * time.Minute)
		if out.attempts() != 1 {
			t.Errorf("tried %d times", out.attempts())
		}
		settle(2 * time.Minute)
		sameTexts(t, "told", out.texts(), "a")
	})
}

// Quiet hours hold back and deliver afterwards, all at once; blocks pass if wanted.
func TestQuietHoursHoldBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // midnight UTC, 2000-01-01
		s, out := newShelf(), &sink{}
		s.channel("c1", func(c *alert.Channel) {
			c.Quiet = alert.Quiet{From: "22:00", To: "07:00", Zone: "Europe/Berlin", Blocks: true}
		})
		_, stop := runCenter(t, newStage().config(s, out.service("sink", true)))
		defer stop()
		for i := range 5 {
			s.put(t, "c1", fmt.Sprint(i))
			settle(time.Hour)
		}
		s.put(t, "c1", "block!")
		settle(50 * time.Minute)
		sameTexts(t, "in the night", out.texts(), "block!")
		settle(15 * time.Minute) // 07:05 in Berlin
		sameTexts(t, "in the morning", out.texts(), "block!", "0", "1", "2", "3", "4")
		if last := out.last(); out.count() != 2 || !last.Digest || last.Title != "poolscope: 5 events in quiet hours" {
			t.Errorf("%d messages, the last is %+v", out.count(), last)
		}
	})
}

// Limits per hour lose nothing: what is too much waits and goes together.
func TestLimitsHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, out := newShelf(), &sink{}
		s.channel("c1", nil)
		cfg := newStage().config(s, out.service("sink", true))
		cfg.UserPerHour = 3
		c, stop := runCenter(t, cfg)
		defer stop()
		var want []string
		for i := range 20 {
			want = append(want, fmt.Sprint(i))
			s.put(t, "c1", fmt.Sprint(i))
			settle(time.Minute)
		}
		if out.count() != 3 {
			t.Errorf("%d messages within the limit", out.count())
		}
		settle(time.Hour)
		sameTexts(t, "told", out.texts(), want...)
		for _, n := range c.Counts().Results {
			if n.Name == sentHeld && n.Count == 0 {
				t.Error("nothing was counted as held")
			}
		}
	})
}

// A channel that hangs or panics keeps up nobody else.
func TestOneChannelDoesNotHoldUpOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, out := newShelf(), &sink{}
		hang := Service{ID: "hang", Open: func(Opening) (Channel, error) { return hanging{}, nil }}
		crash := Service{ID: "crash", Open: func(Opening) (Channel, error) { panic("at the disco") }}
		s.channel("c1", nil)
		s.channel("c2", func(c *alert.Channel) { c.Kind = "hang" })
		s.channel("c3", func(c *alert.Channel) { c.Kind = "crash" })
		c, stop := runCenter(t, newStage().config(s, out.service("sink", true), hang, crash))
		defer stop()
		for _, id := range []string{"c2", "c3", "c1"} {
			s.put(t, id, "a")
		}
		settle(8 * time.Second)
		sameTexts(t, "told", out.texts(), "a")
		settle(time.Minute)
		for _, n := range c.Counts().Panics {
			if n.Name == partSender && n.Count == 0 {
				t.Error("no panic was counted")
			}
		}
		if got := s.states(); got[0] != alert.Queued && got[0] != alert.Sending || got[1] != alert.Queued && got[1] != alert.Sending {
			t.Errorf("states %v", got)
		}
	})
}

type hanging struct{}

func (hanging) Send(ctx context.Context, _ Message) error {
	<-ctx.Done()
	return ctx.Err()
}

// The proof of the outbox: the process ends before or after every single write,
// again and again, and at the service each event is there exactly once when it
// goes by the message's id, and at least once when it does not; a repetition says
// so.
func TestKilledAtEveryStep(t *testing.T) {
	for _, idempotent := range []bool{true, false} {
		for kill := 1; kill <= 60; kill += 1 + kill/20*3 {
			synctest.Test(t, func(t *testing.T) {
				s, out, st := newShelf(), &sink{}, newStage()
				out.fail = func(n int) error { // and the service is no help
					if n%4 == 1 {
						return errors.New("not now")
					}
					return nil
				}
				s.channel("c1", nil)
				addRule(t, s, "", nil, "c1")
				steps, blocks := 0, 0
				s.die = func(string) bool { steps++; return blocks > 0 && steps%kill == 0 && steps < 400 }
				for life := range 40 {
					s.mu.Lock()
					s.dead = false
					s.mu.Unlock()
					_, stop := runCenter(t, st.config(s, out.service("sink", idempotent)))
					settle(7 * time.Second)
					if life < 5 {
						s.mu.Lock() // die reads it
						blocks++
						s.mu.Unlock()
						st.set(func(w *World) {
							w.Ledger.Blocks = append(slices.Clone(w.Ledger.Blocks), block(byte(life+1), ledger.BlockAccepted, "a"))
						})
					}
					settle(13 * time.Second)
					stop()
				}
				s.mu.Lock()
				s.die, s.dead = nil, false
				s.mu.Unlock()
				_, stop := runCenter(t, st.config(s, out.service("sink", idempotent)))
				settle(2 * time.Hour)
				stop()

				seen, ids := make(map[string]int), make(map[string]bool)
				for _, m := range out.messages {
					if idempotent && ids[m.ID] {
						continue // as such a service does
					}
					again := ids[m.ID]
					ids[m.ID] = true
					if again && !slices.Contains(m.Lines, repetition) {
						t.Errorf("kill %d: a repetition without a remark: %q", kill, m.Lines)
					}
					for _, e := range m.Events {
						if !again {
							seen[e.Key]++
						}
					}
				}
				for key, n := range seen {
					if n != 1 {
						t.Errorf("kill %d: %s was told %d times", kill, key, n)
					}
				}
				if len(seen) != blocks {
					t.Errorf("kill %d: %d of %d events were told", kill, len(seen), blocks)
				}
				for _, state := range s.states() {
					if state != alert.Sent {
						t.Errorf("kill %d: left as %s", kill, state)
					}
				}
			})
		}
	}
}

// The same with the real store: the process ends at any moment, and another one
// opens the file.
func TestKilledWithTheRealStore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "books.db")
	out, st := &sink{}, newStage()
	st.saved = []Saved{{UserID: "u1", Name: "a", Notify: true}}
	books := openStore(t, path)
	addChannel(t, books.Alerts(), "c1", "u1", "sink")
	addRule(t, books.Alerts(), "u1", func(r *alert.Rule) { r.OfflineAfter = 30 * time.Second }, "c1")
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	ctx := t.Context()
	for round := range 30 {
		cfg := st.config(books.Alerts(), out.service("sink", true))
		cfg.QuietStart, cfg.Batch = time.Nanosecond, time.Nanosecond
		c := New(cfg, quietLog)
		w, k := &watcher{c: c}, newCourier(c)
		if st.online(); round%10 < 5 {
			st.online("a")
		}
		for range 20 { // a minute of a life
			now = now.Add(watchEvery)
			if err := w.tick(ctx, now); err != nil {
				t.Fatal(err)
			}
			if err := k.round(ctx, ctx, now); err != nil {
				t.Fatal(err)
			}
			if len(k.busy) == 0 {
				continue
			}
			r := <-k.results // it has arrived, …
			if round%2 == 1 {
				break // … and the process ends before that is written down
			}
			k.done(ctx, r)
		}
		if err := books.Close(); err != nil {
			t.Fatal(err)
		}
		books = openStore(t, path)
	}
	seen, ids := make(map[string]int), make(map[string]bool)
	for _, m := range out.messages {
		if !ids[m.ID] {
			ids[m.ID] = true
			for _, e := range m.Events {
				seen[string(e.Kind)]++
			}
		}
	}
	if seen[string(alert.WorkerOffline)] != 3 || seen[string(alert.WorkerOnline)] != 2 {
		t.Errorf("told %v of 3 times gone and 2 times back", seen)
	}
	if err := books.Close(); err != nil {
		t.Fatal(err)
	}
}
