package scope

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/poolscope/poolscope/test/nodes"
	"github.com/poolscope/poolscope/test/program"
)

// rig is a running scope, as its users see it.
type rig struct {
	t       testing.TB
	process *nodes.Process
	ports   struct{ HTTP, Scope, Stratum string }
	miners  string // host:port that miners connect to
	api     string // base URL
	token   string
}

// start runs `poolscope scope` in front of a pool, in a folder of its own.
func start(t testing.TB, pool string, more ...string) *rig {
	t.Helper()
	return startIn(t, t.TempDir(), pool, more...)
}

// startIn runs it in a folder that may have been used before.
func startIn(t testing.TB, dataDir, pool string, more ...string) *rig {
	t.Helper()
	return run(t, dataDir, append([]string{"scope", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--pool", pool}, more...)...)
}

// run runs a sub-command that has a scope in it.
func run(t testing.TB, dataDir string, arguments ...string) *rig {
	t.Helper()
	ports := filepath.Join(dataDir, "ports.json")
	if err := os.Remove(ports); err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err) // one of a process that was killed must not be taken for news
	}
	command := append([]string{binary, arguments[0], "--data-dir", dataDir}, arguments[1:]...)
	r := &rig{t: t, process: nodes.Start(t, "poolscope "+arguments[0], command...)}
	nodes.WaitFor(t, program.StartLimit, "ports.json", func() bool {
		if !r.process.Running() {
			t.Fatalf("it ended at its start with code %d:\n%s", r.process.ExitCode(), r.process.Output())
		}
		data, err := os.ReadFile(ports)
		return err == nil && json.Unmarshal(data, &r.ports) == nil
	})
	token, err := os.ReadFile(filepath.Join(dataDir, "scope-token"))
	if err != nil {
		t.Fatal(err)
	}
	r.miners, r.api, r.token = r.ports.Scope, "http://"+r.ports.HTTP, strings.TrimSpace(string(token))
	return r
}

// try makes a request. Requests other than GET carry the token.
func (r *rig) try(method, path, body string) (status int, answer []byte, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*limit)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, r.api+path, strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	if method != http.MethodGet {
		request.Header.Set("Authorization", "Bearer "+r.token)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	answer, err = io.ReadAll(response.Body)
	return response.StatusCode, answer, err
}

// ask makes a request that must be answered.
func (r *rig) ask(method, path, body string) (status int, answer []byte) {
	r.t.Helper()
	status, answer, err := r.try(method, path, body)
	if err != nil {
		r.t.Fatal(err)
	}
	return status, answer
}

// unauthorized makes a request that wants the token, without it.
func (r *rig) unauthorized(path string) (status int, answer []byte, err error) {
	other := *r
	other.token = "not-the-token"
	return other.try(http.MethodPost, path, "")
}

// read gets a JSON document, and checks that it is one.
func (r *rig) read(path string, into any) {
	r.t.Helper()
	r.do(http.MethodGet, path, "", http.StatusOK, into)
}

// do makes a request and expects its status.
func (r *rig) do(method, path, body string, want int, into any) {
	r.t.Helper()
	status, answer := r.ask(method, path, body)
	if status != want {
		r.t.Fatalf("%s %s: %d %s, not %d", method, path, status, answer, want)
	}
	strict(r.t, answer)
	if into != nil {
		if err := json.Unmarshal(answer, into); err != nil {
			r.t.Fatalf("%s %s: %v in %.300s", method, path, err, answer)
		}
	}
}

// message is a message of the API, as far as the tests look at it.
type message struct {
	ID         string          `json:"id"`
	Received   time.Time       `json:"ts_recv"`
	Forwarded  *time.Time      `json:"ts_fwd"`
	Direction  string          `json:"direction"`
	Session    string          `json:"session_id"`
	Raw        string          `json:"raw"`
	Encoding   string          `json:"raw_encoding"`
	Decoded    json.RawMessage `json:"decoded"`
	Fault      *string         `json:"parse_error"`
	Size       int             `json:"size_bytes"`
	RPCID      json.RawMessage `json:"jsonrpc_id"`
	IsRequest  bool            `json:"is_request"`
	IsResponse bool            `json:"is_response"`
	Pair       *string         `json:"paired_message_id"`
	Response   json.RawMessage `json:"response"`
	Latency    *float64        `json:"latency_ms"`
	Seq        uint64          `json:"seq"`
	Truncated  bool            `json:"truncated"`
	ReplayOf   string          `json:"replay_of"`
	Share      *struct {
		Audit    string  `json:"audit"`
		Pool     *string `json:"pool"`
		Conflict *string `json:"conflict"`
	} `json:"share"`
}

// n is the message's number in its session.
func (m *message) n() string { return m.ID[strings.LastIndexByte(m.ID, '-')+1:] }

// session is a session of the API, as far as the tests look at it.
type session struct {
	ID       string  `json:"session_id"`
	Origin   string  `json:"origin"`
	Messages int     `json:"message_count"`
	Agent    *string `json:"user_agent"`
	Resume   *string `json:"mining_session_id"`
	Diff     float64 `json:"difficulty"`
	PoolUp   bool    `json:"pool_connected"`
	PoolPeer string  `json:"pool_peer"`
	Live     bool    `json:"live"`
	Reason   *string `json:"close_reason"`
	Lost     int     `json:"lost_bytes"`
	Stats    struct {
		Total  int `json:"total_messages"`
		Miner  int `json:"miner_to_pool"`
		Pool   int `json:"pool_to_miner"`
		Faults int `json:"parse_errors"`
	} `json:"stats"`
	AutoReplay bool `json:"auto_replay_enabled"`
	AutoCount  int  `json:"auto_replay_count"`
	Broadcast  bool `json:"broadcast_enabled"`
	Repeat     int  `json:"repeat_count"`
}

// session is the newest session.
func (r *rig) session() (s session) {
	r.t.Helper()
	var list []session
	r.read("/api/sessions", &list)
	if len(list) > 0 {
		s = list[len(list)-1]
	}
	return s
}

// settled is the newest session once it has n messages.
func (r *rig) settled(n int) (s session) {
	r.t.Helper()
	nodes.WaitFor(r.t, limit, fmt.Sprintf("%d messages", n), func() bool {
		s = r.session()
		return s.Messages >= n
	})
	return s
}

// over is the newest session once it has ended.
func (r *rig) over() (s session) {
	r.t.Helper()
	nodes.WaitFor(r.t, limit, "the end of the session", func() bool { s = r.session(); return s.ID != "" && !s.Live })
	return s
}

// status is what the scope says of itself, as far as the tests look at it.
type status struct {
	Capture struct{ Messages, Bytes, Evicted int }
	Feed    struct {
		Skipped int
		Ends    map[string]int `json:"ended"`
	} `json:"websocket"`
	Parts struct{ Journal *journalStatus }
}

func (r *rig) status() (s status) {
	r.t.Helper()
	r.read("/api/scope/status", &s)
	return s
}

// messages lists messages, newest first.
func (r *rig) messages(query string) (list []message) {
	r.t.Helper()
	r.read("/api/messages?"+query, &list)
	return list
}

// all lists a session's messages in their order.
func (r *rig) all(session string) []message {
	r.t.Helper()
	list := r.messages("limit=1000&session_id=" + url.QueryEscape(session))
	slices.Reverse(list)
	return list
}

// connect brings a miner through the scope to a pool.
func (r *rig) connect(p *pool) (miner, atPool *peer) {
	r.t.Helper()
	miner = dial(r.t, r.miners)
	return miner, p.accept()
}
