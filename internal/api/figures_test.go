package api

import (
	"strings"
	"testing"
)

// TestFigures shows what parts count at /metrics, under their names.
func TestFigures(t *testing.T) {
	src := full().sources()
	src.Figures = []func() []Figure{func() []Figure {
		return []Figure{
			{Name: "backup_runs_total", Help: "Backups.", Label: "result", Value: "ok", Number: 3, Counter: true},
			{Name: "backup_runs_total", Help: "Backups.", Label: "result", Value: "failed", Number: 1, Counter: true},
			{Name: "backup_last_success_seconds", Help: "Unix time.", Number: 1.5e9},
		}
	}}
	text := scrape(t, New(Config{}, src, nil))
	for _, line := range []string{
		`poolscope_backup_runs_total{result="ok"} 3`,
		`poolscope_backup_runs_total{result="failed"} 1`,
		`poolscope_backup_last_success_seconds 1.5e+09`,
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("no line %s in:\n%s", line, text)
		}
	}
}
