package relay

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

// heard is a miner's connection that keeps what it is sent.
type heard struct {
	net.Conn
	bytes.Buffer
}

func (h *heard) Read([]byte) (int, error)        { return 0, io.EOF }
func (h *heard) Write(b []byte) (int, error)     { return h.Buffer.Write(b) }
func (h *heard) Close() error                    { return nil }
func (h *heard) RemoteAddr() net.Addr            { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }
func (h *heard) LocalAddr() net.Addr             { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 2} }
func (h *heard) SetDeadline(time.Time) error     { return nil }
func (h *heard) SetReadDeadline(time.Time) error { return nil }

// sieveBench is a session of which only the sieve works.
type sieveBench struct {
	*Session
	miner   *heard
	waiting map[string]*injection
}

func newSieve(t testing.TB, mode ReconnectMode, ids ...string) *sieveBench {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	server, err := New(Config{Upstreams: []Upstream{{Host: "p.x", Port: 3333}}, Reconnect: mode}, capture.New(capture.Config{QueueChunks: 1}, log), log)
	if err != nil {
		t.Fatal(err)
	}
	b := &sieveBench{miner: &heard{}, waiting: make(map[string]*injection)}
	b.Session = server.newSession(newWire(b.miner), ends{})
	b.pool, b.upstream = newWire(&heard{}), server.pools.all[0]
	b.sieve.init(b.Session)
	for _, id := range ids {
		b.waiting[id] = &injection{id: id, answer: make(chan answer, 1)}
		if err := b.private.add(b.waiting[id]); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { b.end(ReasonDisconnected, false) })
	return b
}

