package client

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/poolscope/poolscope/internal/nostr"
)

// Pool is the connections to all relays.
type Pool struct {
	config Config
	links  []*link

	mu   sync.Mutex // guards seen, and makes calls of Received come one at a time
	seen *seen
}

// New makes the pool. Nothing runs before Run. It fails on an address that is
// not ws:// or wss://, and on subscriptions that no relay would take.
func New(config Config) (*Pool, error) {
	if err := config.check(); err != nil {
		return nil, err
	}
	p := &Pool{config: config.withDefaults()}
	p.seen = newSeen(p.config.Seen)
	for _, address := range config.Relays {
		p.links = append(p.links, newLink(p, address))
	}
	return p, nil
}

// Run keeps the connections until ctx ends.
func (p *Pool) Run(ctx context.Context) {
	var all sync.WaitGroup
	for _, l := range p.links {
		all.Go(func() { l.run(ctx) })
	}
	all.Wait()
}

// Publish queues a signed event for every relay. It never waits. An event that
// is longer than a message may be is not queued but counted as rejected.
func (p *Pool) Publish(e *nostr.Event) {
	data := (&nostr.Message{Label: nostr.LabelEvent, Event: e}).Encode()
	for _, l := range p.links {
		if len(data) > nostr.MaxMessageBytes {
			l.change(func(s *Status) { s.Rejected["oversized"]++ })
			continue
		}
		l.out.put(e.ID, data)
	}
}

// Status is one entry per relay, in the order of the configuration.
func (p *Pool) Status() []Status {
	list := make([]Status, len(p.links))
	for i, l := range p.links {
		l.mu.Lock()
		s := l.status
		s.Rejected, s.Refused = maps.Clone(s.Rejected), maps.Clone(s.Refused)
		l.mu.Unlock()
		s.Waiting, s.Dropped = l.out.counts()
		list[i] = s
	}
	return list
}

// subscription is the place of a subscription by its id, -1 without.
func (p *Pool) subscription(id string) int {
	return slices.IndexFunc(p.config.Subscriptions, func(s Subscription) bool { return s.ID == id })
}

// received hands an event on if it is true, asked for, timely and new.
func (p *Pool) received(subscription int, e *nostr.Event) (why string) {
	if subscription < 0 {
		return refusedUnasked
	}
	s := &p.config.Subscriptions[subscription]
	if !slices.ContainsFunc(s.Filters, func(f nostr.Filter) bool { return f.Matches(e) }) {
		return refusedUnasked
	}
	id, ok := idOf(e.ID)
	if !ok {
		return refusedForged
	}
	// Who sends an id that is known need not be checked; who sends a new one
	// must be, before the id counts as known.
	p.mu.Lock()
	known := p.seen.has(id)
	p.mu.Unlock()
	if known {
		return again
	}
	switch age := p.config.Now().Sub(time.Unix(e.CreatedAt, 0)); {
	case p.config.MaxAge > 0 && age > p.config.MaxAge:
		return refusedStale
	case -age > p.config.MaxAhead:
		return refusedFuture
	}
	if e.Verify() != nil {
		return refusedForged
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.seen.has(id) {
		return again
	}
	p.seen.add(id)
	p.config.Received(s.ID, e)
	return fresh
}
