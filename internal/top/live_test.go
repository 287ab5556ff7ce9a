package top

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
)

// wire is a network in memory, for which time can be made to pass: each dial
// makes a pipe to the server, unless it is down.
type wire struct {
	conns chan net.Conn
	down  atomic.Bool
}

func (w *wire) dial(context.Context, string, string) (net.Conn, error) {
	if w.down.Load() {
		return nil, errors.New("connection refused")
	}
	near, far := net.Pipe()
	w.conns <- far
	return near, nil
}

func (w *wire) Accept() (net.Conn, error) {
	c, ok := <-w.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}

func (w *wire) Close() error   { return nil }
func (w *wire) Addr() net.Addr { return &net.TCPAddr{} }

// inMemory serves a handler to a client in a bubble of synctest.
func inMemory(t *testing.T, handler http.HandlerFunc) (*Client, *wire) {
	t.Helper()
	w := &wire{conns: make(chan net.Conn, 4)}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(w) }() // ends with its listener
	c, err := NewClient(Config{URL: "http://pool.example", Token: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	c.http.Transport = &http.Transport{DialContext: w.dial}
	t.Cleanup(func() {
		close(w.conns)
		_ = server.Close()
		c.http.CloseIdleConnections()
	})
	return c, w
}

// message is one of the live feed.
func message(seq int, topic, data string) []byte {
	return fmt.Appendf(nil, `{"seq":%d,"topic":%q,"data":%s}`, seq, topic, data)
}

const aStatus = `{"api_version":"1","state":"mining","tag":"x"}`

// play is a server's side of one connection.
type play func(ctx context.Context, conn *websocket.Conn)

// says sends messages and then waits for the connection's end.
func says(messages ...[]byte) play {
	return func(ctx context.Context, conn *websocket.Conn) {
		for _, m := range messages {
			if conn.Write(ctx, websocket.MessageText, m) != nil {
				return
			}
		}
		_, _, _ = conn.Read(ctx)
	}
}

// thenLeaves sends messages and then says goodbye.
func thenLeaves(messages ...[]byte) play {
	return func(ctx context.Context, conn *websocket.Conn) {
		for _, m := range messages {
			_ = conn.Write(ctx, websocket.MessageText, m)
		}
		_ = conn.Close(websocket.StatusGoingAway, "bye")
	}
}

// TestTheFeedComesBack cuts the feed in every way; each time it is connected
// again, after a pause that grows while nothing is heard.
func TestTheFeedComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		plays := make(chan play, 8)
		c, w := inMemory(t, func(rw http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/api/live" || r.Header.Get("Authorization") != "Bearer secret" {
				t.Errorf("%s with %q", r.URL.Path, r.Header.Get("Authorization"))
			}
			p := <-plays
			if p == nil {
				http.Error(rw, "too many live clients", http.StatusServiceUnavailable)
				return
			}
			conn, err := websocket.Accept(rw, r, nil)
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = conn.CloseNow() }()
			p(r.Context(), conn)
		})
		ctx, cancel := context.WithCancel(t.Context())
		events := make(chan liveEvent)
		var done atomic.Bool
		go func() {
			c.live(ctx, events)
			done.Store(true)
		}()

		wantStatus := func() {
			t.Helper()
			if e := <-events; e.status == nil || e.lost != nil {
				t.Fatalf("%+v instead of a status", e)
			}
		}
		wantLost := func(words string, pause time.Duration) {
			t.Helper()
			e := <-events
			if e.lost == nil || !strings.Contains(e.lost.Error(), words) {
				t.Fatalf("lost: %v, want %q", e.lost, words)
			}
			if got := time.Until(e.again); got != pause {
				t.Errorf("after %q it waits %v, want %v", words, got, pause)
			}
		}
		snapshot := message(7, "snapshot", `{"status":`+aStatus+`}`)

		plays <- thenLeaves(snapshot, message(8, "status", aStatus))
		wantStatus()
		wantStatus()
		wantLost("the server is shutting down", time.Second)

		// Away for a while: the pauses grow, and no further than 16 s.
		w.down.Store(true)
		for _, seconds := range []time.Duration{2, 4, 8, 16, 16} {
			wantLost("connection refused", seconds*time.Second)
		}
		w.down.Store(false)
		plays <- nil
		wantLost("too many live clients", 16*time.Second)

		// Back with a hole in the numbers: what was missed is in the next snapshot.
		plays <- says(snapshot, message(8, "status", aStatus), message(10, "status", aStatus))
		wantStatus()
		wantStatus()
		wantLost("a message of the live feed was lost", time.Second)

		plays <- says(snapshot, []byte("{"))
		wantStatus()
		wantLost("cannot be read", time.Second)

		// A server that is there no more without having said so answers no pings.
		over := make(chan struct{})
		defer close(over)
		plays <- func(ctx context.Context, conn *websocket.Conn) {
			_ = conn.Write(ctx, websocket.MessageText, snapshot)
			<-over
		}
		wantStatus()
		silent := time.Now()
		wantLost("gone silent", time.Second)
		if waited := time.Since(silent); waited < livePing || waited > livePing+livePong {
			t.Errorf("its silence was noticed after %v", waited)
		}

		// A topic of a newer server is passed over.
		plays <- says(snapshot, message(8, "weather", `"rain"`), message(9, "status", aStatus))
		wantStatus()
		if e := <-events; e.lost != nil {
			t.Fatal(e.lost)
		}
		wantStatus()

		cancel()
		synctest.Wait()
		if !done.Load() {
			t.Error("it goes on after its end")
		}
	})
}
