package scope

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// oddLine is a line that is no ordinary Stratum, or hardly, and what the API
// says of it.
type oddLine struct {
	name, line string // without the line feed
	fault      string // parse_error; "" for null
	decoded    bool
}

// oddLines are those of the reference, sections 1.3 and 1.5.
func oddLines() []oddLine {
	const (
		utf8Error, empty, notJSON, notObject = "UTF-8 decode error", "Empty message", "JSON parse error", "Message is not a JSON object"
		badID, badMethod, badParams          = "Parse error: id is not an integer, a string or null", "Parse error: method is not a string or null", "Parse error: params is not an array, an object or null"
	)
	nested := func(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }
	return []oddLine{
		{"blanks around", "  \t{\"id\":101,\"method\":\"a\"}  \t", "", true},
		{"CR LF", "{\"id\":102,\"method\":\"a\"}\r", "", true},
		{"keys twice", `{"id":103,"method":"a","id":104,"method":"b"}`, "", true},
		{"invalid JSON", `{"id":105,`, notJSON, false},
		{"text after JSON", `{"id":106} x`, notJSON, false},
		{"two objects", `{"id":107}{"id":108}`, notJSON, false},
		{"byte order mark", "\ufeff{\"id\":109}", notJSON, false},
		{"not UTF-8", "\xff\xfe{\"id\":110}", utf8Error, false},
		{"not UTF-8 inside", "{\"id\":111,\"method\":\"caf\xe9\"}", utf8Error, false},
		{"array", `[1,2,3]`, notObject, false},
		{"number", `7`, notObject, false},
		{"string", `"mining.subscribe"`, notObject, false},
		{"null", `null`, notObject, false},
		{"empty", "", empty, false},
		{"blanks only", " \t \r", empty, false},
		{"HTTP", "GET / HTTP/1.1\r", notJSON, false},
		{"empty object", `{}`, "", true},
		{"id with a fraction of zero", `{"id":1.0,"method":"x.a"}`, "", true},
		{"id with a fraction", `{"id":1.5,"method":"x.b"}`, badID, true},
		{"id true", `{"id":true,"method":"x.c"}`, badID, true},
		{"id an object", `{"id":{"a":1},"method":"x.d"}`, badID, true},
		{"huge id", `{"id":123456789012345678901234567890,"method":"x.e"}`, "", true},
		{"method a number", `{"id":112,"method":5}`, badMethod, true},
		{"params a string", `{"id":113,"method":"x.f","params":"w"}`, badParams, true},
		{"infinite number", `{"id":114,"method":"x.g","params":[1e400,-1e999]}`, "", true},
		{"half a surrogate pair", `{"id":115,"method":"x.h","params":["\ud83d","\udc00 x","\uD800\u0041"]}`, "", true},
		{"nested 1000 deep", `{"id":116,"params":` + nested(1000) + `}`, "JSON parse error: nested too deeply", false},
		{"nested 20000 deep", `{"id":117,"params":` + nested(20_000) + `}`, "JSON parse error: nested too deeply", false},
		{"zero bytes", "{\"id\":118,\"method\":\"x\x00y\"}", notJSON, false},
		{"unknown members and nulls", `{"id":119,"method":"x.i","params":[null],"result":null,"error":null,"z":{"q":1.50}}`, "", true},
	}
}

// Scenario B: whatever the bytes are, they arrive as they are, in both
// directions, and the API can be read all the same.
func TestOddLines(t *testing.T) {
	p := newPool(t)
	r := start(t, p.address())
	feed := r.watch("")
	miner, atPool := r.connect(p)
	lines := oddLines()
	for _, odd := range lines {
		miner.line(odd.line)
		if got := atPool.hear(); got != odd.line+"\n" {
			t.Errorf("%s: the pool heard %.100q", odd.name, got)
		}
		atPool.line(odd.line)
		if got := miner.hear(); got != odd.line+"\n" {
			t.Errorf("%s: the miner heard %.100q", odd.name, got)
		}
	}
	s := r.settled(2 * len(lines))
	all := r.all(s.ID)
	if len(all) != 2*len(lines) {
		t.Fatalf("%d messages", len(all))
	}
	faults := 0
	for i, m := range all {
		odd := lines[i/2]
		name := fmt.Sprintf("%s (%s)", odd.name, m.Direction)
		fault := ""
		if m.Fault != nil {
			fault = *m.Fault
			faults++
		}
		if fault != odd.fault || odd.decoded != (string(m.Decoded) != "null") || m.Size != len(odd.line)+1 || m.Truncated {
			t.Errorf("%s: fault %q, decoded %.100s, size %d, truncated %t", name, fault, m.Decoded, m.Size, m.Truncated)
		}
		raw := m.Raw
		if m.Encoding == "base64" {
			bytes, err := base64.StdEncoding.DecodeString(m.Raw)
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			raw = string(bytes)
		}
		if raw != odd.line+"\n" {
			t.Errorf("%s: raw is %.100q", name, raw)
		}
		var one message
		r.read("/api/messages/"+m.ID, &one)
	}
	if s := r.session(); s.Stats.Faults != faults {
		t.Errorf("%d parse errors are counted, not %d", s.Stats.Faults, faults)
	}
	for seen := map[string]bool{}; len(seen) < 2*len(lines); {
		m := feed.next() // strict
		seen[m.ID] = true
	}
	status, answer := r.ask(http.MethodGet, "/api/sessions/"+s.ID+"/export?format=jsonl", "")
	if status != http.StatusOK {
		t.Errorf("export: %d %s", status, answer)
	}
	for line := range strings.Lines(string(answer)) {
		strict(t, []byte(line))
	}
}

// A line of a megabyte is relayed whole, and captured in part. What comes
// without a line feed at the end is relayed and captured, too.
func TestLongLineAndTail(t *testing.T) {
	p := newPool(t)
	r := start(t, p.address())
	miner, atPool := r.connect(p)
	long := `{"id":1,"method":"x","params":["` + strings.Repeat("y", 1<<20) + `"]}`
	go miner.line(long)
	if got := atPool.hear(); got != long+"\n" {
		t.Errorf("%d bytes arrived", len(got))
	}
	go atPool.line(long)
	if got := miner.hear(); got != long+"\n" {
		t.Errorf("%d bytes came back", len(got))
	}
	const tail = `{"id":2,"method":"bye"`
	miner.say(tail)
	if err := miner.conn.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if rest, _ := atPool.read(limit); rest != tail {
		t.Errorf("the rest arrived as %q", rest)
	}
	s := r.settled(3)
	all := r.all(s.ID)
	if !all[0].Truncated || all[0].Size != len(long)+1 || !strings.HasPrefix(long, all[0].Raw) || len(all[0].Raw) < 1000 {
		t.Errorf("the long line: %d bytes of %d, truncated %t", len(all[0].Raw), all[0].Size, all[0].Truncated)
	}
	if all[2].Raw != tail {
		t.Errorf("the tail: %q", all[2].Raw)
	}
}
