package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"github.com/poolscope/poolscope/internal/api/access"
)

// Limits of the live feed.
const (
	liveEvery        = time.Second
	liveQueue        = 32               // messages that a client may lag behind, about ten seconds
	liveWriteTimeout = 10 * time.Second // for one message
	livePing         = 30 * time.Second // without anything else to send
	// liveGoodbye is how long a client may take to receive and answer our close.
	// It is short since the server's end waits for it.
	liveGoodbye = 100 * time.Millisecond
	// livePanicLog is the least time between two logged panics.
	livePanicLog = time.Minute
)

// Why a WebSocket was refused or ended, as the metrics name it.
type liveEnd int

const (
	liveGone       liveEnd = iota // the client left
	liveSlow                      // it did not read fast enough
	liveTalk                      // it sent data, which this feed has no use for
	liveWriteError                // a write failed or timed out
	liveShutdown                  // the server stops
	liveFull                      // refused: too many clients
	liveOrigin                    // refused: from another site's page
	liveHandshake                 // refused: not a WebSocket request
	numLiveEnds
)

// String is the label of the counter.
func (e liveEnd) String() string {
	return [numLiveEnds]string{"gone", "slow", "unexpected_data", "write_error", "shutdown", "full", "origin", "handshake"}[e]
}

// topic is one view of the live feed.
type topic struct {
	name  string
	build func(now time.Time) any
}

// hub sends the topics that changed to all WebSockets, once a second. It works
// only while somebody listens.
//
// Every message is encoded once and the same bytes are queued for all clients.
// A client has a bounded queue and a goroutine of its own; one whose queue is
// full is dropped and costs the others nothing.
type hub struct {
	limit  int
	topics []topic
	now    func() time.Time
	log    *slog.Logger

	ends     [numLiveEnds]atomic.Uint64
	messages atomic.Uint64 // messages queued, summed over clients
	encoded  atomic.Uint64 // topic encodings
	panics   atomic.Uint64 // topics that could not be built

	mu       sync.Mutex
	clients  map[*liveClient]struct{} // guarded by mu
	latest   [][]byte                 // by topic, the encoding that was sent last; guarded by mu
	lastTick time.Time                // guarded by mu
	seq      uint64                   // of the last message; guarded by mu
	snapshot []byte                   // message for a new client, nil when outdated; guarded by mu
	panicAt  time.Time                // of the last logged panic; guarded by mu
	stop     context.CancelFunc       // ends the ticking; nil while it does not run; guarded by mu

	running int           // clients, and the ticking; guarded by mu
	idle    chan struct{} // closed when running falls to 0; guarded by mu
}

// liveClient is one WebSocket.
type liveClient struct {
	out  chan []byte
	drop context.CancelCauseFunc
}

func newHub(limit int, topics []topic, now func() time.Time, log *slog.Logger) *hub {
	return &hub{
		limit:   limit,
		topics:  topics,
		now:     now,
		log:     log,
		clients: make(map[*liveClient]struct{}),
		latest:  make([][]byte, len(topics)),
	}
}

// join adds a client and queues the snapshot for it, or reports that the hub
// is full. drop is called when the client reads too slowly.
func (h *hub) join(drop context.CancelCauseFunc) (*liveClient, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.clients) >= h.limit {
		return nil, false
	}
	if now := h.now(); now.Sub(h.lastTick) >= liveEvery || now.Before(h.lastTick) {
		h.tickLocked(now)
	}
	c := &liveClient{out: make(chan []byte, liveQueue), drop: drop}
	c.out <- h.snapshotLocked()
	h.messages.Add(1)
	h.clients[c] = struct{}{}
	h.startLocked()
	if h.stop == nil {
		ctx, cancel := context.WithCancel(context.Background())
		h.stop = cancel
		h.startLocked()
		go h.run(ctx)
	}
	return c, true
}

