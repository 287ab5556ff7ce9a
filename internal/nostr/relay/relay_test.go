package relay

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/poolscope/poolscope/internal/nostr"
)

func secret(t testing.TB, n int) nostr.SecretKey {
	t.Helper()
	k, err := nostr.ParseSecretKey(fmt.Sprintf("%064x", n))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func event(t testing.TB, k nostr.SecretKey, kind int, at int64, content string, tags ...nostr.Tag) *nostr.Event {
	t.Helper()
	e := &nostr.Event{CreatedAt: at, Kind: kind, Content: content, Tags: tags}
	if err := e.Sign(k); err != nil {
		t.Fatal(err)
	}
	return e
}

// peer is a client that the test plays.
type peer struct {
	t      *testing.T
	socket *websocket.Conn
}

func start(t *testing.T, config Config) (*Relay, string) {
	t.Helper()
	r := New(config)
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	t.Cleanup(r.Close)
	return r, strings.Replace(server.URL, "http", "ws", 1)
}

func dial(t *testing.T, address string) *peer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	socket, response, err := websocket.Dial(ctx, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	if response.Body != nil {
		response.Body.Close()
	}
	t.Cleanup(func() { _ = socket.CloseNow() })
	return &peer{t, socket}
}

func (p *peer) say(text string) {
	p.t.Helper()
	if err := p.socket.Write(p.t.Context(), websocket.MessageText, []byte(text)); err != nil {
		p.t.Fatal(err)
	}
}

func (p *peer) hear() nostr.Message {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 10*time.Second)
	defer cancel()
	_, data, err := p.socket.Read(ctx)
	if err != nil {
		p.t.Fatal(err)
	}
	m, err := nostr.ParseRelayMessage(data)
	if err != nil {
		p.t.Fatalf("%s: %v", data, err)
	}
	return m
}

// publish sends an event and returns its OK.
func (p *peer) publish(e *nostr.Event) nostr.Message {
	p.t.Helper()
	p.say(string((&nostr.Message{Label: nostr.LabelEvent, Event: e}).Encode()))
	for {
		if m := p.hear(); m.Label == nostr.LabelOK && m.ID == e.ID {
			return m
		}
	}
}

// stored asks for what is kept, and is the contents in the order they came.
func (p *peer) stored(filters string) (contents []string) {
	p.t.Helper()
	p.say(`["REQ","stored",` + filters + `]`)
	for {
		switch m := p.hear(); m.Label {
		case nostr.LabelEvent:
			contents = append(contents, m.Event.Content)
		case nostr.LabelEOSE:
			p.say(`["CLOSE","stored"]`)
			return contents
		default:
			p.t.Fatalf("%s", m.Encode())
		}
	}
}

func TestKindsAreKeptByTheirClass(t *testing.T) {
	r, address := start(t, Config{})
	p, k := dial(t, address), secret(t, 1)
	for _, e := range []*nostr.Event{
		event(t, k, 1, 100, "a"), event(t, k, 1, 101, "b"),
		event(t, k, 10_000, 100, "old"), event(t, k, 10_000, 102, "new"), event(t, k, 10_000, 101, "late"),
		event(t, k, 30_000, 100, "d1 old", nostr.Tag{"d", "1"}), event(t, k, 30_000, 101, "d1", nostr.Tag{"d", "1"}), event(t, k, 30_000, 100, "d2", nostr.Tag{"d", "2"}),
		event(t, k, 20_000, 100, "gone"),
		event(t, secret(t, 2), 10_000, 100, "other"),
	} {
		if m := p.publish(e); !m.Accepted {
			t.Errorf("%q: %s", e.Content, m.Text)
		}
	}
	for filter, want := range map[string]string{
		`{"kinds":[1]}`:                         "b a",
		`{"kinds":[10000]}`:                     "new other",
		`{"kinds":[30000]}`:                     "d1 d2",
		`{"kinds":[20000]}`:                     "",
		`{"kinds":[30000],"#d":["2"]}`:          "d2",
		`{"kinds":[1],"limit":1}`:               "b",
		`{"limit":0}`:                           "",
		`{"kinds":[1]},{"since":102}`:           "new b a",
		`{"kinds":[1],"since":101,"until":101}`: "b",
	} {
		if got := strings.Join(p.stored(filter), " "); got != want {
			t.Errorf("%s: %q, want %q", filter, got, want)
		}
	}
	if s := r.Stats(); s.Refused["outdated"] != 1 || s.Events != 6 {
		t.Errorf("%+v", s)
	}
}

func TestOfTheSameSecondTheLowerIDStays(t *testing.T) {
	_, address := start(t, Config{})
	p, k := dial(t, address), secret(t, 1)
	a, b := event(t, k, 10_000, 100, "a"), event(t, k, 10_000, 100, "b")
	p.publish(a)
	p.publish(b)
	want := "a"
	if b.ID < a.ID {
		want = "b"
	}
	if got := strings.Join(p.stored(`{}`), " "); got != want {
		t.Errorf("%q stayed, want %q", got, want)
	}
}

