package telemetry

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"
)

func ringLogs(t *testing.T, cfg LogConfig) (*Logs, *slog.Logger) {
	t.Helper()
	l, err := NewLogs(io.Discard, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	log := l.Logger()
	return l, log
}

// quiet hides itself, as config.Secret does.
type quiet struct{}

func (quiet) LogValue() slog.Value { return slog.StringValue("[hidden]") }

func TestRecordsSayWhatTheLineSays(t *testing.T) {
	l, log := ringLogs(t, LogConfig{Secrets: []string{"s3cret-token"}})
	log = log.With("part", "node", "url", "http://user:pw@host/").WithGroup("rpc")
	log.Warn("asked with s3cret-token", "took", time.Second, "key", quiet{}, slog.Group("", slog.Int("n", 1)), slog.Group("in", "a", "b c"), "part", "x", "err", errors.New("no"))
	records, lost := l.Records(0)
	if len(records) != 1 || lost != 0 {
		t.Fatalf("%d records, %d lost", len(records), lost)
	}
	r := records[0]
	want := `WARN [node] asked with [redacted] url=http://[redacted]@host/ rpc.took=1s rpc.key=[hidden] rpc.n=1 rpc.in.a="b c" rpc.part=x rpc.err=no`
	if got := r.Text(); !strings.HasSuffix(got, want) || r.Part != "node" || r.At.IsZero() {
		t.Errorf("%s\nwant … %s", got, want)
	}
	if at, err := time.Parse("2006-01-02T15:04:05.000Z", strings.Fields(r.Text())[0]); err != nil || at.Sub(r.At).Abs() > time.Millisecond {
		t.Errorf("the line is of %v, the record of %v", at, r.At)
	}
}

// TestHandlersDoNotShareAttrs derives two loggers from one, whose attributes must
// not get into each other's.
func TestHandlersDoNotShareAttrs(t *testing.T) {
	l, log := ringLogs(t, LogConfig{})
	base := log.With("a", 1, "b", 2, "c", 3)
	one, two := base.With("d", "one"), base.With("d", "two")
	one.Info("m", "e", 1)
	two.Info("m", "e", 2)
	one.Info("m", "e", 3)
	records, _ := l.Records(0)
	for i, want := range []string{"d=one e=1", "d=two e=2", "d=one e=3"} {
		if !strings.HasSuffix(records[i].Text(), want) {
			t.Errorf("%s, want %s", records[i].Text(), want)
		}
	}
}

func TestRingIsBounded(t *testing.T) {
	l, log := ringLogs(t, LogConfig{})
	for i := range 3*maxRecords + 7 {
		log.Info("line", "i", i)
	}
	records, lost := l.Records(0)
	if len(records) != maxRecords || lost != 0 || records[maxRecords-1].Attrs[0].Value != fmt.Sprint(3*maxRecords+6) {
		t.Errorf("%d records, %d lost, the newest %s", len(records), lost, records[len(records)-1].Text())
	}
	for i, r := range records {
		if r.ID != records[0].ID+uint64(i) {
			t.Fatalf("record %d has ID %d after %d", i, r.ID, records[0].ID)
		}
	}

	// Long values are cut, at whole characters, and many are left out.
	attrs := make([]any, 0, 200)
	for i := range 100 {
		attrs = append(attrs, fmt.Sprint("k", i), strings.Repeat("ä", maxLogText))
	}
	for range 100 {
		log.Info("long", attrs...)
	}
	records, _ = l.Records(0)
	size := 0
	for _, r := range records {
		size += r.size()
	}
	last := records[len(records)-1]
	if size > maxRecordBytes || len(last.Attrs) != maxLogAttrs || len(last.Attrs[0].Value) > maxLogText+len("…") || !utf8.ValidString(last.Attrs[0].Value) || !strings.HasSuffix(last.Attrs[0].Value, "ä…") {
		t.Errorf("%d bytes, %d attributes of %d bytes", size, len(last.Attrs), len(last.Attrs[0].Value))
	}
}

func TestRecordsAfter(t *testing.T) {
	l, log := ringLogs(t, LogConfig{})
	if records, lost := l.Records(12345); records != nil || lost != 0 {
		t.Error("records of nothing")
	}
	for range maxRecords + 10 {
		log.Info("line")
	}
	all, _ := l.Records(0)
	first, last := all[0].ID, all[len(all)-1].ID
	for _, c := range []struct {
		after, lost uint64
		records     int
	}{
		{last, 0, 0}, {last + 5, 0, 0}, {last - 1, 0, 1}, {first, 0, maxRecords - 1}, {first - 1, 0, maxRecords}, {first - 4, 3, maxRecords},
		{first - 1<<30, 0, maxRecords}, // of an earlier process
	} {
		if records, lost := l.Records(c.after); len(records) != c.records || lost != c.lost {
			t.Errorf("after first%+d: %d records, %d lost", int64(c.after-first), len(records), lost)
		}
	}
	if _, err := NewLogs(io.Discard, LogConfig{}); err != nil || newLogRing(time.Now().Add(time.Second)).last < last {
		t.Error("the next process begins below")
	}
}

// TestLevelComesBack puts another level in force for a while.
func TestLevelComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, log := ringLogs(t, LogConfig{Level: "warn"})
		expect := func(want slog.Level, forAWhile bool) {
			t.Helper()
			got, configured, until := l.Level()
			if got != want || configured != slog.LevelWarn || until.IsZero() == forAWhile || log.Enabled(t.Context(), want-1) || !log.Enabled(t.Context(), want) {
				t.Errorf("in force %v until %v", got, until)
			}
		}
		expect(slog.LevelWarn, false)
		if err := l.SetLevel("debug", 10*time.Minute); err != nil {
			t.Fatal(err)
		}
		time.Sleep(9 * time.Minute)
		expect(slog.LevelDebug, true)
		// Once more: the first time is over, the second is not.
		if err := l.SetLevel("info", 10*time.Minute); err != nil {
			t.Fatal(err)
		}
		time.Sleep(9 * time.Minute)
		synctest.Wait()
		expect(slog.LevelInfo, true)
		// A reload leaves it.
		if err := l.Reconfigure(LogConfig{Level: "warn"}); err != nil {
			t.Fatal(err)
		}
		expect(slog.LevelInfo, true)
		time.Sleep(time.Minute)
		synctest.Wait()
		expect(slog.LevelWarn, false)
		if err := l.SetLevel("error", time.Hour); err != nil {
			t.Fatal(err)
		}
		if err := l.SetLevel("debug", 0); err != nil {
			t.Fatal(err)
		}
		expect(slog.LevelWarn, false)
		if err := l.SetLevel("loud", time.Hour); !errors.Is(err, ErrLogLevel) {
			t.Errorf("error %v", err)
		}
	})
}

func FuzzHarmless(f *testing.F) {
	for _, s := range []string{"", "plain", "a\nb", "\x1b[31m", "\u202eabc", "\xff\xfe", strings.Repeat("ä", 3000), strings.Repeat("a", maxLogText-1) + "€", "\u2066\x9b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := harmless(s)
		if !utf8.ValidString(got) {
			t.Errorf("%q is not valid", got)
		}
		for _, r := range got {
			if r < ' ' || unsafeRune(r) {
				t.Errorf("%U came through", r)
			}
		}
		if len(got) > 12*maxLogText {
			t.Errorf("%d bytes", len(got))
		}
	})
}
