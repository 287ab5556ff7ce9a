package telemetry

import (
	"log/slog"
	"strings"
	"time"
)

// levelState is the configured level, and the one that is in force for a while in
// its place. It is guarded by Logs.levelMu.
type levelState struct {
	configured slog.Level
	until      time.Time // zero: the configured level is in force
	back       *time.Timer
}

// Level is the level in force, the configured one, and, when they may differ, the
// time at which the configured one comes back.
func (l *Logs) Level() (inForce, configured slog.Level, until time.Time) {
	l.levelMu.Lock()
	defer l.levelMu.Unlock()
	return l.level.Level(), l.levels.configured, l.levels.until
}

// SetLevel puts another level in force for a time, after which the configured one
// comes back by itself; 0 brings it back at once. Its error is ErrLogLevel.
func (l *Logs) SetLevel(level string, d time.Duration) error {
	to, err := parseLevel(level)
	if err != nil {
		return err
	}
	l.levelMu.Lock()
	defer l.levelMu.Unlock()
	l.stopTimerLocked()
	if d <= 0 {
		l.level.Set(l.levels.configured)
		return nil
	}
	l.level.Set(to)
	l.levels.until = time.Now().Add(d)
	var timer *time.Timer
	timer = time.AfterFunc(d, func() {
		l.levelMu.Lock()
		defer l.levelMu.Unlock()
		if l.levels.back == timer { // else another change came first
			l.stopTimerLocked()
			l.level.Set(l.levels.configured)
		}
	})
	l.levels.back = timer
	return nil
}

// configureLevel takes the level of a configuration. One that was set for a while
// stays for that while.
func (l *Logs) configureLevel(level slog.Level) {
	l.levelMu.Lock()
	defer l.levelMu.Unlock()
	l.levels.configured = level
	if l.levels.back == nil {
		l.level.Set(level)
	}
}

// endLevel lets go of the timer.
func (l *Logs) endLevel() {
	l.levelMu.Lock()
	defer l.levelMu.Unlock()
	l.stopTimerLocked()
	l.level.Set(l.levels.configured)
}

func (l *Logs) stopTimerLocked() {
	if l.levels.back != nil {
		l.levels.back.Stop()
	}
	l.levels.back, l.levels.until = nil, time.Time{}
}

// LevelName is a level as the configuration has it: debug, info, warn or error.
func LevelName(level slog.Level) string { return strings.ToLower(level.String()) }

// ParseLevel reads debug, info, warn or error. Its error is ErrLogLevel.
func ParseLevel(level string) (slog.Level, error) { return parseLevel(level) }
