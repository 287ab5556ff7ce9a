package interop

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/poolscope/poolscope/internal/nostr"
	"github.com/poolscope/poolscope/internal/nostr/client"
	"github.com/poolscope/poolscope/test/nodes"
)

// limit is how long something may take on a busy machine.
const limit = 30 * time.Second

// texts are contents that implementations like to disagree about.
var texts = []string{
	"", "plain", "é ü 漢字 🍕🫃 \U00010348", "<a href=\"x\">&amp;</a> \u2028\u2029", "\n\r\t\b\f\\\"/", "\x00\x01\x1f\x7f\u0080", `{"a":[1,2,{"b":null}]}`,
	strings.Repeat("long é ", 5000),
}

func TestEventsAreVerifiedBothWays(t *testing.T) {
	p := startPeer(t)
	text, k := key(t, 7)
	for i, content := range texts {
		tags := [][]string{{"r", content}, {"t", "hashscope"}, {"x", "", "é"}, {"alone"}}
		theirs := p.sign(text, 1000+i, 1_700_000_000+int64(i), content, tags...)
		if err := theirs.Verify(); err != nil {
			t.Errorf("%.20q: their event: %v", content, err)
		}
		ours := &nostr.Event{Kind: theirs.Kind, CreatedAt: theirs.CreatedAt, Content: content, Tags: theirs.Tags}
		if err := ours.Sign(k); err != nil {
			t.Fatal(err)
		}
		if ours.ID != theirs.ID || ours.PubKey != theirs.PubKey {
			t.Errorf("%.20q: id %s, theirs %s", content, ours.ID, theirs.ID)
		}
		var good bool
		if p.do(&good, "verify", map[string]any{"event": wire(ours)}); !good {
			t.Errorf("%.20q: nostr-tools does not believe our event %s", content, wire(ours))
		}
		forged := *ours
		forged.Content += "!"
		if p.do(&good, "verify", map[string]any{"event": wire(&forged)}); good {
			t.Errorf("%.20q: nostr-tools believes a forged event: this test shows nothing", content)
		}
		forged = *theirs
		forged.Kind++
		if forged.Verify() == nil {
			t.Errorf("%.20q: we believe a forged event", content)
		}
	}
}

func TestKeysAreReadBothWays(t *testing.T) {
	p := startPeer(t)
	for n := range 8 {
		text, k := key(t, 1000*n+1)
		var got string
		p.do(&got, "public", map[string]any{"secret": text})
		if got != k.Public().String() {
			t.Errorf("public key %s, theirs %s", k.Public(), got)
		}
		for _, c := range []struct {
			do, argument, value, ours, kind string
		}{
			{"npub", "key", got, k.Public().Npub(), "npub"},
			{"nsec", "secret", text, k.Nsec(), "nsec"},
		} {
			var theirs string
			p.do(&theirs, c.do, map[string]any{c.argument: c.value})
			if theirs != c.ours {
				t.Errorf("%s %s, theirs %s", c.do, c.ours, theirs)
			}
			var decoded struct{ Type, Data string }
			p.do(&decoded, "decode", map[string]any{"text": c.ours})
			if decoded.Type != c.kind || decoded.Data != c.value {
				t.Errorf("they read %s as %+v", c.ours, decoded)
			}
		}
	}
}

