package capture

import (
	"encoding/json"
	"strings"
	"testing"
)

// FuzzValid compares with encoding/json, and with the depth that is counted
// apart.
func FuzzValid(f *testing.F) {
	for _, text := range []string{
		"", " ", "{}", "[]", "[1,]", `{"a":1,}`, `{"a" : [ true , null,false ] , "b":{"c":"d"}}`, "[}", "{]", `{"a"}`, `{"a":}`, `{1:2}`, "[[]", "[]]", "1 2",
		"0", "-", "-0", "00", "01", "1.", ".1", "1.5e", "1e+", "1E-07", "-1.25e+3", "+1", "1e5x", "tru", "truee", "nul", "False",
		`"`, `"\`, `"\"`, `"\\"`, `"\u12`, `"\u12G4"`, `"\uD83d\ude00"`, `"\x"`, `"\/\b\f\n\r\t"`, "\"a\nb\"", "\"1234567\x1f9\"", `"12345678\"9"`,
		"\"\x7f\x80\xff 12345678\xff\"", "\ufeff{}", "[\v1]", "[1\x00]", strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth),
		strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1), strings.Repeat(`{"a":`, maxDepth) + "1" + strings.Repeat("}", maxDepth),
		strings.Repeat(`[{"a":`, 33) + "1" + strings.Repeat("}]", 33), `{"id":6,"method":"mining.submit","params":["a.b","c","00000000",1.5]}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if got, want := valid(text), json.Valid(text) && nesting(text) <= maxDepth; got != want {
			t.Errorf("%q is %t, want %t", text, got, want)
		}
	})
}
