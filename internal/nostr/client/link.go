package client

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/poolscope/poolscope/internal/nostr"
)

const (
	dialTimeout  = 15 * time.Second
	writeTimeout = 10 * time.Second
	pingEvery    = 20 * time.Second
	// steady is how long a connection lasts after which the back-off begins
	// anew.
	steady = time.Minute
)

// link is the connection to one relay, for ever.
type link struct {
	pool    *Pool
	address string
	out     *outbox
	control chan []byte // what is sent before events: REQ, AUTH

	mu     sync.Mutex
	status Status

	// Of run's goroutine, which also reads:
	cut    time.Time           // end of the last connection that had caught up
	caught map[string]struct{} // subscriptions whose stored events have all come
	authID string              // of the answer to a challenge that waits for its OK
}

func newLink(p *Pool, address string) *link {
	return &link{
		pool: p, address: address, out: newOutbox(p.config.Queue),
		status: Status{Relay: address, State: "connecting", Rejected: map[string]uint64{}, Refused: map[string]uint64{}},
	}
}

func (l *link) change(f func(*Status)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f(&l.status)
}

func (l *link) refuse(why string) { l.change(func(s *Status) { s.Refused[why]++ }) }

func (l *link) run(ctx context.Context) {
	backoff := l.pool.config.MinBackoff
	for ctx.Err() == nil {
		l.change(func(s *Status) { s.State = "connecting" })
		began := time.Now()
		err := l.connection(ctx)
		if ctx.Err() != nil {
			return
		}
		l.change(func(s *Status) { s.State, s.Error = "waiting", err.Error() })
		if time.Since(began) > steady {
			backoff = l.pool.config.MinBackoff
		}
		// Half of the wait is drawn, so that agents do not come back all at once.
		select {
		case <-ctx.Done():
		case <-time.After(backoff/2 + rand.N(backoff/2+1)):
		}
		backoff = min(2*backoff, l.pool.config.MaxBackoff)
	}
}

// connection is one connection from dial to end. The error says why it ended.
func (l *link) connection(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, dialTimeout)
	socket, response, err := websocket.Dial(limited, l.address, nil)
	cancel()
	if response != nil && response.Body != nil {
		response.Body.Close()
	}
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer func() { _ = socket.CloseNow() }()
	socket.SetReadLimit(nostr.MaxMessageBytes)
	l.change(func(s *Status) { s.State, s.Error, s.Connects = "connected", "", s.Connects+1 })
	l.control = make(chan []byte, 2*len(l.pool.config.Subscriptions)+8)
	l.authID, l.caught = "", map[string]struct{}{}
	l.out.unsend()
	cut := l.cut
	l.subscribe(cut)

	ctx, end := context.WithCancelCause(ctx)
	var writer sync.WaitGroup
	writer.Go(func() { end(l.write(ctx, socket)) })
	end(l.read(ctx, socket, cut))
	writer.Wait()
	// One that ended before it had caught up leaves its gap to the next.
	if len(l.caught) == len(l.pool.config.Subscriptions) {
		l.cut = l.pool.config.Now()
	}
	return context.Cause(ctx)
}

func (l *link) subscribe(cut time.Time) {
	for _, s := range l.pool.config.Subscriptions {
		l.tell(&nostr.Message{Label: nostr.LabelReq, Subscription: s.ID, Filters: since(s.Filters, cut, l.pool.config.Overlap)})
	}
}

// tell queues a control message. The queue holds what a well-behaved relay can
// cause; a relay that causes more loses the rest, counted.
func (l *link) tell(m *nostr.Message) {
	select {
	case l.control <- m.Encode():
	default:
		l.refuse("control_flood")
	}
}

