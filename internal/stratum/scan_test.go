package stratum

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

const submitLine = `{"id":6,"method":"mining.submit","params":["bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq.rig1","3f100","0000000000000000","68a1b2c3","58f90070","083ac000"]}`

// oracle is ScanRequest by means of encoding/json alone.
func oracle(line []byte) (Request, error) {
	if !json.Valid(line) {
		return Request{}, ErrSyntax
	}
	if line[bytes.IndexFunc(line, func(r rune) bool { return !strings.ContainsRune(" \t\r\n", r) })] != '{' {
		return Request{}, ErrNotObject
	}
	if depthOf(line) > MaxDepth {
		return Request{}, ErrTooDeep
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(line, &members); err != nil {
		return Request{}, err
	}
	r := Request{ID: members["id"]}
	if raw := members["method"]; raw != nil && string(raw) != "null" {
		var name string
		if json.Unmarshal(raw, &name) != nil {
			return Request{}, ErrBadMethod
		}
		r.Name, r.Method = []byte(name), methodOf([]byte(name))
	}
	if raw := members["params"]; raw != nil && string(raw) != "null" {
		var list []json.RawMessage
		if json.Unmarshal(raw, &list) != nil {
			return Request{}, ErrBadParams
		}
		if len(list) > MaxParams {
			return Request{}, ErrTooManyParams
		}
		r.Params = raw
	}
	return r, nil
}

// depthOf counts the nesting of valid JSON by its tokens.
func depthOf(line []byte) int {
	d := json.NewDecoder(bytes.NewReader(line))
	depth, deepest := 0, 0
	for {
		token, err := d.Token()
		if err != nil {
			return deepest
		}
		switch token {
		case json.Delim('['), json.Delim('{'):
			depth++
			deepest = max(deepest, depth)
		case json.Delim(']'), json.Delim('}'):
			depth--
		}
	}
}

// checkScan compares the scanner with the oracle on one line.
func checkScan(t *testing.T, line []byte) {
	t.Helper()
	var got Request
	gotErr := ScanRequest(line, &got)
	want, wantErr := oracle(line)
	if (gotErr == nil) != (wantErr == nil) {
		t.Fatalf("ScanRequest(%q) = %v, encoding/json says %v", line, gotErr, wantErr)
	}
	if gotErr != nil {
		return
	}
	// encoding/json replaces invalid UTF-8, which the scanner hands through.
	got.Name = bytes.ToValidUTF8(got.Name, nil)
	want.Name = bytes.ReplaceAll(want.Name, []byte("\ufffd"), nil)
	got.Name = bytes.ReplaceAll(got.Name, []byte("\ufffd"), nil)
	if !bytes.Equal(got.ID, want.ID) || (got.ID == nil) != (want.ID == nil) || got.Method != want.Method ||
		!bytes.Equal(got.Name, want.Name) || !bytes.Equal(got.Params, want.Params) || (got.Params == nil) != (want.Params == nil) {
		t.Fatalf("ScanRequest(%q)\n got %v\nwant %v", line, show(got), show(want))
	}
}

func show(r Request) string {
	return fmt.Sprintf("id %q method %d name %q params %q", r.ID, r.Method, r.Name, r.Params)
}

var scanSeeds = []string{
	submitLine,
	`{"id":1,"method":"mining.configure","params":[["version-rolling"],{"version-rolling.mask":"ffffffff"}]}`,
	`{"id": "auth", "method": "mining.authorize", "params": ["user", null], "jsonrpc": "2.0"}`,
	`{"params":[],"id":null,"method":"MINING.SUBSCRIBE"}`,
	`{"id":15.5e3,"method":"mining.authorize_me"}`,
	`{"id":1,"id":2,"method":"a","method":"mining.ping"}`,
	`{"\u0069d":7,"method":"mining.p\u0069ng","params":[1,2]}`,
	`{"id":[1,{"a":2}],"method":null,"params":null}`,
	`{"id":9,"method":5}`, `{"id":9,"method":"x","params":{}}`, `{"id":9,"result":true,"error":null}`,
	`{}`, ` { } `, `[]`, `[{"id":1}]`, `null`, `"x"`, `1`, ``, ` `, `{`, `{"id"}`, `{"id":}`, `{"id":1,}`, `{,}`, `{"id":1}x`,
	`{"id":01}`, `{"id":-}`, `{"id":-0}`, `{"id":1.}`, `{"id":1e}`, `{"id":1e+5}`, `{"id":.5}`, `{"id":+1}`, `{"id":tru}`,
	`{"id":"` + "\x01" + `"}`, `{"id":"\x"}`, `{"id":"\u12g4"}`, `{"id":"\ud800"}`, "{\"id\":\"\xff\xfe\"}", "{\"method\":\"a\xc3(\"}",
	"{\"id\":1,\t\"method\":\"mining.ping\"\r}", `{"params":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16]}`,
	`{"params":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]}`,
	`{"a":[[[[[[[]]]]]]]}`, `{"a":[[[[[[[[]]]]]]]]}`, `{"a":{"a":{"a":{"a":{"a":{"a":{"a":{}}}}}}}}`,
	"\ufeff{}", `{"id":184467440737095516159999}`,
}

func TestScanRequestAgainstEncodingJSON(t *testing.T) {
	for _, line := range scanSeeds {
		checkScan(t, []byte(line))
		// Every way of cutting a line short, and every way of spoiling a byte.
		for i := range line {
			checkScan(t, []byte(line[:i]))
			for _, c := range []byte{0, '"', '\\', ',', '}', ']', '{', 0xff} {
				spoiled := []byte(line)
				spoiled[i] = c
				checkScan(t, spoiled)
			}
		}
	}
}

func FuzzScanRequest(f *testing.F) {
	for _, line := range scanSeeds {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		checkScan(t, line)
		if id := SniffID(line); id != nil && !json.Valid(id) {
			t.Fatalf("SniffID(%q) = %q, which is no JSON", line, id)
		}
	})
}

