package miner

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestParseMessage(t *testing.T) {
	for _, c := range []struct {
		line string
		want Message
	}{
		{`{"id":3,"result":true,"error":null}`, Message{ID: json.RawMessage("3"), Result: json.RawMessage("true")}},
		{`{"id":3,"result":true}`, Message{ID: json.RawMessage("3"), Result: json.RawMessage("true")}},
		{`{"id":3,"result":true,"error":[]}`, Message{ID: json.RawMessage("3"), Result: json.RawMessage("true")}},
		{`{"id":"3","result":null,"error":[23,"Above target",null]}`, Message{ID: json.RawMessage(`"3"`), Error: &ReplyError{23, "Above target"}}},
		{`{"id":3,"result":false,"error":{"code":-3,"message":"no"}}`, Message{ID: json.RawMessage("3"), Result: json.RawMessage("false"), Error: &ReplyError{-3, "no"}}},
		{`{"id":3,"result":null,"error":"banned"}`, Message{ID: json.RawMessage("3"), Error: &ReplyError{0, "banned"}}},
		{`{"id":3,"result":null,"error":[20]}`, Message{ID: json.RawMessage("3"), Error: &ReplyError{Code: 20}}},
		{`{"id":3,"result":null,"error":7}`, Message{ID: json.RawMessage("3"), Error: &ReplyError{Text: "7"}}},
		{` {"id":null,"method":"mining.set_difficulty","params":[0.5]} `, Message{Method: "mining.set_difficulty", Params: []json.RawMessage{json.RawMessage("0.5")}}},
		{`{"method":"mining.ping","id":9}`, Message{ID: json.RawMessage("9"), Method: "mining.ping"}},
		{`{"id":4,"result":7,"error":null,"params":{"odd":1}}`, Message{ID: json.RawMessage("4"), Result: json.RawMessage("7")}},
	} {
		got, err := ParseMessage([]byte(c.line))
		if err != nil {
			t.Errorf("%s: %v", c.line, err)
			continue
		}
		if diff := cmp.Diff(c.want, *got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", c.line, diff)
		}
	}
	for _, line := range []string{``, `null`, `[]`, `7`, `{`, `{"id":1}x`, `{"method":1,"params":[]}`, `{"method":"","params":[]}`, `{"method":"mining.notify","params":{}}`} {
		if m, err := ParseMessage([]byte(line)); !errors.Is(err, ErrBadMessage) {
			t.Errorf("%s = %+v, %v", line, m, err)
		}
	}
}

func TestReplyVerdict(t *testing.T) {
	for _, c := range []struct {
		line    string
		ok      bool
		refusal string
	}{
		{`{"id":1,"result":true,"error":null}`, true, ""},
		{`{"id":1,"result":false,"error":null}`, false, "refused without a reason"},
		{`{"id":1,"result":null,"error":null}`, false, "refused without a reason"},
		{`{"id":1,"result":true,"error":[21,"Stale",null]}`, false, "Stale"},
		{`{"id":1,"result":"true","error":null}`, false, "refused without a reason"},
		{`{"id":1,"error":[25,null,null]}`, false, "error 25"},
		{`{"id":1,"error":[20,"a\u0007b",null]}`, false, "a b"},
	} {
		m, err := ParseMessage([]byte(c.line))
		if err != nil {
			t.Fatal(err)
		}
		if m.OK() != c.ok {
			t.Errorf("%s: ok = %v", c.line, m.OK())
		}
		if !c.ok && m.Refusal() != c.refusal {
			t.Errorf("%s: refusal = %q, want %q", c.line, m.Refusal(), c.refusal)
		}
	}
}

func TestRequestID(t *testing.T) {
	for id, want := range map[string]int64{`7`: 7, `"7"`: 7, `-2`: -2} {
		m := Message{ID: json.RawMessage(id)}
		if got, ok := m.RequestID(); !ok || got != want {
			t.Errorf("id %s = %d, %v", id, got, ok)
		}
	}
	for _, id := range []string{``, `"a"`, `1.5`, `[1]`, `99999999999999999999`} {
		m := Message{ID: json.RawMessage(id)}
		if got, ok := m.RequestID(); ok {
			t.Errorf("id %s = %d", id, got)
		}
	}
}

