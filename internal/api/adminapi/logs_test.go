package adminapi_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/api/adminapi"
	"github.com/poolscope/poolscope/internal/telemetry"
)

// logPage is what a client reads.
type logPage struct {
	Level           string
	ConfiguredLevel string    `json:"configured_level"`
	LevelUntil      time.Time `json:"level_until"`
	Next, Dropped   uint64
	Parts           []string
	Lines           []struct {
		ID          uint64
		At          time.Time
		Level, Part string
		Message     string
		Attrs       map[string]string
	}
}

func newLogRig(t *testing.T) (*rig, *slog.Logger) {
	t.Helper()
	logs, err := telemetry.NewLogs(io.Discard, telemetry.LogConfig{Level: "info", Secrets: []string{"hunter2-secret"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(logs.Close)
	return newRig(t, adminapi.Sources{Logs: logs, Now: now}), logs.Logger()
}

func TestLogs(t *testing.T) {
	r, log := newLogRig(t)
	var got logPage
	r.get("/api/admin/logs", &got)
	if got.Level != "info" || len(got.Lines) != 0 || got.Next != 0 {
		t.Fatalf("%+v", got)
	}
	log.With("part", "pool").Info("miner signed in", "worker", "addr.rig1", "difficulty", 1024.5)
	log.With("part", "node").Warn("node slow", slog.Group("rpc", "took", 3*time.Second), "err", fmt.Errorf("password hunter2-secret refused"))
	log.Debug("not shown")
	r.get("/api/admin/logs", &got)
	if len(got.Lines) != 2 || strings.Join(got.Parts, " ") != "node pool" {
		t.Fatalf("%+v", got)
	}
	first, second := got.Lines[0], got.Lines[1]
	if first.Level != "info" || first.Part != "pool" || first.Message != "miner signed in" || first.Attrs["worker"] != "addr.rig1" || first.Attrs["difficulty"] != "1024.5" {
		t.Errorf("%+v", first)
	}
	if second.Level != "warn" || second.Attrs["rpc.took"] != "3s" || second.Attrs["err"] != "password [redacted] refused" || second.ID != first.ID+1 || got.Next != second.ID {
		t.Errorf("%+v", second)
	}

	for query, want := range map[string]int{
		"level=warn": 1, "part=pool": 1, "part=none": 0, "q=RIG1": 1, "q=took%3D3s": 1, "q=node": 1, "limit=1": 1, "": 2, "level=debug&part=node&q=slow": 1,
	} {
		var filtered logPage
		r.get("/api/admin/logs?"+query, &filtered)
		if len(filtered.Lines) != want || filtered.Next != got.Next {
			t.Errorf("%q: %d lines, next %d", query, len(filtered.Lines), filtered.Next)
		}
	}
	var newest logPage
	if r.get("/api/admin/logs?limit=1", &newest); newest.Lines[0].Message != "node slow" {
		t.Errorf("the newest line is %+v", newest.Lines[0])
	}
	for _, bad := range []string{"level=loud", "after=x", "after=-1", "limit=0", "limit=5001", "format=xml"} {
		r.want(signedIn, http.MethodGet, "/api/admin/logs?"+bad, "", http.StatusBadRequest, "must be")
	}
}

// TestFollowLog polls as the page does, and misses nothing.
func TestFollowLog(t *testing.T) {
	r, log := newLogRig(t)
	log.Info("line", "n", 0)
	var got logPage
	r.get("/api/admin/logs", &got)
	for n := 1; n <= 25; n++ {
		log.Info("line", "n", n)
	}
	var seen []string
	next := got.Next
	for range 4 {
		r.get(fmt.Sprintf("/api/admin/logs?limit=10&after=%d", next), &got)
		for _, l := range got.Lines {
			seen = append(seen, l.Attrs["n"])
		}
		next = got.Next
	}
	if len(seen) != 25 || seen[0] != "1" || seen[24] != "25" || got.Dropped != 0 {
		t.Errorf("%v, dropped %d", seen, got.Dropped)
	}
	for n := range 6000 {
		log.Info("more", "n", n)
	}
	r.get(fmt.Sprintf("/api/admin/logs?limit=5000&after=%d", next), &got)
	if len(got.Lines) != 5000 || got.Dropped != 1000 {
		t.Errorf("%d lines, dropped %d", len(got.Lines), got.Dropped)
	}
}

// TestForgedLines has what a miner could send to fool an operator.
func TestForgedLines(t *testing.T) {
	r, log := newLogRig(t)
	evil := "x\n2026-11-22T14:00:00.000Z ERROR [pool] all blocks lost\r\x1b[2J\u009b1m\u202egnp.exe\u2066\u2028\x00\xff\" part=\"node"
	log.Info("worker refused", "worker", evil, evil, 1)
	var got logPage
	r.get("/api/admin/logs", &got)
	if len(got.Lines) != 1 || len(got.Lines[0].Attrs) != 2 || got.Lines[0].Part != "" {
		t.Fatalf("%+v", got)
	}
	w := r.do(signedIn, http.MethodGet, "/api/admin/logs?format=text", "")
	for _, text := range []string{got.Lines[0].Attrs["worker"], strings.TrimSuffix(w.Body.String(), "\n")} {
		for _, c := range text {
			if c < ' ' || c >= 0x7f && c < 0xa0 || c >= 0x2028 && c <= 0x202e || c >= 0x2066 && c <= 0x2069 {
				t.Errorf("%U came through in %q", c, text)
			}
		}
	}
	if got := w.Header().Get("Content-Disposition"); got != `attachment; filename="poolscope-20261122T140000Z.log"` || w.Header().Get("Content-Type") != "text/plain; charset=utf-8" {
		t.Errorf("%v", w.Header())
	}
}

func TestLogLevel(t *testing.T) {
	r, log := newLogRig(t)
	r.want(signedIn, http.MethodPut, "/api/admin/logs/level", `{"level":"debug","minutes":10}`, http.StatusOK, `"level":"debug","configured_level":"info","level_until":`)
	if a := r.trail.last(); a.Name != "log.level" || a.Target != "debug" || a.Detail != "for 10 minutes" {
		t.Errorf("%+v", a)
	}
	log.Debug("shown")
	var got logPage
	r.get("/api/admin/logs?q=shown", &got)
	if len(got.Lines) != 1 || got.LevelUntil.IsZero() {
		t.Errorf("%+v", got)
	}
	r.want(signedIn, http.MethodPut, "/api/admin/logs/level", `{"minutes":0}`, http.StatusOK, `{"level":"info","configured_level":"info"}`)
	for _, bad := range []string{`{"level":"debug","minutes":-1}`, `{"level":"debug","minutes":1441}`, `{"level":"loud","minutes":1}`, `{"level":5}`} {
		r.want(signedIn, http.MethodPut, "/api/admin/logs/level", bad, http.StatusBadRequest, "")
	}
}
