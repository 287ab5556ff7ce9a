package telemetry

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// logRig is a log file in a folder of its own, with a clock to turn.
type logRig struct {
	t    *testing.T
	dir  string
	now  logClock
	file *logFile
	lock sync.Mutex
}

// logClock stands still until it is set; a goroutine that tidies up may read it.
type logClock struct{ nanos atomic.Int64 }

func (c *logClock) set(t time.Time)     { c.nanos.Store(t.UnixNano()) }
func (c *logClock) add(d time.Duration) { c.nanos.Add(int64(d)) }
func (c *logClock) read() time.Time     { return time.Unix(0, c.nanos.Load()).UTC() }

func newLogRig(t *testing.T, rotation Rotation) *logRig {
	r := &logRig{t: t, dir: t.TempDir()}
	r.now.set(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	r.open(rotation)
	t.Cleanup(func() { r.file.Close() })
	return r
}

func (r *logRig) open(rotation Rotation) {
	r.t.Helper()
	file, err := openLogFile(filepath.Join(r.dir, "pool.log"), rotation, r.now.read, &r.lock)
	if err != nil {
		r.t.Fatal(err)
	}
	r.file = file
}

func (r *logRig) write(line string) {
	r.t.Helper()
	if _, err := r.file.Write([]byte(line + "\n")); err != nil {
		r.t.Fatal(err)
	}
	if err := os.Chtimes(filepath.Join(r.dir, "pool.log"), r.now.read(), r.now.read()); err != nil {
		r.t.Fatal(err)
	}
	// A goroutine does this after a rotation; it may come first or second.
	if err := r.file.tidyUp(); err != nil {
		r.t.Fatal(err)
	}
}

// contents are the files by name, unpacked.
func (r *logRig) contents() map[string]string {
	r.t.Helper()
	r.lock.Lock()
	defer r.lock.Unlock()
	entries, err := os.ReadDir(r.dir)
	if err != nil {
		r.t.Fatal(err)
	}
	all := make(map[string]string)
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(r.dir, e.Name()))
		if err != nil {
			r.t.Fatal(err)
		}
		if strings.HasSuffix(e.Name(), ".gz") {
			z, err := gzip.NewReader(bytes.NewReader(data))
			if err != nil {
				r.t.Fatal(err)
			}
			if data, err = io.ReadAll(z); err != nil {
				r.t.Fatal(err)
			}
		}
		all[e.Name()] = string(data)
	}
	return all
}

func (r *logRig) want(files map[string]string) {
	r.t.Helper()
	if got := r.contents(); fmt.Sprint(got) != fmt.Sprint(files) {
		r.t.Errorf("files %q, want %q", got, files)
	}
}

func TestRotationBySize(t *testing.T) {
	r := newLogRig(t, Rotation{Size: 10})
	r.write("12345678")
	r.write("abc")
	r.now.add(time.Second)
	r.write("defghijklmnop") // longer than a file may be, and yet not lost
	r.want(map[string]string{
		"pool.log":                     "defghijklmnop\n",
		"pool-20260102T030405.000.log": "12345678\n",
		"pool-20260102T030406.000.log": "abc\n",
	})
}

func TestRotationByTime(t *testing.T) {
	r := newLogRig(t, Rotation{Every: 24 * time.Hour})
	r.write("first day")
	r.now.set(time.Date(2026, 1, 2, 23, 59, 59, 0, time.UTC))
	r.write("still")
	r.now.set(time.Date(2026, 1, 3, 0, 0, 1, 0, time.UTC))
	r.write("second day")
	r.want(map[string]string{"pool.log": "second day\n", "pool-20260103T000001.000.log": "first day\nstill\n"})
}

// TestRotationByTimeAfterRestart starts on a file of yesterday.
func TestRotationByTimeAfterRestart(t *testing.T) {
	r := newLogRig(t, Rotation{Every: 24 * time.Hour})
	r.write("yesterday")
	r.file.Close()
	r.now.add(24 * time.Hour)
	r.open(Rotation{Every: 24 * time.Hour})
	r.write("today")
	r.want(map[string]string{"pool.log": "today\n", "pool-20260103T030405.000.log": "yesterday\n"})
}