func TestLiveEventsReachWhoAskedForThem(t *testing.T) {
	_, address := start(t, Config{})
	writer, reader := dial(t, address), dial(t, address)
	reader.say(`["REQ","mine",{"#r":["run1"]}]`)
	if m := reader.hear(); m.Label != nostr.LabelEOSE {
		t.Fatalf("%s", m.Encode())
	}
	writer.publish(event(t, secret(t, 1), 1, 100, "other run", nostr.Tag{"r", "run2"}))
	sent := event(t, secret(t, 1), 20_000, 100, "é<&>\u2028", nostr.Tag{"r", "run1"})
	writer.publish(sent)
	m := reader.hear()
	if m.Label != nostr.LabelEvent || m.Subscription != "mine" || m.Event.ID != sent.ID {
		t.Fatalf("%s", m.Encode())
	}
	if err := m.Event.Verify(); err != nil {
		t.Error(err)
	}
}

func TestForgedForeignAndOversizedEventsAreRefusedAndCounted(t *testing.T) {
	k := secret(t, 1)
	r, address := start(t, Config{Authors: []string{k.Public().String()}, MaxEventBytes: 1000, Now: func() time.Time { return time.Unix(1000, 0) }})
	p := dial(t, address)
	forged := event(t, k, 1, 100, "x")
	forged.Sig = strings.Repeat("1", 128)
	changed := event(t, k, 1, 100, "x")
	changed.Content = "y"
	for why, e := range map[string]*nostr.Event{
		"signature":       forged,
		"id":              changed,
		"author":          event(t, secret(t, 2), 1, 100, "x"),
		"future":          event(t, k, 1, 100_000, "x"),
		"event_too_large": event(t, k, 1, 100, strings.Repeat("x", 1000)),
		"auth_as_event":   event(t, k, nostr.KindAuth, 100, "x"),
	} {
		if m := p.publish(e); m.Accepted {
			t.Errorf("%s: accepted", why)
		}
		if n := r.Stats().Refused[why]; n != 1 {
			t.Errorf("%s: counted %d times", why, n)
		}
	}
	good := event(t, k, 1, 100, "good")
	p.publish(good)
	if m := p.publish(good); !m.Accepted || !strings.HasPrefix(m.Text, "duplicate:") {
		t.Errorf("the second time: %s", m.Encode())
	}
	if got := p.stored(`{}`); len(got) != 1 {
		t.Errorf("kept: %q", got)
	}
}

func TestNonsenseIsAnsweredAndEndsNothing(t *testing.T) {
	r, address := start(t, Config{MaxSubscriptions: 1})
	p := dial(t, address)
	for _, c := range []struct{ say, label string }{
		{`hello`, nostr.LabelNotice},
		{strings.Repeat("[", 100_000), nostr.LabelNotice},
		{`["EVENT",{"id":"` + strings.Repeat("0", 64) + `"}]`, nostr.LabelOK},
		{`["REQ","s",{"search":"x"}]`, nostr.LabelClosed},
		{`["REQ","s",{}]`, nostr.LabelEOSE},
		{`["REQ","another",{}]`, nostr.LabelClosed},
		{`["REQ","s",{}]`, nostr.LabelEOSE},
	} {
		p.say(c.say)
		if m := p.hear(); m.Label != c.label {
			t.Errorf("%.40s: %s", c.say, m.Encode())
		}
	}
	if s := r.Stats(); s.Refused["malformed"] != 3 || s.Refused["unsupported_filter"] != 1 || s.Refused["too_many_subscriptions"] != 1 {
		t.Errorf("%+v", s)
	}
}

func TestAuthIsRequired(t *testing.T) {
	now := time.Unix(1000, 0)
	r, address := start(t, Config{Address: "ws://here", RequireAuth: true, Now: func() time.Time { return now }})
	p := dial(t, address)
	challenge := p.hear()
	if challenge.Label != nostr.LabelAuth {
		t.Fatalf("%s", challenge.Encode())
	}
	if m := p.publish(event(t, secret(t, 1), 1, 100, "x")); m.Accepted || !strings.HasPrefix(m.Text, "auth-required:") {
		t.Errorf("%s", m.Encode())
	}
	e, err := nostr.NewAuth(secret(t, 1), "ws://here/", challenge.Text, now)
	if err != nil {
		t.Fatal(err)
	}
	p.say(string((&nostr.Message{Label: nostr.LabelAuth, Event: e}).Encode()))
	if m := p.hear(); m.Label != nostr.LabelOK || !m.Accepted {
		t.Errorf("%s", m.Encode())
	}
	if m := p.publish(event(t, secret(t, 1), 1, 100, "x")); !m.Accepted {
		t.Errorf("%s", m.Encode())
	}
	if n := r.Stats().Refused["auth_required"]; n != 1 {
		t.Errorf("counted %d", n)
	}
}

func TestCloseEndsClients(t *testing.T) {
	r, address := start(t, Config{})
	p := dial(t, address)
	p.stored(`{}`)
	r.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, _, err := p.socket.Read(ctx); err == nil || ctx.Err() != nil {
		t.Errorf("still open: %v", err)
	}
	if s := r.Stats(); s.Connections != 0 || s.Closed["relay_closed"] != 1 {
		t.Errorf("%+v", s)
	}
}