func TestParseSubscription(t *testing.T) {
	for _, c := range []struct {
		result string
		en1    string
		size   int
	}{
		{`[[["mining.set_difficulty","a"],["mining.notify","a"]],"1a2b3c4d",8]`, "\x1a\x2b\x3c\x4d", 8},
		{`[[],"",2]`, "", 2},
		{`[null,"FF","16"]`, "\xff", 16},
		{`[["mining.notify","a"],"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",4,"more"]`,
			"\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff", 4},
	} {
		s, err := ParseSubscription(json.RawMessage(c.result))
		if err != nil || string(s.Extranonce1) != c.en1 || s.Extranonce2Size != c.size {
			t.Errorf("%s = %x, %d, %v", c.result, s.Extranonce1, s.Extranonce2Size, err)
		}
	}
	for _, result := range []string{``, `true`, `[]`, `[[],"00"]`, `[[],"0",4]`, `[[],"zz",4]`, `[[],7,4]`, `[[],"00",0]`, `[[],"00",17]`, `[[],"00",2.5]`, `[[],"00",null]`, `[[],"` + strings.Repeat("00", 33) + `",4]`} {
		if s, err := ParseSubscription(json.RawMessage(result)); !errors.Is(err, ErrBadSubscription) {
			t.Errorf("%s = %+v, %v", result, s, err)
		}
	}
}

func TestParseDifficulty(t *testing.T) {
	for in, want := range map[string]float64{`1024`: 1024, `0.00015`: 0.00015, `"512"`: 512, `1e-7`: 1e-7} {
		if got, ok := ParseDifficulty([]json.RawMessage{json.RawMessage(in)}); !ok || got != want {
			t.Errorf("%s = %v, %v", in, got, ok)
		}
	}
	for _, in := range []string{`0`, `-1`, `"x"`, `null`, `[1]`, `true`, `"NaN"`, `"Inf"`, `1e999`} {
		if got, ok := ParseDifficulty([]json.RawMessage{json.RawMessage(in)}); ok {
			t.Errorf("%s = %v", in, got)
		}
	}
	if _, ok := ParseDifficulty(nil); ok {
		t.Error("no parameters are a difficulty")
	}
}

// Whatever a pool sends, the parser agrees with encoding/json about what is an
// object, and everything behind it holds.
func FuzzHandle(f *testing.F) {
	for _, line := range []string{
		`{"id":2,"result":[[["mining.notify","a"]],"1a2b3c4d",8],"error":null}`,
		`{"id":1,"result":{"version-rolling":true,"version-rolling.mask":"1fffe000"},"error":null}`,
		`{"id":3,"result":true,"error":null}`,
		`{"id":10,"result":null,"error":[21,"Stale",null]}`,
		`{"id":null,"method":"mining.set_difficulty","params":[1024]}`,
		`{"id":null,"method":"mining.set_extranonce","params":["00",4]}`,
		`{"id":null,"method":"mining.set_version_mask","params":["1fffe000"]}`,
		`{"id":5,"method":"client.reconnect","params":["pool.example",3334,2]}`,
		`{"id":5,"method":"client.show_message","params":["hello"]}`,
		`{"id":"x","method":"mining.ping"}`,
		notifyLine(jobLine{id: "1", clean: true}),
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		var object map[string]json.RawMessage
		isObject := json.Unmarshal([]byte(line), &object) == nil && object != nil
		m, err := ParseMessage([]byte(line))
		if err == nil && !isObject {
			t.Fatalf("accepted what is no object: %q", line)
		}
		if err == nil && m.Error != nil && (m.Refusal() == "" || !utf8.ValidString(m.Refusal())) {
			t.Fatalf("refusal %q", m.Refusal())
		}

		s := testSession(t)
		go func() {
			for range s.outbox {
			}
		}()
		defer close(s.outbox)
		for _, setup := range []string{
			`{"id":2,"result":[[],"1a2b3c4d",8],"error":null}`,
			`{"id":3,"result":true,"error":null}`,
			notifyLine(jobLine{id: "1", clean: true}),
		} {
			if err := s.handle([]byte(setup)); err != nil {
				t.Fatal(err)
			}
		}
		_ = s.handle([]byte(line)) // any verdict, no panic
		_ = s.handle([]byte(notifyLine(jobLine{id: "2"})))
		if w := s.board.current.Load(); w == nil || w.difficulty <= 0 || w.extranonce.Extranonce2Size < 1 {
			t.Fatalf("work after %q: %+v", line, w)
		}
	})
}
