package link

import (
	"sync"
	"time"
)

// attempts limits how often something is tried: by each of many, whose names
// are theirs to choose, and by all of them together.
type attempts struct {
	each, all int           // tries in a window
	window    time.Duration // begins with the first try in it

	mu    sync.Mutex
	total tries
	names map[string]tries
}

type tries struct {
	since time.Time
	n     int
}

func newAttempts(each, all int, window time.Duration) *attempts {
	return &attempts{each: each, all: all, window: window, names: make(map[string]tries)}
}

// try counts a try of name, or says how long name must wait until it may try.
func (a *attempts) try(name string, now time.Time) (wait time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	own := a.names[name]
	if wait := max(own.left(a.each, a.window, now), a.total.left(a.all, a.window, now)); wait > 0 {
		return wait
	}
	a.total = a.total.another(a.window, now)
	// Two windows have no more tries of all than twice their limit, so that many
	// names are enough; those whose time is over make room.
	if len(a.names) >= 2*a.all {
		for other, t := range a.names {
			if t.over(a.window, now) {
				delete(a.names, other)
			}
		}
	}
	a.names[name] = own.another(a.window, now)
	return 0
}

// forgive takes back all that name tried, since it was right in the end.
func (a *attempts) forgive(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.total.n = max(a.total.n-a.names[name].n, 0)
	delete(a.names, name)
}

func (t tries) over(window time.Duration, now time.Time) bool { return now.Sub(t.since) >= window }

func (t tries) left(limit int, window time.Duration, now time.Time) time.Duration {
	if t.n < limit || t.over(window, now) {
		return 0
	}
	return window - now.Sub(t.since)
}

func (t tries) another(window time.Duration, now time.Time) tries {
	if t.over(window, now) {
		return tries{now, 1}
	}
	return tries{t.since, t.n + 1}
}
