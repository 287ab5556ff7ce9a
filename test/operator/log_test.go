package operator

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/poolscope/poolscope/test/nodes"
)

// TestLogIsNotForMiners: miners send names, agents and passwords that would
// forge lines, steer a terminal, or betray somebody.
func TestLogIsNotForMiners(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"text", "json"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			log := filepath.Join(t.TempDir(), "pool.log")
			r := startPool(t, binary, fmt.Sprintf("[log]\nlevel = \"debug\"\nformat = %q\nfile = %q\n", format, log))
			evil := []string{"x\nlevel=ERROR msg=\"wallet stolen\"", "\x1b[2J\x1b]0;title\x07", "\"}\n{\"level\":\"ERROR\",\"msg\":\"stolen\"", "\u009b31m\u202e\u2028", "http://rpc:hunter2pw@127.0.0.1:8332"}
			for _, text := range evil {
				nag(t, r.Stratum, text)
			}
			nodes.WaitFor(t, patience, "the log tells of all refusals", func() bool {
				data, err := os.ReadFile(log)
				return err == nil && strings.Count(string(data), "worker refused") >= len(evil)
			})
			r.Stop(t, 10*time.Second)
			data, err := os.ReadFile(log)
			if err != nil {
				t.Fatal(err)
			}
			checkLog(t, format, string(data))
		})
	}
}

// nag says something in every place that a miner can, and waits for the answer.
func nag(t *testing.T, address, text string) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	for i, params := range [][]string{{text}, {text, "hunter2pw"}, {miner + "." + text, "hunter2pw"}} {
		method := "mining.authorize"
		if i == 0 {
			method = "mining.subscribe"
		}
		line, err := json.Marshal(map[string]any{"id": i, "method": method, "params": params})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write(append(line, '\n')); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := fmt.Fprintf(conn, "%s\n", strings.ReplaceAll(text, "\n", "\r")); err != nil {
		t.Fatal(err)
	}
	for answers, lines := 0, bufio.NewScanner(conn); answers < 3; answers++ {
		if !lines.Scan() {
			t.Fatalf("no answer: %v", lines.Err())
		}
	}
}

var logLine = regexp.MustCompile(`^time=\S+ level=(DEBUG|INFO|WARN|ERROR) msg=`)

func checkLog(t *testing.T, format, log string) {
	t.Helper()
	if strings.Contains(log, "hunter2pw") {
		t.Error("a password is in the log")
	}
	for line := range strings.Lines(log) {
		line = strings.TrimSuffix(line, "\n")
		for _, c := range line {
			if c < ' ' || c >= 0x7f && c < 0xa0 || c == '\u202e' || c == '\u2028' {
				t.Errorf("a line holds %q: %q", c, line)
			}
		}
		var fields struct{ Level, Msg string }
		switch {
		case format == "text" && !logLine.MatchString(line):
			t.Errorf("no line of ours: %q", line)
		case format == "json" && (json.Unmarshal([]byte(line), &fields) != nil || fields.Level == ""):
			t.Errorf("no line of ours: %q", line)
		}
		if fields.Msg == "stolen" || strings.Contains(line, "level=ERROR msg=stolen") {
			t.Errorf("a forged line: %q", line)
		}
	}
}
