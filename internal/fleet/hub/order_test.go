package hub

import (
	"context"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/fleet"
	"github.com/poolscope/poolscope/internal/nostr"
	"github.com/poolscope/poolscope/internal/nostr/client"
	"github.com/poolscope/poolscope/internal/nostr/relay"
	"github.com/poolscope/poolscope/internal/scope/replay"
)

// heardOrder is an order as an agent gets it.
type heardOrder struct {
	fleet.Order
	lease time.Duration
}

// TestOrdersReachARelay publishes to a real relay and reads what agents hear. A
// hub that starts takes back what the one before it ordered, and so does every
// SetOrder(nil): this hub may not know what the agents follow.
func TestOrdersReachARelay(t *testing.T) {
	r := relay.New(relay.Config{})
	server := httptest.NewServer(r)
	defer server.Close()
	defer r.Close()
	address := "ws" + strings.TrimPrefix(server.URL, "http")
	heard := make(chan heardOrder, 16)
	agent, err := client.New(client.Config{
		Relays: []string{address},
		Received: func(_ string, e *nostr.Event) {
			order, at, until, err := fleet.ParseOrder([]byte(e.Content), "run1")
			if err != nil {
				t.Error(err)
				return
			}
			heard <- heardOrder{*order, until.Sub(at)}
		},
		Subscriptions: []client.Subscription{{ID: "orders", Filters: []nostr.Filter{{Kinds: []int{fleet.DefaultKinds().Order}}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	h, err := New(Config{Member: member(t, "run1", 1), Relays: []string{address}, Switches: &switches{all: map[string]replay.Settings{}}}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 2)
	go func() { done <- h.Run(ctx) }()
	go func() { agent.Run(ctx); done <- nil }()
	defer func() {
		cancel()
		for range cap(done) {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	}()
	next := func(what string) heardOrder {
		t.Helper()
		select {
		case o := <-heard:
			return o
		case <-time.After(20 * time.Second):
			t.Fatalf("%s is not heard: %+v", what, h.Status().Relays)
			return heardOrder{}
		}
	}
	if o := next("that there is no order"); o.lease > 0 || len(o.Agents) != 0 {
		t.Errorf("after the start: %+v", o)
	}
	if err := h.SetOrder(nil); err != nil {
		t.Fatal(err)
	}
	if o := next("that the order of another hub is taken back"); o.lease > 0 || len(o.Agents) != 0 {
		t.Errorf("taken back: %+v", o)
	}
	if err := h.SetOrder(&Order{Rate: -1}); err == nil {
		t.Error("a rate below zero is taken")
	}
	if err := h.SetOrder(&Order{Rate: 2, Agents: []string{"a"}}); err != nil {
		t.Fatal(err)
	}
	if o := next("the order"); o.lease != fleet.OrderLease || o.Rate != 2 || !slices.Equal(o.Agents, []string{"a"}) {
		t.Errorf("%+v", o)
	}
	if s := h.Status(); s.Order == nil || s.Order.Rate != 2 || s.Published.Orders != 3 {
		t.Errorf("%+v", s)
	}
	if err := h.SetOrder(nil); err != nil || h.Status().Order != nil {
		t.Errorf("the order stays: %v", err)
	}
	if o := next("that the order is taken back"); o.lease > 0 || len(o.Agents) != 0 {
		t.Errorf("taken back: %+v", o)
	}
}
