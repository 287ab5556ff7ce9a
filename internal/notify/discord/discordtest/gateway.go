package discordtest

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/coder/websocket"
)

// conn is one connection of a client to the gateway.
type conn struct {
	ws      *websocket.Conn
	session *session // nil before identify or resume
}

// session outlives its connections.
type session struct {
	id     string
	seq    int64
	events []event // all of them, for resumes
}

type event struct {
	seq  int64
	kind string
	data any
}

// Reply is what a bot answered to a slash command.
type Reply struct {
	Content   string
	Ephemeral bool // nobody else sees it
}

// ErrNoReply says that the bot did not answer in time.
var ErrNoReply = errors.New("the application did not respond")

// gateway speaks the gateway's side.
func (s *Server) gateway(w http.ResponseWriter, r *http.Request) {
	if v := r.URL.Query().Get("v"); v != "9" && v != "10" || r.URL.Query().Get("encoding") != "json" {
		http.Error(w, "version or encoding", http.StatusBadRequest)
		return
	}
	ws, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer func() { _ = ws.CloseNow() }()
	c := &conn{ws: ws}
	s.mu.Lock()
	s.conns[c] = true
	interval := s.heartbeat
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.conns, c)
		s.changeLocked()
		s.mu.Unlock()
	}()
	ctx := r.Context()
	if send(ctx, ws, 10, map[string]any{"heartbeat_interval": interval.Milliseconds()}) != nil {
		return
	}
	for {
		// A client that misses its heartbeat is cut off.
		readCtx, cancel := context.WithTimeout(ctx, interval+interval/2+time.Second)
		_, data, err := ws.Read(readCtx)
		cancel()
		if err != nil {
			return
		}
		if code := s.take(ctx, c, data); code != 0 {
			_ = ws.Close(websocket.StatusCode(code), "")
			return
		}
	}
}

// take takes a message of a client; code is not 0 when it is to be closed.
func (s *Server) take(ctx context.Context, c *conn, data []byte) (code int) {
	var f struct {
		Op   int             `json:"op"`
		Data json.RawMessage `json:"d"`
	}
	if json.Unmarshal(data, &f) != nil {
		return 4002
	}
	switch f.Op {
	case 1:
		s.mu.Lock()
		s.beats++
		silent := s.noAcks
		s.changeLocked()
		s.mu.Unlock()
		if !silent {
			_ = send(ctx, c.ws, 11, nil)
		}
	case 2:
		return s.identifyAs(ctx, c, f.Data)
	case 6:
		return s.resumeAs(ctx, c, f.Data)
	default:
		return 4001
	}
	return 0
}

func (s *Server) identifyAs(ctx context.Context, c *conn, data json.RawMessage) (code int) {
	var d struct {
		Token      string            `json:"token"`
		Intents    *int              `json:"intents"`
		Properties map[string]string `json:"properties"`
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.identify++
	if code, s.closeWith = s.closeWith, 0; code != 0 {
		s.changeLocked()
		return code
	}
	switch {
	case json.Unmarshal(data, &d) != nil || d.Intents == nil || len(d.Properties) == 0:
		return 4002
	case d.Token != Token && d.Token != "Bot "+Token:
		return 4004
	case c.session != nil:
		return 4005
	}
	s.lastID++
	c.session = &session{id: "session-" + strconv.Itoa(s.lastID)}
	s.sessions[c.session.id] = c.session
	s.dispatchLocked(ctx, c.session, "READY", map[string]any{
		"v": 9, "session_id": c.session.id,
		"resume_gateway_url": "ws" + strings.TrimPrefix(s.http.URL, "http") + "/resume",
		"user":               map[string]any{"id": ApplicationID, "username": "poolbot", "bot": true},
		"application":        map[string]any{"id": ApplicationID, "flags": 0},
		"guilds":             []any{map[string]any{"id": GuildID, "unavailable": true}},
	})
	s.changeLocked()
	return 0
}

func (s *Server) resumeAs(ctx context.Context, c *conn, data json.RawMessage) (code int) {
	var d struct {
		Token     string `json:"token"`
		SessionID string `json:"session_id"`
		Seq       int64  `json:"seq"`
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case json.Unmarshal(data, &d) != nil:
		return 4002
	case d.Token != Token && d.Token != "Bot "+Token:
		return 4004
	}
	known := s.sessions[d.SessionID]
	if known == nil {
		_ = send(ctx, c.ws, 9, false)
		return 0
	}
	if d.Seq > known.seq {
		return 4007
	}
	s.resumes++
	c.session = known
	for _, e := range known.events {
		if e.seq > d.Seq {
			_ = sendEvent(ctx, c.ws, e)
		}
	}
	s.dispatchLocked(ctx, known, "RESUMED", map[string]any{})
	s.changeLocked()
	return 0
}

// dispatchLocked sends an event to a session, or keeps it for its resume. s.mu is
// held.
func (s *Server) dispatchLocked(ctx context.Context, to *session, kind string, data any) {
	to.seq++
	e := event{to.seq, kind, data}
	to.events = append(to.events, e)
	for c := range s.conns {
		if c.session == to {
			_ = sendEvent(ctx, c.ws, e)
		}
	}
}

// Command sends a slash command as somebody in the server would, and waits for
// the answer for as long as Discord does.
func (s *Server) Command(ctx context.Context, userID, userName, name string, options map[string]string) (Reply, error) {
	var list []any
	for k, v := range options {
		list = append(list, map[string]any{"name": k, "type": 3, "value": v})
	}
	return s.Interaction(ctx, map[string]any{
		"type": 2, "guild_id": GuildID, "channel_id": ChannelID,
		"member": map[string]any{"user": map[string]any{"id": userID, "username": userName}},
		"data":   map[string]any{"id": "1", "name": name, "type": 1, "options": list},
	})
}

// Interaction sends any interaction and waits for the answer.
func (s *Server) Interaction(ctx context.Context, data map[string]any) (Reply, error) {
	s.mu.Lock()
	s.lastID++
	token := "token-" + strconv.Itoa(s.lastID)
	data["id"], data["token"], data["application_id"], data["version"] = strconv.Itoa(s.lastID), token, ApplicationID, 1
	reply := make(chan Reply, 1)
	s.replies[token] = reply
	for _, to := range s.sessions {
		s.dispatchLocked(ctx, to, "INTERACTION_CREATE", data)
	}
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.replies, token)
		s.mu.Unlock()
	}()
	select {
	case r := <-reply:
		return r, nil
	case <-ctx.Done():
		return Reply{}, ErrNoReply
	}
}

