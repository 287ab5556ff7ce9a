package telemetry

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
)

// TestNoForgedLines logs values that a hostile miner may send and checks that
// each call gives one line without control characters.
func TestNoForgedLines(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		for _, evil := range []string{"x\nlevel=ERROR msg=\"wallet stolen\"", "a\r\nb", "\x1b[2J\x1b]0;title\x07", "q\"} {\"level\":\"ERROR\"", "\u2028\u2029\u0085\u009b31m\x7f", "\x00\xff", "a=b c=d", "\u202egnp.exe", "\u2066x\u2069"} {
			var buf bytes.Buffer
			log, err := NewLogger(&buf, "info", format)
			if err != nil {
				t.Fatal(err)
			}
			log.Info("worker authorized", "worker", evil, slog.Group("conn", "agent", evil), "err", errors.New(evil))
			line := strings.TrimSuffix(buf.String(), "\n")
			for _, r := range line {
				if r < 0x20 || r >= 0x7f && r < 0xa0 || unsafeRune(r) {
					t.Errorf("%s, %q: the line holds %q: %s", format, evil, r, line)
				}
			}
			if strings.Count(line, "level=ERROR") > 0 && !strings.Contains(line, `\nlevel=ERROR`) {
				t.Errorf("%s, %q: forged level in %s", format, evil, line)
			}
			if format == "json" {
				var back struct{ Worker string }
				if err := json.Unmarshal([]byte(line), &back); err != nil || back.Worker != strings.ToValidUTF8(evil, "\ufffd") {
					t.Errorf("%q came back as %q, %v", evil, back.Worker, err)
				}
			}
		}
	}
}

func TestLevels(t *testing.T) {
	for level, want := range map[string]string{
		"debug": "dbg inf wrn err", "": "inf wrn err", "info": "inf wrn err", "INFO": "inf wrn err", "warn": "wrn err", "warning": "wrn err", "error": "err",
	} {
		var buf bytes.Buffer
		log, err := NewLogger(&buf, level, "")
		if err != nil {
			t.Fatal(err)
		}
		log.Debug("dbg")
		log.Info("inf")
		log.Warn("wrn")
		log.Error("err")
		var got []string
		for line := range strings.Lines(buf.String()) {
			_, msg, _ := strings.Cut(strings.TrimSpace(line), "msg=")
			got = append(got, msg)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", level, got, want)
		}
	}
}

func TestBadLogSettings(t *testing.T) {
	if _, err := NewLogger(nil, "loud", "text"); !errors.Is(err, ErrLogLevel) {
		t.Errorf("got %v", err)
	}
	if _, err := NewLogger(nil, "info", "xml"); !errors.Is(err, ErrLogFormat) {
		t.Errorf("got %v", err)
	}
}

// reason is a constant with a name, as the program has many.
type reason uint8

func (reason) String() string { return "stale" }

func TestConstantsHaveNames(t *testing.T) {
	for format, want := range map[string]string{"text": "reason=stale", "json": `"reason":"stale"`} {
		var buf bytes.Buffer
		log, err := NewLogger(&buf, "info", format)
		if err != nil {
			t.Fatal(err)
		}
		log.Info("worker refused", "reason", reason(7))
		if !strings.Contains(buf.String(), want) {
			t.Errorf("%s: %s", format, buf.String())
		}
	}
}

// failing is an error whose method needs more than it has.
type failing struct{ text string }

func (f *failing) Error() string { return f.text }

func TestNilErrorDoesNotFail(t *testing.T) {
	var buf bytes.Buffer
	log, err := NewLogger(&buf, "info", "text")
	if err != nil {
		t.Fatal(err)
	}
	var none *failing
	log.Info("odd", "err", none, "nothing", nil)
	if !strings.Contains(buf.String(), "msg=odd") {
		t.Errorf("the line is %q", buf.String())
	}
}
