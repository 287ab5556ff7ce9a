package pool

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"golang.org/x/time/rate"
)

// A flood of bad miners does not fill the log, and the log says so once.
func TestNotesAreBounded(t *testing.T) {
	var log bytes.Buffer
	p := &Pool{log: slog.New(slog.NewTextHandler(&log, nil)), notes: notes{limit: rate.NewLimiter(0, 3)}}
	s := &session{pool: p}
	for range 5 {
		s.note("miner dropped", "last", "malformed")
	}
	p.tellLeftOut()
	p.tellLeftOut()
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	if len(lines) != 4 || !strings.Contains(lines[2], "miner dropped") || !strings.Contains(lines[3], "lines=2") {
		t.Errorf("the log is\n%s", &log)
	}
}
