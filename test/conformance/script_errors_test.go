package conformance

import (
	"strings"
	"testing"
)

// good is a device file as short as it gets.
const good = `device  A
source  B
case C05 title
proves R-F1
> {"id":1}
< {"id":1,"result":{{_}},"error":null}
`

// Whoever writes a device file for the first time is told the line, and what to
// do.
func TestScriptErrors(t *testing.T) {
	if _, err := parseScript("good.txt", good); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ old, new, want string }{
		"unknown word":         {`> {"id":1}`, `send {"id":1}`, `x.txt:5: "send" is no word of the language; see the table in README.md`},
		"no device":            {"device  A\n", "", "x.txt:1: no device line"},
		"no source":            {"source  B\n", "", "x.txt:1: no source line"},
		"no case":              {good, "device A\nsource B\n", "x.txt:1: no case line"},
		"bad case id":          {"case C05", "case C99", "x.txt:3: a case is an id from C01 to C22"},
		"bad requirement":      {"R-F1", "F1", `x.txt:4: "F1" is no requirement id such as R-F1`},
		"no proves":            {"proves R-F1\n", "", `x.txt: case C05 "title" needs a proves line`},
		"proves before a case": {"device  A\n", "proves R-F1\ndevice A\n", "x.txt:1: proves belongs behind a case line"},
		"device in a case":     {"proves R-F1\n", "proves R-F1\ndevice C\n", "x.txt:5: device belongs to the top"},
		"pattern":              {`"error":null}`, `"error":nul}`, "x.txt:6: the pattern is no JSON"},
		"header after a step":  {"> {", "nothing\nlimit coinbase 255\n> {", "x.txt:6: limit belongs before the first step"},
		"limit":                {"proves", "limit memory 9\nproves", `x.txt:4: "memory" is none of the limits coinbase, half, notify, job`},
		"limit without number": {"proves", "limit coinbase\nproves", "such as: limit coinbase 255"},
		"network":              {"proves", "network moon\nproves", `x.txt:4: the network is devnet (blocks can be found) or mainnet`},
		"option of mine":       {"> {", "mine s hard\n> {", `x.txt:5: "hard" is no option of mine; this is written as: mine NAME [on JOB]`},
		"rolled":               {"> {", "mine s rolled=xyz\n> {", "x.txt:5: rolled=xyz is not hexadecimal"},
		"duration":             {"> {", "pause 200\n> {", "x.txt:5: time: missing unit in duration"},
		"too many words":       {"> {", "nothing at all\n> {", "x.txt:5: this is written as: nothing"},
		"notify":               {"> {", "<notify dirty j\n> {", `"dirty" is none of clean, refresh; this is written as: <notify [clean|refresh] [NAME]`},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(good, c.old, c.new, 1)
			if text == good {
				t.Fatal("the change changes nothing")
			}
			if _, err := parseScript("x.txt", text); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		pattern, line string
		fits          bool
	}{
		{`{"id":1,"result":true,"error":null}`, `{"error":null, "id":1, "result":true}`, true},
		{`{"id":1,"result":true,"error":null}`, `{"id":1,"result":true}`, false},
		{`{"id":1,"result":true}`, `{"id":1,"result":true,"error":null}`, false},
		{`{"id":1}`, `{"id":"1"}`, false},
		{`{"id":1}`, `{"id":1.0}`, false},
		{`{"d":0.00015}`, `{"d":1.5e-4}`, false},
		{`{"a":"{{x}}","b":"{{x}}"}`, `{"a":"1","b":"1"}`, true},
		{`{"a":"{{x}}","b":"{{x}}"}`, `{"a":"1","b":"2"}`, false},
		{`{"a":"{{_}}","b":"{{_}}"}`, `{"a":"1","b":"2"}`, true},
		{`{"a":"job{{x}}","b":{{y}}}`, `{"a":"job7","b":[1,{"c":2}]}`, true},
		{`{"a":"{{known}}"}`, `{"a":"k"}`, true},
		{`{"a":"{{known}}"}`, `{"a":"other"}`, false},
		{`{"a":["{{x}}",8]}`, `{"a":["x",8,9]}`, false},
		{`{"a":"{{x}}"}`, `{"a":7}`, false},
		{`{"a":true}`, `{"a":"true"}`, false},
		{`{"a":null}`, `{"a":false}`, false},
	} {
		values := map[string]string{"known": "k"}
		err := match(c.pattern, c.line, values)
		if (err == nil) != c.fits {
			t.Errorf("%s and %s: %v", c.pattern, c.line, err)
		}
		if err != nil && len(values) > 1 {
			t.Errorf("%s and %s: learned from what does not fit: %v", c.pattern, c.line, values)
		}
	}
	values := map[string]string{}
	if err := match(`{"a":"job{{x}}","b":{{y}}}`, `{"a":"job7","b":[1,{"c":2}]}`, values); err != nil || values["x"] != "7" || values["y"] != `[1,{"c":2}]` {
		t.Errorf("learned %v, %v", values, err)
	}
}
