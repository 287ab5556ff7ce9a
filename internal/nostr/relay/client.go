package relay

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/time/rate"

	"github.com/poolscope/poolscope/internal/nostr"
	"github.com/poolscope/poolscope/internal/nostr/socket"
)

// client is one connection.
type client struct {
	relay         *Relay
	address       string                    // IP address
	subscriptions map[string][]nostr.Filter // guarded by relay.mu
	out           chan []byte
	queued        atomic.Int64  // bytes in out
	slow          chan struct{} // gets a value when out was full
	events        *rate.Limiter
	requests      *rate.Limiter
	refusals      *rate.Limiter // of the reading goroutine

	// Of the reading goroutine:
	challenge string
	author    string // who answered the challenge
}

func newClient(r *Relay, address string) *client {
	return &client{
		relay:         r,
		address:       address,
		subscriptions: map[string][]nostr.Filter{},
		out:           make(chan []byte, r.config.MaxQueue),
		slow:          make(chan struct{}, 1),
		events:        rate.NewLimiter(rate.Limit(r.config.EventsPerSecond), r.config.EventBurst),
		requests:      rate.NewLimiter(rate.Limit(r.config.RequestsPerSecond), r.config.RequestBurst),
		refusals:      rate.NewLimiter(rate.Limit(r.config.RequestsPerSecond), r.config.RequestBurst),
	}
}

// serve speaks with the client until one of them ends it, and says why.
func (c *client) serve(ctx context.Context, ws *websocket.Conn) (why string) {
	ctx, end := c.relay.untilDone(ctx)
	defer func() { _ = ws.CloseNow() }()
	socket.Limit(ws)
	c.greet()
	var others sync.WaitGroup
	others.Go(func() { end(c.write(ctx, ws)) })
	others.Go(func() { end(c.beat(ctx, ws)) })
	end(c.read(ctx, ws))
	others.Wait()
	var reason ending
	if errors.As(context.Cause(ctx), &reason) {
		return string(reason)
	}
	return "client_closed" // the server's context ended
}

// greet challenges the client if the relay has an address.
func (c *client) greet() {
	if c.relay.config.Address != "" {
		c.challenge = rand.Text()
		c.send(&nostr.Message{Label: nostr.LabelAuth, Text: c.challenge})
	}
}

func (c *client) read(ctx context.Context, ws *websocket.Conn) ending {
	for {
		m, err := socket.Read(ctx, ws)
		switch {
		case errors.Is(err, websocket.ErrMessageTooBig):
			return "message_too_long"
		case err != nil:
			return "client_closed"
		case m.TooLong:
			c.relay.refuse("message_too_long")
			c.notice("invalid: the message is too long")
		case m.Binary:
			c.relay.refuse("binary")
			c.notice("invalid: messages are text")
		default:
			if c.handle(m.Data) {
				continue
			}
		}
		c.charge(ctx)
	}
}

// charge makes a client wait that sends nonsense, or more than it may, faster
// than it may send requests.
func (c *client) charge(ctx context.Context) {
	if wait := c.refusals.Reserve().Delay(); wait > 0 {
		select {
		case <-ctx.Done():
		case <-time.After(min(wait, time.Second)):
		}
	}
}

// write sends what is queued.
func (c *client) write(ctx context.Context, ws *websocket.Conn) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-c.slow:
			return ending("slow_reader")
		case data := <-c.out:
			limited, cancel := context.WithTimeout(ctx, c.relay.config.WriteTimeout)
			err := ws.Write(limited, websocket.MessageText, data)
			late := limited.Err() != nil && ctx.Err() == nil
			cancel()
			switch {
			case late:
				return ending("slow_reader")
			case err != nil:
				return ending("write_failed")
			}
			c.queued.Add(-int64(len(data)))
		}
	}
}

// beat ends the connection of a client that is not there any more.
func (c *client) beat(ctx context.Context, ws *websocket.Conn) error {
	tick := time.NewTicker(c.relay.config.PingEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		limited, cancel := context.WithTimeout(ctx, c.relay.config.PongTimeout)
		err := ws.Ping(limited)
		cancel()
		if err != nil {
			return ending("ping_timeout")
		}
	}
}