// TestOldLogsGo keeps two files for at most two hours, compressed; files of
// somebody else with a similar name stay.
func TestOldLogsGo(t *testing.T) {
	rotation := Rotation{Size: 1, Keep: 2, KeepFor: 2 * time.Hour, Compress: true}
	r := newLogRig(t, rotation)
	foreign := map[string]string{"pool-notes.log": "mine", "pool-20260102T030405.000.log.bak": "also", "other-20200102T030405.000.log": "too"}
	for name, text := range foreign {
		if err := os.WriteFile(filepath.Join(r.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, line := range []string{"a", "b", "c", "d"} {
		r.write(line)
		r.now.add(time.Minute)
	}
	want := map[string]string{"pool.log": "d\n", "pool-20260102T030605.000.log.gz": "b\n", "pool-20260102T030705.000.log.gz": "c\n"}
	for name, text := range foreign {
		want[name] = text
	}
	r.want(want)

	r.now.add(3 * time.Hour)
	r.write("e")
	delete(want, "pool-20260102T030605.000.log.gz")
	delete(want, "pool-20260102T030705.000.log.gz")
	want["pool.log"], want["pool-20260102T060805.000.log.gz"] = "e\n", "d\n"
	r.want(want)
}

// TestLogFileThatIsFull writes to a device that takes nothing: the lines come
// out where somebody sees them, and are counted.
func TestLogFileThatIsFull(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("this system has no /dev/full")
	}
	var fallback bytes.Buffer
	logs, err := NewLogs(&fallback, LogConfig{File: "/dev/full"})
	if err != nil {
		t.Fatal(err)
	}
	defer logs.Close()
	logs.Logger().Error("important")
	if !strings.Contains(fallback.String(), "msg=important") || logs.Lost() != 1 {
		t.Errorf("the fallback has %q, %d lost", fallback.String(), logs.Lost())
	}
}

// TestLogsChangeWhileInUse changes everything under a logger that exists.
func TestLogsChangeWhileInUse(t *testing.T) {
	var fallback bytes.Buffer
	logs, err := NewLogs(&fallback, LogConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer logs.Close()
	log := logs.Logger().With("part", "pool").WithGroup("g")
	log.Debug("unseen")
	log.Info("one", "a", 1)
	path := filepath.Join(t.TempDir(), "logs", "pool.log")
	if err := logs.Reconfigure(LogConfig{Level: "debug", Format: "json", File: path}); err != nil {
		t.Fatal(err)
	}
	log.Debug("two", "a", 2)

	// Somebody's own tool moves the file away; the next reload makes a new one.
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	log.Debug("three")
	if err := logs.Reconfigure(LogConfig{Level: "info", File: path}); err != nil {
		t.Fatal(err)
	}
	log.Info("four")

	// A mistake changes nothing.
	for _, bad := range []LogConfig{{Level: "loud"}, {Format: "xml"}, {File: filepath.Join(path, "below-a-file")}} {
		if err := logs.Reconfigure(bad); err == nil {
			t.Errorf("%+v was taken", bad)
		}
	}
	log.Info("five")

	if got := fallback.String(); strings.Contains(got, "unseen") || !strings.Contains(got, "msg=one part=pool g.a=1") || strings.Count(got, "\n") != 1 {
		t.Errorf("before the file: %s", got)
	}
	moved, err := os.ReadFile(path + ".1")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(moved), `"msg":"two","part":"pool","g":{"a":2}`) || !strings.Contains(string(moved), `"msg":"three"`) {
		t.Errorf("the file moved away has %s", moved)
	}
	fresh, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(fresh), "msg=four") || !strings.Contains(string(fresh), "msg=five") {
		t.Errorf("the new file has %s", fresh)
	}
}

// TestNoSecretIsLogged logs what errors of other programs may hold.
func TestNoSecretIsLogged(t *testing.T) {
	secrets := []string{"hunter2-hunter2", "tok en\nwith \"quotes\""}
	for _, format := range []string{"text", "json"} {
		var out bytes.Buffer
		logs, err := NewLogs(&out, LogConfig{Format: format, Secrets: append(slices.Clone(secrets), "", "a")})
		if err != nil {
			t.Fatal(err)
		}
		log := logs.Logger().With("url", "http://rpc:pa55word@10.0.0.1:8332/wallet")
		log.Info("banana", "err", fmt.Errorf("dial http://user:s3cr:et@node:8332: %w", io.EOF),
			"cookie", "__cookie__:0123456789abcdef", "agent", "x"+secrets[0]+"y",
			"any", []string{"a", secrets[0]}, "group", slog.GroupValue(slog.String("deep", secrets[1])),
			"plain", "see http://example.org/a@b and stratum+tcp://pool:3333")
		line := out.String()
		for _, secret := range []string{"hunter2", "quotes", "pa55word", "s3cr", "0123456789abcdef"} {
			if strings.Contains(line, secret) {
				t.Errorf("%s: %q is in the line: %s", format, secret, line)
			}
		}
		for _, harmless := range []string{"10.0.0.1:8332/wallet", "node:8332: EOF", "banana", "http://example.org/a@b", "stratum+tcp://pool:3333"} {
			if !strings.Contains(line, harmless) {
				t.Errorf("%s: %q is gone: %s", format, harmless, line)
			}
		}
	}
}