func TestContentIsDecryptedBothWays(t *testing.T) {
	p := startPeer(t)
	ourText, ourKey := key(t, 11)
	theirText, theirKey := key(t, 12)
	k, err := nostr.NewConversationKey(ourKey, theirKey.Public())
	if err != nil {
		t.Fatal(err)
	}
	var theirs string
	p.do(&theirs, "conversation", map[string]any{"secret": theirText, "key": ourKey.Public().String()})
	if want := fmt.Sprintf("%x", k[:]); theirs != want {
		t.Fatalf("conversation key %s, theirs %s", want, theirs)
	}
	p.do(&theirs, "conversation", map[string]any{"secret": ourText, "key": theirKey.Public().String()})
	for _, text := range append(texts[1:], "x", strings.Repeat("x", 31), strings.Repeat("x", 32), strings.Repeat("x", 33), strings.Repeat("x", 257), strings.Repeat("x", 65535)) {
		sealed, err := k.Encrypt(text)
		if err != nil {
			t.Fatal(err)
		}
		var opened string
		p.do(&opened, "decrypt", map[string]any{"key": theirs, "text": sealed})
		if opened != text {
			t.Errorf("%.20q: they read %.20q", text, opened)
		}
		p.do(&sealed, "encrypt", map[string]any{"key": theirs, "text": text})
		if opened, err = k.Decrypt(sealed); err != nil || opened != text {
			t.Errorf("%.20q: we read %.20q, %v", text, opened, err)
		}
		spoilt := []byte(sealed)
		spoilt[len(spoilt)/2] ^= 1
		if p.try(&opened, "decrypt", map[string]any{"key": theirs, "text": string(spoilt)}) == nil {
			t.Error("they read what was changed: this test shows nothing")
		}
	}
}

// inbox keeps what our client receives.
type inbox struct {
	mu     sync.Mutex
	events []*nostr.Event
}

func (i *inbox) take(_ string, e *nostr.Event) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.events = append(i.events, e)
}

func (i *inbox) all() []*nostr.Event {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Clone(i.events)
}

func runClient(t *testing.T, config client.Config) *client.Pool {
	t.Helper()
	pool, err := client.New(config)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { pool.Run(ctx) })
	t.Cleanup(func() { cancel(); running.Wait() })
	return pool
}

// events reads what nostr-tools received; what it received it has verified.
func events(t *testing.T, raw []json.RawMessage) (list []*nostr.Event) {
	t.Helper()
	for _, text := range raw {
		e, err := nostr.ParseEvent(text)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, e)
	}
	return list
}

func TestOverOurRelay(t *testing.T) {
	p := startPeer(t)
	address, _ := startRelay(t)
	in := &inbox{}
	pool := runClient(t, client.Config{
		Relays:        []string{address},
		Subscriptions: []client.Subscription{{ID: "run", Filters: []nostr.Filter{{Kinds: []int{1, 20_001}, Tags: map[string][]string{"r": {"run1"}}}}}},
		Received:      in.take,
	})
	nodes.WaitFor(t, limit, "our client's connection", func() bool { return pool.Status()[0].State == "connected" })
	p.do(nil, "connect", map[string]any{"name": "a", "url": address})
	var stored []json.RawMessage
	p.do(&stored, "subscribe", map[string]any{"name": "a", "subscription": "live", "filters": []any{map[string]any{"kinds": []int{1}, "#r": []string{"run1"}}}})
	if len(stored) != 0 {
		t.Errorf("a new relay has %s", stored)
	}

	text, k := key(t, 21)
	now := time.Now().Unix()
	var published []*nostr.Event
	for i, content := range texts {
		e := p.sign(text, 1, now+int64(i)-100, content, []string{"r", "run1"}, []string{"content", strings.ToValidUTF8(content[:min(len(content), 20)], "")})
		p.do(nil, "publish", map[string]any{"name": "a", "event": wire(e)})
		published = append(published, e)
	}
	p.do(nil, "publish", map[string]any{"name": "a", "event": wire(p.sign(text, 1, now, "of another run", []string{"r", "run2"}))})
	ephemeral := p.sign(text, 20_001, now, "ephemeral", []string{"r", "run1"})
	p.do(nil, "publish", map[string]any{"name": "a", "event": wire(ephemeral)})
	published = append(published, ephemeral)
	nodes.WaitFor(t, limit, "their events at our client", func() bool { return len(in.all()) == len(published) })
	if diff := cmp.Diff(published, in.all()); diff != "" {
		t.Error(diff)
	}

	// Ours to theirs.
	ours := &nostr.Event{Kind: 1, CreatedAt: now, Content: "from us é\u2028", Tags: []nostr.Tag{{"r", "run1"}}}
	if err := ours.Sign(k); err != nil {
		t.Fatal(err)
	}
	pool.Publish(ours)
	var live []json.RawMessage
	nodes.WaitFor(t, limit, "our event at nostr-tools", func() bool {
		p.do(&live, "events", map[string]any{"subscription": "live"})
		return len(live) == len(texts)+1
	})
	list := events(t, live)
	if diff := cmp.Diff(ours, list[len(list)-1]); diff != "" {
		t.Error(diff)
	}

	// What is stored: not the ephemeral one, newest first.
	p.do(&stored, "subscribe", map[string]any{"name": "a", "subscription": "stored", "filters": []any{map[string]any{"#r": []string{"run1"}, "limit": 3}}})
	if got := events(t, stored); len(got) != 3 || got[0].ID != ours.ID || got[1].ID != published[len(texts)-1].ID {
		t.Errorf("stored: %s", stored)
	}

	// A forged one, and one too large.
	forged := *published[1]
	forged.Content += "!"
	if err := p.try(nil, "publish", map[string]any{"name": "a", "event": wire(&forged)}); err == nil || !strings.Contains(err.Error(), "invalid:") {
		t.Errorf("a forged event: %v", err)
	}
	large := p.sign(text, 1, now, strings.Repeat("x", 70_000))
	if err := p.try(nil, "publish", map[string]any{"name": "a", "event": wire(large)}); err == nil || !strings.Contains(err.Error(), "invalid:") {
		t.Errorf("a large event: %v", err)
	}
}

