package capture

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// Passwords are masked wherever a pool may find them, and nothing else is.
func TestMask(t *testing.T) {
	for raw, want := range map[string]string{
		`{"id":2,"method":"mining.auth","params":["w","secret"]}`:                              `{"id":2,"method":"mining.auth","params":["w","********"]}`,
		`{"id":2,"method":"Mining.Authorize","params":["w","secret"]}`:                         `{"id":2,"method":"Mining.Authorize","params":["w","********"]}`,
		`{"id":2,"method":"mining.authorize","params":{"user":"w","Password":"secret","n":5}}`: `{"id":2,"method":"mining.authorize","params":{"user":"w","Password":"********","n":5}}`,
		`{"id":2,"method":"mining.authorize","Params":["w","secret"]}`:                         `{"id":2,"method":"mining.authorize","Params":["w","********"]}`,
		`{"id":2,"method":"mining.authorize","p\u0061rams":["w",["secret"]]}`:                  `{"id":2,"method":"mining.authorize","p\u0061rams":["w","********"]}`,
		`{"id":2.5,"params":["w","secret"],"method":"mining.\u0061uthorize"}`:                  `{"id":2.5,"params":["w","********"],"method":"mining.\u0061uthorize"}`,
		`{"id":2,"method":"mining.authorize","params":["w","secret"],"params":["w","secret"]}`: `{"id":2,"method":"mining.authorize","params":["w","********"],"params":["w","********"]}`,
		`{"id":2,"method":"mining.authorize","params":["w","x", "secret" ,null,""]}` + "\r":    `{"id":2,"method":"mining.authorize","params":["w","********", "********" ,null,""]}` + "\r",
		`{"id":2,"method":"login","params":{"login":"w","pass":"secret"},"pwd":"secret"}`:      `{"id":2,"method":"login","params":{"login":"w","pass":"********"},"pwd":"********"}`,
		`{"id":2,"method":"login","params":[{"login":"w","passwd":{"is":"secret"}}]}`:          `{"id":2,"method":"login","params":[{"login":"w","passwd":"********"}]}`,
		`{"id":2,"method":"mining.authorize","params":"w:secret"}`:                             `{"id":2,"method":"mining.authorize","params":"********"}`,
		`{"id":2,"method":"mining.authorize","method":"x","params":["w","secret"]}`:            `{"id":2,"method":"mining.authorize","method":"x","params":["w","********"]}`,
		`{"id":2,"Method":"mining.authorize","params":["w","secret"]}`:                         `{"id":2,"Method":"mining.authorize","params":["w","********"]}`,
		`[{"id":2,"method":"mining.authorize","params":["w","secret"]}]`:                       `[{"id":2,"method":"mining.authorize","params":["w","********"`,
		`{"id":2,"method":"Mining.Auth","params":{"user":"w","pass":"secret"}`:                 `{"id":2,"method":"Mining.Auth","params":{"********"`,
		`{"method":"login","pass":"secret","params`:                                            `{"method":"login","pass":"********"`,
		`{"id":2,"method":"mining.authorize","params":["w"]}`:                                  "",
		`{"id":2,"method":"mining.submit","params":["w","secret"]}`:                            "",
		`{"id":2,"method":"mining.configure","params":[["a"],{"pass":1}]}`:                     "",
	} {
		line := []byte(raw + "\n")
		r, _ := capture(t, Config{}, func(r *Recorder) {
			tape := r.Open(Opening{ID: "s", At: time.Now()})
			tape.Line(MinerToPool, line, time.Now())
		})
		m := r.Store().Message("s", 1)
		if want == "" {
			want = raw
		}
		if string(m.Raw) != want+"\n" && string(m.Raw) != want || m.Masked != (want != raw) {
			t.Errorf("%s\nis kept as %q\nwant       %q, masked %t", raw, m.Raw, want, m.Masked)
		}
		if got := MaskPasswords(line); !bytes.Equal(got, m.Raw) {
			t.Errorf("MaskPasswords gives %q, the recorder %q", got, m.Raw)
		}
		checkJSON(t, m)
	}
}

// Ids and methods are kept beside the line only when they are short, and ids
// are not written longer than they came.
func TestLongIDs(t *testing.T) {
	long := strings.Repeat("<", 200<<10)
	for raw, want := range map[string]Message{
		`{"id":"` + long + `","method":"x"}`:       {Fault: FaultLongID, Method: "x", IsRequest: true},
		`{"id":` + strings.Repeat("1", 300) + `}`:  {Fault: FaultLongID},
		`{"id":["` + long + `"]}`:                  {Fault: FaultID},
		`{"id":1,"method":"` + long + `"}`:         {Fault: FaultLongName, ID: "1", IsRequest: true},
		`{"id":"` + long[:200] + `","method":"x"}`: {ID: `"` + long[:200] + `"`, Method: "x", IsRequest: true},
		`{"id":"<&é\u003c\n","method":"x"}`:        {ID: `"<&é<\n"`, Method: "x", IsRequest: true},
	} {
		m := ParseLine([]byte(raw))
		if m.Fault != want.Fault || m.ID != want.ID || m.Method != want.Method || m.IsRequest != want.IsRequest {
			t.Errorf("%.60s: fault %q, id %.60s, method %.60s, request %t", raw, m.Fault, m.ID, m.Method, m.IsRequest)
		}
		if !json.Valid(m.Decoded()) {
			t.Errorf("%.60s: not shown decoded", raw)
		}
		if m.cost() < messageOverhead+len(m.Raw)+len(m.ID)+len(m.Method) {
			t.Errorf("%.60s costs %d", raw, m.cost())
		}
		checkJSON(t, m)
	}
}
