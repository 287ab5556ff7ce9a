package relay

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/poolscope/poolscope/internal/nostr"
	"github.com/poolscope/poolscope/internal/nostr/nostrtest"
)

// refused checks a count.
func refused(t *testing.T, r *Relay, why string, want uint64) {
	t.Helper()
	if got := r.Stats().Refused[why]; got != want {
		t.Errorf("%s: counted %d times, want %d", why, got, want)
	}
}

func TestTheDocument(t *testing.T) {
	r, address := start(t, Config{Name: "ours", RequireAuth: true, Address: "ws://here", MaxResults: 77})
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, strings.Replace(address, "ws", "http", 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", "application/nostr+json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var got struct {
		Name          string
		SupportedNIPs []int `json:"supported_nips"`
		Limitation    struct {
			AuthRequired bool `json:"auth_required"`
			MaxLimit     int  `json:"max_limit"`
		}
	}
	if err := json.NewDecoder(response.Body).Decode(&got); err != nil {
		t.Fatal(err)
	}
	if got.Name != "ours" || fmt.Sprint(got.SupportedNIPs) != "[1 11 40 42]" || !got.Limitation.AuthRequired || got.Limitation.MaxLimit != 77 {
		t.Errorf("%+v", got)
	}
	if h := response.Header; h.Get("Content-Type") != "application/nostr+json" || h.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("%v", h)
	}
	plain, err := http.Get(strings.Replace(address, "ws", "http", 1))
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Body.Close()
	if text, err := io.ReadAll(plain.Body); err != nil || plain.StatusCode != http.StatusUpgradeRequired || !strings.Contains(string(text), "Nostr relay") {
		t.Errorf("%d %s %v", plain.StatusCode, text, err)
	}
	if n := r.Stats().Connections; n != 0 {
		t.Errorf("%d connections", n)
	}
}

func TestOrigins(t *testing.T) {
	r, address := start(t, Config{Origins: []string{"https://page.example"}})
	own := strings.Replace(address, "ws", "http", 1)
	other := 0
	for _, c := range []struct {
		origin, host string
		may          bool
	}{
		{"", "", true},
		{"https://page.example", "", true},
		{own, "", true},
		{"http://page.example", "", false},
		{"https://elsewhere.example", "", false},
		{"null", "", false},
		{"http://rebound.example", "rebound.example", false},
	} {
		socket, response, err := websocket.Dial(t.Context(), address, &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {c.origin}}, Host: c.host})
		if response != nil && response.Body != nil {
			response.Body.Close()
		}
		if (err == nil) != c.may {
			t.Errorf("origin %q of host %q: %v", c.origin, c.host, err)
		}
		if err == nil {
			_ = socket.CloseNow()
			continue
		}
		other++
		if response == nil || response.StatusCode != http.StatusForbidden {
			t.Errorf("origin %q: %v", c.origin, response)
		}
	}
	refused(t, r, "origin", uint64(other))
	open := New(Config{Origins: []string{"*"}})
	if !open.originAllowed(&http.Request{Header: http.Header{"Origin": {"https://any.example"}}}) {
		t.Error("* does not allow all")
	}
}

func TestConnectionsAreBounded(t *testing.T) {
	for why, config := range map[string]Config{
		"too_many_connections":  {MaxConnections: 2},
		"too_many_from_address": {MaxPerAddress: 2},
	} {
		r, address := start(t, config)
		dial(t, address)
		second := dial(t, address)
		second.stored(`{}`)
		_, response, err := websocket.Dial(t.Context(), address, nil)
		if err == nil || response == nil || response.StatusCode != http.StatusServiceUnavailable {
			t.Fatalf("%s: %v %v", why, response, err)
		}
		response.Body.Close()
		refused(t, r, why, 1)
		if s := r.Stats(); s.Connections != 2 {
			t.Errorf("%+v", s)
		}
	}
}

