package decode

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// wellFormed checks that a value can be shown: valid JSON and UTF-8, no text
// in it with control characters, no null where a list is promised.
func wellFormed(t *testing.T, value any) {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	if !utf8.Valid(text) || !json.Valid(text) {
		t.Fatalf("not JSON: %q", text)
	}
	var back any
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case string:
			if strings.ContainsFunc(v, func(r rune) bool { return !unicode.IsPrint(r) && r != utf8.RuneError }) {
				t.Fatalf("a text that is not printable: %q", v)
			}
		case []any:
			for _, e := range v {
				walk(e)
			}
		case map[string]any:
			for _, e := range v {
				walk(e)
			}
		}
	}
	walk(back)
}

// check looks at all that is decoded of a line.
func check(t *testing.T, line, question []byte, ctx Context) {
	t.Helper()
	m := Decode(line, question, ctx)
	if m.Kind == "" || m.Summary == "" || m.Problems == nil {
		t.Fatalf("incomplete: %+v", m)
	}
	wellFormed(t, m)
	if m.Job != nil && m.Job.Work != nil && len(m.Problems) == 0 && m.Job.Coinbase == nil {
		t.Fatal("a job without a coinbase")
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(`{"id":1,"method":"mining.subscribe","params":["cgminer",null]}`, ``)
	f.Add(`{"id":1,"result":[[["mining.notify","1"]],"00ff",4],"error":null}`, `{"method":"mining.subscribe"}`)
	f.Add(`{"id":1,"result":{"version-rolling":true,"version-rolling.mask":"1fffe000"}}`, `{"method":"mining.configure"}`)
	f.Add(`{"method":"mining.configure","params":[["version-rolling"],{"version-rolling.min-bit-count":2}]}`, ``)
	f.Add(`{"method":"mining.set_extranonce","params":["00",4]}`, ``)
	f.Add(`{"method":"client.reconnect","params":["h",3333,1]}`, ``)
	f.Add(`{"id":1,"error":{"code":-32601,"message":"x"}}`, `{"method":"mining.submit"}`)
	f.Add(`{"method":"mining.notify","params":["1","00","","",[],"20000000","1d00ffff","65000000",true]}`, ``)
	f.Add(`{"method":"mining.suggest_target","params":["00ff"]}`, ``)
	ctx := Context{Received: time.Unix(1700000000, 0), Extranonce1: []byte{1, 2, 3, 4}, Extranonce2Size: 4, Difficulty: 1, Work: &Work{Coinbase1: []byte{1}}}
	f.Fuzz(func(t *testing.T, line, question string) {
		check(t, []byte(line), []byte(question), Context{})
		check(t, []byte(line), []byte(question), ctx)
	})
}

// FuzzCoinbase decodes any bytes as the halves of a coinbase.
func FuzzCoinbase(f *testing.F) {
	for _, v := range vectors(f) {
		var params []json.RawMessage
		if json.Unmarshal(v.Notify, &params) == nil {
			one, _ := hexOf(params[2])
			two, _ := hexOf(params[3])
			f.Add(one, two, unhex(f, v.Enonce1), uint8(4))
		}
	}
	f.Fuzz(func(t *testing.T, one, two, extra1 []byte, size2 uint8) {
		for _, ctx := range []Context{{}, {Extranonce1: extra1, Extranonce2Size: int(size2), Network: bitcoin.Regtest}} {
			j := ParseJob(notify(one, two), ctx)
			wellFormed(t, j)
			if j.Work == nil || j.Coinbase == nil {
				t.Fatal("a job with halves of hex has no coinbase")
			}
			s := &Submit{Values: true, Extra: make([]byte, size2)}
			wellFormed(t, j.Work.Describe(extra1, s, 0, 1))
		}
	})
}

// FuzzSubmit reads any params as those of a share.
func FuzzSubmit(f *testing.F) {
	f.Add(`["w","j","00000000","65000000","abcdef01","1fffe000"]`)
	f.Add(`["w","j","0","0x1","F",null,7]`)
	f.Fuzz(func(t *testing.T, params string) {
		s, found := ParseSubmit([]byte(params))
		wellFormed(t, s)
		wellFormed(t, found)
		if s.Values != (len(found) == 0) {
			t.Errorf("values %t, problems %v", s.Values, found)
		}
	})
}
