package nostr

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const one = "0000000000000000000000000000000000000000000000000000000000000001"

func key(t testing.TB, s string) SecretKey {
	t.Helper()
	k, err := ParseSecretKey(s)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// vector is an event whose id was computed by another implementation. Its
// content holds what JSON libraries like to escape.
func vector() *Event {
	return &Event{
		CreatedAt: 1_700_000_000, Kind: 30080,
		Tags:    []Tag{{"t", "hashscope"}, {"run", "run1"}, {"type", "share"}, {"schema", "hashscope.v1"}},
		Content: "{\"a\":\"é<&>\u2028\\n\"}",
	}
}

func TestIDOfAnotherImplementation(t *testing.T) {
	e := vector()
	if err := e.Sign(key(t, one)); err != nil {
		t.Fatal(err)
	}
	if want := "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"; e.PubKey != want {
		t.Errorf("public key %s, want %s", e.PubKey, want)
	}
	if want := "63b8bab0401749c8a38809f7270f60f6d4409877754d6f69d9669f3cff3163a1"; e.ID != want {
		t.Errorf("id %s, want %s\n%s", e.ID, want, e.Serialize())
	}
	if err := e.Verify(); err != nil {
		t.Error(err)
	}
}

func TestForgeriesAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Event)
		want   error
	}{
		"content":       {func(e *Event) { e.Content += " " }, ErrID},
		"time":          {func(e *Event) { e.CreatedAt++ }, ErrID},
		"kind":          {func(e *Event) { e.Kind++ }, ErrID},
		"tag":           {func(e *Event) { e.Tags[1][1] = "run2" }, ErrID},
		"signature":     {func(e *Event) { e.Sig = strings.Repeat("0", 128) }, ErrSignature},
		"no signature":  {func(e *Event) { e.Sig = "" }, ErrSignature},
		"broken text":   {func(e *Event) { e.Content = "\xff" }, ErrUTF8},
		"kind range":    {func(e *Event) { e.Kind = 65536 }, ErrKind},
		"negative time": {func(e *Event) { e.CreatedAt = -1 }, ErrTime},
		"another's name": {func(e *Event) {
			e.PubKey = key(t, strings.Repeat("0", 63)+"2").Public().String()
			id := e.hash()
			e.ID = hexOf(id[:])
		}, ErrSignature},
	} {
		e := vector()
		if err := e.Sign(key(t, one)); err != nil {
			t.Fatal(err)
		}
		c.change(e)
		if err := e.Verify(); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestEventSurvivesItsJSON(t *testing.T) {
	e := vector()
	e.Content = "\x00\x01\b\f\n\r\t\"\\\x1f\x7f é \u2028 \U0001f600"
	if err := e.Sign(key(t, one)); err != nil {
		t.Fatal(err)
	}
	wire := e.AppendJSON(nil)
	var independent struct{ Content string }
	if err := json.Unmarshal(wire, &independent); err != nil || independent.Content != e.Content {
		t.Errorf("encoding/json reads %q (%v)", independent.Content, err)
	}
	back, err := ParseEvent(wire)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(e, back); diff != "" {
		t.Error(diff)
	}
	if err := back.Verify(); err != nil {
		t.Error(err)
	}
}

func TestParseEventIsStrict(t *testing.T) {
	e := vector()
	if err := e.Sign(key(t, one)); err != nil {
		t.Fatal(err)
	}
	good := string(e.AppendJSON(nil))
	for name, text := range map[string]string{
		"case of a name":  strings.Replace(good, `"kind"`, `"Kind"`, 1),
		"twice":           strings.Replace(good, `{`, `{"kind":1,`, 1),
		"upper-case id":   strings.Replace(good, `"id":"63b8`, `"id":"63B8`, 1),
		"fraction":        strings.Replace(good, `1700000000`, `1700000000.0`, 1),
		"exponent":        strings.Replace(good, `30080`, `3e4`, 1),
		"negative":        strings.Replace(good, `1700000000`, `-1`, 1),
		"huge":            strings.Replace(good, `1700000000`, strings.Repeat("9", 40), 1),
		"kind as text":    strings.Replace(good, `30080`, `"30080"`, 1),
		"null content":    `{"content":null,` + good[1:],
		"tag of a number": strings.Replace(good, `"run1"`, `1`, 1),
		"not UTF-8":       strings.Replace(good, `é`, "\xe9", 1),
		"deep":            strings.Replace(good, `{`, `{"x":`+strings.Repeat("[", 10_000)+strings.Repeat("]", 10_000)+`,`, 1),
		"long":            strings.Replace(good, `{`, `{"x":"`+strings.Repeat("x", MaxMessageBytes)+`",`, 1),
		"array":           `[]`, "null": `null`, "nothing": ``, "half": good[:len(good)-1],
	} {
		if _, err := ParseEvent([]byte(text)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func FuzzParseEvent(f *testing.F) {
	e := vector()
	if err := e.Sign(key(f, one)); err != nil {
		f.Fatal(err)
	}
	f.Add(e.AppendJSON(nil))
	f.Add([]byte(`{"id":"","tags":[[]]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := ParseEvent(data)
		if err != nil {
			return
		}
		back, err := ParseEvent(e.AppendJSON(nil))
		if errors.Is(err, ErrTooLong) {
			return // escapes may make it longer than what was read
		}
		if err != nil || !cmp.Equal(e, back) {
			t.Fatalf("%v: %+v became %+v", err, e, back)
		}
	})
}