func TestLimitsAreAnsweredAndCounted(t *testing.T) {
	r, address := start(t, Config{MaxFilterValues: 4, RequestBurst: 3, RequestsPerSecond: 0.001, EventBurst: 1, EventsPerSecond: 0.001})
	p := dial(t, address)
	expect := func(say, label, text string) {
		t.Helper()
		p.say(say)
		if m := p.hear(); m.Label != label || !strings.HasPrefix(m.Text, text) {
			t.Errorf("%.60s: %s", say, m.Encode())
		}
	}
	expect(`["REQ","a",{"kinds":[1,2,3]}]`, nostr.LabelEOSE, "")
	expect(`["REQ","b",{"kinds":[1]}]`, nostr.LabelClosed, "error: too many values")
	expect(`["REQ","a",{"kinds":[4,5,6]}]`, nostr.LabelEOSE, "") // takes the place of the first
	expect(`["REQ","c",{}]`, nostr.LabelClosed, "rate-limited:")
	expect(string((&nostr.Message{Label: nostr.LabelEvent, Event: event(t, secret(t, 1), 1, 100, "x")}).Encode()), nostr.LabelOK, "")
	expect(string((&nostr.Message{Label: nostr.LabelEvent, Event: event(t, secret(t, 1), 1, 101, "x")}).Encode()), nostr.LabelOK, "rate-limited:")
	refused(t, r, "too_many_filter_values", 1)
	refused(t, r, "rate_limited", 2)
}

func TestLongAndBinaryMessagesEndNothing(t *testing.T) {
	r, address := start(t, Config{})
	p := dial(t, address)
	p.say(`["NOTICE","` + strings.Repeat("x", nostr.MaxMessageBytes) + `"]`)
	if m := p.hear(); m.Label != nostr.LabelNotice || !strings.Contains(m.Text, "too long") {
		t.Errorf("%s", m.Encode())
	}
	if err := p.socket.Write(t.Context(), websocket.MessageBinary, []byte(`["REQ","a",{}]`)); err != nil {
		t.Fatal(err)
	}
	if m := p.hear(); m.Label != nostr.LabelNotice {
		t.Errorf("%s", m.Encode())
	}
	p.stored(`{}`)
	refused(t, r, "message_too_long", 1)
	refused(t, r, "binary", 1)
}

func TestExpiredEventsAreRefused(t *testing.T) {
	r, address := start(t, Config{Now: func() time.Time { return time.Unix(1000, 0) }})
	p := dial(t, address)
	if m := p.publish(event(t, secret(t, 1), 1, 100, "x", nostr.Tag{"expiration", "1000"})); m.Accepted {
		t.Errorf("%s", m.Encode())
	}
	if m := p.publish(event(t, secret(t, 1), 1, 100, "x", nostr.Tag{"expiration", "1001"})); !m.Accepted {
		t.Errorf("%s", m.Encode())
	}
	refused(t, r, "expired", 1)
}

func TestAuthOfAnotherRelayOrKeyIsRefused(t *testing.T) {
	now := time.Unix(1000, 0)
	r, address := start(t, Config{
		Address: "wss://Here.example:443/path", RequireAuth: true, Authors: []string{secret(t, 1).Public().String()}, Now: func() time.Time { return now },
	})
	p := dial(t, address)
	challenge := p.hear().Text
	answer := func(k nostr.SecretKey, relay, challenge string) nostr.Message {
		e, err := nostr.NewAuth(k, relay, challenge, now)
		if err != nil {
			t.Fatal(err)
		}
		p.say(string((&nostr.Message{Label: nostr.LabelAuth, Event: e}).Encode()))
		return p.hear()
	}
	for _, c := range []struct{ relay, challenge string }{
		{"wss://elsewhere.example/path", challenge}, {"ws://here.example/path", challenge}, {"wss://here.example/path", challenge + "x"}, {"", challenge},
	} {
		if m := answer(secret(t, 1), c.relay, c.challenge); m.Accepted {
			t.Errorf("%+v: accepted", c)
		}
	}
	refused(t, r, "auth", 4)
	if m := answer(secret(t, 2), "wss://here.example/path", challenge); !m.Accepted {
		t.Errorf("a stranger may say who he is: %s", m.Encode())
	}
	p.say(`["REQ","s",{}]`)
	if m := p.hear(); m.Label != nostr.LabelClosed || !strings.HasPrefix(m.Text, "restricted:") {
		t.Errorf("%s", m.Encode())
	}
	if m := answer(secret(t, 1), "wss://here.example/path/", challenge); !m.Accepted {
		t.Errorf("%s", m.Encode())
	}
	p.stored(`{}`)
}

