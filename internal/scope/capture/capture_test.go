package capture

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"
)

// tell notes what a sink is told.
type tell struct {
	captured []*Message
	frames   []string
	sessions []Session
}

func (s *tell) Captured(m *Message) {
	s.captured = append(s.captured, m)
	s.frames = append(s.frames, fmt.Sprint(m.N))
}
func (s *tell) Updated(m *Message)       { s.frames = append(s.frames, fmt.Sprint(m.N)+"'") }
func (s *tell) SessionChanged(v Session) { s.sessions = append(s.sessions, v) }

// capture runs a recorder in a bubble of time, lets do use it, and stops it.
func capture(t *testing.T, cfg Config, do func(r *Recorder)) (*Recorder, *tell) {
	t.Helper()
	sink := &tell{}
	var r *Recorder
	synctest.Test(t, func(t *testing.T) {
		r = New(cfg, slog.New(slog.DiscardHandler), sink)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- r.Run(ctx) }()
		do(r)
		synctest.Wait()
		time.Sleep(time.Second)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return r, sink
}

// say records a forwarded piece of a stream.
func say(tape *Tape, d Direction, text string) {
	tape.Chunk(d, []byte(text), time.Now()).Forwarded(time.Now().Add(30 * time.Microsecond))
}

// Scenario A of the original's acceptance tests: what a miner's first seconds
// look like.
func TestScenarioA(t *testing.T) {
	var id string
	r, _ := capture(t, Config{}, func(r *Recorder) {
		tape := r.Open(Opening{ID: "s", Origin: OriginProxy, Miner: "192.0.2.1:1000", Pool: "pool.example:3333", At: time.Now()})
		id = tape.ID()
		tape.PoolConnected("198.51.100.1:3333")
		say(tape, MinerToPool, `{"id": 1, "method": "mining.subscribe", "params": ["cgminer/4.10", "sess77"]}`+"\n")
		time.Sleep(2 * time.Millisecond)
		say(tape, PoolToMiner, `{"id":1,"result":[[["mining.notify","s"]],"ab",8],"error":null}`+"\n")
		say(tape, MinerToPool, `{"id": 2, "method": "mining.authorize", "params": ["addr.rig", "secret \" d=5"]}`+"\n")
		say(tape, PoolToMiner, `{"id":2,"result":true,"error":null}`+"\n"+`{"id":null,"method":"mining.set_difficulty","params":[8192]}`+"\n")
		say(tape, PoolToMiner, `{"id":null,"method":"mining.notify","params":["j1"]}`+"\r\n")
		say(tape, MinerToPool, `{"id": 3, "method": "mining.submit", "params": ["addr.rig","j1","00","65","ab"]}`+"\n")
		time.Sleep(3 * time.Millisecond)
		say(tape, PoolToMiner, `{"id": 3, "result": true, "error": null}`+"\n")
	})
	s, ok := r.Store().Session(id)
	if !ok || s.UserAgent != "cgminer/4.10" || s.ResumeID != "sess77" || s.Difficulty != 8192 ||
		s.Messages != 8 || s.ByDirection != [3]uint64{3, 5, 0} || s.PoolPeer != "198.51.100.1:3333" || !slices.Equal(s.Workers, []string{"addr.rig"}) {
		t.Fatalf("session %+v", s)
	}
	submit := r.Store().Message(id, 7)
	if submit.Method != "mining.submit" || submit.Pair != 8 || submit.Response == nil || !submit.Response.OK || submit.Latency() != 3*time.Millisecond {
		t.Errorf("submit %+v", submit)
	}
	if response := r.Store().Message(id, 8); response.Pair != 7 || !response.IsResponse {
		t.Errorf("response %+v", response)
	}
	authorize := r.Store().Message(id, 3)
	if strings.Contains(string(authorize.Raw), "secret") || !authorize.Masked || !json.Valid(authorize.Raw) {
		t.Errorf("password shown: %s", authorize.Raw)
	}
	if notify := r.Store().Message(id, 6); !strings.HasSuffix(string(notify.Raw), "\r\n") || notify.Size != len(notify.Raw) {
		t.Errorf("raw is not as received: %q", notify.Raw)
	}
	var listed []uint64
	r.Store().Latest(id, func(m *Message) bool { listed = append(listed, m.N); return true })
	if !slices.Equal(listed, []uint64{8, 7, 6, 5, 4, 3, 2, 1}) {
		t.Errorf("listed %v", listed)
	}
}

// Ids of both directions, of both types, and used again.
func TestPairing(t *testing.T) {
	r, _ := capture(t, Config{}, func(r *Recorder) {
		tape := r.Open(Opening{ID: "s", At: time.Now()})
		for _, line := range []struct {
			d    Direction
			text string
		}{
			{MinerToPool, `{"id":1,"method":"mining.subscribe"}`},             // 1 → 4
			{PoolToMiner, `{"id":1,"method":"client.get_version"}`},           // 2 → 3
			{MinerToPool, `{"id":1,"result":"cgminer/4.11"}`},                 // 3
			{PoolToMiner, `{"id":1,"result":[]}`},                             // 4
			{MinerToPool, `{"id":4,"method":"mining.submit","params":["a"]}`}, // 5 → 7
			{MinerToPool, `{"id":4,"method":"mining.submit","params":["b"]}`}, // 6 → 8
			{PoolToMiner, `{"id":4,"result":true}`},                           // 7
			{PoolToMiner, `{"id":4,"result":null,"error":[23,"low",null]}`},   // 8
			{PoolToMiner, `{"id":4,"result":true}`},                           // 9: nobody asked
			{MinerToPool, `{"id":"1","method":"x"}`},                          // 10 → 12
			{PoolToMiner, `{"id":1,"result":true}`},                           // 11: another id
			{PoolToMiner, `{"id":"1","result":false}`},                        // 12
			{MinerToPool, `{"id":9,"method":"y"}`},                            // 13 → 14
			{PoolToMiner, `{"id":9,"result":null,"error":null}`},              // 14: answers with nothing
		} {
			say(tape, line.d, line.text+"\n")
		}
	})
	want := map[uint64]uint64{1: 4, 4: 1, 2: 3, 3: 2, 5: 7, 7: 5, 6: 8, 8: 6, 10: 12, 12: 10, 13: 14, 14: 13}
	for n := uint64(1); n <= 14; n++ {
		if got := r.Store().Message("s", n).Pair; got != want[n] {
			t.Errorf("message %d is paired with %d, want %d", n, got, want[n])
		}
	}
	if r.Store().Message("s", 6).Response.OK || r.Store().Message("s", 12).OK {
		t.Error("a refusal is taken for success")
	}
}

// Odd lines, and what becomes of them. All are valid in the API's answers.
func TestParse(t *testing.T) {
	deep := `{"id":1,"method":"x","params":` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + "}"
	for raw, want := range map[string]struct {
		fault, id, decoded string
	}{
		"{}":                                {"", "", "{}"},
		" {\"id\" : 1.0}\t":                 {"", "1", "{\"id\" : 1.0}"},
		`{"id":"1"}`:                        {"", `"1"`, `{"id":"1"}`},
		`{"id":12345678901234567890123}`:    {"", "12345678901234567890123", `{"id":12345678901234567890123}`},
		`{"id":1,"params":[1e400,-2.5E-3]}`: {"", "1", `{"id":1,"params":["1e400",-2.5E-3]}`},
		`{"id":1.5}`:                        {FaultID, "", `{"id":1.5}`},
		`{"id":true}`:                       {FaultID, "", `{"id":true}`},
		`{"id":1,"method":5}`:               {FaultMethod, "1", `{"id":1,"method":5}`},
		`{"id":1,"params":"x"}`:             {FaultParams, "1", `{"id":1,"params":"x"}`},
		`{"a":1,"a":2,"x":null}`:            {"", "", `{"a":1,"a":2,"x":null}`},
		`{"ID":1}`:                          {"", "", `{"ID":1}`},
		"":                                  {FaultEmpty, "", ""},
		" \t":                               {FaultEmpty, "", ""},
		"GET / HTTP/1.1":                    {FaultJSON, "", ""},
		`{"id":1}{"id":2}`:                  {FaultJSON, "", ""},
		"\ufeff{}":                          {FaultJSON, "", ""},
		`{"id":NaN}`:                        {FaultJSON, "", ""},
		"[1,2]":                             {FaultNotObject, "", ""},
		`"text"`:                            {FaultNotObject, "", ""},
		"\xff\xfe{}":                        {FaultUTF8, "", ""},
		deep:                                {FaultDeep, "", ""},
		`{"id":"\ud83d","result":"\ud83d\ude00\udc00"}`: {"", `"` + "\ufffd" + `"`, `{"id":"\ufffd","result":"\ud83d\ude00\ufffd"}`},
	} {
		m := &Message{Raw: []byte(raw + "\n"), Size: len(raw) + 1, Session: "s", N: 1}
		m.parse()
		if m.Fault != want.fault || m.ID != want.id || string(m.Decoded()) != want.decoded {
			t.Errorf("%.60q: fault %q, id %s, decoded %.60s; want %+v", raw, m.Fault, m.ID, m.Decoded(), want)
		}
		checkJSON(t, m)
	}
}

// checkJSON checks that a message's JSON can be read by a strict reader.
func checkJSON(t *testing.T, m *Message) {
	t.Helper()
	out := m.AppendJSON(nil)
	var fields map[string]any
	if err := json.Unmarshal(out, &fields); err != nil || !utf8.Valid(out) {
		t.Fatalf("%q gives %q: %v", m.Raw, out, err)
	}
	for _, name := range []string{"id", "ts_recv", "ts_fwd", "direction", "session_id", "peer", "raw", "decoded", "parse_error", "size_bytes",
		"jsonrpc_id", "is_request", "is_response", "paired_message_id", "response", "response_ts_recv", "response_raw", "latency_ms", "raw_encoding"} {
		if _, ok := fields[name]; !ok {
			t.Errorf("%q: no member %s", m.Raw, name)
		}
	}
}

// Lines come out as they went in, however the stream was cut into pieces.
func TestSplitting(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var stream []byte
		for range 1 + random.IntN(20) {
			line := make([]byte, random.IntN(40))
			for i := range line {
				line[i] = byte(' ' + random.IntN(90))
			}
			stream = append(append(stream, line...), '\n')
		}
		tail := random.IntN(2) * random.IntN(5)
		stream = append(stream, strings.Repeat("x", tail)...)
		var got []byte
		r, _ := capture(t, Config{}, func(r *Recorder) {
			tape := r.Open(Opening{ID: "s", At: time.Now()})
			for rest := stream; len(rest) > 0; {
				n := 1 + random.IntN(len(rest))
				say(tape, MinerToPool, string(rest[:n]))
				rest = rest[n:]
			}
			tape.Close("miner_closed", time.Now())
		})
		messages := r.Store().snapshot("s")
		slices.Reverse(messages)
		for i, m := range messages {
			got = append(got, m.Raw...)
			if m.N != uint64(i+1) || m.Tail != (i == len(messages)-1 && tail > 0) {
				t.Fatalf("message %+v", m)
			}
		}
		if string(got) != string(stream) {
			t.Fatalf("in %q, out %q", stream, got)
		}
	}
}

