package discord

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/bwmarrin/discordgo"
	"github.com/coder/websocket"
)

// Bounds of the gateway.
const (
	maxFrame      = 4 << 20 // bytes
	dialTimeout   = 15 * time.Second
	writeTimeout  = 10 * time.Second
	readyTimeout  = 30 * time.Second // from Hello to READY or RESUMED
	minHeartbeat  = time.Second
	maxHeartbeat  = 10 * time.Minute
	firstBackOff  = time.Second
	maxBackOff    = 5 * time.Minute
	refusedPause  = 30 * time.Minute // after Discord refused the token
	settledAfter  = 30 * time.Second // a connection that lasted this long resets the pauses
	maxStartPause = 24 * time.Hour   // of Discord's limit of sessions
)

// ending is why a connection ended.
type ending struct {
	reason string
	err    error
	pause  time.Duration // before the next one; 0: as the back-off says
}

func (e *ending) Error() string { return fmt.Sprintf("%s: %v", e.reason, e.err) }

func (e *ending) Unwrap() error { return e.err }

func end(reason string, err error) *ending { return &ending{reason: reason, err: err} }

// Why connections end.
var (
	errFresh    = errors.New("the session cannot be resumed")
	errAsked    = errors.New("another connection was asked for")
	errNoAck    = errors.New("a heartbeat was not acknowledged")
	errOddFrame = errors.New("a message that is none of the gateway's")
	errAddress  = errors.New("the gateway's address is not one to connect to")
)

// gatewaySession is what a session can be resumed with.
type gatewaySession struct {
	id  string
	url string // to resume at
	seq int64  // of the last event
}

// stayConnected keeps a connection to the gateway until ctx ends.
func (b *Bot) stayConnected(ctx context.Context) {
	pause := b.firstPause
	for {
		began := time.Now()
		e := b.guardedConnect(ctx)
		b.disconnected()
		if ctx.Err() != nil {
			return
		}
		b.count.add(b.count.ended, e.reason, 1)
		if time.Since(began) >= settledAfter {
			pause = b.firstPause
		}
		wait := max(pause, e.pause)
		wait += time.Duration(rand.Float64() * float64(wait) / 4)
		switch {
		case e.reason == endRefused:
			b.log.Error("Discord refuses the bot; correct [discord] and restart", "err", brief(e.err), "again_in", wait)
		case pause == b.firstPause:
			b.log.Info("connection to Discord ended", "reason", e.reason, "err", brief(e.err), "again_in", wait)
		default:
			b.log.Warn("no connection to Discord", "reason", e.reason, "err", brief(e.err), "again_in", wait)
		}
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C:
		}
		pause = min(2*pause, maxBackOff)
	}
}

// guardedConnect is connect, whose panic is an ending like others.
func (b *Bot) guardedConnect(ctx context.Context) (e *ending) {
	defer func() {
		if v := recover(); v != nil {
			b.panicked("gateway", v)
			e = end(endPanic, errPanic)
		}
	}()
	return b.connect(ctx)
}

// connect makes one connection and serves it to its end.
func (b *Bot) connect(ctx context.Context) *ending {
	address := b.resume.url
	if b.resume.id == "" {
		found, e := b.findGateway(ctx)
		if e != nil {
			return e
		}
		address = found
	}
	address, err := b.gatewayAddress(address)
	if err != nil {
		b.resume = gatewaySession{}
		return end(endUnreachable, err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	dialCtx, stop := context.WithTimeout(ctx, dialTimeout)
	conn, resp, err := websocket.Dial(dialCtx, address, nil)
	stop()
	if resp != nil && resp.Body != nil {
		_ = resp.Body.Close()
	}
	if err != nil {
		b.resume = gatewaySession{} // that gateway may be gone: ask for another
		return end(endUnreachable, err)
	}
	defer func() { _ = conn.CloseNow() }()
	conn.SetReadLimit(maxFrame)
	l := &connection{b: b, conn: conn}
	e := l.serve(ctx, cancel)
	if endsSession(websocket.CloseStatus(e.err)) || errors.Is(e.err, errFresh) {
		b.resume = gatewaySession{}
	}
	closeSoon(conn)
	return e
}

// closeSoon says goodbye, in a way that lets the session be resumed, without
// waiting for long for an answer.
func closeSoon(conn *websocket.Conn) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = conn.Close(closeResumable, "")
	}()
	t := time.NewTimer(200 * time.Millisecond)
	defer t.Stop()
	select {
	case <-done:
	case <-t.C:
	}
}

// findGateway asks where the gateway is.
func (b *Bot) findGateway(ctx context.Context) (string, *ending) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	var found *discordgo.GatewayBotResponse
	err := call(ctx, func(o discordgo.RequestOption) (err error) {
		found, err = b.session.GatewayBot(o)
		return err
	})
	if f := judge(err); f != nil {
		if f.reason == reasonToken {
			b.refused.Store(true)
			return "", &ending{endRefused, errToken, refusedPause}
		}
		return "", &ending{endUnreachable, f.err, f.after}
	}
	if found == nil {
		return "", end(endOdd, errOddFrame)
	}
	if l := found.SessionStartLimit; l.Total > 0 && l.Remaining <= 0 {
		after := min(time.Duration(l.ResetAfter)*time.Millisecond, maxStartPause)
		return "", &ending{endLimit, errors.New("no more sessions are allowed today"), max(after, time.Minute)}
	}
	return found.URL, nil
}