// callback is POST /interactions/{id}/{token}/callback, which needs no token of
// the bot.
func (s *Server) callback(w http.ResponseWriter, r *http.Request) {
	var b struct {
		Type int `json:"type"`
		Data struct {
			Content string `json:"content"`
			Flags   int    `json:"flags"`
		} `json:"data"`
	}
	err := json.NewDecoder(r.Body).Decode(&b)
	s.mu.Lock()
	reply := s.replies[r.PathValue("token")]
	delete(s.replies, r.PathValue("token"))
	s.mu.Unlock()
	switch {
	case reply == nil:
		answer(w, http.StatusNotFound, map[string]any{"message": "Unknown interaction", "code": 10062})
	case err != nil || b.Type != 4 || b.Data.Content == "" || len(b.Data.Content) > 2000:
		answer(w, http.StatusBadRequest, map[string]any{"message": "Invalid Form Body", "code": 50035})
	default:
		reply <- Reply{Content: b.Data.Content, Ephemeral: b.Data.Flags&64 != 0}
		w.WriteHeader(http.StatusNoContent)
	}
}

// Send sends any message of the gateway to all that are connected.
func (s *Server) Send(ctx context.Context, op int, data any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		_ = send(ctx, c.ws, op, data)
	}
}

// SendRaw sends any text to all that are connected.
func (s *Server) SendRaw(ctx context.Context, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		_ = c.ws.Write(ctx, websocket.MessageText, []byte(text))
	}
}

// Forget makes all sessions unknown, so that none can be resumed.
func (s *Server) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.sessions)
}

// CloseAll closes all connections with a code.
func (s *Server) CloseAll(code int) {
	for _, c := range s.open() {
		_ = c.ws.Close(websocket.StatusCode(code), "")
	}
}

// Cut ends all connections without a word.
func (s *Server) Cut() {
	for _, c := range s.open() {
		_ = c.ws.CloseNow()
	}
}

func (s *Server) open() []*conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*conn, 0, len(s.conns))
	for c := range s.conns {
		all = append(all, c)
	}
	return all
}

func send(ctx context.Context, ws *websocket.Conn, op int, data any) error {
	text, err := json.Marshal(map[string]any{"op": op, "d": data, "s": nil, "t": nil})
	if err != nil {
		return err
	}
	return ws.Write(ctx, websocket.MessageText, text)
}

func sendEvent(ctx context.Context, ws *websocket.Conn, e event) error {
	text, err := json.Marshal(map[string]any{"op": 0, "d": e.data, "s": e.seq, "t": e.kind})
	if err != nil {
		return err
	}
	return ws.Write(ctx, websocket.MessageText, text)
}
