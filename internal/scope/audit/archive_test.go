package audit

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/scope/capture"
	"github.com/poolscope/poolscope/internal/scope/journal"
)

// After a restart, sessions of the journal are understood as they were while
// they lived.
func TestArchive(t *testing.T) {
	dir := t.TempDir()
	log := slog.New(slog.DiscardHandler)
	open := func() *journal.Journal {
		j, err := journal.Open(journal.Config{Dir: dir}, log)
		if err != nil {
			t.Fatal(err)
		}
		return j
	}
	j := open()
	live := New(Config{}, log)
	recorder := capture.New(capture.Config{Analyst: live}, log, j)
	ctx, cancel := context.WithCancel(t.Context())
	var writing, recording sync.WaitGroup
	writerCtx, stopWriter := context.WithCancel(context.Background())
	writing.Go(func() { _ = j.Run(writerCtx) })
	recording.Go(func() { _ = recorder.Run(ctx) })
	for _, id := range []string{"s", "u"} {
		tape := recorder.Open(capture.Opening{ID: id, Origin: capture.OriginProxy, Miner: "192.0.2.1:1000", Pool: "pool.example:3333", At: time.Now()})
		tape.PoolConnected("198.51.100.1:3333")
		s := newStage(&wire{t: t, recorder: recorder, auditor: live, tape: tape})
		job := s.job(1, true)
		share := s.good(job)
		s.submit(share, yes)
		s.submit(share, yes)
		s.submit(s.bad(job), low)
		s.job(2, true)
		s.submit(s.good(job), yes)
		own := tape.Own([]byte(`{"id":9,"method":"mining.submit","params":`+share.params+`}`+"\n"), capture.OwnLine{WireID: `"x"`, ReplayOf: 9}, time.Now())
		own.Sent(time.Now())
		own.Answered([]byte(`{"id":"x","result":true}`+"\n"), time.Now())
		tape.Close("pool_closed", time.Now())
	}
	cancel()
	recording.Wait()
	stopWriter()
	writing.Wait()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}

	j = open()
	defer func() { _ = j.Close() }()
	library := journal.NewLibrary(capture.NewStore(capture.DefaultLimits()), j)
	now := New(Config{}, log)
	archive := NewArchive(now, library)
	want, _ := live.Facts("s")
	got, ok := archive.Facts("s")
	if !ok || !similar(t, got, want) || want.Shares.Submitted != 4 || want.Shares.Conflicts != 2 {
		t.Errorf("facts\n%+v\nwhile it lived\n%+v", got, want)
	}
	wantShares, _ := live.Shares("s", 0, 0)
	gotShares, _ := archive.Shares("s", 0, 0)
	if !similar(t, gotShares, wantShares) || len(gotShares.Items) != 5 {
		t.Errorf("shares\n%+v\nwhile it lived\n%+v", gotShares, wantShares)
	}
	wantJobs, _ := live.Jobs("s", 0, 0)
	gotJobs, _ := archive.Jobs("s", 0, 0)
	if !similar(t, gotJobs, wantJobs) || len(gotJobs.Items) != 2 {
		t.Errorf("jobs\n%+v\nwhile it lived\n%+v", gotJobs, wantJobs)
	}
	wantAlarms := live.Alarms(AlarmFilter{Session: "s"}).Alarms
	gotAlarms := archive.Alarms(AlarmFilter{Session: "s"}).Alarms
	if len(gotAlarms) != 2 || !slices.EqualFunc(gotAlarms, wantAlarms, func(a, b Alarm) bool {
		return a.Kind == b.Kind && a.Text == b.Text && a.Count == b.Count && slices.Equal(a.Messages, b.Messages)
	}) {
		t.Errorf("alarms\n%+v\nwhile it lived\n%+v", gotAlarms, wantAlarms)
	}
	if c, ok := archive.Compare("s", "u"); !ok || len(c.Tips) != 2 || c.Race.Blocks != 1 || c.A.Session != "s" || c.B.Session != "u" {
		t.Errorf("comparison %+v", c)
	}
	if _, ok := archive.Facts("nobody"); ok || len(archive.kept) != 2 {
		t.Errorf("facts of nobody: %t; %d audits kept", ok, len(archive.kept))
	}
	if len(archive.Alarms(AlarmFilter{}).Alarms) != 0 {
		t.Error("alarms of the past are told as if they were new")
	}
}

// similar says whether two values are equal in the API, but for durations that
// differ by microseconds: while a session lives they are taken from another clock.
func similar(t *testing.T, a, b any) bool {
	t.Helper()
	var trees [2]any
	for i, v := range []any{a, b} {
		text, err := json.Marshal(v)
		if err == nil {
			err = json.Unmarshal(text, &trees[i])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return alike(trees[0], trees[1])
}

func alike(a, b any) bool {
	switch a := a.(type) {
	case float64:
		b, ok := b.(float64)
		whole := a == math.Trunc(a) && b == math.Trunc(b)
		return ok && (a == b || !whole && math.Abs(a-b) <= max(0.01, 0.15*math.Abs(a)))
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, alike)
	case map[string]any:
		b, ok := b.(map[string]any)
		return ok && maps.EqualFunc(a, b, alike)
	}
	return a == b
}
