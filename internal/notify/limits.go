package notify

import (
	"sync"
	"time"
)

// limiter allows a number of things in a time for each name. Nothing is lost by
// it: what is not allowed waits, and what waits together goes as one message.
type limiter struct {
	mu   sync.Mutex
	used map[string][]time.Time // guarded by mu; when one was taken, oldest first
}

// perHour takes one of most per hour for a name; most 0 is no limit.
func (l *limiter) perHour(name string, most int, now time.Time) bool {
	return l.allow(name, most, time.Hour, now)
}

// allow takes one of most within a time for a name; most 0 is no limit.
func (l *limiter) allow(name string, most int, within time.Duration, now time.Time) bool {
	if most <= 0 {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.used == nil {
		l.used = make(map[string][]time.Time)
	}
	recent := l.used[name]
	for len(recent) > 0 && now.Sub(recent[0]) >= within {
		recent = recent[1:]
	}
	if len(recent) >= most {
		l.used[name] = recent
		return false
	}
	l.used[name] = append(recent, now)
	return true
}

// limit is a number of things that a name may do per hour; 0 is no limit.
type limit struct {
	name string
	most int
}

// allPerHour takes one of each limit, or of none when one of them is reached.
func (l *limiter) allPerHour(now time.Time, limits ...limit) bool {
	for i, want := range limits {
		if l.perHour(want.name, want.most, now) {
			continue
		}
		for _, taken := range limits[:i] {
			l.giveBack(taken)
		}
		return false
	}
	return true
}

// giveBack undoes the last taking.
func (l *limiter) giveBack(taken limit) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if used := l.used[taken.name]; taken.most > 0 && len(used) > 0 {
		l.used[taken.name] = used[:len(used)-1]
	}
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
