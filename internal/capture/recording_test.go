package capture

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolscope/poolscope/internal/stratum"
)

func read(t *testing.T, path string) []record {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []record
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var r record
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatalf("%s: %v", lines.Text(), err)
		}
		all = append(all, r)
	}
	return all
}

func start(t *testing.T, dir string, d time.Duration, maxBytes int64) *Recording {
	t.Helper()
	r, err := Start(dir, time.Now(), d, maxBytes, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRecording(t *testing.T) {
	r := start(t, t.TempDir(), time.Minute, 1<<20)
	at := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)
	line := []byte(`{"id":1,"method":"mining.ping"}`)
	r.Take("0a", stratum.FromMiner, line, at)
	copy(line, "overwritten") // the line was the caller's
	r.Take("0a", stratum.ToMiner, []byte("{\"id\":1,\"result\":\"pong\"} \x1b\xff"), at.Add(time.Millisecond))
	r.Stop()
	r.Take("0a", stratum.FromMiner, []byte("too late"), at)
	got := read(t, r.Status().File)
	want := []record{
		{at, "0a", "miner", `{"id":1,"method":"mining.ping"}`},
		{at.Add(time.Millisecond), "0a", "pool", "{\"id\":1,\"result\":\"pong\"} \x1b\ufffd"},
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("recorded %v, want %v", got, want)
	}
	if s := r.Status(); s.Lines != 2 || s.End != EndStopped || s.Dropped != 0 {
		t.Errorf("status %+v", s)
	}
	if info, err := os.Stat(r.Status().File); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v, %v", info.Mode(), err)
	}
}

func TestEndByTime(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		ended := false
		r, err := Start(dir, time.Now(), 3*time.Second, 1<<20, func() { ended = true })
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		r.Take("0a", stratum.FromMiner, []byte("in time"), time.Now())
		synctest.Wait()
		if s := r.Status(); s.End != "" || s.Lines != 1 {
			t.Errorf("after two seconds: %+v", s)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if s := r.Status(); s.End != EndTime || !ended {
			t.Errorf("after four seconds: %+v, told %t", s, ended)
		}
		r.Stop() // again does nothing
	})
}

func TestEndBySize(t *testing.T) {
	r := start(t, t.TempDir(), time.Minute, 1000)
	for range 100 {
		r.Take("0a", stratum.FromMiner, []byte(strings.Repeat("x", 100)), time.Now())
	}
	<-r.done
	if s := r.Status(); s.End != EndSize || s.Bytes > 1000 || s.Lines < 3 {
		t.Errorf("status %+v", s)
	}
}

// TestSlowFileDelaysNobody takes more lines than wait: they are counted.
func TestSlowFileDelaysNobody(t *testing.T) {
	r := &Recording{queue: make(chan entry, 2)} // nobody writes
	for range 5 {
		r.Take("0a", stratum.FromMiner, []byte("x"), time.Now())
	}
	if r.dropped.Load() != 3 {
		t.Errorf("%d lines dropped", r.dropped.Load())
	}
}

func TestOldRecordingsGo(t *testing.T) {
	dir := t.TempDir()
	for i := range keepFiles + 3 {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("20200101T0000%02d.000000.jsonl", i)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	start(t, dir, time.Minute, 1000).Stop()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) != keepFiles || !strings.Contains(files[0], "000004") {
		t.Errorf("%d files, the first is %s, %v", len(files), files[0], err)
	}
}

func TestPasswordsAreNotRecorded(t *testing.T) {
	for line, want := range map[string]string{
		`{"id":2,"method":"mining.authorize","params":["bc1q.rig","hunter2"]}`:        `{"id":2,"method":"mining.authorize","params":["bc1q.rig","[redacted]"]}`,
		`{"params":["a","hunter2",{"x":"hunter2"}],"method":"mining.auth","id":null}`: `{"id":null,"method":"mining.auth","params":["a","[redacted]","[redacted]"]}`,
		`{"id":2,"method":"mining.\u0061uthorize","params":["a","hunter2"]}`:          `{"id":2,"method":"mining.\u0061uthorize","params":["a","[redacted]"]}`,
		`{"id":2,"METHOD":"mining.authorize","params":["a","hunter2"]}`:               `{"METHOD":"mining.authorize","id":2,"params":["a","[redacted]"]}`,
		`{"method":"mining.authorize","method":"x","params":["a","hunter2"]}`:         `{"method":"x","params":["a","[redacted]"]}`,
		`{"id":2,"method":"mining.authorize","params":{"user":"a","pass":"hunter2"}}`: `{"id":2,"method":"mining.authorize","params":"[redacted]"}`,
		`{"id":2,"method":"mining.authorize","params":["a","hunter2"]`:                `[60 bytes that are no JSON and may hold a password]`,
		`{"id":3,"method":"mining.authorize","params":["a",""]}`:                      `{"id":3,"method":"mining.authorize","params":["a",""]}`,
		`{"id": 4, "method": "mining.submit", "params": ["a","1","00","00","00"]}`:    `{"id": 4, "method": "mining.submit", "params": ["a","1","00","00","00"]}`,
		`{"id":5,"method":"mining.submit","params":["a.author","1","00"]}`:            `{"id":5,"method":"mining.submit","params":["a.author","1","00"]}`,
		`{"id":5,"method":"mining.submit","params":["a.\u00fc","1","00"]}`:            `{"id":5,"method":"mining.submit","params":["a.\u00fc","1","00"]}`,
		`{"method":"mining.authorize","params":["a","hunter2"],"m\u0065thod":"x"}`:    `{"method":"x","params":["a","[redacted]"]}`,
		`GET / HTTP/1.1`: `GET / HTTP/1.1`,
	} {
		if got := string(withoutPassword([]byte(line))); got != want {
			t.Errorf("%s\n becomes %s\n    want %s", line, got, want)
		}
	}
}

// FuzzPasswords puts a password where authorize has it, among anything else.
func FuzzPasswords(f *testing.F) {
	f.Add(`{"id":1,"method":"mining.authorize","params":["u","`, `"]}`)
	f.Add(`{"method":"mining.Authorize","params":["u","`, `"],"params":[]}`)
	f.Fuzz(func(t *testing.T, before, after string) {
		line := before + "hunter2-secret" + after
		var r stratum.Request
		if stratum.ScanRequest([]byte(line), &r) != nil || r.Method != stratum.MethodAuthorize {
			return
		}
		a, ok := stratum.ParseAuthorize(r.Params)
		if !ok || !strings.Contains(a.Password, "hunter2-secret") || strings.Contains(a.User, "hunter2-secret") {
			return
		}
		if got := string(withoutPassword([]byte(line))); strings.Contains(got, "hunter2-secret") {
			t.Errorf("%s becomes %s", line, got)
		}
	})
}
