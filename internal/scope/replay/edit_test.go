package replay

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

const private = `"private-1"`

func TestEditReplacesTheIDAndNothingElse(t *testing.T) {
	for _, test := range []struct{ line, wire, id string }{
		{`{"id":4,"method":"mining.submit"}`, `{"id":"private-1","method":"mining.submit"}` + "\n", `4`},
		{"{\"id\":4}\n", "{\"id\":\"private-1\"}\n", `4`},
		{"{\"id\":4}\r\n", "{\"id\":\"private-1\"}\r\n", `4`},
		{" {\t\"id\" :\t4 ,\"x\":1}", " {\t\"id\" :\t\"private-1\" ,\"x\":1}\n", `4`},
		{`{"params":[{"id":5},"\"id\":6"],"id":"a\"b"}`, `{"params":[{"id":5},"\"id\":6"],"id":"private-1"}` + "\n", `"a\"b"`},
		{`{"id":1,"n":123456789012345678901234567890,"id":2,"f":1.50e+3}`, `{"id":"private-1","n":123456789012345678901234567890,"id":"private-1","f":1.50e+3}` + "\n", `2`},
		{`{"\u0069d":7,"z":"\ud800"}`, `{"\u0069d":"private-1","z":"\ud800"}` + "\n", `7`},
		{`{"id":7,"ID":8}`, `{"id":"private-1","ID":"private-1"}` + "\n", `7`},
		{`{"id":1.0}`, `{"id":"private-1"}` + "\n", `1.0`},
		{`{"id":-12}`, `{"id":"private-1"}` + "\n", `-12`},
		{`{"id":123456789012345678901234567890}`, `{"id":"private-1"}` + "\n", `123456789012345678901234567890`},
	} {
		got, err := edit([]byte(test.line), private)
		if err != nil {
			t.Errorf("%q: %v", test.line, err)
			continue
		}
		if string(got.wire) != test.wire || string(got.id) != test.id {
			t.Errorf("%q: wire %q id %s, not %q and %s", test.line, got.wire, got.id, test.wire, test.id)
		}
		if want := strings.TrimSuffix(test.line, "\n") + "\n"; string(got.line) != want {
			t.Errorf("%q became %q", test.line, got.line)
		}
	}
}

func TestEditRefusesWhatIsNoRequest(t *testing.T) {
	for _, test := range []struct {
		line string
		want error
	}{
		{`{"id":1`, ErrJSON},
		{``, ErrJSON},
		{`{"id":1} {"id":2}`, ErrJSON},
		{"\ufeff{\"id\":1}", ErrJSON},
		{`{"id":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + `}`, ErrJSON},
		{`[1]`, ErrNotObject},
		{`"id"`, ErrNotObject},
		{`null`, ErrNotObject},
		{`{}`, ErrNoID},
		{`{"id":null}`, ErrNoID},
		{`{"ID":1}`, ErrNoID},
		{`{"id":1,"id":null}`, ErrNoID},
		{`{"id":1.5}`, ErrID},
		{`{"id":1e3}`, ErrID},
		{`{"id":true}`, ErrID},
		{`{"id":{}}`, ErrID},
		{`{"id":[1]}`, ErrID},
		{"{\"id\":1}\n{\"id\":2}\n", ErrLineFeed},
		{"{\"id\":1,\n\"method\":\"mining.submit\"}", ErrLineFeed},
		{"{\"id\":1}\n\n", ErrLineFeed},
		{`{"id":1,"x":"` + strings.Repeat("a", maxLine) + `"}`, ErrTooLong},
	} {
		if _, err := edit([]byte(test.line), private); !errors.Is(err, test.want) {
			t.Errorf("%.60q: %v, not %v", test.line, err, test.want)
		}
	}
}

// FuzzEdit compares with encoding/json: whatever is accepted differs from what
// was given in its id alone.
func FuzzEdit(f *testing.F) {
	for _, seed := range []string{`{"id":4,"method":"mining.submit","params":["w","j"]}`, `{"id":1,"Id":2,"\u0069d":"3"}`, `{ "a":{"id":1} , "id" : 1.0 }` + "\r\n", `[]`, `{"id":1}x`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		got, err := edit(line, private)
		if err != nil {
			return
		}
		var before, after map[string]json.RawMessage
		if json.Unmarshal(line, &before) != nil || json.Unmarshal(got.wire, &after) != nil {
			t.Fatalf("%q became %q", line, got.wire)
		}
		if len(before) != len(after) || string(before["id"]) != string(got.id) {
			t.Fatalf("%q became %q, its id is %s", line, got.wire, got.id)
		}
		for name, value := range after {
			if want := string(before[name]); strings.EqualFold(name, "id") && string(value) != private || !strings.EqualFold(name, "id") && string(value) != want {
				t.Fatalf("%q became %q: %s was %s", line, got.wire, name, want)
			}
		}
		if bytes.IndexByte(got.wire, '\n') != len(got.wire)-1 {
			t.Fatalf("%q is not one line", got.wire)
		}
		back, was := ReplaceID(got.wire, string(got.id))
		if string(was) != private || strings.Count(string(got.wire), private) == 1 && !bytes.Equal(back, got.line) {
			t.Fatalf("%q came back as %q", got.line, back)
		}
	})
}
