package audit

import "time"

// Advance moves the clock of an auditor that nobody Runs, for messages of the
// past: it notices the silences between from and to, and to is the time then.
func (a *Auditor) Advance(from, to time.Time) {
	for now := from; now.Before(to); {
		now = minTime(now.Add(tickOf(now, to)), to)
		at := now
		a.mu.Lock()
		a.now = func() time.Time { return at }
		a.mu.Unlock()
		a.tick(at)
	}
}