// TestWhoDoesNotReadIsClosed and nobody else waits for it.
func TestWhoDoesNotReadIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := New(Config{MaxResults: 10, MaxQueue: 10})
		t.Cleanup(r.Close)
		slow, quick := dialOn(t, nostrtest.New(t, r)), dialOn(t, nostrtest.New(t, r))
		slow.say(`["REQ","s",{}]`)
		synctest.Wait()
		for i := range 6000 { // more than what the network holds besides
			e := &nostr.Event{CreatedAt: time.Now().Unix(), Kind: 20_000, Content: fmt.Sprint(i)}
			r.mu.Lock()
			r.deliverLocked(e, e.AppendJSON(nil)) // without a signature, which would take most of the time
			r.mu.Unlock()
		}
		quick.stored(`{}`)
		time.Sleep(11 * time.Second) // what the network holds does not help for ever
		synctest.Wait()
		if s := r.Stats(); s.Connections != 1 || s.Closed["slow_reader"] != 1 {
			t.Errorf("%+v", s)
		}
	})
}

func TestWhoIsGoneIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := New(Config{})
		t.Cleanup(r.Close)
		n := nostrtest.New(t, r)
		p := dialOn(t, n)
		p.stored(`{}`)
		go func() { _, _, _ = p.socket.Read(t.Context()) }() // answers pings
		time.Sleep(10 * time.Minute)
		if s := r.Stats(); s.Connections != 1 {
			t.Errorf("one that answers was closed: %+v", s)
		}
		n.Silence()
		time.Sleep(time.Minute)
		synctest.Wait()
		if s := r.Stats(); s.Connections != 0 || s.Closed["ping_timeout"] != 1 {
			t.Errorf("%+v", s)
		}
	})
}

// dialOn is dial on a network in memory.
func dialOn(t *testing.T, n *nostrtest.Network) *peer {
	t.Helper()
	socket, response, err := websocket.Dial(context.Background(), "ws://relay.example", &websocket.DialOptions{HTTPClient: n.Client()})
	if err != nil {
		t.Fatal(err)
	}
	if response.Body != nil {
		response.Body.Close()
	}
	t.Cleanup(func() { _ = socket.CloseNow() })
	return &peer{t, socket}
}

// FuzzClient says anything to a relay. Whatever it is, the relay answers in
// its own language, within bounds, and goes on.
func FuzzClient(f *testing.F) {
	good := event(f, secret(f, 1), 1, 100, "x", nostr.Tag{"r", "run1"})
	for _, seed := range []string{
		string((&nostr.Message{Label: nostr.LabelEvent, Event: good}).Encode()),
		string((&nostr.Message{Label: nostr.LabelAuth, Event: good}).Encode()),
		`["REQ","s",{"kinds":[1],"#r":["run1"],"limit":3},{}]`, `["REQ","s",{"search":"x"}]`, `["CLOSE","s"]`, `["EVENT",{}]`, `[`, `["REQ","\u0000",{}]`,
	} {
		f.Add([]byte(seed))
	}
	r := New(Config{Address: "ws://here", Now: func() time.Time { return time.Unix(1000, 0) }})
	r.publish(good)
	f.Fuzz(func(t *testing.T, data []byte) {
		c := newClient(r, "192.0.2.1")
		if why := r.enter(c); why != "" {
			t.Fatal(why)
		}
		c.greet()
		c.handle(data)
		c.handle(data)
		r.leave(c, "client_closed")
		r.all.Done()
		close(c.out)
		n := 0
		for answer := range c.out {
			n++
			if _, err := nostr.ParseRelayMessage(answer); err != nil {
				t.Fatalf("%v: %q was answered with %q", err, data, answer)
			}
		}
		if n > 1+2*(2+r.Stats().Events) {
			t.Fatalf("%q had %d answers", data, n)
		}
	})
}
