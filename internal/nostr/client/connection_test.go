package client

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/poolscope/poolscope/internal/nostr"
	"github.com/poolscope/poolscope/internal/nostr/nostrtest"
	"github.com/poolscope/poolscope/internal/nostr/relay"
)

// script is a relay that the test plays: it says what say makes of each message
// that it hears.
type script struct {
	say func(m nostr.Message, talk func(string))

	mu    sync.Mutex
	heard []string
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ws, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer func() { _ = ws.CloseNow() }()
	ws.SetReadLimit(1 << 20)
	for {
		_, data, err := ws.Read(r.Context())
		if err != nil {
			return
		}
		s.mu.Lock()
		s.heard = append(s.heard, string(data))
		s.mu.Unlock()
		m, err := nostr.ParseClientMessage(data)
		if err != nil {
			return
		}
		s.say(m, func(text string) { _ = ws.Write(r.Context(), websocket.MessageText, []byte(text)) })
	}
}

// count is how many messages with this beginning were heard.
func (s *script) count(beginning string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, text := range s.heard {
		if strings.HasPrefix(text, beginning) {
			n++
		}
	}
	return n
}

func TestWhatARelayMaySendIsCountedAndEndsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now().Unix()
		sealed := func(at int64, kind int, content string) *nostr.Event {
			e := &nostr.Event{CreatedAt: at, Kind: kind, Content: content}
			if err := e.Sign(secret(t, 1)); err != nil {
				t.Fatal(err)
			}
			return e
		}
		forged := sealed(now, 1, "forged")
		forged.Content = "other"
		stolen := sealed(now, 1, "stolen")
		stolen.Sig = sealed(now, 1, "x").Sig
		good := sealed(now, 1, "good")
		s := &script{say: func(m nostr.Message, talk func(string)) {
			if m.Label != nostr.LabelReq {
				return
			}
			for _, e := range []*nostr.Event{forged, stolen, sealed(now-7200, 1, "stale"), sealed(now+3600, 1, "future"), sealed(now, 2, "unasked"), good, good} {
				talk(string((&nostr.Message{Label: nostr.LabelEvent, Subscription: "all", Event: e}).Encode()))
			}
			talk(string((&nostr.Message{Label: nostr.LabelEvent, Subscription: "~0", Event: sealed(now, 1, "page")}).Encode()))
			talk(string((&nostr.Message{Label: nostr.LabelEvent, Subscription: "all", Event: sealed(now, 1, strings.Repeat("x", 300_000))}).Encode()))
			talk(`["EVENT","all",{"id":7}]`)
			talk(`["OK","` + good.ID + `",true,""]`)
			talk(`["CLOSED","nobody","error: x"]`)
			talk(`["NOTICE","` + strings.Repeat("n", 5000) + `"]`)
			talk(`["EOSE","all"]`)
		}}
		in := &inbox{seen: map[string]int{}}
		p := runFor(t, nostrtest.New(t, s), Config{Subscriptions: everything, Received: in.take, MaxAge: time.Hour})
		time.Sleep(time.Second)
		synctest.Wait()
		got := p.Status()[0]
		want := map[string]uint64{
			"forged": 2, "stale": 1, "future": 1, "unasked": 2, "oversized": 1, "malformed": 1, "ok_of_unknown_event": 1, "closed_error": 1, "control_flood": 0,
		}
		for why, n := range want {
			if got.Refused[why] != n {
				t.Errorf("%s: counted %d times, want %d", why, got.Refused[why], n)
			}
		}
		if different, all := in.count(); different != 1 || all != 1 || in.seen["good"] != 1 || got.Duplicates != 1 || got.Received != 1 {
			t.Errorf("handed on: %v; %+v", in.seen, got)
		}
		if got.State != "connected" || got.Connects != 1 || len(got.Notice) > 210 {
			t.Errorf("%+v", got)
		}
	})
}

