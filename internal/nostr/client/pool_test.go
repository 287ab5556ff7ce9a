package client

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolscope/poolscope/internal/nostr"
	"github.com/poolscope/poolscope/internal/nostr/nostrtest"
	"github.com/poolscope/poolscope/internal/nostr/relay"
)

func secret(t testing.TB, n int) nostr.SecretKey {
	t.Helper()
	k, err := nostr.ParseSecretKey(fmt.Sprintf("%064x", n))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func event(t testing.TB, content string) *nostr.Event {
	t.Helper()
	e := &nostr.Event{CreatedAt: time.Now().Unix(), Kind: 1, Content: content}
	if err := e.Sign(secret(t, 1)); err != nil {
		t.Fatal(err)
	}
	return e
}

// serve puts a relay on an address and returns it and how to end it.
func serve(t *testing.T, address string, config relay.Config) (at string, r *relay.Relay, stop func()) {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	r = relay.New(config)
	server := &http.Server{Handler: r}
	var running sync.WaitGroup
	running.Go(func() { _ = server.Serve(listener) })
	stop = sync.OnceFunc(func() {
		r.Close()
		_ = server.Close()
		running.Wait()
	})
	t.Cleanup(stop)
	return listener.Addr().String(), r, stop
}

// swapped is a handler that can be replaced.
type swapped struct {
	mu      sync.Mutex
	handler http.Handler
}

func (s *swapped) set(h http.Handler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handler = h
}

func (s *swapped) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	h := s.handler
	s.mu.Unlock()
	h.ServeHTTP(w, r)
}

// inbox counts what was received.
type inbox struct {
	mu   sync.Mutex
	seen map[string]int
}

func (i *inbox) take(_ string, e *nostr.Event) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.seen[e.Content]++
}

func (i *inbox) count() (different, all int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, n := range i.seen {
		all += n
	}
	return len(i.seen), all
}

func run(t *testing.T, config Config) *Pool {
	t.Helper()
	config.MinBackoff, config.MaxBackoff = 5*time.Millisecond, 20*time.Millisecond
	p, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { p.Run(ctx) })
	t.Cleanup(func() { cancel(); running.Wait() })
	return p
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if is() {
			return
		}
	}
	t.Fatalf("never: %s", what)
}

var everything = []Subscription{{ID: "all", Filters: []nostr.Filter{{Kinds: []int{1}}}}}

func TestTwoRelaysEveryEventOnce(t *testing.T) {
	a, _, _ := serve(t, "127.0.0.1:0", relay.Config{})
	b, _, _ := serve(t, "127.0.0.1:0", relay.Config{})
	relays := []string{"ws://" + a, "ws://" + b}
	in := &inbox{seen: map[string]int{}}
	reader := run(t, Config{Relays: relays, Subscriptions: everything, Received: in.take})
	writer := run(t, Config{Relays: relays})
	for i := range 40 {
		writer.Publish(event(t, fmt.Sprint(i)))
	}
	eventually(t, "both relays gave everything", func() bool {
		s := reader.Status()
		return s[0].Received+s[0].Duplicates == 40 && s[1].Received+s[1].Duplicates == 40
	})
	if different, all := in.count(); different != 40 || all != 40 {
		t.Errorf("%d different events, %d calls", different, all)
	}
	eventually(t, "all OKs came", func() bool {
		s := writer.Status()
		return s[0].Accepted == 40 && s[1].Accepted == 40 && s[0].Waiting == 0
	})
}

func TestACutLosesAndDoublesNothing(t *testing.T) {
	address, _, stop := serve(t, "127.0.0.1:0", relay.Config{})
	relays := []string{"ws://" + address}
	in := &inbox{seen: map[string]int{}}
	reader := run(t, Config{Relays: relays, Subscriptions: everything, Received: in.take})
	writer := run(t, Config{Relays: relays, Queue: 1000})
	for i := range 20 {
		writer.Publish(event(t, fmt.Sprint("before ", i)))
	}
	eventually(t, "the first came", func() bool { n, _ := in.count(); return n == 20 })
	stop()
	for i := range 60 {
		writer.Publish(event(t, fmt.Sprint("during ", i)))
	}
	serve(t, address, relay.Config{})
	eventually(t, "what was written during the cut came", func() bool { n, _ := in.count(); return n == 80 })
	if _, all := in.count(); all != 80 {
		t.Errorf("%d calls for 80 events", all)
	}
	eventually(t, "nothing waits", func() bool { return writer.Status()[0].Waiting == 0 })
	if s := writer.Status()[0]; s.Dropped != 0 || s.Connects < 2 || reader.Status()[0].Connects < 2 {
		t.Errorf("%+v", s)
	}
}

func TestARelayThatAsksForSlownessGetsEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := relay.New(relay.Config{EventBurst: 5, EventsPerSecond: 0.5})
		t.Cleanup(r.Close)
		p := runFor(t, nostrtest.New(t, r), Config{})
		for i := range 20 {
			p.Publish(event(t, fmt.Sprint(i)))
		}
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		if s := r.Stats(); s.Events != 20 || s.Refused["rate_limited"] == 0 {
			t.Errorf("relay: %+v", s)
		}
		if s := p.Status()[0]; s.Waiting != 0 || s.Accepted != 20 || s.Dropped != 0 || s.Connects != 1 {
			t.Errorf("client: %+v", s)
		}
	})
}

func TestAFullQueueDropsTheOldestAndCounts(t *testing.T) {
	p, err := New(Config{Relays: []string{"ws://127.0.0.1:1"}, Queue: 10})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 25 {
		p.Publish(event(t, fmt.Sprint(i)))
	}
	if s := p.Status()[0]; s.Waiting != 10 || s.Dropped != 15 {
		t.Errorf("%+v", s)
	}
}

func TestChallengesAreAnswered(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	serve(t, address, relay.Config{Address: "ws://" + address, RequireAuth: true})
	in := &inbox{seen: map[string]int{}}
	p := run(t, Config{Relays: []string{"ws://" + address}, Subscriptions: everything, Received: in.take, Key: secret(t, 1)})
	p.Publish(event(t, "x"))
	eventually(t, "our event came back", func() bool { n, _ := in.count(); return n == 1 })
}

func TestRefusedEventsLeaveTheQueueAndAreCounted(t *testing.T) {
	address, _, _ := serve(t, "127.0.0.1:0", relay.Config{Authors: []string{secret(t, 2).Public().String()}})
	p := run(t, Config{Relays: []string{"ws://" + address}})
	p.Publish(event(t, "x"))
	eventually(t, "counted", func() bool { s := p.Status()[0]; return s.Rejected["blocked"] == 1 && s.Waiting == 0 })
}

func TestOnlyTrueAndWantedEventsAreHandedOn(t *testing.T) {
	in := &inbox{seen: map[string]int{}}
	p, err := New(Config{Subscriptions: everything, Received: in.take, Seen: 1})
	if err != nil {
		t.Fatal(err)
	}
	good := event(t, "x")
	forged := *good
	forged.Content = "y"
	other := *good
	other.Kind = 2
	for _, c := range []struct {
		subscription string
		e            *nostr.Event
		want         string
	}{
		{"all", &forged, "forged"}, {"all", good, fresh}, {"all", good, again}, {"all", &other, "unasked"}, {"none", good, "unasked"},
		{"all", event(t, "z"), fresh}, {"all", good, fresh}, // forgotten: one id is remembered here
	} {
		if got := p.received(p.subscription(c.subscription), c.e); got != c.want {
			t.Errorf("%q: %q, want %q", c.e.Content, got, c.want)
		}
	}
}

func TestSubscriptionsBeginBeforeTheCut(t *testing.T) {
	early, late := int64(10), int64(990)
	limit := 5
	filters := []nostr.Filter{{Limit: &limit}, {Since: &early}, {Since: &late}}
	got := since(filters, time.Unix(1000, 0), 60*time.Second)
	if *got[0].Since != 940 || got[0].Limit != nil || *got[1].Since != 940 || *got[2].Since != 990 {
		t.Errorf("%+v", got)
	}
	if filters[0].Since != nil {
		t.Error("the configuration changed")
	}
}

func TestOddAddressesAreRefused(t *testing.T) {
	for _, address := range []string{"", "http://x", "relay.example", "ws://", "ws:// x"} {
		if _, err := New(Config{Relays: []string{address}}); err == nil {
			t.Errorf("%q accepted", address)
		}
	}
}
