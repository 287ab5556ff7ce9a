package scopeapi

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"
)

const (
	// goodbye is how long a client may take to receive and answer our close. It
	// is short since the server's end waits for it.
	goodbye = 100 * time.Millisecond
	// maxFromPeer bounds a frame that a client sends, all of which are ignored.
	maxFromPeer = 1 << 20
)

// end is why a WebSocket ended.
type end int

const (
	endGone     end = iota // the client left
	endSilent              // it did not answer a ping
	endWrite               // it read nothing for too long, or the write failed
	endShutdown            // the server stops
	endSession             // who opened it is not signed in any more
	numEnds
)

// String is the label of the counter.
func (e end) String() string {
	return [numEnds]string{"gone", "no_pong", "write_error", "shutdown", "signed_out"}[e]
}

// feedRefusal is why a WebSocket was refused, besides access.
type feedRefusal int

const (
	refusedFull      feedRefusal = iota // too many clients
	refusedHandshake                    // no WebSocket request
	numFeedRefusals
)

// String is the label of the counter.
func (r feedRefusal) String() string {
	return [numFeedRefusals]string{"full", "handshake"}[r]
}

// serveFeed answers GET /api/ws.
func serveFeed(c *call) error {
	return c.socket(c.text("session_id"), func(ctx context.Context, conn *websocket.Conn, l *listener) error {
		for {
			for text := l.take(); text != nil; text = l.take() {
				if err := l.write(conn, text); err != nil {
					return err
				}
			}
			select {
			case <-ctx.Done():
				return nil
			case <-l.ready:
			}
		}
	})
}

// noSession is a session that does not exist: its listeners hear nothing.
const noSession = "\x00"

// write sends one frame, as long as the client's patience lasts.
func (l *listener) write(conn *websocket.Conn, text []byte) error {
	ctx, cancel := context.WithTimeout(context.Background(), l.feed.cfg.Patience)
	defer cancel()
	err := conn.Write(ctx, websocket.MessageText, text)
	if err != nil && ctx.Err() != nil {
		return ctx.Err() // what the library says then is only what it led to
	}
	return err
}

// socket makes a WebSocket of a request and lets send write to it, until one
// side ends it. send is to return when its context ends.
func (c *call) socket(session string, send func(ctx context.Context, conn *websocket.Conn, l *listener) error) error {
	feed := c.api.feed
	if !strings.EqualFold(c.r.Header.Get("Upgrade"), "websocket") {
		feed.counts.refusals[refusedHandshake].Add(1)
		c.w.Header().Set("Upgrade", "websocket")
		return fail(http.StatusUpgradeRequired, "This is a WebSocket")
	}
	l, ok := feed.join(session)
	if !ok {
		feed.counts.refusals[refusedFull].Add(1)
		c.w.Header().Set("Retry-After", "10")
		return fail(http.StatusServiceUnavailable, "Too many WebSocket clients")
	}
	defer feed.leave(l)
	below := http.NewResponseController(c.w)
	// Access was checked; compressing for each client would undo "encoded once".
	conn, err := websocket.Accept(c.w, c.r, &websocket.AcceptOptions{
		Subprotocols: []string{feedProtocol}, InsecureSkipVerify: true, CompressionMode: websocket.CompressionDisabled,
	})
	if err != nil {
		feed.counts.refusals[refusedHandshake].Add(1)
		return nil // Accept has answered
	}
	feed.counts.ends[c.pump(conn, below, l, send)].Add(1)
	return nil
}

// pump runs a WebSocket: a goroutine reads, another one pings, this one writes.
func (c *call) pump(conn *websocket.Conn, below *http.ResponseController, l *listener, send func(context.Context, *websocket.Conn, *listener) error) end {
	ctx, cancel := context.WithCancelCause(c.r.Context())
	defer cancel(nil)
	stopped := c.r.Context()

	done := make(chan struct{}, 2)
	conn.SetReadLimit(maxFromPeer)
	go func() {
		defer func() { done <- struct{}{} }()
		cancel(ignore(conn))
	}()
	go func() {
		defer func() { done <- struct{}{} }()
		if ping(ctx, conn, c.api.feed.cfg.Ping) {
			return
		}
		cancel(errSilent)
	}()
	if c.bySession {
		go func() {
			defer func() {
				if recover() != nil {
					c.api.panics.Add(1)
				}
				cancel(errSignedOut)
			}()
			c.watchSession(ctx)
		}()
	}
	// A write that waits for the client must not outlive the server, and neither
	// must the goodbye; the library by itself takes its time.
	unhook := context.AfterFunc(ctx, func() {
		soon := time.Now().Add(goodbye)
		_, _ = below.SetReadDeadline(soon), below.SetWriteDeadline(soon)
	})
	defer unhook()

	err := send(ctx, conn, l)
	why := endGone
	switch {
	case stopped.Err() != nil:
		why = endShutdown
	case errors.Is(context.Cause(ctx), errSilent):
		why = endSilent
	case errors.Is(context.Cause(ctx), errSignedOut):
		why = endSession
	case errors.Is(err, context.DeadlineExceeded), err != nil && ctx.Err() == nil:
		why = endWrite
	}
	cancel(nil)
	if why == endShutdown {
		_ = conn.Close(websocket.StatusGoingAway, "the program is shutting down")
	}
	if why == endSession {
		_ = conn.Close(websocket.StatusPolicyViolation, "signed out")
	}
	_ = conn.CloseNow()
	<-done
	<-done
	return why
}

// errSilent ends a WebSocket whose client does not answer pings.
var errSilent = fail(http.StatusRequestTimeout, "no answer to a ping")

// errSignedOut ends a WebSocket of a session that has ended.
var errSignedOut = fail(http.StatusUnauthorized, "signed out")

// watchSession returns when the session that the WebSocket was opened with has
// ended, or ctx has.
func (c *call) watchSession(ctx context.Context) {
	tick := time.NewTicker(c.api.feed.cfg.SignedIn)
	defer tick.Stop()
	gate := c.api.cfg.Gate
	if gate == nil {
		return
	}
	session := gate.Viewer(c.r).Session
	for c.api.signedIn(c.r) || gate.Lives(session) {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// ignore reads what the client sends, text or not, until it is gone. Somebody
// has to, for pongs and the close frame to be seen.
func ignore(conn *websocket.Conn) error {
	for {
		_, r, err := conn.Reader(context.Background())
		if err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, r); err != nil {
			return err
		}
	}
}

// ping asks the client every now and then whether it is there. It returns false
// when there was no answer, and true when ctx ended.
func ping(ctx context.Context, conn *websocket.Conn, every time.Duration) bool {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return true
		case <-tick.C:
		}
		limit, cancel := context.WithTimeout(ctx, every)
		err := conn.Ping(limit)
		cancel()
		if err != nil {
			return ctx.Err() != nil
		}
	}
}