// feed gives the sieve a stream in pieces.
func (b *sieveBench) feed(t testing.TB, pieces ...[]byte) {
	t.Helper()
	at := time.Unix(1700000000, 0)
	for _, piece := range pieces {
		if len(piece) == 0 {
			continue
		}
		if err := b.sieve.relay(bytes.Clone(piece), at); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.sieve.rest(at); err != nil {
		t.Fatal(err)
	}
}

// answers are the lines that were taken out, by their ids.
func (b *sieveBench) answers() map[string]string {
	out := make(map[string]string)
	for id, in := range b.waiting {
		select {
		case a := <-in.answer:
			out[id] = string(a.line)
		default:
		}
	}
	return out
}

func TestSieveTakesAnswersOut(t *testing.T) {
	for name, tc := range map[string]struct {
		stream, passed string
		answers        map[string]string
	}{
		"none":              {"{\"id\":1}\n", "{\"id\":1}\n", nil},
		"one":               {"a\n{\"id\":\"s-1\",\"result\":true}\nb", "a\nb", map[string]string{`"s-1"`: "{\"id\":\"s-1\",\"result\":true}\n"}},
		"CR LF and blanks":  {" { \"result\" : [ \"}\" ] , \"id\" : \"s-1\" } \r\n", "", map[string]string{`"s-1"`: " { \"result\" : [ \"}\" ] , \"id\" : \"s-1\" } \r\n"}},
		"number":            {"{\"id\":90071992547}\n", "", map[string]string{"90071992547": "{\"id\":90071992547}\n"}},
		"number of Lua":     {"{\"id\":90071992547.0}\n", "", map[string]string{"90071992547": "{\"id\":90071992547.0}\n"}},
		"number as text":    {"{\"id\":\"90071992547\"}\n", "{\"id\":\"90071992547\"}\n", nil},
		"escaped":           {"{\"\\u0069d\":\"s\\u002d1\"}\n", "", map[string]string{`"s-1"`: "{\"\\u0069d\":\"s\\u002d1\"}\n"}},
		"no LF at the end":  {"{\"id\":\"s-1\"}", "", map[string]string{`"s-1"`: "{\"id\":\"s-1\"}"}},
		"twice":             {"{\"id\":\"s-1\"}\n{\"id\":\"s-1\",\"error\":1}\n", "{\"id\":\"s-1\",\"error\":1}\n", map[string]string{`"s-1"`: "{\"id\":\"s-1\"}\n"}},
		"inside":            {"{\"id\":1,\"result\":{\"id\":\"s-1\"}}\n", "{\"id\":1,\"result\":{\"id\":\"s-1\"}}\n", nil},
		"in a text":         {"{\"id\":1,\"result\":\"\\\"id\\\":\\\"s-1\\\"\"}\n", "{\"id\":1,\"result\":\"\\\"id\\\":\\\"s-1\\\"\"}\n", nil},
		"in an array":       {"[{\"id\":\"s-1\"}]\n", "[{\"id\":\"s-1\"}]\n", nil},
		"longer than a key": {"{\"" + strings.Repeat("k", 500) + "\":1,\"id\":\"" + strings.Repeat("s-1", 99) + "\"}\n", "{\"" + strings.Repeat("k", 500) + "\":1,\"id\":\"" + strings.Repeat("s-1", 99) + "\"}\n", nil},
		"both":              {"{\"id\":90071992547}\nx\n{\"id\":\"s-1\"}\n", "x\n", map[string]string{`"s-1"`: "{\"id\":\"s-1\"}\n", "90071992547": "{\"id\":90071992547}\n"}},
	} {
		for _, split := range []string{"whole", "bytes"} {
			t.Run(name+"/"+split, func(t *testing.T) {
				b := newSieve(t, ReconnectHold, `"s-1"`, "90071992547")
				if split == "whole" {
					b.feed(t, []byte(tc.stream))
				} else {
					b.feed(t, bytes.SplitAfter([]byte(tc.stream), nil)...)
				}
				if got := b.miner.String(); got != tc.passed {
					t.Errorf("the miner got %q, want %q", got, tc.passed)
				}
				got := b.answers()
				for id, want := range tc.answers {
					if got[id] != want {
						t.Errorf("answer to %s: %q, want %q", id, got[id], want)
					}
				}
				if len(got) != len(tc.answers) {
					t.Errorf("answers %q", got)
				}
			})
		}
	}
}

// A line is held back only while it may be one of those that the miner must
// not get.
func TestSieveHoldsNothingBackNeedlessly(t *testing.T) {
	for _, tc := range []struct {
		name, text, passed string
		mode               ReconnectMode
		ids                []string
	}{
		{"nothing to look for", `{"id":`, `{"id":`, ReconnectPass, nil},
		{"no object", `GET / HT`, `GET / HT`, ReconnectHold, []string{`"s-1"`}},
		{"method known", `{"params":[],"method":"mining.notify","x`, `{"params":[],"method":"mining.notify","x`, ReconnectHold, nil},
		{"method unknown", `{"params":[],"id":5,"x":"`, ``, ReconnectHold, nil},
		{"id known", `{"id":5,"result":[[`, `{"id":5,"result":[[`, ReconnectPass, []string{`"s-1"`}},
		{"id unknown", `{"result":[[`, ``, ReconnectPass, []string{`"s-1"`}},
		{"id known, method not", `{"id":5,"result":[[`, ``, ReconnectHold, []string{`"s-1"`}},
		{"object over", `{"id":5} {"id":"s-1`, `{"id":5} {"id":"s-1`, ReconnectHold, []string{`"s-1"`}},
		{"after whole lines", "a\nb\n{\"i", "a\nb\n", ReconnectHold, nil},
		{"very long", `{"result":"` + strings.Repeat("x", maxHeld), `{"result":"` + strings.Repeat("x", maxHeld), ReconnectHold, []string{`"s-1"`}},
	} {
		b := newSieve(t, tc.mode, tc.ids...)
		if err := b.sieve.relay([]byte(tc.text), time.Now()); err != nil {
			t.Fatal(err)
		}
		if got := b.miner.String(); got != tc.passed {
			t.Errorf("%s: the miner got %.60q, want %.60q", tc.name, got, tc.passed)
		}
	}
}

func TestSieveBarsReconnect(t *testing.T) {
	const line = `{"id":null,"method":"client.reconnect","params":["p.x",3333,1]}` + "\n"
	long := strings.Repeat("x", maxHeld+100)
	for name, tc := range map[string]struct {
		stream, passed string
		asked          uint64
		ended          bool // at once
	}{
		"plain":            {"a\n" + line + "b\n", "a\nb\n", 1, false},
		"twice":            {line + line, "", 2, false},
		"method last":      {`{"params":[],"id":null,"method":"client.reconnect"}` + "\n", "", 1, false},
		"upper-case key":   {`{"Method":"client.reconnect"}` + "\n", "", 1, false},
		"hidden":           {`{"m\u0065thod":"client\u002ereconnect"}` + "\n", "", 1, false},
		"second of two":    {`{"id":1,"method":"x","method":"client.reconnect"}` + "\n", "", 1, false},
		"no LF":            {strings.TrimSuffix(line, "\n"), "", 1, false},
		"in a text":        {`{"id":1,"method":"client.show_message","params":["client.reconnect"]}` + "\nb", `{"id":1,"method":"client.show_message","params":["client.reconnect"]}` + "\nb", 0, false},
		"an error":         {`{"id":1,"error":"client.reconnect"}` + "\n", `{"id":1,"error":"client.reconnect"}` + "\n", 0, false},
		"long, named soon": {`{"method":"client.reconnect","params":["` + long + `"]}` + "\nb\n", "b\n", 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			b := newSieve(t, ReconnectHold)
			b.feed(t, []byte(tc.stream))
			if got := b.miner.String(); got != tc.passed {
				t.Errorf("the miner got %.80q, want %.80q", got, tc.passed)
			}
			if got := b.server.reconnects.Load(); got != tc.asked {
				t.Errorf("%d counted, want %d", got, tc.asked)
			}
		})
	}

	// Of a line that was passed on before it showed itself the miner never
	// gets the end.
	for name, first := range map[string]string{
		"padding":     `{"params":["` + long,
		"two methods": `{"id":1,"method":"x","params":["`,
	} {
		t.Run(name, func(t *testing.T) {
			b := newSieve(t, ReconnectHold)
			b.feed(t, []byte(first), []byte(`"],"method":"client.reconnect"}`+"\n"), []byte("b\n"))
			if got := b.miner.String(); !strings.HasPrefix(got, first) || strings.Contains(got, "client.reconnect") {
				t.Errorf("the miner got …%q", got[max(0, len(got)-40):])
			}
			select {
			case <-b.Ended():
			default:
				t.Error("the session goes on")
			}
		})
	}

	t.Run("pass", func(t *testing.T) {
		b := newSieve(t, ReconnectPass, `"s-1"`)
		b.feed(t, []byte(line))
		if got := b.miner.String(); got != line {
			t.Errorf("the miner got %q", got)
		}
	})
}