func (l *link) write(ctx context.Context, socket *websocket.Conn) error {
	tick := time.NewTicker(pingEvery)
	defer tick.Stop()
	check := time.NewTicker(max(l.pool.config.OKTimeout/4, time.Millisecond))
	defer check.Stop()
	send := func(data []byte) error {
		limited, cancel := context.WithTimeout(ctx, writeTimeout)
		defer cancel()
		return socket.Write(limited, websocket.MessageText, data)
	}
	for {
		var err error
		select {
		case <-ctx.Done():
			return ctx.Err()
		case data := <-l.control:
			err = send(data)
		case <-l.out.wake:
			if data := l.out.next(time.Now()); data != nil {
				err = send(data)
				l.out.ring()
			}
		case <-check.C:
			if l.out.overdue(time.Now().Add(-l.pool.config.OKTimeout)) {
				return errors.New("the relay does not say OK")
			}
		case <-tick.C:
			limited, cancel := context.WithTimeout(ctx, writeTimeout)
			err = socket.Ping(limited)
			cancel()
		}
		if err != nil {
			return fmt.Errorf("write: %w", err)
		}
	}
}

func (l *link) read(ctx context.Context, socket *websocket.Conn, cut time.Time) error {
	for {
		_, data, err := socket.Read(ctx)
		if err != nil {
			return fmt.Errorf("read: %w", err)
		}
		m, err := nostr.ParseRelayMessage(data)
		if err != nil {
			l.refuse("malformed")
			continue
		}
		if err := l.handle(&m, cut); err != nil {
			return err
		}
	}
}

// handle takes one message. An error ends the connection.
func (l *link) handle(m *nostr.Message, cut time.Time) error {
	switch m.Label {
	case nostr.LabelEvent:
		switch why := l.pool.received(m.Subscription, m.Event); why {
		case fresh:
			l.change(func(s *Status) { s.Received++ })
		case again:
			l.change(func(s *Status) { s.Duplicates++ })
		default:
			l.refuse(why)
		}
	case nostr.LabelOK:
		l.ok(m, cut)
	case nostr.LabelEOSE:
		if slices.ContainsFunc(l.pool.config.Subscriptions, func(s Subscription) bool { return s.ID == m.Subscription }) {
			l.caught[m.Subscription] = struct{}{}
		}
	case nostr.LabelNotice:
		l.change(func(s *Status) { s.Notice = clip(m.Text) })
	case nostr.LabelClosed:
		l.refuse("closed_" + prefix(m.Text))
		if prefix(m.Text) == "auth-required" && !l.pool.config.Key.IsZero() {
			return nil // asked again when the challenge is answered
		}
		return fmt.Errorf("the relay closed subscription %q: %s", m.Subscription, clip(m.Text))
	case nostr.LabelAuth:
		return l.auth(m.Text)
	}
	return nil
}

// ok takes a relay's word about an event of ours.
func (l *link) ok(m *nostr.Message, cut time.Time) {
	if m.ID == l.authID && m.ID != "" {
		l.authID = ""
		if !m.Accepted {
			l.change(func(s *Status) { s.Rejected["auth"]++ })
			return
		}
		l.subscribe(cut)
		l.out.unsend()
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
	known, gone := l.out.answered(m.ID, verdict, time.Now())
	switch {
	case !known:
		l.refuse("ok_of_unknown_event")
	case m.Accepted:
		l.change(func(s *Status) { s.Accepted++ })
	case gone:
		l.change(func(s *Status) { s.Rejected[why]++ })
	}
}

func (l *link) auth(challenge string) error {
	if l.pool.config.Key.IsZero() {
		return nil
	}
	e, err := nostr.NewAuth(l.pool.config.Key, l.address, challenge, l.pool.config.Now())
	if err != nil {
		return err
	}
	l.authID = e.ID
	l.tell(&nostr.Message{Label: nostr.LabelAuth, Event: e})
	return nil
}

// prefix is the machine-readable word of a reason (NIP-01); "other" for one
// that the standard does not know, so that a relay cannot make up names
// without end.
func prefix(reason string) string {
	word, _, _ := strings.Cut(reason, ":")
	switch word {
	case "duplicate", "pow", "blocked", "rate-limited", "invalid", "restricted", "mute", "error", "auth-required":
		return word
	}
	return "other"
}

// clip bounds text that a relay sent.
func clip(s string) string {
	if len(s) > 200 {
		s = strings.ToValidUTF8(s[:200], "") + "…"
	}
	return s
}