// gatewayAddress is where to connect to: encrypted, unless the API itself is at
// a test's on this machine.
func (b *Bot) gatewayAddress(address string) (string, error) {
	u, err := url.Parse(address)
	plain := b.base != nil && b.base.Scheme == "http"
	if err != nil || u.Host == "" || u.Scheme != "wss" && (!plain || u.Scheme != "ws") {
		return "", errAddress
	}
	u.RawQuery = url.Values{"v": {discordgo.APIVersion}, "encoding": {"json"}}.Encode()
	if u.Path == "" {
		u.Path = "/"
	}
	return u.String(), nil
}

// connection is one connection to the gateway.
type connection struct {
	b    *Bot
	conn *websocket.Conn
	acks atomic.Int64 // heartbeats that are not acknowledged
	seq  atomic.Int64 // of the last event
}

// serve speaks the protocol until the connection ends.
func (l *connection) serve(ctx context.Context, cancel context.CancelFunc) *ending {
	helloCtx, stop := context.WithTimeout(ctx, dialTimeout)
	f, err := l.read(helloCtx)
	stop()
	if err != nil {
		return lost(err)
	}
	var h hello
	if f.Op != opHello || json.Unmarshal(f.Data, &h) != nil {
		return end(endOdd, errOddFrame)
	}
	interval := time.Duration(h.HeartbeatInterval * float64(time.Millisecond))
	if interval < minHeartbeat || interval > maxHeartbeat {
		return end(endOdd, fmt.Errorf("%w: heartbeat interval %v", errOddFrame, interval))
	}
	l.seq.Store(l.b.resume.seq)
	if err := l.greet(ctx); err != nil {
		return lost(err)
	}

	beats := make(chan error, 1)
	go func() {
		err := l.beat(ctx, interval)
		beats <- err
		cancel() // ends the reading
	}()
	e := l.listen(ctx)
	cancel()
	if err := <-beats; errors.Is(err, errNoAck) && e.reason == endLost {
		return end(endNoAck, err)
	}
	return e
}

// greet resumes the session, or begins one.
func (l *connection) greet(ctx context.Context) error {
	token := l.b.config.Token
	if s := l.b.resume; s.id != "" {
		return l.write(ctx, opResume, resume{Token: token, SessionID: s.id, Seq: s.seq})
	}
	return l.write(ctx, opIdentify, identify{
		Token:      token,
		Properties: map[string]string{"os": runtime.GOOS, "browser": "poolscope", "device": "poolscope"},
	})
}

// beat sends heartbeats. The first one comes after a part of the interval, by
// chance, so that not all bots beat at once after an outage.
func (l *connection) beat(ctx context.Context, interval time.Duration) error {
	wait := time.Duration(rand.Float64() * float64(interval))
	for {
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			t.Stop()
			return nil
		case <-t.C:
		}
		if l.acks.Add(1) > 1 {
			return errNoAck
		}
		if err := l.heartbeat(ctx); err != nil {
			return err
		}
		wait = interval
	}
}

func (l *connection) heartbeat(ctx context.Context) error {
	if seq := l.seq.Load(); seq > 0 {
		return l.write(ctx, opHeartbeat, seq)
	}
	return l.write(ctx, opHeartbeat, nil)
}

// listen takes what Discord sends.
func (l *connection) listen(ctx context.Context) *ending {
	late := time.AfterFunc(readyTimeout, func() { _ = l.conn.CloseNow() })
	defer late.Stop()
	for {
		f, err := l.read(ctx)
		if err != nil {
			return lost(err)
		}
		switch f.Op {
		case opDispatch:
			if f.Seq != nil {
				l.seq.Store(*f.Seq)
				l.b.resume.seq = *f.Seq
			}
			if f.Type == "READY" || f.Type == "RESUMED" {
				late.Stop()
			}
			if err := l.b.dispatch(ctx, f); err != nil {
				return end(endOdd, err)
			}
		case opHeartbeat:
			if err := l.heartbeat(ctx); err != nil {
				return lost(err)
			}
		case opHeartbeatAck:
			l.acks.Store(0)
		case opReconnect:
			return end(endReconnect, errAsked)
		case opInvalidSession:
			if string(f.Data) == "true" {
				return end(endInvalid, errAsked)
			}
			// Discord wants some seconds of peace, by chance, before a new session.
			return &ending{endInvalid, errFresh, l.b.firstPause + time.Duration(rand.Float64()*4*float64(l.b.firstPause))}
		}
	}
}

// lost is the ending that a failed read or write stands for.
func lost(err error) *ending {
	code := websocket.CloseStatus(err)
	switch {
	case code == -1 && errors.Is(err, errOddFrame):
		return end(endOdd, err)
	case code == -1:
		return end(endLost, err)
	case isRefusal(code):
		if code == closeAuthentication {
			return &ending{endRefused, fmt.Errorf("%w: %w", errToken, err), refusedPause}
		}
		return &ending{endRefused, err, refusedPause}
	}
	return end(endClosed, err)
}

// read reads one message.
func (l *connection) read(ctx context.Context) (f frame, err error) {
	_, data, err := l.conn.Read(ctx)
	if err != nil {
		return f, err
	}
	if err := json.Unmarshal(data, &f); err != nil {
		return f, errOddFrame
	}
	return f, nil
}

// write sends one message.
func (l *connection) write(ctx context.Context, op int, data any) error {
	text, err := json.Marshal(struct {
		Op   int `json:"op"`
		Data any `json:"d"`
	}{op, data})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	return l.conn.Write(ctx, websocket.MessageText, text)
}