// What is given up is still kept from the miner, and only so much of it is
// remembered.
func TestSieveSwallowsLateAnswers(t *testing.T) {
	b := newSieve(t, ReconnectHold)
	for i := range maxLate + 10 {
		id := `"s-` + string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676)) + `"`
		if err := b.private.add(&injection{id: id, answer: make(chan answer, 1)}); err != nil {
			t.Fatal(err)
		}
		b.private.giveUp(id)
	}
	if n, old := b.private.active.Load(), len(b.private.old); n != maxLate || old > 2*maxLate || b.server.forgotten.Load() != 10 {
		t.Errorf("%d ids are remembered, in a list of %d; %d forgotten", n, old, b.server.forgotten.Load())
	}
	b.feed(t, []byte("{\"id\":\"s-zza\"}\n{\"id\":\"s-aaa\"}\n"))
	if got := b.miner.String(); got != "{\"id\":\"s-aaa\"}\n" || b.server.lateAnswers.Load() != 1 {
		t.Errorf("the miner got %q; %d late answers", got, b.server.lateAnswers.Load())
	}
}

// members lists the values of id and method of an object, as encoding/json
// reads them.
func members(line []byte) (ids, methods []string, ok bool) {
	if !json.Valid(line) {
		return nil, nil, false
	}
	d := json.NewDecoder(bytes.NewReader(line))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, nil, true
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, nil, false
		}
		var value json.RawMessage
		if d.Decode(&value) != nil {
			return nil, nil, false
		}
		text := strings.TrimSuffix(string(value), ".0")
		var s string
		if value[0] == '"' && json.Unmarshal(value, &s) == nil {
			text = `"` + s + `"`
		}
		switch name := key.(string); {
		case name == "id":
			ids = append(ids, text)
		case strings.EqualFold(name, "method"):
			methods = append(methods, text)
		}
	}
	return ids, methods, true
}