// leave removes a client and counts why. The last one ends the ticking.
func (h *hub) leave(c *liveClient, why liveEnd) {
	h.ends[why].Add(1)
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.clients, c)
	if len(h.clients) == 0 && h.stop != nil {
		h.stop()
		h.stop = nil
	}
	h.endLocked()
}

// startLocked notes that a goroutine runs for the hub.
func (h *hub) startLocked() {
	if h.running == 0 {
		h.idle = make(chan struct{})
	}
	h.running++
}

// endLocked notes that one ended.
func (h *hub) endLocked() {
	if h.running--; h.running == 0 {
		close(h.idle)
	}
}

// size returns the number of clients.
func (h *hub) size() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.clients)
}

// run ticks until ctx ends.
func (h *hub) run(ctx context.Context) {
	defer func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.endLocked()
	}()
	tick := time.NewTicker(liveEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			h.tick(h.now())
		}
	}
}

// tick encodes every topic and sends those whose bytes changed.
func (h *hub) tick(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.tickLocked(now)
}

func (h *hub) tickLocked(now time.Time) {
	h.lastTick = now
	for i, t := range h.topics {
		data, ok := h.encodeLocked(t, now)
		if !ok {
			continue // clients keep the last good one
		}
		h.encoded.Add(1)
		if bytes.Equal(data, h.latest[i]) {
			continue
		}
		h.latest[i] = data
		h.snapshot = nil
		h.sendLocked(t.name, data)
	}
}

// encodeLocked builds a topic. The hub has a goroutine of its own: a panic there
// would end the pool for the sake of a page, so it costs this topic alone, and
// only until the next second.
func (h *hub) encodeLocked(t topic, now time.Time) (data []byte, ok bool) {
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		data, ok = nil, false
		h.panics.Add(1)
		if since := now.Sub(h.panicAt); since >= livePanicLog || since < 0 {
			h.panicAt = now
			h.log.Error("live topic panicked", "topic", t.name, "panic", v, "stack", string(debug.Stack()))
		}
	}()
	data, err := json.Marshal(t.build(now))
	return data, err == nil // views hold nothing that cannot be encoded
}

// sendLocked queues one message for all clients and drops those that lag.
func (h *hub) sendLocked(topic string, data []byte) {
	h.seq++
	msg := message(h.seq, topic, data)
	for c := range h.clients {
		select {
		case c.out <- msg:
			h.messages.Add(1)
		default:
			c.drop(errOverloaded)
		}
	}
}

// snapshotLocked returns the message for a new client: all topics, under the
// number of the last message, so that the next one has the number after it.
func (h *hub) snapshotLocked() []byte {
	if h.snapshot == nil {
		all := []byte{'{'}
		for i, t := range h.topics {
			if h.latest[i] == nil {
				continue
			}
			if len(all) > 1 {
				all = append(all, ',')
			}
			all = strconv.AppendQuote(all, t.name)
			all = append(all, ':')
			all = append(all, h.latest[i]...)
		}
		h.snapshot = message(h.seq, "snapshot", append(all, '}'))
	}
	return h.snapshot
}

// message wraps encoded data. Topics are plain identifiers.
func message(seq uint64, topic string, data []byte) []byte {
	b := make([]byte, 0, len(data)+64)
	b = append(b, `{"seq":`...)
	b = strconv.AppendUint(b, seq, 10)
	b = append(b, `,"topic":"`...)
	b = append(b, topic...)
	b = append(b, `","data":`...)
	b = append(b, data...)
	return append(b, '}')
}

// wait waits until nothing runs for the hub, or ctx ends.
func (h *hub) wait(ctx context.Context) {
	h.mu.Lock()
	idle := h.idle
	h.mu.Unlock()
	if idle == nil {
		return
	}
	select {
	case <-idle:
	case <-ctx.Done():
	}
}

