package stratum

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// submitOracle is ScanSubmit by means of encoding/json alone.
func submitOracle(params []byte) (fields []string, ok bool) {
	var list []json.RawMessage
	if json.Unmarshal(params, &list) != nil || len(list) < 5 {
		return nil, false
	}
	for i, raw := range list[:min(len(list), 6)] {
		if i == 5 && string(raw) == "null" {
			break
		}
		var s *string
		if json.Unmarshal(raw, &s) != nil || s == nil {
			return nil, false
		}
		if i < 5 || *s != "" {
			fields = append(fields, *s)
		}
	}
	return fields, true
}

func checkSubmit(t *testing.T, params []byte) {
	t.Helper()
	var r Request
	if ScanRequest(fmt.Appendf(nil, `{"params":%s}`, params), &r) != nil || r.Params == nil {
		return // ScanSubmit is given validated lists only
	}
	var got Submit
	ok := ScanSubmit(r.Params, &got)
	want, wantOK := submitOracle(r.Params)
	if ok != wantOK {
		t.Fatalf("ScanSubmit(%q) = %v, encoding/json says %v", params, ok, wantOK)
	}
	if !ok {
		return
	}
	fields := [][]byte{got.Worker, got.JobID, got.Extranonce2, got.NTime, got.Nonce}
	if got.Version != nil {
		fields = append(fields, got.Version)
	}
	if len(fields) != len(want) {
		t.Fatalf("ScanSubmit(%q) found %q, want %q", params, fields, want)
	}
	for i := range fields {
		// encoding/json replaces invalid UTF-8; the scanner hands it through.
		clean := strings.ReplaceAll(string(bytes.ToValidUTF8(fields[i], nil)), "\ufffd", "")
		if clean != strings.ReplaceAll(want[i], "\ufffd", "") {
			t.Fatalf("ScanSubmit(%q) field %d is %q, want %q", params, i, fields[i], want[i])
		}
	}
}

var submitSeeds = []string{
	`["w","j","00","11","22"]`, `["w","j","00","11","22","33"]`, `["w","j","00","11","22",null]`, `["w","j","00","11","22",""]`,
	`["w","j","00","11","22","33","more",5]`, `["w","j","00","11"]`, `["w","j","00","11",22]`, `["w","j","00","11","22",33]`,
	`["w\/x","\u006a","00","11","22"]`, `[null,"j","00","11","22"]`, `[]`, `["","","","",""]`, ` [ "w" , "j","00","11","22" ] `,
	"[\"\xff\",\"j\",\"00\",\"11\",\"22\"]",
}

func TestScanSubmitAgainstEncodingJSON(t *testing.T) {
	for _, params := range submitSeeds {
		checkSubmit(t, []byte(params))
		for i := range params {
			spoiled := []byte(params)
			spoiled[i] = '"'
			checkSubmit(t, spoiled)
		}
	}
}

func FuzzScanSubmit(f *testing.F) {
	for _, params := range submitSeeds {
		f.Add([]byte(params))
	}
	f.Fuzz(checkSubmit)
}

func TestParseHex32(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "1": 1, "ff": 255, "9F3a1c2": 0x9f3a1c2, "0x10": 16, "0XfF": 255, "ffffffff": 0xffffffff, "00000001": 1,
		"": -1, "0x": -1, "x1": -1, "000000001": -1, "0x000000001": -1, "fg": -1, " 1": -1, "1 ": -1, "-1": -1, "é": -1,
	} {
		got, ok := ParseHex32([]byte(text))
		if ok != (want >= 0) || ok && int64(got) != want {
			t.Errorf("ParseHex32(%q) = %x, %v", text, got, ok)
		}
	}
}

func TestDecodeHex(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOfN(rapid.Byte(), 0, 12).Draw(t, "bytes")
		text := fmt.Sprintf("%x", want)
		if rapid.Bool().Draw(t, "upper") {
			text = strings.ToUpper(text)
		}
		got := make([]byte, len(want))
		if !DecodeHex(got, []byte(text)) || !bytes.Equal(got, want) {
			t.Fatalf("DecodeHex(%s) = %x", text, got)
		}
		if DecodeHex(make([]byte, len(want)+1), []byte(text)) || DecodeHex(got, []byte(text+"0")) {
			t.Fatalf("DecodeHex takes a wrong length of %s", text)
		}
	})
	if DecodeHex(make([]byte, 1), []byte("0g")) || DecodeHex(make([]byte, 1), []byte("g0")) {
		t.Error("DecodeHex takes what is no hex")
	}
}

// All forms of subscribe that miners send (R-S3).
func TestParseSubscribe(t *testing.T) {
	for params, want := range map[string]Subscribe{
		``: {}, `[]`: {}, `["bitaxe/BM1370/v2.15.0"]`: {UserAgent: "bitaxe/BM1370/v2.15.0"}, `["a",null]`: {UserAgent: "a"},
		`["a","1a2b"]`: {UserAgent: "a", SessionID: "1a2b"}, `["a","1a2b","host",3333]`: {UserAgent: "a", SessionID: "1a2b"},
		`["Braiins OS 2019-06-05",null,"stratum.slushpool.com:3333",null]`: {UserAgent: "Braiins OS 2019-06-05"}, `[5,{}]`: {},
	} {
		if diff := cmp.Diff(want, ParseSubscribe([]byte(params))); diff != "" {
			t.Errorf("%s: %s", params, diff)
		}
	}
}