// handle answers one message, and says whether it was one to carry out.
func (c *client) handle(data []byte) (fine bool) {
	m, err := nostr.ParseClientMessage(data)
	if err != nil {
		c.malformed(&m, err)
		return false
	}
	switch m.Label {
	case nostr.LabelEvent:
		ok, text := c.event(m.Event)
		c.ok(m.Event.ID, ok, text)
		return ok
	case nostr.LabelReq:
		if refused := c.request(&m); refused != "" {
			c.send(&nostr.Message{Label: nostr.LabelClosed, Subscription: m.Subscription, Text: refused})
			return false
		}
	case nostr.LabelClose:
		c.relay.unsubscribe(c, m.Subscription)
	case nostr.LabelAuth:
		return c.auth(m.Event)
	}
	return true
}

func (c *client) event(e *nostr.Event) (ok bool, text string) {
	if !c.welcome() {
		c.relay.refuse("auth_required")
		return false, c.unwelcome()
	}
	if !c.events.AllowN(c.relay.config.Now(), 1) {
		c.relay.refuse("rate_limited")
		return false, "rate-limited: slow down"
	}
	return c.relay.publish(e)
}

// request carries out a REQ; what it returns ended the subscription.
func (c *client) request(m *nostr.Message) (refused string) {
	if !c.welcome() {
		c.relay.refuse("auth_required")
		return c.unwelcome()
	}
	if !c.requests.AllowN(c.relay.config.Now(), 1) {
		c.relay.refuse("rate_limited")
		c.relay.unsubscribe(c, m.Subscription)
		return "rate-limited: slow down"
	}
	return c.relay.subscribe(c, m.Subscription, m.Filters)
}

func (c *client) auth(e *nostr.Event) (ok bool) {
	who, err := nostr.CheckAuth(e, c.challenge, c.relay.sameRelay, c.relay.config.Now())
	if err != nil {
		c.relay.refuse("auth")
		c.ok(e.ID, false, "invalid: "+strings.TrimPrefix(err.Error(), "nostr: "))
		return false
	}
	c.author = who
	c.ok(e.ID, true, "")
	return true
}

// welcome says whether the client may write and subscribe.
func (c *client) welcome() bool {
	config := &c.relay.config
	return !config.RequireAuth || c.author != "" && (len(config.Authors) == 0 || slices.Contains(config.Authors, c.author))
}

// unwelcome says what the client can do about it.
func (c *client) unwelcome() string {
	if c.author != "" {
		return "restricted: this key may not use the relay"
	}
	return "auth-required: answer the challenge first"
}

// malformed answers what could not be read as precisely as possible.
func (c *client) malformed(m *nostr.Message, err error) {
	text := "invalid: " + strings.TrimPrefix(err.Error(), "nostr: ")
	if errors.Is(err, nostr.ErrUnsupported) {
		c.relay.refuse("unsupported_filter")
		text = "unsupported: " + strings.TrimPrefix(err.Error(), "nostr: ")
	} else {
		c.relay.refuse("malformed")
	}
	switch {
	case m.ID != "":
		c.ok(m.ID, false, text)
	case m.Label == nostr.LabelReq && m.Subscription != "":
		c.relay.unsubscribe(c, m.Subscription) // CLOSED says so
		c.send(&nostr.Message{Label: nostr.LabelClosed, Subscription: m.Subscription, Text: text})
	default:
		c.notice(text)
	}
}

func (c *client) ok(id string, accepted bool, text string) {
	c.send(&nostr.Message{Label: nostr.LabelOK, ID: id, Accepted: accepted, Text: text})
}

func (c *client) notice(text string) {
	c.send(&nostr.Message{Label: nostr.LabelNotice, Text: text})
}

func (c *client) send(m *nostr.Message) { c.queue(m.Encode()) }

// sendEvent queues an EVENT whose JSON is at hand.
func (c *client) sendEvent(subscription string, json []byte) {
	head := (&nostr.Message{Label: nostr.LabelEOSE, Subscription: subscription}).Encode()
	b := make([]byte, 0, len(head)+len(json)+8)
	b = append(b, `["EVENT"`...)
	b = append(b, head[len(`["EOSE"`):len(head)-1]...)
	b = append(b, ',')
	c.queue(append(append(b, json...), ']'))
}

// queue never waits: a client that is too slow is closed.
func (c *client) queue(data []byte) {
	if c.queued.Add(int64(len(data))) <= int64(c.relay.config.MaxQueueBytes) {
		select {
		case c.out <- data:
			return
		default:
		}
	}
	c.queued.Add(-int64(len(data)))
	select {
	case c.slow <- struct{}{}:
	default:
	}
}
