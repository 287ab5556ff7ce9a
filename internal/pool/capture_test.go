package pool

import (
	"errors"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/capture"
)

// captured stops the recording and returns what is in its file.
func (r *rig) captured() string {
	r.t.Helper()
	r.pool.StopCapture()
	status, ok := r.pool.Capture()
	if !ok || status.End != capture.EndStopped {
		r.t.Fatalf("status %+v, %t", status, ok)
	}
	text, err := os.ReadFile(status.File)
	if err != nil {
		r.t.Fatal(err)
	}
	return string(text)
}

// TestCaptureWorker records one worker of two, on its present connection and on
// a later one, without its password.
func TestCaptureWorker(t *testing.T) {
	dir := t.TempDir()
	r := newRig(t, false, func(c *Config) {
		c.CaptureDir, c.TapSink, c.Tap = dir, new(tapRecord), TapMode{All: true}
	})
	r.newTip()
	m, other := r.connect(t), r.connect(t)
	m.start(alice+".one", "hunter2")
	other.start(alice+".two", "hunter2")
	order := CaptureOrder{Worker: alice + ".one", For: time.Minute, MaxBytes: 1 << 20}
	if _, err := r.pool.StartCapture(order); err != nil {
		t.Fatal(err)
	}
	if _, err := r.pool.StartCapture(order); !errors.Is(err, ErrCapturing) {
		t.Errorf("a second capture: %v", err)
	}
	if got := m.share(); got != "" {
		t.Fatal(got)
	}
	if got := other.share(); got != "" {
		t.Fatal(got)
	}
	later := r.connect(t)
	later.start(alice+".one", "hunter2")
	later.call("mining.authorize", alice+".one", "hunter2")
	text := r.captured()
	if strings.Count(text, "mining.submit") != 1 || !strings.Contains(text, "mining.notify") || strings.Count(text, "mining.authorize") != 1 {
		t.Errorf("captured:\n%s", text)
	}
	if strings.Contains(text, "hunter2") || strings.Contains(text, ".two") {
		t.Errorf("captured what is nobody's business:\n%s", text)
	}

	// Afterwards the pool's own tap is alone again.
	before := r.pool.Tap().Lines
	m.settle()
	if r.pool.Tap().Lines == before {
		t.Error("the pool's own tap is gone")
	}
	if _, err := r.pool.StartCapture(order); err != nil {
		t.Errorf("another capture: %v", err)
	}
}

// TestCaptureAddressAndConnection records from the first line on, and one
// connection by its number.
func TestCaptureAddressAndConnection(t *testing.T) {
	dir := t.TempDir()
	r := newRig(t, false, func(c *Config) { c.CaptureDir = dir })
	r.newTip()
	if _, err := r.pool.StartCapture(CaptureOrder{Address: netip.MustParseAddr("127.0.0.1"), For: time.Minute, MaxBytes: 1 << 20}); err != nil {
		t.Fatal(err)
	}
	m := r.connect(t)
	m.start(m.user, "x")
	if text := r.captured(); !strings.Contains(text, "mining.subscribe") || !strings.Contains(text, "mining.authorize") {
		t.Errorf("captured:\n%s", text)
	}

	id := ""
	for _, s := range r.pool.snapshotSessions() {
		id = s.id
	}
	if _, err := r.pool.StartCapture(CaptureOrder{Connection: id, For: time.Minute, MaxBytes: 1 << 20}); err != nil {
		t.Fatal(err)
	}
	m.settle()
	if text := r.captured(); strings.Count(text, "mining.ping") != 1 || !strings.Contains(text, `"session":"`+id+`"`) {
		t.Errorf("captured:\n%s", text)
	}
}

func TestCaptureEndsWithThePool(t *testing.T) {
	dir := t.TempDir()
	r := newRig(t, false, func(c *Config) { c.CaptureDir = dir })
	status, err := r.pool.StartCapture(CaptureOrder{Worker: "x", For: time.Hour, MaxBytes: 1 << 20})
	if err != nil || status.End != "" {
		t.Fatalf("%+v, %v", status, err)
	}
	r.stop()
	if status, _ := r.pool.Capture(); status.End != capture.EndStopped {
		t.Errorf("status %+v", status)
	}
	if _, err := (newRig(t, false)).pool.StartCapture(CaptureOrder{Worker: "x"}); !errors.Is(err, ErrNoCapture) {
		t.Errorf("without a folder: %v", err)
	}
}
