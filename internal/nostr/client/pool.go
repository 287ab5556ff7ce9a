package client

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/poolscope/poolscope/internal/nostr"
)

// Pool is the connections to all relays.
type Pool struct {
	config Config
	links  []*link

	mu   sync.Mutex
	seen *seen
}

// Status is what one relay's connection is like, and counts since the start.
type Status struct {
	Relay      string
	State      string            // "connecting", "connected", "waiting" for the next attempt
	Connects   uint64            // connections that were made
	Waiting    int               // events that the relay has not said OK to
	Dropped    uint64            // events that left a full queue unsent
	Accepted   uint64            // OKs
	Received   uint64            // events that were handed on
	Duplicates uint64            // events that came again, from this relay or another
	Rejected   map[string]uint64 // our events, by the first word of the relay's reason
	Refused    map[string]uint64 // the relay's messages, by our reason
	Notice     string            // the relay's last words to people
	Error      string            // why the last connection ended, or was not made
}

// New makes the pool. Nothing runs before Run. It fails on an address that is
// not ws:// or wss://.
func New(config Config) (*Pool, error) {
	p := &Pool{config: config.withDefaults()}
	p.seen = newSeen(p.config.Seen)
	for _, address := range config.Relays {
		u, err := url.Parse(address)
		if err != nil || u.Host == "" || u.Scheme != "ws" && u.Scheme != "wss" {
			return nil, fmt.Errorf("relay %q: not a ws:// or wss:// address", address)
		}
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

// Publish queues a signed event for every relay. It never waits.
func (p *Pool) Publish(e *nostr.Event) {
	data := eventMessage(e)
	for _, l := range p.links {
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

// What became of a received event.
const (
	fresh = "" // handed on; the others are reasons to count
	again = "duplicate"
)

// received hands an event on if it is true, asked for and new.
func (p *Pool) received(subscription string, e *nostr.Event) (why string) {
	i := slices.IndexFunc(p.config.Subscriptions, func(s Subscription) bool { return s.ID == subscription })
	if i < 0 || !slices.ContainsFunc(p.config.Subscriptions[i].Filters, func(f nostr.Filter) bool { return f.Matches(e) }) {
		return "unasked"
	}
	// Who sends an id that is known need not be checked; who sends a new one
	// must be, before the id counts as known.
	p.mu.Lock()
	known := p.seen.has(e.ID)
	p.mu.Unlock()
	if known {
		return again
	}
	if e.Verify() != nil {
		return "forged"
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.seen.has(e.ID) {
		return again
	}
	p.seen.add(e.ID)
	p.config.Received(subscription, e)
	return fresh
}

// since are the filters of a subscription after a cut: as they are, but from
// overlap before the cut at the earliest. A zero cut is none.
func since(filters []nostr.Filter, cut time.Time, overlap time.Duration) []nostr.Filter {
	if cut.IsZero() {
		return filters
	}
	from := cut.Add(-overlap).Unix()
	out := slices.Clone(filters)
	for i := range out {
		if out[i].Since == nil || *out[i].Since < from {
			out[i].Since = &from
		}
		out[i].Limit = nil // of a limited answer the middle would be missing
	}
	return out
}