func TestScanRequestErrors(t *testing.T) {
	for line, want := range map[string]error{
		`{"id":1`:                           ErrSyntax,
		`[1]`:                               ErrNotObject,
		`{"id":[[[[[[[[1]]]]]]]]}`:          ErrTooDeep,
		`{"id":1,"method":[]}`:              ErrBadMethod,
		`{"id":1,"method":"a","params":{}}`: ErrBadParams,
		`{"params":[` + strings.Repeat("1,", MaxParams) + `1]}`: ErrTooManyParams,
	} {
		var r Request
		if err := ScanRequest([]byte(line), &r); !errors.Is(err, want) {
			t.Errorf("ScanRequest(%s) = %v, want %v", line, err, want)
		}
	}
}

func TestMethods(t *testing.T) {
	for name, want := range map[string]Method{
		"mining.submit": MethodSubmit, "Mining.Submit": MethodSubmit, "mining.subscribe": MethodSubscribe,
		"mining.auth": MethodAuthorize, "mining.authorize": MethodAuthorize, "MINING.AUTHORIZE": MethodAuthorize,
		"mining.authorise": MethodAuthorize, "mining.aut": MethodUnknown, "pong": MethodPong, "eth_submitLogin": MethodUnknown,
		"mining.extranonce.subscribe": MethodExtranonceSubscribe, "": MethodUnknown, "mining.suggest_target": MethodSuggestTarget,
	} {
		if got := methodOf([]byte(name)); got != want {
			t.Errorf("methodOf(%q) = %d, want %d", name, got, want)
		}
	}
}

// The id is echoed byte for byte, with its JSON type (R-F2).
func TestIDsAreEchoed(t *testing.T) {
	for _, id := range []string{
		`1`, `0`, `-7`, `15.5`, `1e3`, `"auth"`, `"txlist3f1"`, `"\u00e9\n"`, `184467440737095516159999`, `true`, `[1,"a"]`, `""`,
	} {
		var r Request
		if err := ScanRequest([]byte(`{"method":"mining.ping","id": `+id+` }`), &r); err != nil {
			t.Fatalf("id %s: %v", id, err)
		}
		if !r.WantsReply() {
			t.Errorf("id %s gets no reply", id)
		}
		want := `{"id":` + id + `,"result":true,"error":null}` + "\n"
		if got := string(AppendTrue(nil, r.ID)); got != want {
			t.Errorf("reply %q, want %q", got, want)
		}
	}
	for _, line := range []string{`{"method":"mining.ping","id":null}`, `{"method":"mining.ping"}`} {
		var r Request
		if err := ScanRequest([]byte(line), &r); err != nil || r.WantsReply() {
			t.Errorf("%s: error %v, wants a reply: %v", line, err, r.WantsReply())
		}
	}
}

func TestSniffID(t *testing.T) {
	for line, want := range map[string]string{
		`{"id": 5, "method"`: "5", `{"id":"a","params":[}`: `"a"`, `{"id":-1.5,`: "-1.5",
		`{"id":null,`: "", `{"id":{"a":1},`: "", `{"id"`: "", `{"id":`: "", `nonsense`: "", `{"id":"open`: "",
	} {
		if got := string(SniffID([]byte(line))); got != want {
			t.Errorf("SniffID(%s) = %q, want %q", line, got, want)
		}
	}
}

func TestScanAllocatesNothing(t *testing.T) {
	for _, line := range []string{submitLine, scanSeeds[1], scanSeeds[2], `{"id":3,"method":"mining.suggest_difficulty","params":[0.00015]}`} {
		line := []byte(line)
		var r Request
		var s Submit
		if n := testing.AllocsPerRun(100, func() {
			if ScanRequest(line, &r) != nil {
				t.Fatal("does not scan")
			}
			ScanSubmit(r.Params, &s)
		}); n != 0 {
			t.Errorf("%s: %v allocations", line, n)
		}
	}
}

func BenchmarkScanSubmit(b *testing.B) {
	line := []byte(submitLine)
	var r Request
	var s Submit
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	for b.Loop() {
		if ScanRequest(line, &r) != nil || !ScanSubmit(r.Params, &s) {
			b.Fatal("does not scan")
		}
	}
}

func BenchmarkEncodingJSONSubmit(b *testing.B) {
	line := []byte(submitLine)
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	for b.Loop() {
		var r struct {
			ID     json.RawMessage `json:"id"`
			Method string          `json:"method"`
			Params []string        `json:"params"`
		}
		if json.Unmarshal(line, &r) != nil || len(r.Params) != 6 {
			b.Fatal("does not scan")
		}
	}
}

// TestElementsOfNestedLists keeps the element walk honest where commas and
// brackets stand inside strings and inner lists.
func TestElementsOfNestedLists(t *testing.T) {
	raw := []byte(` [ "a,]" , [1,[2,"]"]] , {"x":[",",3]} , null ] `)
	raw = bytes.TrimSpace(raw)
	var want []json.RawMessage
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatal(err)
	}
	var got []json.RawMessage
	for e := (elements{s: scanner{b: raw, i: 1}}); ; {
		element := e.next()
		if element == nil {
			break
		}
		got = append(got, element)
	}
	if !slices.EqualFunc(got, want, func(a, b json.RawMessage) bool { return bytes.Equal(a, b) }) {
		t.Errorf("elements %q, want %q", got, want)
	}
}
