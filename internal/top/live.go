package top

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/coder/websocket"
)

// Limits of the live feed.
const (
	liveDial    = 10 * time.Second
	livePing    = 15 * time.Second // a server that is cut off without a word is noticed after this
	livePong    = 10 * time.Second // and this
	liveMessage = 16 << 20         // bytes
	liveQueue   = 16               // messages that the screen may lag behind; then the server's queue fills

	firstPause = time.Second // before a lost feed is connected again; doubles each time
	maxPause   = 16 * time.Second
)

// liveEvent is news of the feed: either views that changed, or that it was lost.
type liveEvent struct {
	overview *overview
	hashrate *hashrate
	blocks   []block
	status   *status

	lost  error // why the feed was lost, or could not be had
	again time.Time
}

// live keeps the feed connected and puts its news into out until ctx ends.
func (c *Client) live(ctx context.Context, out chan<- liveEvent) {
	pause := firstPause
	for {
		heard, err := c.listen(ctx, out)
		if ctx.Err() != nil {
			return
		}
		if heard {
			pause = firstPause
		}
		if !send(ctx, out, liveEvent{lost: err, again: time.Now().Add(pause)}) {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		pause = min(2*pause, maxPause)
	}
}

// listen connects once and passes on what it hears; heard says whether anything
// came. A gap in the numbers ends it: the next snapshot has everything again.
func (c *Client) listen(ctx context.Context, out chan<- liveEvent) (heard bool, err error) {
	conn, err := c.dial(ctx)
	if err != nil {
		return false, err
	}
	defer func() { _ = conn.CloseNow() }() // it is lost in any case
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	go keepAlive(ctx, conn, stop)

	var last uint64
	for {
		kind, data, err := conn.Read(ctx)
		if err != nil {
			return heard, lostBecause(ctx, err)
		}
		var m struct {
			Seq   uint64          `json:"seq"`
			Topic string          `json:"topic"`
			Data  json.RawMessage `json:"data"`
		}
		if kind != websocket.MessageText || json.Unmarshal(data, &m) != nil {
			return heard, c.notPoolscope("its live feed cannot be read")
		}
		if heard && m.Seq != last+1 {
			return heard, errors.New("a message of the live feed was lost")
		}
		event, err := decodeTopic(m.Topic, m.Data)
		if err != nil {
			return heard, c.notPoolscope("its live feed cannot be read: " + err.Error())
		}
		heard, last = true, m.Seq
		if !send(ctx, out, event) {
			return heard, lostBecause(ctx, ctx.Err())
		}
	}
}

// dial opens the WebSocket.
func (c *Client) dial(ctx context.Context) (*websocket.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, liveDial)
	defer cancel()
	//nolint:bodyclose // nobody needs to, the library says
	conn, response, err := websocket.Dial(ctx, c.at("/api/live"), &websocket.DialOptions{HTTPClient: c.http, HTTPHeader: c.header()})
	switch {
	case err == nil:
		conn.SetReadLimit(liveMessage)
		return conn, nil
	case response == nil:
		return nil, c.unreachable(err)
	case response.StatusCode == http.StatusSwitchingProtocols, response.StatusCode == http.StatusOK:
		return nil, fmt.Errorf("no WebSocket at /api/live: %w", err)
	}
	return nil, c.refusal(response) // the library has kept the beginning of its body
}

// decodeTopic reads the data of one message.
func decodeTopic(topic string, data []byte) (liveEvent, error) {
	var e liveEvent
	var err error
	switch topic {
	case "snapshot":
		var all struct {
			Overview *overview `json:"overview"`
			Hashrate *hashrate `json:"hashrate"`
			Blocks   []block   `json:"blocks"`
			Status   *status   `json:"status"`
		}
		err = json.Unmarshal(data, &all)
		e.overview, e.hashrate, e.blocks, e.status = all.Overview, all.Hashrate, all.Blocks, all.Status
	case "overview":
		err = json.Unmarshal(data, &e.overview)
	case "hashrate":
		err = json.Unmarshal(data, &e.hashrate)
	case "blocks":
		err = json.Unmarshal(data, &e.blocks)
	case "status":
		err = json.Unmarshal(data, &e.status)
	}
	return e, err // a topic of a newer server is none of ours
}

// keepAlive asks now and then whether the server is still there.
func keepAlive(ctx context.Context, conn *websocket.Conn, stop context.CancelCauseFunc) {
	tick := time.NewTicker(livePing)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		// Not by a context with an end: the library would close the connection
		// before anybody knew why.
		late := time.AfterFunc(livePong, func() { stop(errSilent) })
		err := conn.Ping(ctx)
		late.Stop()
		if err != nil {
			return // the reader has it, too
		}
	}
}

// lostBecause says in words why a feed ended.
func lostBecause(ctx context.Context, err error) error {
	var closed websocket.CloseError
	switch {
	case context.Cause(ctx) != nil:
		return context.Cause(ctx)
	case errors.As(err, &closed) && closed.Code == websocket.StatusGoingAway:
		return errors.New("the server is shutting down")
	case errors.As(err, &closed):
		return fmt.Errorf("the server closed the live feed (%d %s)", closed.Code, clean(closed.Reason))
	case errors.Is(err, net.ErrClosed):
		return errSilent // by the library, which could not even send a ping
	case errors.Is(err, io.EOF):
		return errors.New("the connection was cut")
	}
	return err
}

// send puts an event into the queue, or gives up when ctx ends.
func send(ctx context.Context, out chan<- liveEvent, e liveEvent) bool {
	select {
	case out <- e:
		return true
	case <-ctx.Done():
		return false
	}
}