// TestARefusedSubscriptionIsAskedForAgain ever more rarely, while events are
// published all the same.
func TestARefusedSubscriptionIsAskedForAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{say: func(m nostr.Message, talk func(string)) {
			switch m.Label {
			case nostr.LabelReq:
				talk(`["CLOSED","all","restricted: not for you"]`)
			case nostr.LabelEvent:
				talk(`["OK","` + m.Event.ID + `",true,""]`)
			}
		}}
		p := runFor(t, nostrtest.New(t, s), Config{Subscriptions: everything})
		p.Publish(event(t, "x"))
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		st := p.Status()[0]
		if n := s.count(`["REQ"`); n < 8 || n > 20 || uint64(n) != st.Refused["closed_restricted"] {
			t.Errorf("asked %d times in ten minutes; %+v", n, st)
		}
		if st.Accepted != 1 || st.Connects != 1 || !strings.Contains(st.Error, "not for you") {
			t.Errorf("%+v", st)
		}
	})
}

func TestARelayThatDoesNotSayOKIsLeftAndTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var willing atomic.Bool
		s := &script{}
		s.say = func(m nostr.Message, talk func(string)) {
			if m.Label == nostr.LabelEvent && willing.Load() {
				talk(`["OK","` + m.Event.ID + `",true,""]`)
			}
		}
		p := runFor(t, nostrtest.New(t, s), Config{})
		p.Publish(event(t, "x"))
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if st := p.Status()[0]; st.Connects < 2 || st.Waiting != 1 || st.Accepted != 0 {
			t.Errorf("%+v", st)
		}
		willing.Store(true)
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		if st := p.Status()[0]; st.Waiting != 0 || st.Accepted != 1 {
			t.Errorf("%+v", st)
		}
	})
}

// TestWordsOfRefusal is what becomes of an event, by the relay's words.
func TestWordsOfRefusal(t *testing.T) {
	for _, c := range []struct {
		text     string
		rejected string // the reason counted; "" when it stays in the queue
		least    int    // how often it is sent in ten minutes
		most     int
	}{
		{"invalid: no", "invalid", 1, 1},
		{"blocked: no", "blocked", 1, 1},
		{"what a day", "other", 1, 1},
		{"error: the disk is full", "error", maxTries, maxTries},
		{"rate-limited: slow down", "", 10, 20},
		{"auth-required: who are you?", "", 10, 20},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &script{say: func(m nostr.Message, talk func(string)) {
				if m.Label == nostr.LabelEvent {
					talk(`["OK","` + m.Event.ID + `",false,"` + c.text + `"]`)
				}
			}}
			p := runFor(t, nostrtest.New(t, s), Config{})
			p.Publish(event(t, "x"))
			time.Sleep(10 * time.Minute)
			synctest.Wait()
			st := p.Status()[0]
			if n := s.count(`["EVENT"`); n < c.least || n > c.most {
				t.Errorf("%q: sent %d times, want %d to %d", c.text, n, c.least, c.most)
			}
			if c.rejected == "" && st.Waiting != 1 || c.rejected != "" && (st.Waiting != 0 || st.Rejected[c.rejected] != 1) {
				t.Errorf("%q: %+v", c.text, st)
			}
		})
	}
}

func TestAnOversizedEventIsNotSent(t *testing.T) {
	p, err := New(Config{Relays: []string{"ws://127.0.0.1:1"}})
	if err != nil {
		t.Fatal(err)
	}
	p.Publish(event(t, strings.Repeat("x", nostr.MaxMessageBytes)))
	if s := p.Status()[0]; s.Waiting != 0 || s.Rejected["oversized"] != 1 {
		t.Errorf("%+v", s)
	}
}

func TestChallengesAreAnsweredLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := relay.New(relay.Config{Address: "ws://relay.example", RequireAuth: true})
		t.Cleanup(r.Close)
		in := &inbox{seen: map[string]int{}}
		n := nostrtest.New(t, r)
		with := runFor(t, n, Config{Subscriptions: everything, Received: in.take, Key: secret(t, 1)})
		without := runFor(t, n, Config{Subscriptions: everything})
		with.Publish(event(t, "x"))
		time.Sleep(time.Minute)
		synctest.Wait()
		if different, _ := in.count(); different != 1 || with.Status()[0].Accepted != 1 {
			t.Errorf("%+v", with.Status()[0])
		}
		if s := without.Status()[0]; s.Refused["closed_auth-required"] == 0 || !strings.Contains(s.Error, "auth-required") {
			t.Errorf("without a key: %+v", s)
		}
	})
}

