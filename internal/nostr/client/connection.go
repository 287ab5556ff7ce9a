package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/coder/websocket"

	"github.com/poolscope/poolscope/internal/nostr"
	"github.com/poolscope/poolscope/internal/nostr/socket"
)

// connection is one connection to a relay, while it lasts. Its methods belong
// to the goroutine that reads, but for write, beat and tell.
type connection struct {
	*link
	ctx     context.Context // ends with the connection
	ws      *websocket.Conn
	control chan []byte // what is sent before events: REQ, CLOSE, AUTH
	cut     time.Time   // when the last connection that had caught up ended
	states  []state     // of the subscriptions
	authID  string      // of the answer to a challenge that waits for its OK
	authed  bool
}

// state is how one subscription is doing on one connection.
type state struct {
	catchUp *catchUp // nil without pages
	caught  bool     // all that was stored has come
	refused int      // how often the relay has closed it
}

func newConnection(ctx context.Context, l *link, ws *websocket.Conn, cut time.Time) *connection {
	n := len(l.pool.config.Subscriptions)
	return &connection{link: l, ctx: ctx, ws: ws, cut: cut, control: make(chan []byte, 4*n+8), states: make([]state, n)}
}

func (c *connection) subscribeAll() {
	for i := range c.states {
		c.subscribe(i)
	}
}

func (c *connection) subscribe(i int) {
	s := &c.pool.config.Subscriptions[i]
	filters := since(s.Filters, c.cut, c.pool.config.Overlap)
	c.states[i].catchUp, c.states[i].caught = newCatchUp(filters), false
	c.tell(&nostr.Message{Label: nostr.LabelReq, Subscription: s.ID, Filters: filters})
}

// caughtUp says whether everything that the relay had stored has come.
func (c *connection) caughtUp() bool {
	for i := range c.states {
		if !c.states[i].caught {
			return false
		}
	}
	return true
}

// tell queues a control message. The queue holds what a well-behaved relay can
// cause; a relay that causes more loses the rest, counted.
func (c *connection) tell(m *nostr.Message) {
	select {
	case c.control <- m.Encode():
	default:
		c.refuse(refusedFlood)
	}
}

func (c *connection) write() error {
	check := time.NewTicker(max(c.pool.config.OKTimeout/4, time.Millisecond))
	defer check.Stop()
	send := func(data []byte) error {
		limited, cancel := context.WithTimeout(c.ctx, writeTimeout)
		defer cancel()
		return c.ws.Write(limited, websocket.MessageText, data)
	}
	for {
		var err error
		select {
		case <-c.ctx.Done():
			return c.ctx.Err()
		case data := <-c.control:
			err = send(data)
		case <-c.out.wake:
			if data := c.out.next(time.Now()); data != nil {
				err = send(data)
				c.out.ring()
			}
		case <-check.C:
			if c.out.overdue(time.Now().Add(-c.pool.config.OKTimeout)) {
				return errors.New("the relay does not say OK")
			}
		}
		if err != nil {
			return fmt.Errorf("write: %w", err)
		}
	}
}

// beat ends the connection to a relay that is not there any more.
func (c *connection) beat() error {
	tick := time.NewTicker(pingEvery)
	defer tick.Stop()
	for {
		select {
		case <-c.ctx.Done():
			return c.ctx.Err()
		case <-tick.C:
		}
		limited, cancel := context.WithTimeout(c.ctx, pongTimeout)
		err := c.ws.Ping(limited)
		cancel()
		if err != nil {
			return fmt.Errorf("the relay does not answer: %w", err)
		}
	}
}

func (c *connection) read() error {
	for {
		data, err := socket.Read(c.ctx, c.ws)
		switch {
		case err != nil:
			return fmt.Errorf("read: %w", err)
		case data.TooLong:
			c.refuse(refusedOversized)
			continue
		case data.Binary:
			c.refuse(refusedMalformed)
			continue
		}
		m, err := nostr.ParseRelayMessage(data.Data)
		if err != nil {
			c.refuse(refusedMalformed)
			continue
		}
		if err := c.handle(&m); err != nil {
			return err
		}
	}
}

// handle takes one message. An error ends the connection.
func (c *connection) handle(m *nostr.Message) error {
	switch m.Label {
	case nostr.LabelEvent:
		c.event(m)
	case nostr.LabelOK:
		c.ok(m)
	case nostr.LabelEOSE:
		c.stored(m.Subscription)
	case nostr.LabelNotice:
		c.change(func(s *Status) { s.Notice = clip(m.Text) })
	case nostr.LabelClosed:
		c.closed(m)
	case nostr.LabelAuth:
		return c.auth(m.Text)
	}
	return nil
}

