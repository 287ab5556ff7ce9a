package replay

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolscope/poolscope/internal/scope/capture"
	"github.com/poolscope/poolscope/internal/scope/relay"
)

// bench is a service on a recorder, with a pool that the test plays.
type bench struct {
	*Service
	recorder *capture.Recorder
	tape     *capture.Tape
	own      atomic.Bool // the pool is the user's own

	mu      sync.Mutex
	live    bool
	late    bool                                                   // it is told that a line was written after its answer came
	pool    func(line string) (answer string, after time.Duration) // "" never answers
	sent    []string
	at      []time.Time
	pending int
}

const session = "s1"

// newBench must be called in a bubble; it ends with it.
func newBench(t *testing.T) *bench {
	b := &bench{live: true}
	b.own.Store(true)
	b.pool = func(string) (string, time.Duration) {
		return `{"id":%,"result":true,"error":null}`, 50 * time.Millisecond
	}
	log := slog.New(slog.DiscardHandler)
	b.Service = New(Config{Sessions: b, Store: b, Own: func(pool, _ string) bool { return b.own.Load() && pool == "pool.test:3333" }, Log: log})
	b.recorder = capture.New(capture.Config{}, log, b.Service)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = b.recorder.Run(ctx) })
	running.Go(func() { _ = b.Run(ctx) })
	t.Cleanup(func() { cancel(); running.Wait() })
	b.tape = b.recorder.Open(capture.Opening{ID: session, Origin: capture.OriginProxy, Miner: "127.0.0.1:5", Pool: "pool.test:3333", At: time.Now()})
	b.tape.PoolConnected("192.0.2.1:3333")
	return b
}

func (b *bench) Session(id string) (capture.Session, bool) { return b.recorder.Store().Session(id) }

func (b *bench) Live(id string) (Live, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b, id == session && b.live
}

func (b *bench) Tape() *capture.Tape { return b.tape }

func (b *bench) Upstream() (pool, peer string) { return "pool.test:3333", "192.0.2.1:3333" }

func (b *bench) Inject(ctx context.Context, line []byte, id string, sent func(time.Time)) ([]byte, time.Time, error) {
	b.mu.Lock()
	if !b.live {
		b.mu.Unlock()
		return nil, time.Time{}, relay.ErrSessionEnded
	}
	b.sent, b.at = append(b.sent, string(line)), append(b.at, time.Now())
	b.pending++
	answer, after := b.pool(string(line))
	b.mu.Unlock()
	defer func() { b.mu.Lock(); b.pending--; b.mu.Unlock() }()
	if b.late {
		defer sent(time.Now())
	} else {
		sent(time.Now())
	}
	var answered <-chan time.Time
	if answer != "" {
		answered = time.After(after)
	}
	select {
	case <-answered:
		return []byte(strings.Replace(answer, "%", id, 1) + "\n"), time.Now(), nil
	case <-ctx.Done():
		return nil, time.Time{}, ctx.Err()
	}
}

// miner captures lines of the miner and returns the last as a message.
func (b *bench) miner(lines ...string) *capture.Message {
	for _, line := range lines {
		b.tape.Line(capture.MinerToPool, []byte(line+"\n"), time.Now())
	}
	synctest.Wait()
	return b.latest()
}

func (b *bench) latest() (m *capture.Message) {
	b.recorder.Store().Latest(session, func(latest *capture.Message) bool { m = latest; return false })
	return m
}

// recorded are the messages that we sent, oldest first.
func (b *bench) recorded() (out []*capture.Message) {
	b.recorder.Store().Latest(session, func(m *capture.Message) bool {
		if m.Direction == capture.ScopeToPool {
			out = append([]*capture.Message{m}, out...)
		}
		return true
	})
	return out
}

func (b *bench) lines() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string(nil), b.sent...)
}

const submit = `{"id":4,"method":"mining.submit","params":["w.1","j1","00","65000001","deadbeef"],"x":1e2}`

func encode(t *testing.T, v any) string {
	t.Helper()
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestReplay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		m := b.miner(submit)
		result, err := b.Replay(t.Context(), m, "")
		if err != nil {
			t.Fatal(err)
		}
		want := `{"success":true,"pool_response":{"id":4,"method":null,"params":null,"result":true,"error":null},"error":null,"latency_ms":50,"message_id":"s1-2"}`
		if got := encode(t, result); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		sent := b.lines()
		if len(sent) != 1 || strings.Contains(sent[0], `"id":4`) || !strings.HasSuffix(sent[0], strings.TrimPrefix(submit, `{"id":4`)+"\n") {
			t.Errorf("sent %q", sent)
		}
		synctest.Wait()
		recorded := b.recorded()
		if len(recorded) != 1 {
			t.Fatalf("recorded %d messages", len(recorded))
		}
		r := recorded[0]
		if r.MessageID() != result.MessageID || r.ReplayOf != m.N || string(r.Raw) != submit+"\n" || r.Failure != "" ||
			r.Latency() != 50*time.Millisecond || !strings.Contains(sent[0], `"id":`+r.WireID) {
			t.Errorf("recorded %s", encode(t, r))
		}
	})
}

// The answer may be there before the relay has told that the line was written.
func TestAnswerBeforeSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.late = true
		m := b.miner(submit)
		result, err := b.Replay(t.Context(), m, "")
		if err != nil || result.Latency != 50*time.Millisecond {
			t.Errorf("%v %v", result.Latency, err)
		}
	})
}

func TestReplayOfARejectionIsASuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.pool = func(string) (string, time.Duration) {
			return `{"error":[21,"Job not found",null],"id":%,"result":null,"reject-reason":"x"}`, 0
		}
		result, err := b.Replay(t.Context(), b.miner(submit), `{"id":"mine","method":"mining.authorize","params":["a","b"]}`)
		if err != nil {
			t.Fatal(err)
		}
		want := `{"id":"mine","method":null,"params":null,"result":null,"error":[21,"Job not found",null]}`
		if !result.Success || string(result.Response) != want || result.accepted {
			t.Errorf("%s", encode(t, result))
		}
	})
}

// What a pool answers can be anything; the result is JSON all the same.
func TestReplaySurvivesAnyAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		m := b.miner(submit)
		deep := strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000)
		for _, result := range []string{`"\ud800"`, `1e400`, deep, `123456789012345678901234567890`} {
			b.pool = func(string) (string, time.Duration) { return `{"id":%,"result":` + result + `}`, 0 }
			got, err := b.Replay(t.Context(), m, "")
			if err != nil || !got.Success {
				t.Fatalf("%.30s: %v %v", result, got, err)
			}
			var read map[string]any
			if text := encode(t, got); json.Unmarshal([]byte(text), &read) != nil {
				t.Errorf("%.30s: %.200s", result, text)
			}
		}
	})
}

func TestRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.tape.Line(capture.PoolToMiner, []byte(`{"id":4,"method":"mining.submit","params":[]}`+"\n"), time.Now())
		synctest.Wait()
		fromPool := b.latest()
		authorize := b.miner(`{"id":2,"method":"mining.authorize","params":["w","p"]}`)
		noID := b.miner(`{"id":null,"method":"mining.submit","params":[]}`)
		good := b.miner(submit)
		for _, test := range []struct {
			name     string
			m        *capture.Message
			modified string
			want     *Refusal
			text     string
		}{
			{"absent", nil, "[", ErrNotFound, "Message not found"},
			{"direction", fromPool, "[", ErrDirection, "Can only replay messages from miner to pool"},
			{"method", authorize, "[", ErrMethod, "Can only replay mining.submit messages"},
			{"json", good, "[", ErrJSON, "Invalid JSON in modified_message: unexpected end of JSON input"},
			{"no id", noID, "", ErrNoID, "Invalid message format: Message must have an 'id' field"},
			{"two lines", good, "{\"id\":1}\n{\"id\":2}", ErrLineFeed, "modified_message must be one line: it has a line feed in it"},
		} {
			_, err := b.Replay(t.Context(), test.m, test.modified)
			if !errors.Is(err, test.want) || err.Error() != test.text {
				t.Errorf("%s: %v", test.name, err)
			}
		}
		b.live = false
		if _, err := b.Replay(t.Context(), good, "["); !errors.Is(err, ErrNotLive) {
			t.Errorf("ended session: %v", err)
		}
		if len(b.lines()) > 0 || len(b.recorded()) > 0 {
			t.Errorf("sent %q", b.lines())
		}
		if got := b.Status().Refused; got["invalid_json"] != 1 || got["not_live"] != 1 || got["not_found"] != 1 {
			t.Errorf("counted %v", got)
		}
	})
}

func TestTimeoutIsRecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.pool = func(string) (string, time.Duration) { return "", 0 }
		m := b.miner(submit)
		began := time.Now()
		result, err := b.Replay(t.Context(), m, "")
		if took := time.Since(began); err != nil || took != 10*time.Second {
			t.Fatalf("%v after %v", err, took)
		}
		want := `{"success":false,"pool_response":null,"error":"Timeout waiting for pool response","latency_ms":null,"message_id":"s1-2"}`
		if got := encode(t, result); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		synctest.Wait()
		if r := b.recorded(); len(r) != 1 || r[0].Failure != "Timeout waiting for pool response" || r[0].Response != nil {
			t.Errorf("recorded %s", encode(t, r))
		}
		if s := b.Status(); s.Timeouts != 1 || s.Sent != 1 {
			t.Errorf("%+v", s)
		}
	})
}

// A hundred replays of one message, the pool answering the last first: each
// gets the answer to its own line.
func TestConcurrentReplaysOfOneMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		var serial int
		b.pool = func(line string) (string, time.Duration) {
			serial++
			var question struct {
				Params []string `json:"params"`
			}
			if err := json.Unmarshal([]byte(line), &question); err != nil {
				t.Error(err)
			}
			return `{"id":%,"result":"` + question.Params[0] + `"}`, time.Second - time.Duration(serial)*time.Millisecond
		}
		m := b.miner(submit)
		var asking sync.WaitGroup
		for n := range 100 {
			asking.Go(func() {
				name := "w" + strings.Repeat("x", n)
				result, err := b.Replay(t.Context(), m, `{"id":4,"method":"mining.submit","params":["`+name+`"]}`)
				if want := `"result":"` + name + `"`; err != nil || !strings.Contains(string(result.Response), want) {
					t.Errorf("%v: %s, not %s", err, result.Response, want)
				}
			})
		}
		asking.Wait()
		ids := map[string]bool{}
		for _, r := range b.recorded() {
			ids[r.WireID] = true
		}
		if len(ids) != 100 {
			t.Errorf("%d different ids on the wire", len(ids))
		}
	})
}