func TestOddSubscriptionsAreRefused(t *testing.T) {
	f := []nostr.Filter{{}}
	for _, list := range [][]Subscription{
		{{ID: "", Filters: f}}, {{ID: "~0", Filters: f}}, {{ID: strings.Repeat("x", 65), Filters: f}}, {{ID: "a"}}, {{ID: "a", Filters: f}, {ID: "a", Filters: f}}, {{ID: "\xff", Filters: f}},
	} {
		if _, err := New(Config{Subscriptions: list}); err == nil {
			t.Errorf("%+v accepted", list)
		}
	}
}

// FuzzConnection hears anything from a relay, and goes on. Nothing is handed on
// that was not signed by somebody.
func FuzzConnection(f *testing.F) {
	e := &nostr.Event{CreatedAt: 1000, Kind: 1, Content: "x"}
	if err := e.Sign(secret(f, 1)); err != nil {
		f.Fatal(err)
	}
	for _, m := range []nostr.Message{
		{Label: nostr.LabelEvent, Subscription: "all", Event: e}, {Label: nostr.LabelEvent, Subscription: "~0", Event: e}, {Label: nostr.LabelOK, ID: e.ID, Accepted: true},
		{Label: nostr.LabelOK, ID: e.ID, Text: "error: x"}, {Label: nostr.LabelEOSE, Subscription: "all"}, {Label: nostr.LabelEOSE, Subscription: "~0"},
		{Label: nostr.LabelClosed, Subscription: "all", Text: "auth-required: x"}, {Label: nostr.LabelAuth, Text: "challenge"},
	} {
		f.Add(m.Encode(), []byte(`["EOSE","all"]`), m.Encode())
	}
	f.Fuzz(func(t *testing.T, a, b, c []byte) {
		handed := 0
		p, err := New(Config{
			Relays: []string{"ws://relay.example"}, Subscriptions: everything, Key: secret(t, 1), Now: func() time.Time { return time.Unix(1000, 0) },
			Received: func(_ string, got *nostr.Event) {
				handed++
				if err := got.Verify(); err != nil {
					t.Errorf("handed on: %v", err)
				}
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		conn := newConnection(ctx, p.links[0], nil, time.Unix(900, 0))
		conn.subscribeAll()
		for _, data := range [][]byte{a, b, c} {
			m, err := nostr.ParseRelayMessage(data)
			if err != nil {
				continue
			}
			if err := conn.handle(&m); err != nil && m.Label != nostr.LabelAuth {
				t.Fatalf("%s ended the connection: %v", data, err)
			}
		}
		for len(conn.control) > 0 {
			if data := <-conn.control; !isRequest(data) {
				t.Fatalf("a relay would not understand %s", data)
			}
		}
		if s := p.Status()[0]; s.Received != uint64(handed) {
			t.Fatalf("%d handed on, %d counted", handed, s.Received)
		}
	})
}

// isRequest says whether a relay reads this as something that a client says;
// one whose challenge is too long for a message may make us say too much.
func isRequest(data []byte) bool {
	m, err := nostr.ParseClientMessage(data)
	return len(data) > nostr.MaxMessageBytes ||
		err == nil && slices.Contains([]string{nostr.LabelReq, nostr.LabelClose, nostr.LabelAuth}, m.Label)
}

func TestPagesGoBackToTheBeginning(t *testing.T) {
	from := int64(100)
	stored := []int64{100, 100, 101, 150, 150, 150, 151, 199} // created_at of what a relay has
	for limit := 3; limit < 10; limit++ {                     // 3 are of one second
		up := newCatchUp([]nostr.Filter{{Since: &from}})
		got := map[int]bool{}
		for until, pages := int64(1000), 0; ; pages++ {
			if pages > 20 {
				t.Fatal("no end")
			}
			n := 0
			for i := len(stored) - 1; i >= 0 && n < limit; i-- {
				if stored[i] <= until {
					got[i] = true
					up.came(&nostr.Event{CreatedAt: stored[i]})
					n++
				}
			}
			next := up.next()
			if next == nil {
				break
			}
			until = *next[0].Until
		}
		if len(got) != len(stored) {
			t.Errorf("%d at a time: only %v", limit, fmt.Sprint(got))
		}
	}
	if newCatchUp([]nostr.Filter{{Since: &from}, {}}) != nil {
		t.Error("the whole past would be asked for")
	}
}