// place is which subscription an id is of, and whether it asks for a page; -1
// for none of ours.
func (c *connection) place(id string) (i int, page bool) {
	if i, ok := pageOf(id); ok {
		if i < 0 || i >= len(c.states) || c.states[i].catchUp == nil || !c.states[i].catchUp.paging {
			return -1, true
		}
		return i, true
	}
	return c.pool.subscription(id), false
}

func (c *connection) event(m *nostr.Message) {
	i, page := c.place(m.Subscription)
	if i >= 0 {
		if up := c.states[i].catchUp; up != nil && !c.states[i].caught && up.paging == page {
			up.came(m.Event)
		}
	}
	switch why := c.pool.received(i, m.Event); why {
	case fresh:
		c.change(func(s *Status) { s.Received++ })
	case again:
		c.change(func(s *Status) { s.Duplicates++ })
	default:
		c.refuse(why)
	}
}

// stored takes the end of a page: there is another one, or the subscription has
// caught up.
func (c *connection) stored(id string) {
	i, page := c.place(id)
	if i < 0 || c.states[i].caught {
		return
	}
	s := &c.states[i]
	s.refused = 0
	if s.catchUp != nil {
		if s.catchUp.paging != page {
			return
		}
		if filters := s.catchUp.next(); filters != nil {
			c.tell(&nostr.Message{Label: nostr.LabelReq, Subscription: pageID(i), Filters: filters})
			return
		}
		if page {
			c.tell(&nostr.Message{Label: nostr.LabelClose, Subscription: pageID(i)})
		}
	}
	s.caught = true
}

// closed takes the relay's refusal of a subscription: it is asked for again
// after a while, the longer the more often it was refused. Meanwhile events are
// published all the same.
func (c *connection) closed(m *nostr.Message) {
	why := prefix(m.Text)
	c.refuse("closed_" + why)
	i, _ := c.place(m.Subscription)
	if i < 0 {
		return
	}
	c.change(func(s *Status) { s.Error = clip("subscription closed: " + m.Text) })
	c.complain(notSubscribe, m.Text)
	c.states[i].caught = false
	if why == "auth-required" && !c.authed && !c.pool.config.Key.IsZero() {
		return // asked again when the challenge is answered
	}
	wait := min(c.pool.config.MinBackoff<<min(c.states[i].refused, 10), c.pool.config.MaxBackoff)
	c.states[i].refused++
	c.later(wait, i)
}

// later asks for a subscription again, from the reading goroutine's copy of the
// request: the catch-up begins anew with it.
func (c *connection) later(wait time.Duration, i int) {
	s := &c.pool.config.Subscriptions[i]
	filters := since(s.Filters, c.cut, c.pool.config.Overlap)
	c.states[i].catchUp = newCatchUp(filters)
	timer := time.AfterFunc(wait, func() {
		c.tell(&nostr.Message{Label: nostr.LabelReq, Subscription: s.ID, Filters: filters})
	})
	context.AfterFunc(c.ctx, func() { timer.Stop() })
}

// ok takes a relay's word about an event of ours.
func (c *connection) ok(m *nostr.Message) {
	if m.ID == c.authID && m.ID != "" {
		c.authID = ""
		if !m.Accepted {
			c.change(func(s *Status) { s.Rejected["auth"]++; s.Error = clip("authentication refused: " + m.Text) })
			return
		}
		c.authed = true
		c.subscribeAll()
		c.out.unsend()
		return
	}
	why := prefix(m.Text)
	verdict := final
	if !m.Accepted {
		switch why {
		case "rate-limited", "auth-required":
			verdict = later
		case "error":
			verdict = tryAgain
		}
	}
	known, gone := c.out.answered(m.ID, verdict, time.Now())
	switch {
	case !known:
		c.refuse(refusedOK)
	case m.Accepted:
		c.change(func(s *Status) { s.Accepted++ })
	case gone:
		c.change(func(s *Status) { s.Rejected[why]++ })
		c.complain(notPublished, m.Text)
	}
}

func (c *connection) auth(challenge string) error {
	if c.pool.config.Key.IsZero() {
		return nil
	}
	e, err := nostr.NewAuth(c.pool.config.Key, c.address, challenge, c.pool.config.Now())
	if err != nil {
		return err
	}
	c.authID = e.ID
	c.tell(&nostr.Message{Label: nostr.LabelAuth, Event: e})
	return nil
}
