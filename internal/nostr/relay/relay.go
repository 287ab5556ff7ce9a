package relay

import (
	"context"
	"errors"
	"maps"
	"net"
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

	// mu guards all of these, and calls of the store: what is stored and what
	// comes live must neither overlap nor leave a gap for a subscription.
	mu        sync.Mutex
	store     Store
	clients   map[*client]struct{}
	addresses map[string]int // clients by IP address
	closed    bool
	stats     Stats

	done chan struct{}
	all  sync.WaitGroup
}

// Stats are counts since the start, and what there is now.
type Stats struct {
	Connections   int               `json:"connections"`   // clients now
	Subscriptions int               `json:"subscriptions"` // theirs
	Events        int               `json:"events"`        // kept now
	Bytes         int               `json:"bytes"`         // of JSON, kept now
	Accepted      uint64            `json:"accepted"`      // events
	Delivered     uint64            `json:"delivered"`     // EVENT messages put into clients' queues
	Evicted       uint64            `json:"evicted"`       // events that made room for newer ones
	Expired       uint64            `json:"expired"`       // events that were kept until their time was over
	Refused       map[string]uint64 `json:"refused"`       // events, subscriptions, messages and clients, by reason
	Closed        map[string]uint64 `json:"closed"`        // clients, by reason
}

// New makes a relay. Nothing runs before a client connects.
func New(config Config) *Relay {
	config = config.withDefaults()
	return &Relay{
		config:    config,
		store:     config.Store,
		clients:   map[*client]struct{}{},
		addresses: map[string]int{},
		stats:     Stats{Refused: zeroes(refusals), Closed: zeroes(endings)},
		done:      make(chan struct{}),
	}
}

// Stats is a copy of the counts.
func (r *Relay) Stats() Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	s, size := r.stats, r.store.Size()
	s.Connections, s.Events, s.Bytes, s.Evicted, s.Expired = len(r.clients), size.Events, size.Bytes, size.Evicted, size.Expired
	for c := range r.clients {
		s.Subscriptions += len(c.subscriptions)
	}
	s.Refused, s.Closed = maps.Clone(s.Refused), maps.Clone(s.Closed)
	return s
}

// Close ends all connections and waits for them; the relay takes no more. The
// store stays open.
func (r *Relay) Close() {
	r.mu.Lock()
	if !r.closed {
		r.closed = true
		close(r.done)
	}
	r.mu.Unlock()
	r.all.Wait()
}

// ServeHTTP takes a WebSocket, or answers with the relay's document (NIP-11).
func (r *Relay) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	if !isWebSocket(request) {
		r.serveDocument(w, request)
		return
	}
	if !r.originAllowed(request) {
		r.refuse("origin")
		http.Error(w, "pages of this origin may not connect", http.StatusForbidden)
		return
	}
	address, _, err := net.SplitHostPort(request.RemoteAddr)
	if err != nil {
		address = request.RemoteAddr
	}
	c := newClient(r, address)
	if why := r.enter(c); why != "" {
		http.Error(w, why, http.StatusServiceUnavailable)
		return
	}
	defer r.all.Done()
	why := "handshake"
	defer func() { r.leave(c, why) }()
	// The origin was looked at above.
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
	case r.addresses[c.address] >= r.config.MaxPerAddress:
		r.stats.Refused["too_many_from_address"]++
		return "too many connections from your address"
	}
	r.clients[c] = struct{}{}
	r.addresses[c.address]++
	r.all.Add(1)
	return ""
}

func (r *Relay) leave(c *client, why string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.clients, c)
	if r.addresses[c.address]--; r.addresses[c.address] == 0 {
		delete(r.addresses, c.address)
	}
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
		outcome, err := r.store.Add(e, json, r.config.Now())
		switch {
		case err != nil:
			r.stats.Refused["store_failed"]++
			return false, "error: the relay could not keep it"
		case outcome == Duplicate:
			r.stats.Refused["duplicate"]++
			return true, "duplicate: the relay has this event"
		case outcome == Outdated:
			r.stats.Refused["outdated"]++
			return true, "duplicate: the relay has a newer event in its place"
		}
	}
	r.stats.Accepted++
	r.deliverLocked(e, json)
	return true, ""
}

// deliverLocked gives an event to whoever has asked for it.
func (r *Relay) deliverLocked(e *nostr.Event, json []byte) {
	for c := range r.clients {
		for id, filters := range c.subscriptions {
			if slices.ContainsFunc(filters, func(f nostr.Filter) bool { return f.Matches(e) }) {
				c.sendEvent(id, json)
				r.stats.Delivered++
			}
		}
	}
}

// objection is why an event is refused: a name to count, and words.
func (r *Relay) objection(e *nostr.Event) (why, text string) {
	now := r.config.Now()
	switch {
	case e.Kind == nostr.KindAuth:
		return "auth_as_event", "invalid: this kind is for AUTH only"
	case len(r.config.Authors) > 0 && !slices.Contains(r.config.Authors, e.PubKey):
		return "author", "blocked: this author may not write here"
	case time.Unix(e.CreatedAt, 0).Sub(now) > r.config.FutureLimit:
		return "future", "invalid: created_at is in the future"
	case expired(e, now):
		return "expired", "invalid: the event has expired"
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
// under one lock, so that nothing is missed or sent twice. What it returns
// ended the subscription, and so did the same id before.
func (r *Relay) subscribe(c *client, id string, filters []nostr.Filter) (refused string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(c.subscriptions, id)
	values := valuesOf(filters)
	for _, other := range c.subscriptions {
		values += valuesOf(other)
	}
	switch {
	case len(c.subscriptions) >= r.config.MaxSubscriptions:
		r.stats.Refused["too_many_subscriptions"]++
		return "error: too many subscriptions"
	case values > r.config.MaxFilterValues:
		r.stats.Refused["too_many_filter_values"]++
		return "error: too many values in the filters of this connection"
	}
	found, err := r.store.Find(filters, Bounds{r.config.MaxResults, r.config.MaxResultBytes}, r.config.Now())
	if err != nil {
		r.stats.Refused["store_failed"]++
		return "error: the relay could not read what it keeps"
	}
	for _, json := range found {
		c.sendEvent(id, json)
	}
	r.stats.Delivered += uint64(len(found))
	c.send(&nostr.Message{Label: nostr.LabelEOSE, Subscription: id})
	c.subscriptions[id] = filters
	return ""
}

// valuesOf is what comparing an event with these filters costs.
func valuesOf(filters []nostr.Filter) int {
	n := 0
	for i := range filters {
		n += 1 + filters[i].Values()
	}
	return n
}

func (r *Relay) unsubscribe(c *client, id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(c.subscriptions, id)
}

// untilDone is a context that also ends with the relay.
func (r *Relay) untilDone(ctx context.Context) (context.Context, context.CancelCauseFunc) {
	ctx, end := context.WithCancelCause(ctx)
	r.all.Go(func() {
		select {
		case <-r.done:
			end(ending("relay_closed"))
		case <-ctx.Done():
		}
	})
	return ctx, end
}