func TestReplaceableEventsByTheSpecification(t *testing.T) {
	p := startPeer(t)
	address, _ := startRelay(t)
	p.do(nil, "connect", map[string]any{"name": "a", "url": address})
	text, _ := key(t, 31)
	now := time.Now().Unix()
	for _, e := range []*nostr.Event{
		p.sign(text, 0, now-5, "old profile"), p.sign(text, 0, now-4, "profile"), p.sign(text, 10_002, now-4, "list"),
		p.sign(text, 30_080, now-5, "d1 old", []string{"d", "1"}), p.sign(text, 30_080, now-4, "d1", []string{"d", "1"}), p.sign(text, 30_080, now-3, "d2", []string{"d", "2"}),
		p.sign(text, 0, now-9, "late"),
	} {
		p.do(nil, "publish", map[string]any{"name": "a", "event": wire(e)})
	}
	var stored []json.RawMessage
	p.do(&stored, "subscribe", map[string]any{"name": "a", "subscription": "s", "filters": []any{map[string]any{"kinds": []int{0, 10_002, 30_080}}}})
	var contents []string
	for _, e := range events(t, stored) {
		contents = append(contents, e.Content)
	}
	slices.Sort(contents)
	if got := strings.Join(contents, ","); got != "d1,d2,list,profile" {
		t.Errorf("stored: %s", got)
	}
}

func TestAuthBothWays(t *testing.T) {
	p := startPeer(t)
	may, mayKey := key(t, 41)
	mayNot, _ := key(t, 42)
	address, _ := startRelay(t, "--require-auth", "--author", mayKey.Public().Npub())
	event := p.sign(may, 1, time.Now().Unix(), "x")

	p.do(nil, "connect", map[string]any{"name": "a", "url": address})
	if err := p.try(nil, "publish", map[string]any{"name": "a", "event": wire(event)}); err == nil || !strings.Contains(err.Error(), "auth-required:") {
		t.Errorf("without AUTH: %v", err)
	}
	p.do(nil, "authenticate", map[string]any{"name": "a", "secret": may})
	p.do(nil, "publish", map[string]any{"name": "a", "event": wire(event)})

	p.do(nil, "connect", map[string]any{"name": "b", "url": address})
	nodes.WaitFor(t, limit, "the challenge", func() bool {
		return p.try(nil, "authenticate", map[string]any{"name": "b", "secret": mayNot}) == nil
	})
	var stored []json.RawMessage
	if err := p.try(&stored, "subscribe", map[string]any{"name": "b", "subscription": "s", "filters": []any{map[string]any{}}}); err == nil || !strings.Contains(err.Error(), "restricted:") {
		t.Errorf("a stranger: %v, %s", err, stored)
	}

	in := &inbox{}
	runClient(t, client.Config{
		Relays: []string{address}, Key: mayKey, Received: in.take,
		Subscriptions: []client.Subscription{{ID: "all", Filters: []nostr.Filter{{Kinds: []int{1}}}}},
	})
	nodes.WaitFor(t, limit, "the event at our client, which has answered the challenge", func() bool { return len(in.all()) == 1 })
}

