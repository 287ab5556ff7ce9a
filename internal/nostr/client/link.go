package client

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/poolscope/poolscope/internal/nostr/socket"
)

const (
	dialTimeout  = 15 * time.Second
	writeTimeout = 10 * time.Second
	pongTimeout  = 20 * time.Second
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

	mu     sync.Mutex
	status Status // guarded by mu

	// Of run's goroutine:
	cut        time.Time // end of the last connection that had caught up
	complaints complaints
}

func newLink(p *Pool, address string) *link {
	return &link{pool: p, address: address, out: newOutbox(p.config.Queue), status: newStatus(address), complaints: newComplaints(address)}
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
		l.change(func(s *Status) { s.State, s.Error = "waiting", clip(err.Error()) })
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
	ws, response, err := websocket.Dial(limited, l.address, &websocket.DialOptions{HTTPClient: l.pool.config.HTTPClient})
	cancel()
	if response != nil && response.Body != nil {
		response.Body.Close()
	}
	if err != nil {
		if ctx.Err() == nil {
			l.complain(notReached, err.Error())
		}
		return fmt.Errorf("connect: %w", err)
	}
	defer func() { _ = ws.CloseNow() }()
	socket.Limit(ws)
	l.change(func(s *Status) { s.State, s.Error, s.Connects = "connected", "", s.Connects+1 })
	l.connected()
	l.out.unsend()

	running := ctx
	ctx, end := context.WithCancelCause(running)
	c := newConnection(ctx, l, ws, l.cut)
	c.subscribeAll()
	var others sync.WaitGroup
	others.Go(func() { end(c.write()) })
	others.Go(func() { end(c.beat()) })
	end(c.read())
	others.Wait()
	// One that ended before it had caught up leaves its gap to the next.
	if c.caughtUp() {
		l.cut = l.pool.config.Now()
	}
	err = context.Cause(ctx)
	if running.Err() == nil {
		l.lost(err)
	}
	return err
}

// prefix is the machine-readable word of a reason (NIP-01); "other" for one
// that the standard does not know, so that a relay cannot make up names
// without end.
func prefix(reason string) string {
	word, _, _ := strings.Cut(reason, ":")
	switch word {
	case "duplicate", "pow", "blocked", "rate-limited", "invalid", "restricted", "mute", "error", "auth-required", "unsupported":
		return word
	}
	return "other"
}

// clip bounds text that a relay sent.
func clip(s string) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	if len(s) > 200 {
		s = strings.ToValidUTF8(s[:200], "") + "…"
	}
	return s
}
