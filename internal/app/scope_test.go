package app

import (
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/config"
)

// No time in the configuration means never, which is not the audit's default.
func TestSilence(t *testing.T) {
	cfg := config.Default()
	if got := silenceOf(cfg); got != 5*time.Minute {
		t.Errorf("by default %s", got)
	}
	if cfg.Scope.SilenceAfter = 0; silenceOf(cfg) >= 0 {
		t.Errorf("never is %s", silenceOf(cfg))
	}
}
