package notify

import (
	"sync"
	"time"
)

// limiter allows a number of things per hour for each name. Nothing is lost by
// it: what is not allowed waits, and what waits together goes as one message.
type limiter struct {
	mu   sync.Mutex
	used map[string][]time.Time // guarded by mu; of the last hour, oldest first
}

// allow takes one of perHour for a name. perHour 0 is no limit.
func (l *limiter) allow(name string, perHour int, now time.Time) bool {
	if perHour <= 0 {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.used == nil {
		l.used = make(map[string][]time.Time)
	}
	recent := l.used[name]
	for len(recent) > 0 && now.Sub(recent[0]) >= time.Hour {
		recent = recent[1:]
	}
	if len(recent) >= perHour {
		l.used[name] = recent
		return false
	}
	l.used[name] = append(recent, now)
	return true
}

// tidy forgets names that did nothing for an hour.
func (l *limiter) tidy(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for name, used := range l.used {
		if len(used) == 0 || now.Sub(used[len(used)-1]) >= time.Hour {
			delete(l.used, name)
		}
	}
}