func TestParseAuthorize(t *testing.T) {
	for params, want := range map[string]Authorize{
		`["u","p"]`: {"u", "p"}, `["u"]`: {"u", ""}, `["u",null]`: {"u", ""}, `["u",""]`: {"u", ""}, `["u",123]`: {"u", "123"},
		`["u",["p"]]`: {"u", ""}, `["u","p","extra"]`: {"u", "p"}, `["\u0075"]`: {"u", ""},
	} {
		got, ok := ParseAuthorize([]byte(params))
		if diff := cmp.Diff(want, got); !ok || diff != "" {
			t.Errorf("%s: %v %s", params, ok, diff)
		}
	}
	for _, params := range []string{``, `[]`, `[5]`, `[["u"]]`} {
		if _, ok := ParseAuthorize([]byte(params)); ok {
			t.Errorf("%s is taken", params)
		}
	}
}

func TestParseConfigure(t *testing.T) {
	const all = 0xffffffff
	for params, want := range map[string]Configure{
		`[["version-rolling"],{"version-rolling.mask":"ffffffff"}]`:                                    {[]Extension{{"version-rolling", VersionRolling}}, all, 0},
		`[["version-rolling"],{"version-rolling.mask":"1fffe000","version-rolling.min-bit-count":16}]`: {[]Extension{{"version-rolling", VersionRolling}}, 0x1fffe000, 0},
		`[["version-rolling"],{}]`:                                    {[]Extension{{"version-rolling", VersionRolling}}, all, 0},
		`[["version-rolling"]]`:                                       {[]Extension{{"version-rolling", VersionRolling}}, all, 0},
		`["version-rolling, info",{"version-rolling.mask":5}]`:        {[]Extension{{"version-rolling", VersionRolling}, {"info", Info}}, 5, 0},
		`[["minimum-difficulty"],{"minimum-difficulty.value":2048}]`:  {[]Extension{{"minimum-difficulty", MinimumDifficulty}}, all, 2048},
		`[["minimum-difficulty"],{"minimum-difficulty.value":"0.5"}]`: {[]Extension{{"minimum-difficulty", MinimumDifficulty}}, all, 0.5},
		`[["minimum-difficulty"],{"minimum-difficulty.value":-1}]`:    {[]Extension{{"minimum-difficulty", MinimumDifficulty}}, all, 0},
		`[[],"nothing"]`: {nil, all, 0},
		`["Version_Rolling,MINIMUM-DIFFICULTY,new-thing",{"VERSION_ROLLING.MASK":"0x1FFFE000","minimumdifficulty.value":1}]`: {
			[]Extension{{"Version_Rolling", VersionRolling}, {"MINIMUM-DIFFICULTY", MinimumDifficulty}, {"new-thing", UnknownExtension}}, 0x1fffe000, 1},
		`[["version-rolling","subscribe-extranonce","suggest-difficulty"],{"version-rolling.mask":536862720}]`: {
			[]Extension{{"version-rolling", VersionRolling}, {"subscribe-extranonce", SubscribeExtranonce}, {"suggest-difficulty", SuggestDifficulty}}, 0x1fffe000, 0},
	} {
		got, ok := ParseConfigure([]byte(params))
		if diff := cmp.Diff(want, got); !ok || diff != "" {
			t.Errorf("%s: %v %s", params, ok, diff)
		}
	}
	for _, params := range []string{``, `[]`, `[5]`, `[{}]`, `[[5]]`} {
		if _, ok := ParseConfigure([]byte(params)); ok {
			t.Errorf("%s is taken", params)
		}
	}
}

func FuzzParseConfigure(f *testing.F) {
	f.Add([]byte(`[["version-rolling","x"],{"version-rolling.mask":"1fffe000","minimum-difficulty.value":1e3}]`))
	f.Add([]byte(`["a,b",{"minimum-difficulty.value":"NaN"}]`))
	f.Fuzz(func(t *testing.T, params []byte) {
		c, ok := ParseConfigure(params)
		if c.MinimumDifficulty < 0 || math.IsNaN(c.MinimumDifficulty) || math.IsInf(c.MinimumDifficulty, 0) {
			t.Fatalf("minimum difficulty %v", c.MinimumDifficulty)
		}
		if !ok {
			return
		}
		for _, x := range c.Extensions {
			checkString(t, x.Name)
		}
		// The other parsers of small lists must not fail either.
		ParseSubscribe(params)
		ParseAuthorize(params)
		if d, ok := ParseSuggestDifficulty(params); ok && !(d > 0 && d < math.Inf(1)) {
			t.Fatalf("suggested difficulty %v", d)
		}
	})
}

func TestParseSuggestDifficulty(t *testing.T) {
	for params, want := range map[string]float64{
		`[1000]`: 1000, `[0.00015]`: 0.00015, `["512"]`: 512, `[" 0.5 "]`: 0.5, `[1e3]`: 1000, `[5,6]`: 5,
		``: 0, `[]`: 0, `[0]`: 0, `[-1]`: 0, `["x"]`: 0, `[null]`: 0, `["NaN"]`: 0, `["Inf"]`: 0, `[1e999]`: 0, `["1e301"]`: 0, `[[1]]`: 0,
	} {
		got, ok := ParseSuggestDifficulty([]byte(params))
		if ok != (want > 0) || ok && got != want {
			t.Errorf("%s: %v, %v", params, got, ok)
		}
	}
}

func TestParseText(t *testing.T) {
	for params, want := range map[string]string{`["00ff"]`: "00ff", `[]`: "", ``: "", `[5]`: "", `["a","b"]`: "a"} {
		if got := ParseText([]byte(params)); got != want {
			t.Errorf("%s: %q", params, got)
		}
	}
}
