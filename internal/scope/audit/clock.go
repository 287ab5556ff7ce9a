package audit

import "time"

// Advance moves the clock of an auditor that nobody Runs, for messages of the
// past: it notices the silences between from and to, and to is the time then.
// It goes by seconds, or by larger steps when nothing was said for long.
func (a *Auditor) Advance(from, to time.Time) {
	step := max(time.Second, to.Sub(from)/100)
	for now := from; now.Before(to); {
		if now = now.Add(step); now.After(to) {
			now = to
		}
		a.setClock(now)
		a.tick(now)
	}
}

// setClock stops the clock at a moment.
func (a *Auditor) setClock(at time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.now = func() time.Time { return at }
}
