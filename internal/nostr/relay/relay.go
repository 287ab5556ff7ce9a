package relay

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/poolscope/poolscope/internal/nostr"
)

// Relay is a relay. It is an http.Handler; serve it with any http.Server, and
// Close it before that server's Shutdown, which does not know of WebSockets.
type Relay struct {
	config Config

	mu      sync.Mutex
	memory  *memory
	clients map[*client]struct{}
	closed  bool
	stats   Stats

	done chan struct{}
	all  sync.WaitGroup
}

// Stats are counts since the start, and what there is now.
type Stats struct {
	Connections int               // clients now
	Events      int               // kept now
	Bytes       int               // of JSON, kept now
	Accepted    uint64            // events
	Delivered   uint64            // EVENT messages put into clients' queues
	Evicted     uint64            // events that made room for newer ones
	Refused     map[string]uint64 // events, subscriptions and clients, by reason
	Closed      map[string]uint64 // clients, by reason
}

// New makes a relay. Nothing runs before a client connects.
func New(config Config) *Relay {
	config = config.withDefaults()
	return &Relay{
		config:  config,
		memory:  newMemory(config.MaxEvents, config.MaxBytes),
		clients: map[*client]struct{}{},
		stats:   Stats{Refused: map[string]uint64{}, Closed: map[string]uint64{}},
		done:    make(chan struct{}),
	}
}

// Stats is a copy of the counts.
func (r *Relay) Stats() Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.stats
	s.Connections, s.Events, s.Bytes, s.Evicted = len(r.clients), r.memory.order.Len(), r.memory.bytes, r.memory.evicted
	s.Refused, s.Closed = maps.Clone(s.Refused), maps.Clone(s.Closed)
	return s
}

// Close ends all connections and waits for them; the relay takes no more.
func (r *Relay) Close() {
	r.mu.Lock()
	if !r.closed {
		r.closed = true
		close(r.done)
	}
	r.mu.Unlock()
	r.all.Wait()
}

// ServeHTTP takes a WebSocket. Pages of any origin may connect: a relay is
// public to whoever can reach it, and what it trusts are signatures.
func (r *Relay) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	c := newClient(r)
	if why := r.enter(c); why != "" {
		http.Error(w, why, http.StatusServiceUnavailable)
		return
	}
	defer r.all.Done()
	why := "handshake"
	defer func() { r.leave(c, why) }()
	socket, err := websocket.Accept(w, request, &websocket.AcceptOptions{InsecureSkipVerify: true})
	if err != nil {
		return // Accept has answered
	}
	why = c.serve(request.Context(), socket)
}

func (r *Relay) enter(c *client) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.closed:
		return "the relay is closing"
	case len(r.clients) >= r.config.MaxConnections:
		r.stats.Refused["too_many_connections"]++
		return "too many connections"
	}
	r.clients[c] = struct{}{}
	r.all.Add(1)
	return ""
}

func (r *Relay) leave(c *client, why string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.clients, c)
	r.stats.Closed[why]++
}

func (r *Relay) refuse(why string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stats.Refused[why]++
}

// publish takes an event of a client and says what the OK says.
func (r *Relay) publish(e *nostr.Event) (ok bool, text string) {
	if why, text := r.objection(e); why != "" {
		r.refuse(why)
		return false, text
	}
	json := e.AppendJSON(nil)
	if len(json) > r.config.MaxEventBytes {
		r.refuse("event_too_large")
		return false, "invalid: the event is too large"
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if nostr.ClassOf(e.Kind) != nostr.Ephemeral {
		switch r.memory.add(e, json) {
		case duplicate:
			r.stats.Refused["duplicate"]++
			return true, "duplicate: the relay has this event"
		case outdated:
			r.stats.Refused["outdated"]++
			return true, "duplicate: the relay has a newer event in its place"
		}
	}
	r.stats.Accepted++
	for c := range r.clients {
		for id, filters := range c.subscriptions {
			if slices.ContainsFunc(filters, func(f nostr.Filter) bool { return f.Matches(e) }) {
				c.sendEvent(id, json)
				r.stats.Delivered++
			}
		}
	}
	return true, ""
}

// objection is why an event is refused: a name to count, and words.
func (r *Relay) objection(e *nostr.Event) (why, text string) {
	switch {
	case e.Kind == nostr.KindAuth:
		return "auth_as_event", "invalid: this kind is for AUTH only"
	case len(r.config.Authors) > 0 && !slices.Contains(r.config.Authors, e.PubKey):
		return "author", "blocked: this author may not write here"
	case time.Unix(e.CreatedAt, 0).Sub(r.config.Now()) > r.config.FutureLimit:
		return "future", "invalid: created_at is in the future"
	}
	switch err := e.Verify(); {
	case errors.Is(err, nostr.ErrID):
		return "id", "invalid: the id is not that of the event"
	case err != nil:
		return "signature", "invalid: the signature does not fit"
	}
	return "", ""
}

// subscribe answers with what is kept and from then on with what comes; both
// under one lock, so that nothing is missed or sent twice.
func (r *Relay) subscribe(c *client, id string, filters []nostr.Filter) (refused string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, replaces := c.subscriptions[id]; !replaces && len(c.subscriptions) >= r.config.MaxSubscriptions {
		r.stats.Refused["too_many_subscriptions"]++
		return "error: too many subscriptions"
	}
	found := r.memory.find(filters, r.config.MaxResults)
	for _, s := range found {
		c.sendEvent(id, s.json)
	}
	r.stats.Delivered += uint64(len(found))
	c.send(&nostr.Message{Label: nostr.LabelEOSE, Subscription: id})
	c.subscriptions[id] = filters
	return ""
}

func (r *Relay) unsubscribe(c *client, id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(c.subscriptions, id)
}

// untilDone is a context that also ends with the relay.
func (r *Relay) untilDone(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	r.all.Go(func() {
		select {
		case <-r.done:
			cancel()
		case <-ctx.Done():
		}
	})
	return ctx, cancel
}
