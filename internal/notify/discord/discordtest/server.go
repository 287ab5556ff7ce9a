package discordtest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf16"
)

// Who and where everything is at this Discord.
const (
	Token         = "MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.test-token" // of the bot; #nosec G101: of a double
	GuildID       = "197038439483310086"
	ChannelID     = "41771983423143937"
	ApplicationID = "198622483471925248"
)

// Command is a slash command as it is registered.
type Command struct {
	Name        string `json:"name"`
	Type        int    `json:"type"`
	Description string `json:"description"`
	ID          string `json:"id"`
	Options     []any  `json:"options,omitempty"`
}

// Message is one that was posted to the channel.
type Message struct {
	Content string
	Pings   []string // accounts that get a notification by it; "everyone" for all
	Nonce   string
	At      time.Time
	Flags   int
}

// Fault is an answer that a REST call gets in the place of the right one.
type Fault struct {
	Status int
	Body   string
	Header map[string]string
	// After says that the call has its effect first: only the answer is lost.
	After bool
}

// Server is a Discord.
type Server struct {
	http *httptest.Server

	mu        sync.Mutex // guards the rest
	down      bool
	noAcks    bool
	heartbeat time.Duration
	closeWith int // code that answers the next identify; 0: none
	starts    int // sessions that may be started

	conns     map[*conn]bool
	sessions  map[string]*session
	lastID    int
	commands  []Command
	writes    []string // names of commands that were created or replaced
	messages  []Message
	nonces    map[string]bool
	faults    []Fault
	replies   map[string]chan Reply // by interaction token
	identify  int
	resumes   int
	beats     int
	gatewayBy int // requests for the gateway's address
	changed   chan struct{}
}

// New starts a Discord on loopback.
func New() *Server {
	s := &Server{
		heartbeat: 41250 * time.Millisecond, starts: 1000,
		conns: make(map[*conn]bool), sessions: make(map[string]*session),
		nonces: make(map[string]bool), replies: make(map[string]chan Reply), changed: make(chan struct{}),
	}
	mux := http.NewServeMux()
	for _, v := range []string{"9", "10"} {
		api := "/api/v" + v
		mux.HandleFunc("GET "+api+"/gateway/bot", s.rest(s.gatewayBot))
		mux.HandleFunc("GET "+api+"/applications/{app}/guilds/{guild}/commands", s.rest(s.listCommands))
		mux.HandleFunc("POST "+api+"/applications/{app}/guilds/{guild}/commands", s.rest(s.createCommand))
		mux.HandleFunc("PUT "+api+"/applications/{app}/guilds/{guild}/commands", s.rest(s.overwriteCommands))
		mux.HandleFunc("POST "+api+"/channels/{channel}/messages", s.rest(s.createMessage))
		mux.HandleFunc("POST "+api+"/interactions/{id}/{token}/callback", s.callback)
	}
	mux.HandleFunc("GET /gateway/", s.gateway)
	mux.HandleFunc("GET /resume/", s.gateway)
	s.http = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		down := s.down
		s.mu.Unlock()
		if down {
			panic(http.ErrAbortHandler) // the connection ends without an answer
		}
		mux.ServeHTTP(w, r)
	}))
	return s
}

// Close ends it.
func (s *Server) Close() {
	s.Cut()
	s.http.Close()
}

// URL takes the place of https://discord.com/.
func (s *Server) URL() string { return s.http.URL + "/" }

// SetDown makes it unreachable, or reachable again. Connections that are open end.
func (s *Server) SetDown(down bool) {
	s.mu.Lock()
	s.down = down
	s.mu.Unlock()
	if down {
		s.Cut()
	}
}

// SetHeartbeat sets the heartbeat interval of new connections; default 41.25 s.
func (s *Server) SetHeartbeat(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heartbeat = d
}

// SetStarts sets how many sessions may still be started; default 1000.
func (s *Server) SetStarts(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.starts = n
}

// SetAcks says whether heartbeats are acknowledged; they are by default.
func (s *Server) SetAcks(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.noAcks = !on
}

