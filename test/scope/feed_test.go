package scope

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// feed is a WebSocket client.
type feed struct {
	t      testing.TB
	frames chan []byte // closed when it ended
}

// watch opens a WebSocket, and reads it for as long as the test runs.
func (r *rig) watch(query string) *feed {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), limit)
	defer cancel()
	conn, response, err := websocket.Dial(ctx, strings.Replace(r.api, "http", "ws", 1)+"/api/ws"+query, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	if response.Body != nil {
		response.Body.Close()
	}
	conn.SetReadLimit(16 << 20)
	f := &feed{r.t, make(chan []byte, 1<<17)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(f.frames)
		for {
			_, text, err := conn.Read(context.Background())
			if err != nil {
				return
			}
			f.frames <- text
		}
	}()
	r.t.Cleanup(func() { _ = conn.CloseNow(); <-done })
	return f
}

// next is the next frame.
func (f *feed) next() (m message) {
	f.t.Helper()
	select {
	case text, ok := <-f.frames:
		if !ok {
			f.t.Fatal("the WebSocket ended")
		}
		strict(f.t, text)
		if err := json.Unmarshal(text, &m); err != nil {
			f.t.Fatalf("%v in %.300s", err, text)
		}
	case <-time.After(limit):
		f.t.Fatal("no frame came")
	}
	return m
}
