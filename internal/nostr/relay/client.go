package relay

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"

	"github.com/coder/websocket"
	"golang.org/x/time/rate"

	"github.com/poolscope/poolscope/internal/nostr"
)

// client is one connection.
type client struct {
	relay         *Relay
	subscriptions map[string][]nostr.Filter // guarded by relay.mu
	out           chan []byte
	slow          chan struct{} // gets a value when out was full
	pace          *rate.Limiter

	challenge string
	author    string // who answered the challenge
}

func newClient(r *Relay) *client {
	return &client{
		relay:         r,
		subscriptions: map[string][]nostr.Filter{},
		out:           make(chan []byte, r.config.Queue),
		slow:          make(chan struct{}, 1),
		pace:          rate.NewLimiter(rate.Limit(r.config.EventsPerSecond), r.config.EventBurst),
	}
}

// serve speaks with the client until one of them ends it, and says why.
func (c *client) serve(ctx context.Context, socket *websocket.Conn) (why string) {
	ctx, cancel := c.relay.untilDone(ctx)
	defer cancel()
	defer func() { _ = socket.CloseNow() }()
	socket.SetReadLimit(nostr.MaxMessageBytes)
	if c.relay.config.Address != "" {
		c.challenge = rand.Text()
		c.send(&nostr.Message{Label: nostr.LabelAuth, Text: c.challenge})
	}
	written := make(chan string, 1)
	go func() {
		written <- c.write(ctx, socket)
		cancel()
	}()
	why = c.read(ctx, socket)
	cancel()
	if because := <-written; because != "" {
		return because // the writer's end is what ended the reader
	}
	return why
}

func (c *client) read(ctx context.Context, socket *websocket.Conn) (why string) {
	for {
		kind, data, err := socket.Read(ctx)
		switch {
		case errors.Is(err, websocket.ErrMessageTooBig):
			return "message_too_long"
		case err != nil && ctx.Err() != nil:
			return "relay_closed"
		case err != nil:
			return "client_closed"
		case kind != websocket.MessageText:
			c.relay.refuse("binary")
			c.notice("error: messages are text")
			continue
		}
		c.handle(data)
	}
}

// write sends what is queued. The reason is "" when the reader ended first.
func (c *client) write(ctx context.Context, socket *websocket.Conn) (why string) {
	for {
		select {
		case <-ctx.Done():
			return ""
		case <-c.slow:
			return "slow_reader"
		case data := <-c.out:
			limited, cancel := context.WithTimeout(ctx, c.relay.config.WriteTimeout)
			err := socket.Write(limited, websocket.MessageText, data)
			cancel()
			if err != nil && ctx.Err() == nil {
				return "write_failed"
			}
		}
	}
}

// handle answers one message.
func (c *client) handle(data []byte) {
	m, err := nostr.ParseClientMessage(data)
	if err != nil {
		c.relay.refuse("malformed")
		c.malformed(m, "invalid: "+strings.TrimPrefix(err.Error(), "nostr: "))
		return
	}
	switch m.Label {
	case nostr.LabelEvent:
		ok, text := c.event(m.Event)
		c.ok(m.Event.ID, ok, text)
	case nostr.LabelReq:
		refused := ""
		if !c.welcome() {
			c.relay.refuse("auth_required")
			refused = "auth-required: answer the challenge first"
		} else {
			refused = c.relay.subscribe(c, m.Subscription, m.Filters)
		}
		if refused != "" {
			c.send(&nostr.Message{Label: nostr.LabelClosed, Subscription: m.Subscription, Text: refused})
		}
	case nostr.LabelClose:
		c.relay.unsubscribe(c, m.Subscription)
	case nostr.LabelAuth:
		c.auth(m.Event)
	}
}

func (c *client) event(e *nostr.Event) (ok bool, text string) {
	if !c.welcome() {
		c.relay.refuse("auth_required")
		return false, "auth-required: answer the challenge first"
	}
	if !c.pace.AllowN(c.relay.config.Now(), 1) {
		c.relay.refuse("rate_limited")
		return false, "rate-limited: slow down"
	}
	return c.relay.publish(e)
}

func (c *client) auth(e *nostr.Event) {
	who, err := nostr.CheckAuth(e, c.challenge, func(address string) bool {
		return strings.TrimRight(address, "/") == strings.TrimRight(c.relay.config.Address, "/")
	}, c.relay.config.Now())
	if err != nil {
		c.relay.refuse("auth")
		c.ok(e.ID, false, "invalid: "+strings.TrimPrefix(err.Error(), "nostr: "))
		return
	}
	c.author = who
	c.ok(e.ID, true, "")
}

// welcome says whether the client may write and subscribe.
func (c *client) welcome() bool {
	config := &c.relay.config
	return !config.RequireAuth || c.author != "" && (len(config.Authors) == 0 || slices.Contains(config.Authors, c.author))
}

// malformed answers what could not be read as precisely as possible.
func (c *client) malformed(m nostr.Message, text string) {
	switch {
	case m.ID != "":
		c.ok(m.ID, false, text)
	case m.Label == nostr.LabelReq && m.Subscription != "":
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
	select {
	case c.out <- data:
	default:
		select {
		case c.slow <- struct{}{}:
		default:
		}
	}
}
