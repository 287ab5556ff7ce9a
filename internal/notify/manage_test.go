package notify

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/poolscope/poolscope/internal/alert"
)

// Who may change a channel gets its secrets neither shown nor sent: one that was
// given for a server stays with it.
func TestSecretsStayWithTheirServer(t *testing.T) {
	st := newStore(t)
	c := New(Config{
		Store: st, Settings: Settings{Services: Catalog(CatalogConfig{AllowPrivate: true})}, MaxChannels: 50,
		Person: func(context.Context, string) (Person, bool, error) { return Person{Operator: true}, true, nil },
	}, quietLog)
	op := Owner{UserID: "op", Operator: true}
	const telegram = "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11"
	for _, test := range []struct {
		kind     string
		settings map[string]string
		move     map[string]string // to another server
		want     string
		again    map[string]string // secrets given again
	}{
		{"gotify", map[string]string{"server": "https://a.example", "token": "tk"}, map[string]string{"server": "https://b.example"}, "the server changed: enter the application token again", map[string]string{"token": "tk"}},
		{"ntfy", map[string]string{"topic": "alerts", "token": "tk"}, map[string]string{"server": "https://b.example"}, "the server changed: enter the topic and the access token again", map[string]string{"topic": "alerts", "token": ""}},
		{"ntfy", map[string]string{"server": "https://a.example", "topic": "alerts"}, map[string]string{"server": ""}, "the server changed: enter the topic again", map[string]string{"topic": "alerts"}},
		{"mattermost", map[string]string{"server": "https://a.example", "token": "tk"}, map[string]string{"server": "https://a.example:8443"}, "enter the webhook key again", map[string]string{"token": "tk"}},
		{"matrix", map[string]string{"server": "https://a.example", "room": "!r:a.example", "token": "tk"}, map[string]string{"server": "https://b.example"}, "the homeserver changed: enter the access token again", map[string]string{"token": "tk"}},
		{"telegram", map[string]string{"token": telegram, "chat": "1"}, map[string]string{"server": "https://b.example"}, "the bot API server changed: enter the bot token again", map[string]string{"token": telegram}},
		{"webhook", map[string]string{"webhook": "https://a.example/x", "secret": "hmac"}, map[string]string{"webhook": "https://b.example/x"}, "the URL changed: enter the secret again", map[string]string{"secret": ""}},
	} {
		ch, err := c.AddChannel(t.Context(), op, ChannelChange{Kind: test.kind, Settings: test.settings})
		if err != nil {
			t.Fatal(test.kind, err)
		}
		name := "another name"
		if _, err := c.ChangeChannel(t.Context(), op, ch.ID, ChannelChange{Name: &name, Settings: test.move}); !errors.Is(err, ErrSettings) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s was moved: %v, want %q", test.kind, err, test.want)
		}
		kept, err := c.Channel(t.Context(), op, ch.ID)
		if err != nil || kept.Name == name {
			t.Errorf("%s: a part of a refused change was made: %+v, %v", test.kind, kept, err)
		}
		for key, value := range test.settings {
			if kept.Settings[key] != value {
				t.Errorf("%s: %s is %q after a refused change", test.kind, key, kept.Settings[key])
			}
		}
		// The same server again is no move.
		if _, err := c.ChangeChannel(t.Context(), op, ch.ID, ChannelChange{Name: &name, Settings: map[string]string{"server": test.settings["server"]}}); test.kind != "webhook" && err != nil {
			t.Errorf("%s stays where it was: %v", test.kind, err)
		}
		for key, value := range test.move {
			test.again[key] = value
		}
		moved, err := c.ChangeChannel(t.Context(), op, ch.ID, ChannelChange{Settings: test.again})
		if err != nil {
			t.Errorf("%s with its secrets again: %v", test.kind, err)
		}
		for key, value := range test.again {
			if moved.Settings[key] != value {
				t.Errorf("%s: %s is %q, want %q", test.kind, key, moved.Settings[key], value)
			}
		}
	}
}

// A service that takes an address of people says which of its settings it is.
func TestServicesSayWhereTheyLead(t *testing.T) {
	for _, s := range Catalog(CatalogConfig{}) {
		for _, f := range s.Fields {
			if at := f.Type == "url" || f.Key == "webhook" || f.Key == "url"; at != f.Place {
				t.Errorf("%s: %s has place %v", s.ID, f.Key, f.Place)
			}
		}
	}
}

// Limits hold for those who ask many times at once, too.
func TestLimitsOfManyAtOnce(t *testing.T) {
	r := newRig(t)
	owner := Owner{UserID: "u2"}
	var wg sync.WaitGroup
	var channels, rules atomic.Int64
	for range 60 {
		wg.Go(func() {
			if _, err := r.c.AddChannel(t.Context(), owner, ChannelChange{Kind: "sink"}); err == nil {
				channels.Add(1)
			}
			if _, err := r.c.AddRule(t.Context(), owner, RuleChange{Kinds: []alert.Kind{alert.BestShare}}); err == nil {
				rules.Add(1)
			}
		})
	}
	wg.Wait()
	v, err := r.c.View(t.Context(), owner, 10)
	if err != nil || len(v.Channels) != 10 || len(v.Rules) != 20 || channels.Load() != 10 || rules.Load() != 20 {
		t.Errorf("%d channels, %d rules, %v", len(v.Channels), len(v.Rules), err)
	}
}
