package scopeapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

// hostileLines are what a peer may send to break who looks at it.
func hostileLines() []string {
	deep := func(n int, open, end string) string { return strings.Repeat(open, n) + strings.Repeat(end, n) }
	return []string{
		`{"id":1,"method":"mining.submit","params":["\ud800"]}`,
		`{"id":"\udfff\ud800","method":"\ud800x","params":{"\ud800":"\ud800\u0000"}}`,
		`{"id":1,"method":"x","params":` + deep(1_000, "[", "]") + `}`,
		`{"id":1,"method":"x","params":` + deep(10_000, "[", "]") + `}`,
		`{"id":1,"method":"x","params":` + deep(10_000, `{"a":`, "}")[:50_000] + `1` + strings.Repeat("}", 10_000) + `}`,
		deep(100_000, "[", "]"),
		`{"id":1e400,"method":"x","params":[1e999999,-1e999999,123456789012345678901234567890123456789012345678901234567890]}`,
		`{"id":123456789012345678901234567890,"result":1E+400,"error":null}`,
		`{"id":NaN,"method":"x"}`,
		`{"id":1,"id":2,"method":"a","method":"b"}`,
		"{\"id\":1,\"method\":\"\xff\xfe\",\"params\":[\"\xc3\x28\"]}",
		"\xff\xfe\x00\x01\x02",
		"\xef\xbb\xbf{\"id\":1}",
		`{"id":1,"method":"</script><script>alert(1)</script>","params":["\u2028\u2029"]}`,
		`{"id":{"a":[1]},"method":7,"params":"x"}`,
		"", " ", "\r", "\x00", `null`, `"text"`, `[{}]`, `{}`, `{"id":null,"result":null,"error":null}`,
		`{"id":3,"result":null,"error":[21,"\ud800",{"deep":` + deep(5_000, "[", "]") + `}]}`,
		strings.Repeat("x", 300<<10),
		`{"id":5,"method":"mining.authorize","params":["` + strings.Repeat("w", 100_000) + `","secret"]}`,
		`{"id":6,"method":"mining.subscribe","params":["\ud800\u0007` + strings.Repeat("\\u0001", 1000) + `"]}`,
		`{"id":null,"method":"mining.set_difficulty","params":[1e400]}`,
		`{"id":null,"method":"mining.set_difficulty","params":[-0]}`,
		`{"id":null,"method":"mining.notify","params":[` + deep(2_000, "[", "]") + `]}`,
		`{"id":null,"method":"client.reconnect","params":["\ud800",1e400]}`,
	}
}

// TestHostileLines captures lines that are made to break readers, both ways, and
// lets strict parsers read every answer: encoding/json, and node's.
func TestHostileLines(t *testing.T) {
	b := newBench(t)
	tape := b.open("s")
	lines := hostileLines()
	for i, line := range lines {
		say(tape, capture.MinerToPool, line+"\n", when.Add(time.Duration(2*i)*time.Millisecond))
		say(tape, capture.PoolToMiner, line+"\r\n", when.Add(time.Duration(2*i+1)*time.Millisecond))
	}
	b.settle("s", uint64(2*len(lines)))

	targets := []string{"/api/messages?limit=1000", "/api/sessions", "/api/sessions/s", "/api/messages?error=true&text=%ED%A0%80", "/api/sessions/%ED%A0%80", "/api/messages?session_id=%FF&direction=%FF"}
	for n := 1; n <= 2*len(lines); n++ {
		id := capture.MessageID("s", uint64(n))
		targets = append(targets, "/api/messages/"+id, "/api/messages/"+id+"/decoded")
	}
	dir := t.TempDir()
	for i, target := range targets {
		w := b.get(target)
		if w.Code == http.StatusInternalServerError {
			t.Errorf("%s: %s", target, w.Body)
		}
		body := w.Body.Bytes()
		if !utf8.Valid(body) {
			t.Errorf("%s: not UTF-8", target)
		}
		var v any
		strict := json.NewDecoder(bytes.NewReader(body))
		strict.UseNumber() // 1e400 is a number of JSON, if none of Go
		if err := strict.Decode(&v); err != nil {
			t.Errorf("%s: %v in %.200s", target, err, body)
		}
		if bytes.Contains(body, []byte(`\ud800`)) {
			// In decoded, halves of pairs are replaced; raw holds them escaped twice.
			if !bytes.Contains(body, []byte(`\\ud800`)) {
				t.Errorf("%s: half of a surrogate pair in %.300s", target, body)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%04d.json", i)), body, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	first := read[map[string]any](t, b.get("/api/messages/s-1"))
	if raw := first["raw"]; raw != lines[0]+"\n" {
		t.Errorf("raw is %q, want the line as it came", raw)
	}

	node, err := exec.LookPath("node")
	if err != nil {
		t.Log("node is not installed: read by encoding/json alone")
		return
	}
	script := `const fs=require('fs');let n=0;for(const f of fs.readdirSync(process.argv[1])){const t=fs.readFileSync(process.argv[1]+'/'+f);
		JSON.parse(new TextDecoder('utf-8',{fatal:true}).decode(t));n++}console.log(n)`
	out, err := exec.Command(node, "-e", script, dir).CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != fmt.Sprint(len(targets)) {
		t.Errorf("node read %.500s: %v", out, err)
	}
}