// A line above the limit is recorded up to it, with its true size.
func TestLongLine(t *testing.T) {
	r, _ := capture(t, Config{MaxLine: 10}, func(r *Recorder) {
		tape := r.Open(Opening{ID: "s", At: time.Now()})
		say(tape, MinerToPool, strings.Repeat("a", 25))
		say(tape, MinerToPool, "bcd\n{}\n")
	})
	long, short := r.Store().Message("s", 1), r.Store().Message("s", 2)
	if !long.Cut || long.Size != 29 || string(long.Raw) != "aaaaaaaaaa" || long.Fault != FaultCut {
		t.Errorf("long %+v", long)
	}
	if short.Cut || string(short.Raw) != "{}\n" {
		t.Errorf("short %+v", short)
	}
}

// What finds the queue full is a gap that everybody can see, and the lines
// after it are whole again.
func TestGap(t *testing.T) {
	r, _ := capture(t, Config{QueueBytes: 100}, func(r *Recorder) {
		tape := r.Open(Opening{ID: "s", At: time.Now()})
		say(tape, MinerToPool, `{"id":1}`+"\n")
		synctest.Wait()
		time.Sleep(time.Second)
		say(tape, MinerToPool, `{"id":2,`)
		time.Sleep(time.Second)
		if mark := tape.Chunk(MinerToPool, []byte(strings.Repeat("x", 101)), time.Now()); mark != nil {
			t.Error("more was taken than the queue holds")
		}
		say(tape, MinerToPool, "tail}\n"+`{"id":3}`+"\n")
	})
	m := r.Store().Message("s", 2)
	s, _ := r.Store().Session("s")
	if m.ID != "3" || m.Gap != 101+8+6 || s.Gaps != 1 || s.LostBytes != 101+8+6 {
		t.Errorf("message %+v, session %+v", m, s)
	}
	if chunks, lost := r.Losses(); chunks != 1 || lost != 101 {
		t.Errorf("%d chunks, %d bytes lost", chunks, lost)
	}
}