// expect says what is to become of a stream, line by line. It gives up on
// lines that say something twice: of them the miner may get the beginning.
func expect(stream []byte, hold bool, private map[string]bool) (passed []byte, answers map[string]string, asked uint64, ok bool) {
	answers = make(map[string]string)
	for _, line := range bytes.SplitAfter(stream, []byte("\n")) {
		ids, methods, valid := members(line)
		if !valid {
			// Only what the scanner itself makes of it, in one piece.
			s := scanner{private: func(id []byte) bool { return private[string(id)] }}
			s.scan(line)
			if s.mine != nil {
				ids = []string{string(s.mine)}
			}
			if s.moves {
				methods = []string{`"client.reconnect"`}
			}
			if bytes.Count(line, []byte("id")) > 1 || bytes.Count(bytes.ToLower(line), []byte("method")) > 1 || bytes.Contains(line, []byte(`\`)) {
				return nil, nil, 0, false
			}
		}
		if len(ids) > 1 || len(methods) > 1 || len(line) > maxHeld {
			return nil, nil, 0, false
		}
		switch {
		case len(ids) == 1 && private[ids[0]]:
			delete(private, ids[0])
			answers[ids[0]] = string(line)
		case hold && len(methods) == 1 && methods[0] == `"client.reconnect"`:
			asked++
		default:
			passed = append(passed, line...)
		}
	}
	return passed, answers, asked, true
}

// The sieve does the same whatever pieces the stream comes in, and that is
// what encoding/json says is right.
func FuzzSieve(f *testing.F) {
	f.Add([]byte("{\"id\":\"s-1\",\"result\":true}\n{\"id\":1}\nx"), uint64(1), true)
	f.Add([]byte("{\"params\":[\"h\",1,2],\"method\":\"client.reconnect\",\"id\":7}\r\n\n{}"), uint64(2), true)
	f.Add([]byte("{\"id\":7,\"a\":{\"id\":\"s-1\",\"b\":[\"]}\"]}}\n{\"m\\u0065thod\":\"client\\u002ereconnect\"}\n{\"id\":7.0}"), uint64(3), false)
	f.Fuzz(func(t *testing.T, stream []byte, seed uint64, hold bool) {
		passed, answers, asked, ok := expect(stream, hold, map[string]bool{`"s-1"`: true, "7": true})
		if !ok {
			t.Skip()
		}
		mode := ReconnectPass
		if hold {
			mode = ReconnectHold
		}
		b := newSieve(t, mode, `"s-1"`, "7")
		var pieces [][]byte
		random := rand.New(rand.NewPCG(seed, 0))
		for rest := stream; len(rest) > 0; {
			n := 1 + random.IntN(len(rest))
			pieces = append(pieces, rest[:n])
			rest = rest[n:]
		}
		b.feed(t, pieces...)
		if got := b.miner.Bytes(); !bytes.Equal(got, passed) {
			t.Errorf("the miner got %q, want %q", got, passed)
		}
		if got := b.server.reconnects.Load(); got != asked {
			t.Errorf("%d client.reconnect, want %d", got, asked)
		}
		for id, line := range b.answers() {
			if answers[id] != line {
				t.Errorf("answer to %s: %q, want %q", id, line, answers[id])
			}
			delete(answers, id)
		}
		if len(answers) > 0 {
			t.Errorf("no answers %q", answers)
		}
	})
}

func TestPlainID(t *testing.T) {
	for id, want := range map[string]bool{
		`"a"`: true, `"poolscope-x-1"`: true, "0": true, "7": true, "90071992547": true,
		``: false, `"`: false, `""`: false, `"a`: false, `"a\n"`: false, `"a"b"`: false, "007": false, "-1": false, "1.5": false, "null": false, `"` + strings.Repeat("a", 200) + `"`: false,
	} {
		if plainID(id) != want {
			t.Errorf("%q: %t", id, !want)
		}
	}
}

func TestOneLine(t *testing.T) {
	for _, tc := range []struct {
		line, id, want string
		err            error
	}{
		{`{"id":"a"}`, `"a"`, "{\"id\":\"a\"}\n", nil},
		{"{\"id\":\"a\"}\r\n", `"a"`, "{\"id\":\"a\"}\r\n", nil},
		{`{"method":"x","id":5}`, "5", "{\"method\":\"x\",\"id\":5}\n", nil},
		{"{\"id\":5}\n{\"id\":6}\n", "5", "", ErrBadLine},
		{"{\"id\":5}\n\n", "5", "", ErrBadLine},
		{`{"id":5}`, "6", "", ErrBadLine},
		{`{"id":5`, "5", "", ErrBadLine},
		{`{"id":5} x`, "5", "", ErrBadLine},
		{``, "5", "", ErrBadLine},
		{`[5]`, "5", "", ErrBadLine},
		{`{"id":5,"x":"` + strings.Repeat("x", maxInjectedLine) + `"}`, "5", "", ErrBadLine},
		{`{"id":null}`, "null", "", ErrWireID},
	} {
		got, err := oneLine([]byte(tc.line), tc.id)
		if string(got) != tc.want || !errors.Is(err, tc.err) {
			t.Errorf("%.40q: %.40q, %v", tc.line, got, err)
		}
	}
}