func TestTheDocumentOfTheRelay(t *testing.T) {
	p := startPeer(t)
	address, _ := startRelay(t, "--name", "interop")
	var document struct {
		Name string
		NIPs []int `json:"supported_nips"`
	}
	p.do(&document, "document", map[string]any{"url": address})
	if document.Name != "interop" || !slices.Contains(document.NIPs, 1) || !slices.Contains(document.NIPs, 11) {
		t.Errorf("%+v", document)
	}
}

// TestAKilledRelayKeepsItsEvents: what nostr-tools was told OK for is there
// again after kill -9.
func TestAKilledRelayKeepsItsEvents(t *testing.T) {
	p := startPeer(t)
	path := filepath.Join(t.TempDir(), "relay.db")
	address, process := startRelay(t, "--db", path)
	p.do(nil, "connect", map[string]any{"name": "a", "url": address})
	text, _ := key(t, 51)
	now := time.Now().Unix()
	var ids []string
	for i := range 20 {
		e := p.sign(text, 1, now-int64(i), fmt.Sprint(i))
		p.do(nil, "publish", map[string]any{"name": "a", "event": wire(e)})
		ids = append(ids, e.ID)
	}
	process.Kill()

	address, _ = startRelay(t, "--db", path)
	p.do(nil, "connect", map[string]any{"name": "b", "url": address})
	var stored []json.RawMessage
	p.do(&stored, "subscribe", map[string]any{"name": "b", "subscription": "s", "filters": []any{map[string]any{"kinds": []int{1}}}})
	var got []string
	for _, e := range events(t, stored) {
		got = append(got, e.ID)
	}
	if diff := cmp.Diff(ids, got); diff != "" {
		t.Error(diff)
	}
}

// TestAKilledRelayLosesNothing: the relay is killed twice while our client
// writes and another reads; everything arrives, and once.
func TestAKilledRelayLosesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "relay.db")
	address, process := startRelay(t, "--db", path)
	in := &inbox{}
	relays := []string{address}
	reader := runClient(t, client.Config{
		Relays: relays, Received: in.take, MinBackoff: 10 * time.Millisecond, MaxBackoff: 100 * time.Millisecond,
		Subscriptions: []client.Subscription{{ID: "all", Filters: []nostr.Filter{{Kinds: []int{1}}}}},
	})
	writer := runClient(t, client.Config{Relays: relays, MinBackoff: 10 * time.Millisecond, MaxBackoff: 100 * time.Millisecond})
	_, k := key(t, 61)
	const each = 100
	want := map[string]int{}
	for round := range 3 {
		for i := range each {
			e := &nostr.Event{Kind: 1, CreatedAt: time.Now().Unix(), Content: fmt.Sprint(round, " ", i)}
			if err := e.Sign(k); err != nil {
				t.Fatal(err)
			}
			writer.Publish(e)
			want[e.Content] = 1
		}
		if round == 2 {
			break
		}
		// Some are taken, some are on their way, some are still to be sent.
		nodes.WaitFor(t, limit, "an event of this round", func() bool { return len(in.all()) > round*each })
		process.Kill()
		_, process = startRelay(t, "--db", path, "--listen", strings.TrimPrefix(address, "ws://"))
	}
	nodes.WaitFor(t, limit, "everything", func() bool { return len(in.all()) >= len(want) && writer.Status()[0].Waiting == 0 })
	got := map[string]int{}
	for _, e := range in.all() {
		got[e.Content]++
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if s := reader.Status()[0]; s.Connects < 3 {
		t.Errorf("the reader was never cut off: %+v", s)
	}
	if s := writer.Status()[0]; s.Dropped != 0 || s.Connects < 3 {
		t.Errorf("writer: %+v", s)
	}
}