// A password is masked in lines that are no JSON, too: half of one, one that was
// cut, one with a mistake in it.
func TestMaskBroken(t *testing.T) {
	for _, c := range [][2]string{
		{`{"id":2,"method":"mining.authorize","params":["a.b","hunter2`, `{"id":2,"method":"mining.authorize","params":["a.b","********"`},
		{`{"params":["a.b", "hunter2"], "method":"mining.authorize"` + "\r\n", `{"params":["a.b","********"` + "\r\n"},
		{`{"id":2,"method":"mining.authorize","params":["a.b"` + "\n", ""},
		{`{"id":2,"method":"mining.submit","params":["a.b","c"` + "\n", ""},
	} {
		r, _ := capture(t, Config{}, func(r *Recorder) {
			tape := r.Open(Opening{ID: "s", At: time.Now()})
			say(tape, MinerToPool, c[0])
			tape.Close("closed_by_miner", time.Now())
		})
		m := r.Store().Message("s", 1)
		if want := cmp.Or(c[1], c[0]); string(m.Raw) != want || m.Masked != (c[1] != "") {
			t.Errorf("%q is kept as %q, masked %t", c[0], m.Raw, m.Masked)
		}
	}
}

// Lines of a tap are whole: those after a gap are all there, and what was begun
// at the end is marked. What was said before is known, in printable words.
func TestLines(t *testing.T) {
	r, sink := capture(t, Config{QueueBytes: 100}, func(r *Recorder) {
		r.Store().mu.RLock() // somebody reads for long
		tape := r.OpenSoon(Opening{ID: NewID(), At: time.Now(), Known: &Known{UserAgent: "a\x00b", Workers: []string{"w\n"}, Difficulty: 3}})
		r.Store().mu.RUnlock()
		line := []byte(`{"id":1,"method":"a"}` + "\r\n")
		tape.Line(MinerToPool, line, time.Now())
		clear(line)
		synctest.Wait()
		tape.Line(MinerToPool, []byte(strings.Repeat("x", 101)+"\n"), time.Now())
		tape.Line(MinerToPool, []byte(`{"id":2}`+"\n"), time.Now())
		tape.Line(PoolToMiner, []byte(`{"id":1,"result":true}`+"\n"), time.Now())
		tape.Line(MinerToPool, []byte(`{"id`), time.Now())
		tape.Close("closed_by_miner", time.Now())
	})
	s := r.Store().Sessions()[0]
	var got []string
	for _, m := range sink.captured {
		if m.Forwarded != m.Received && !m.Tail {
			t.Errorf("message %d: read at %v, written at %v", m.N, m.Received, m.Forwarded)
		}
		got = append(got, fmt.Sprintf("%s%q gap %d tail %t", m.Direction, m.Raw, m.Gap, m.Tail))
	}
	want := []string{`miner_to_pool"{\"id\":1,\"method\":\"a\"}\r\n" gap 0 tail false`, `miner_to_pool"{\"id\":2}\n" gap 102 tail false`,
		`pool_to_miner"{\"id\":1,\"result\":true}\n" gap 0 tail false`, `miner_to_pool"{\"id" gap 0 tail true`}
	if !slices.Equal(got, want) {
		t.Errorf("messages\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if s.UserAgent != "ab" || !slices.Equal(s.Workers, []string{"w"}) || s.Difficulty != 3 || s.Reason != "closed_by_miner" || s.LostBytes != 102 {
		t.Errorf("session %+v", s)
	}
	if first := sink.sessions[0]; first.ID != s.ID || len(s.ID) != 36 || s.ID[14] != '4' {
		t.Errorf("first told of %q, session %q", first.ID, s.ID)
	}
}

// Lines that come together are handled together, a moment later, and with the
// times that they had.
func TestGather(t *testing.T) {
	r, sink := capture(t, Config{Gather: time.Millisecond}, func(r *Recorder) {
		tape := r.Open(Opening{ID: "s", At: time.Now()})
		for range 5 {
			say(tape, MinerToPool, "{}\n")
			time.Sleep(100 * time.Microsecond)
		}
		synctest.Wait()
		if m := r.Store().Message("s", 1); m != nil {
			t.Errorf("handled at once: %+v", m)
		}
		time.Sleep(600 * time.Microsecond)
		synctest.Wait()
		if m := r.Store().Message("s", 5); m == nil || m.Received.Nanosecond() != 400_000 || m.Forwarded.Sub(m.Received) != 30*time.Microsecond {
			t.Errorf("not handled after a moment: %+v", m)
		}
	})
	if s, _ := r.Store().Session("s"); s.Messages != 5 || len(sink.captured) != 5 {
		t.Errorf("session %+v", s)
	}
}

// A chunk that the other side takes late gets its time then.
func TestLateForwarding(t *testing.T) {
	r, sink := capture(t, Config{}, func(r *Recorder) {
		tape := r.Open(Opening{ID: "s", At: time.Now()})
		mark := tape.Chunk(MinerToPool, []byte("{}\n"), time.Now())
		time.Sleep(10 * time.Second)
		if m := r.Store().Message("s", 1); m == nil || !m.Forwarded.IsZero() {
			t.Errorf("message %+v", m)
		}
		mark.Forwarded(time.Now())
		time.Sleep(time.Second)
	})
	m := r.Store().Message("s", 1)
	if m.Forwarded.Sub(m.Received) != 10*time.Second || !slices.Equal(sink.frames, []string{"1", "1'"}) {
		t.Errorf("message %+v, frames %v", m, sink.frames)
	}
}

// All limits of the store hold at any time, and ids stay findable.
func TestLimits(t *testing.T) {
	limits := Limits{Messages: 100, PerSession: 30, Bytes: 60 * messageOverhead, Sessions: 5}
	random := rand.New(rand.NewPCG(3, 4))
	r, _ := capture(t, Config{Limits: limits}, func(r *Recorder) {
		var tapes []*Tape
		for i := range 3000 {
			if len(tapes) < 8 {
				tapes = append(tapes, r.Open(Opening{ID: fmt.Sprint("s", i), At: time.Now()}))
			}
			at := random.IntN(len(tapes))
			say(tapes[at], MinerToPool, `{"id":`+fmt.Sprint(i)+`,"method":"m"}`+"\n")
			if random.IntN(40) == 0 {
				tapes[at].Close("miner_closed", time.Now())
				tapes = slices.Delete(tapes, at, at+1)
			}
			if i%100 == 0 {
				time.Sleep(10 * time.Millisecond)
				u := r.Store().Usage()
				if u.Messages > limits.Messages || u.Bytes > limits.Bytes || u.Sessions-u.Live > limits.Sessions+1 {
					t.Fatalf("usage %+v", u)
				}
				sum, kept := 0, 0
				r.Store().Latest("", func(m *Message) bool {
					kept++
					sum += m.cost()
					if r.Store().Message(m.Session, m.N) != m {
						t.Fatalf("message %s is not found", m.MessageID())
					}
					return true
				})
				if kept != u.Messages || sum != u.Bytes {
					t.Fatalf("%d messages of %d bytes, counted %+v", kept, sum, u)
				}
				for _, s := range r.Store().Sessions() {
					if s.Kept > limits.PerSession {
						t.Fatalf("session %+v", s)
					}
				}
			}
		}
	})
	if u := r.Store().Usage(); u.Evicted == 0 {
		t.Error("nothing was evicted")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"id":1,"method":"mining.submit","params":["a","\ud83d",null,1e400]}`))
	f.Add([]byte(`{"id":{"a":[1,2]},"result":"\\ud83d","error":[1,"x",{}]}`))
	f.Add([]byte("\xff{}"))
	f.Add([]byte(`{"id":2,"method":"mining.authorize","params":["u",{"p":["]"]} ]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m := &Message{Raw: raw, Size: len(raw), Session: "s", N: 1}
		fields := m.parse()
		if m.Fault == "" {
			var oracle map[string]json.RawMessage
			if err := json.Unmarshal(raw, &oracle); err != nil {
				t.Fatalf("%q is no object, and nobody said so: %v", raw, err)
			}
			for name, got := range map[string]json.RawMessage{"id": fields.ID, "method": fields.Method, "params": fields.Params, "result": fields.Result, "error": fields.Error} {
				if want, ok := oracle[name]; ok != (got != nil) && !strings.Contains(string(raw), `\u`) || got != nil && string(want) != string(got) {
					t.Fatalf("%q: %s is %s, not %s", raw, name, got, want)
				}
			}
		}
		if m.Method == "mining.authorize" {
			m.hidePasswords(fields)
			if !json.Valid(m.Raw) {
				t.Fatalf("%q masked is %q", raw, m.Raw)
			}
		}
		checkJSON(t, m)
	})
}

func BenchmarkRecord(b *testing.B) {
	line := []byte(`{"id": 4, "method": "mining.submit", "params": ["bc1qexample.rig1", "3f1", "0000000000000000", "68a00000", "58f90070", "083ac000"]}` + "\n")
	r := New(Config{}, slog.New(slog.DiscardHandler))
	tape := r.Open(Opening{ID: "s", At: time.Now()})
	mark := new(Mark)
	mark.Forwarded(time.Now())
	b.ReportAllocs()
	for b.Loop() {
		r.handle(event{kind: eventChunk, tape: tape, bytes: line, at: time.Now(), mark: mark})
	}
}