// serveLive answers GET /api/live with a WebSocket.
func (s *Server) serveLive(w http.ResponseWriter, r *http.Request) {
	if !access.IsSameOrigin(r) {
		s.hub.ends[liveOrigin].Add(1)
		http.Error(w, "forbidden: the page comes from another site", http.StatusForbidden)
		return
	}
	ctx, drop := context.WithCancelCause(r.Context())
	defer drop(nil)
	if !isUpgrade(r) {
		s.hub.ends[liveHandshake].Add(1)
		w.Header().Set("Upgrade", "websocket")
		http.Error(w, "this is a WebSocket", http.StatusUpgradeRequired)
		return
	}
	client, ok := s.hub.join(drop)
	if !ok {
		s.hub.ends[liveFull].Add(1)
		w.Header().Set("Retry-After", "10")
		http.Error(w, "too many live clients", http.StatusServiceUnavailable)
		return
	}
	why := liveHandshake
	defer func() { s.hub.leave(client, why) }()

	// Compressing for each client would undo "one encoding for all".
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{CompressionMode: websocket.CompressionDisabled})
	if err != nil {
		return // Accept has answered
	}
	why = s.pump(ctx, conn, client, http.NewResponseController(w))
}

// pump writes a client's queue until one side ends it. The deadlines of below
// are those of the connection itself.
func (s *Server) pump(ctx context.Context, conn *websocket.Conn, client *liveClient, below *http.ResponseController) liveEnd {
	// Clients have nothing to say. The reader answers pings, sees the close
	// frame, and notes a client that sends data all the same. It must not end
	// with ctx, or there would be nobody to receive the answer to our close.
	// (The library's CloseRead does nearly this, but waits 15 s for itself when
	// data comes.)
	gone := make(chan liveEnd, 1)
	readerDone := make(chan struct{})
	go func() {
		defer close(readerDone)
		if _, _, err := conn.Reader(context.Background()); err == nil {
			gone <- liveTalk
			return
		}
		gone <- liveGone
	}()
	defer func() {
		_ = conn.CloseNow()
		<-readerDone
	}()
	// When ctx ends, a message that is on its way and the close handshake have
	// a moment left. A cut in the middle of a message would cost every client
	// its goodbye, and the library by itself waits ten seconds for one that does
	// not read or answer.
	hurry := func() {
		end := time.Now().Add(liveGoodbye)
		// A connection that net/http handed over has deadlines.
		_, _ = below.SetReadDeadline(end), below.SetWriteDeadline(end)
	}
	defer context.AfterFunc(ctx, hurry)()
	// because names the reason: what we did ourselves comes before what it led to.
	because := func(end liveEnd) liveEnd {
		switch {
		case errors.Is(context.Cause(ctx), errOverloaded):
			return liveSlow
		case ctx.Err() != nil:
			return liveShutdown
		}
		return end
	}

	ping := time.NewTimer(livePing)
	defer ping.Stop()
	for {
		var err error
		select {
		case end := <-gone:
			if end == liveTalk {
				hurry()
				_ = conn.Close(websocket.StatusPolicyViolation, "this feed takes no messages")
			}
			return because(end)
		case <-ctx.Done():
			end := because(liveGone)
			if end == liveShutdown {
				_ = conn.Close(websocket.StatusGoingAway, "the pool is shutting down")
			}
			return end
		case msg := <-client.out:
			err = within(liveWriteTimeout, func(ctx context.Context) error {
				return conn.Write(ctx, websocket.MessageText, msg)
			})
		case <-ping.C:
			err = within(liveWriteTimeout, conn.Ping)
		}
		if err == nil {
			ping.Reset(livePing)
			continue
		}
		select {
		case end := <-gone:
			return because(end)
		default:
			return because(liveWriteError)
		}
	}
}

// within calls f with a time limit.
func within(d time.Duration, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	return f(ctx)
}

// isUpgrade reports whether a request asks for a WebSocket at all.
func isUpgrade(r *http.Request) bool {
	return strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}