// CloseIdentify has the next identify answered by closing with a code.
func (s *Server) CloseIdentify(code int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closeWith = code
}

// Fail has the next messages that are posted, or commands that are listed or
// made, answered with faults, one each.
func (s *Server) Fail(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, faults...)
}

// AddCommand registers a command of somebody else's.
func (s *Server) AddCommand(c Command) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.commands = append(s.commands, c)
}

// Commands are the registered commands, and the names of those that were
// written, once for each time.
func (s *Server) Commands() (there []Command, written []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.commands), slices.Clone(s.writes)
}

// Messages are those in the channel.
func (s *Server) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.messages)
}

// Counts are what clients did.
type Counts struct{ Connected, Identified, Resumed, Heartbeats, GatewayRequests int }

// Counts are what clients did so far, and how many are connected.
func (s *Server) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for c := range s.conns {
		if c.session != nil {
			n++
		}
	}
	return Counts{Connected: n, Identified: s.identify, Resumed: s.resumes, Heartbeats: s.beats, GatewayRequests: s.gatewayBy}
}

// Wait waits until what it is asked for holds, or ctx ends.
func (s *Server) Wait(ctx context.Context, holds func() bool) error {
	for {
		s.mu.Lock()
		changed := s.changed
		s.mu.Unlock()
		if holds() {
			return nil
		}
		select {
		case <-changed:
		case <-time.After(20 * time.Millisecond): // what is asked for may be elsewhere
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// change tells Wait that something happened. s.mu is held.
func (s *Server) changeLocked() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// rest wraps an endpoint that a bot's token is needed for.
func (s *Server) rest(handle func(w http.ResponseWriter, r *http.Request)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bot "+Token {
			answer(w, http.StatusUnauthorized, map[string]any{"message": "401: Unauthorized", "code": 0})
			return
		}
		handle(w, r)
	}
}

// fault answers with the next fault, if there is one; done is false when the
// request is to be handled as well.
func (s *Server) fault(w http.ResponseWriter, effect func()) (done bool) {
	s.mu.Lock()
	if len(s.faults) == 0 {
		s.mu.Unlock()
		return false
	}
	f := s.faults[0]
	s.faults = s.faults[1:]
	s.mu.Unlock()
	if f.After && effect != nil {
		effect()
	}
	if f.Status == 0 {
		panic(http.ErrAbortHandler)
	}
	for k, v := range f.Header {
		w.Header().Set(k, v)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(f.Status)
	_, _ = w.Write([]byte(f.Body))
	return true
}

func (s *Server) gatewayBot(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	s.gatewayBy++
	starts := s.starts
	s.mu.Unlock()
	answer(w, http.StatusOK, map[string]any{
		"url": "ws" + strings.TrimPrefix(s.http.URL, "http") + "/gateway/", "shards": 1,
		"session_start_limit": map[string]any{"total": 1000, "remaining": starts, "reset_after": 3_600_000, "max_concurrency": 1},
	})
}

func (s *Server) listCommands(w http.ResponseWriter, r *http.Request) {
	if s.fault(w, nil) || !isOurs(w, r) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	answer(w, http.StatusOK, s.commands)
}

func (s *Server) createCommand(w http.ResponseWriter, r *http.Request) {
	if s.fault(w, nil) || !isOurs(w, r) {
		return
	}
	var c Command
	if json.NewDecoder(r.Body).Decode(&c) != nil || c.Name == "" || len(c.Description) > 100 {
		answer(w, http.StatusBadRequest, map[string]any{"message": "Invalid Form Body", "code": 50035})
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.commands = slices.DeleteFunc(s.commands, func(o Command) bool { return o.Name == c.Name })
	s.lastID++
	c.ID = strconv.Itoa(s.lastID)
	s.commands, s.writes = append(s.commands, c), append(s.writes, c.Name)
	s.changeLocked()
	answer(w, http.StatusCreated, c)
}

func (s *Server) overwriteCommands(w http.ResponseWriter, r *http.Request) {
	var all []Command
	if !isOurs(w, r) || json.NewDecoder(r.Body).Decode(&all) != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.commands = all
	answer(w, http.StatusOK, all)
}

func isOurs(w http.ResponseWriter, r *http.Request) bool {
	if r.PathValue("app") == ApplicationID && r.PathValue("guild") == GuildID {
		return true
	}
	answer(w, http.StatusForbidden, map[string]any{"message": "Missing Access", "code": 50001})
	return false
}

// createMessage is POST /channels/{channel}/messages.
func (s *Server) createMessage(w http.ResponseWriter, r *http.Request) {
	var m struct {
		Content string `json:"content"`
		Nonce   string `json:"nonce"`
		Enforce bool   `json:"enforce_nonce"`
		Flags   int    `json:"flags"`
		Allowed *struct {
			Parse []string `json:"parse"`
			Users []string `json:"users"`
		} `json:"allowed_mentions"`
	}
	err := json.NewDecoder(r.Body).Decode(&m)
	create := func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if m.Enforce && m.Nonce != "" && s.nonces[m.Nonce] {
			return
		}
		s.nonces[m.Nonce] = true
		parse, users := []string{"users", "everyone"}, []string(nil)
		if m.Allowed != nil {
			parse, users = m.Allowed.Parse, m.Allowed.Users
		}
		s.messages = append(s.messages, Message{Content: m.Content, Pings: pings(m.Content, parse, users), Nonce: m.Nonce, At: time.Now(), Flags: m.Flags})
		s.changeLocked()
	}
	if s.fault(w, create) {
		return
	}
	switch {
	case r.PathValue("channel") != ChannelID:
		answer(w, http.StatusNotFound, map[string]any{"message": "Unknown Channel", "code": 10003})
	case err != nil, m.Content == "", len(utf16.Encode([]rune(m.Content))) > 2000, len(m.Nonce) > 25,
		m.Allowed != nil && slices.Contains(m.Allowed.Parse, "users") && len(m.Allowed.Users) > 0:
		answer(w, http.StatusBadRequest, map[string]any{"message": "Invalid Form Body", "code": 50035})
	default:
		create()
		h := w.Header()
		h.Set("X-RateLimit-Limit", "5")
		h.Set("X-RateLimit-Remaining", "4")
		h.Set("X-RateLimit-Reset-After", "1.000")
		h.Set("X-RateLimit-Bucket", "abcd1234")
		answer(w, http.StatusOK, map[string]any{"id": "1", "channel_id": ChannelID, "content": m.Content, "nonce": m.Nonce})
	}
}

// pings is who is notified by a message.
func pings(content string, parse, users []string) []string {
	var all []string
	if slices.Contains(parse, "everyone") && (strings.Contains(content, "@everyone") || strings.Contains(content, "@here")) {
		all = append(all, "everyone")
	}
	for rest := content; ; {
		i := strings.Index(rest, "<@")
		if i < 0 {
			return all
		}
		rest = rest[i+2:]
		id, _, ok := strings.Cut(rest, ">")
		if !ok || strings.Trim(id, "0123456789") != "" || id == "" {
			continue
		}
		if (slices.Contains(parse, "users") || slices.Contains(users, id)) && !slices.Contains(all, id) {
			all = append(all, id)
		}
	}
}

// RateLimited is the fault of a rate limit that is over after some time.
func RateLimited(after time.Duration) Fault {
	seconds := strconv.FormatFloat(after.Seconds(), 'f', 3, 64)
	return Fault{
		Status: http.StatusTooManyRequests,
		Body:   fmt.Sprintf(`{"message":"You are being rate limited.","retry_after":%s,"global":false}`, seconds),
		Header: map[string]string{"Retry-After": strconv.Itoa(int(after.Seconds() + 0.999)), "X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": seconds},
	}
}

// Refused is the fault of a status with Discord's error body.
func Refused(status, code int, message string) Fault {
	return Fault{Status: status, Body: fmt.Sprintf(`{"message":%q,"code":%d}`, message, code)}
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // an error is the client's
}
