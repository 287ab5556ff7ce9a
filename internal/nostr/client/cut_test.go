package client

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolscope/poolscope/internal/nostr/nostrtest"
	"github.com/poolscope/poolscope/internal/nostr/relay"
)

// runFor runs a pool on a network until the test ends.
func runFor(t *testing.T, n *nostrtest.Network, config Config) *Pool {
	t.Helper()
	config.Relays, config.HTTPClient = []string{"ws://relay.example"}, n.Client()
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

// TestTenMinutesOfCut cuts, for ten minutes, one or both of those who speak
// over a relay, while an event is published every ten seconds. Everything
// arrives, and once.
func TestTenMinutesOfCut(t *testing.T) {
	for name, c := range map[string]struct {
		config       relay.Config
		cut, restore func(writer, reader *nostrtest.Network)
	}{
		"both": {
			cut:     func(w, r *nostrtest.Network) { w.Cut(); r.Cut() },
			restore: func(w, r *nostrtest.Network) { w.Restore(); r.Restore() },
		},
		"both, and nobody is told": {
			cut:     func(w, r *nostrtest.Network) { w.Silence(); r.Silence() },
			restore: func(w, r *nostrtest.Network) { w.Restore(); r.Restore() },
		},
		"the writer": {
			cut:     func(w, _ *nostrtest.Network) { w.Cut() },
			restore: func(w, _ *nostrtest.Network) { w.Restore() },
		},
		"the reader": {
			cut:     func(_, r *nostrtest.Network) { r.Cut() },
			restore: func(_, r *nostrtest.Network) { r.Restore() },
		},
		"the reader, and nobody is told": {
			cut:     func(_, r *nostrtest.Network) { r.Silence() },
			restore: func(_, r *nostrtest.Network) { r.Restore() },
		},
		"the reader, from a relay that answers with 10 events": {
			config:  relay.Config{MaxResults: 10},
			cut:     func(_, r *nostrtest.Network) { r.Cut() },
			restore: func(_, r *nostrtest.Network) { r.Restore() },
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := relay.New(c.config)
				t.Cleanup(r.Close)
				ours, theirs := nostrtest.New(t, r), nostrtest.New(t, r)
				in := &inbox{seen: map[string]int{}}
				reader := runFor(t, theirs, Config{Subscriptions: everything, Received: in.take})
				writer := runFor(t, ours, Config{Queue: 80})
				published := 0
				publish := func(n int) {
					for range n {
						writer.Publish(event(t, fmt.Sprint(published)))
						published++
						time.Sleep(10 * time.Second)
					}
				}
				publish(3)
				c.cut(ours, theirs)
				publish(60)
				c.restore(ours, theirs)
				publish(2)
				time.Sleep(3 * time.Minute) // back-off, and what nobody was told has to be noticed

				synctest.Wait()
				if different, all := in.count(); different != published || all != published {
					t.Errorf("%d different events and %d calls for %d that were published", different, all, published)
				}
				if s := writer.Status()[0]; s.Waiting != 0 || s.Dropped != 0 || s.Accepted != uint64(published) {
					t.Errorf("writer: %+v", s)
				}
				if s := reader.Status()[0]; s.State != "connected" {
					t.Errorf("reader: %+v", s)
				}
			})
		})
	}
}

// TestARelayThatForgot is a restart of a relay that keeps nothing on disk: what
// it had taken is lost to who was away, what waited in the queue is not, and
// nobody gets anything twice.
func TestARelayThatForgot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old := relay.New(relay.Config{})
		t.Cleanup(old.Close)
		swap := &swapped{handler: old}
		n := nostrtest.New(t, swap)
		in := &inbox{seen: map[string]int{}}
		runFor(t, n, Config{Subscriptions: everything, Received: in.take})
		writer := runFor(t, n, Config{})
		writer.Publish(event(t, "before"))
		time.Sleep(time.Second)
		n.Cut()
		writer.Publish(event(t, "during"))
		time.Sleep(10 * time.Minute)
		fresh := relay.New(relay.Config{})
		t.Cleanup(fresh.Close)
		swap.set(fresh)
		n.Restore()
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		if different, all := in.count(); different != 2 || all != 2 {
			t.Errorf("%d different, %d calls", different, all)
		}
	})
}
