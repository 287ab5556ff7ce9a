package decode

import (
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestConversation decodes lines that miners and pools were seen to send, and
// compares all of it with testdata/conversation.golden.
func TestConversation(t *testing.T) {
	input, err := os.ReadFile("testdata/conversation.txt")
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	question := json.RawMessage(nil)
	ctx := Context{Received: time.Unix(1700000000, 5e8), Extranonce1: []byte{0xab, 0xcd, 0xef, 0x01}, Extranonce2Size: 4, Difficulty: 512}
	for line := range strings.Lines(string(input)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		direction, text, _ := strings.Cut(line, " ")
		ctx.FromMiner = direction == ">"
		m := Decode(json.RawMessage(text), question, ctx)
		shown, err := json.MarshalIndent(m, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		out.WriteString(line + "\n" + string(shown) + "\n\n")
		question = nil
		if strings.Contains(text, `"method"`) {
			question = json.RawMessage(text) // the next answer is to it
		}
	}
	const golden = "testdata/conversation.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(out.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), out.String()); diff != "" {
		t.Errorf("other than %s (-update writes it anew):\n%s", golden, diff)
	}
}

// A password is not shown, whatever kind of JSON it is.
func TestPasswordsAreNotShown(t *testing.T) {
	for _, password := range []string{`"hunter2"`, `2222222`, `["hunter2"]`, `{"x":"hunter2"}`} {
		for _, method := range []string{"mining.authorize", "mining.auth", "MINING.AUTHORIZE"} {
			m := Decode(json.RawMessage(`{"id":1,"method":"`+method+`","params":["w",`+password+`]}`), nil, Context{})
			text, err := json.Marshal(m)
			if err != nil || strings.Contains(string(text), "hunter2") || strings.Contains(string(text), "2222222") || !m.Authorize.Password {
				t.Errorf("%s %s: %s", method, password, text)
			}
		}
	}
}

// What a share is worth is told when its job is known.
func TestShareOfKnownJob(t *testing.T) {
	for _, v := range vectors(t) {
		s, _ := ParseSubmit(v.Submit)
		ctx := v.context(t, s)
		ctx.Work = ParseJob(v.Notify, ctx).Work
		ctx.Difficulty = v.Expected.Diff / 2
		line := json.RawMessage(`{"id":4,"method":"mining.submit","params":` + string(v.Submit) + `}`)
		m := Decode(line, nil, ctx)
		if m.Header == nil || m.Header.Hash != v.Expected.Hash || !*m.Header.Enough || len(m.Problems) > 0 || strings.Contains(m.Summary, "a block") != v.NetworkMet {
			t.Errorf("%s: %+v %s", v.Name, m.Header, m.Summary)
		}
		ctx.Difficulty = v.Expected.Diff * 1.01
		if m = Decode(line, nil, ctx); *m.Header.Enough || !v.NetworkMet && !strings.Contains(m.Summary, "too low") {
			t.Errorf("%s: %s", v.Name, m.Summary)
		}
		ctx.Extranonce2Size++
		if m = Decode(line, nil, ctx); len(m.Problems) != 1 || m.Problems[0].Field != "extranonce2" {
			t.Errorf("%s: problems %v", v.Name, m.Problems)
		}
	}
}

// Rebuilding a header is free of garbage, so that every share can be checked.
func TestHeaderAllocatesNothing(t *testing.T) {
	v := vectors(t)[3]
	s, _ := ParseSubmit(v.Submit)
	ctx := v.context(t, s)
	work := ParseJob(v.Notify, ctx).Work
	if n := testing.AllocsPerRun(100, func() {
		if _, err := work.Header(ctx.Extranonce1, s, 0); err != nil {
			t.Error(err)
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
