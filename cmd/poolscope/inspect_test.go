package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// recorded is a conversation as poolscope capture writes it.
const recorded = `{"time":"2026-01-02T03:04:05Z","session":"0a","from":"miner","line":"{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[\"cgminer/4.11.1\"]}"}
{"time":"2026-01-02T03:04:05.001Z","session":"0a","from":"pool","line":"{\"id\":1,\"result\":[[],\"00ff00ff\",4],\"error\":null}"}
{"time":"2026-01-02T03:04:06Z","session":"0b","from":"miner","line":"{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[\"other/1\"]}"}
`

func TestInspect(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := write("good.jsonl", recorded)
	damaged := write("damaged.jsonl", recorded+`{"time":"2026-01`)
	run := func(code int, args ...string) (stdout, stderr string) {
		t.Helper()
		var out, complaints bytes.Buffer
		if got := run(t.Context(), append([]string{"inspect"}, args...), &out, &complaints); got != code {
			t.Errorf("%q: exit code %d, want %d\n%s%s", args, got, code, out.String(), complaints.String())
		}
		return out.String(), complaints.String()
	}

	out, _ := run(exitOK, good, "--messages")
	for _, want := range []string{"SESSION 0a", "SESSION 0b", "cgminer/4.11.1", "extranonce1 00ff00ff", "The pool takes the miner", "No alarms."} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if out, _ = run(exitOK, good, "--session", "0b"); strings.Contains(out, "SESSION 0a") || !strings.Contains(out, "SESSION 0b") {
		t.Errorf("session 0b:\n%s", out)
	}
	out, _ = run(exitOK, good, "--json")
	var result struct {
		File     struct{ Format string }
		Sessions []struct{ Facts map[string]any }
		Alarms   []any
	}
	if err := json.Unmarshal([]byte(out), &result); err != nil || result.File.Format != "recording" || len(result.Sessions) != 2 || result.Alarms == nil {
		t.Errorf("%v, %+v", err, result)
	}
	out, complaint := run(exitFailure, damaged)
	if !strings.Contains(out, "SESSION 0b") || !strings.Contains(complaint, "damaged.jsonl: the file is damaged: the file ends in the middle of message 4") {
		t.Errorf("damaged file:\n%s%s", out, complaint)
	}
	if out, complaint = run(exitFailure, write("text", "hello")); out != "" || !strings.Contains(complaint, "neither pcap nor") {
		t.Errorf("no capture:\n%s%s", out, complaint)
	}
	changed := write("changed.jsonl", `{"type":"header","format":"poolscope-capture","version":1,"session":{"id":"0c"}}`+"\n"+
		`{"id":"0c-1","ts_recv":"2026-01-02T03:04:05Z","direction":"miner_to_pool","session_id":"0c","raw":"{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[]}\n"}`+"\n")
	if out, complaint = run(exitFailure, changed); !strings.Contains(out, "Hash chain: BROKEN") || !strings.Contains(out, "SESSION 0c") || !strings.Contains(complaint, "changed.jsonl: the hash chain is broken: line 2") {
		t.Errorf("changed file:\n%s%s", out, complaint)
	}
	if out, _ = run(exitFailure, changed, "--json"); !json.Valid([]byte(out)) {
		t.Errorf("changed file as JSON:\n%s", out)
	}
	run(exitFailure, filepath.Join(dir, "none"))
	run(exitUsage, good, "--rows=-1")
	run(exitUsage)
}
