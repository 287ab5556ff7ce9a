package account

import (
	"strings"
	"sync"
	"time"
)

// maxWaitingActions bounds the entries that wait to be written.
const maxWaitingActions = 1024

// trail holds entries of the audit trail until they are written, so that nobody
// waits for the disk.
type trail struct {
	now func() time.Time

	mu      sync.Mutex
	waiting []Action // guarded by mu
	dropped uint64   // guarded by mu
}

func newTrail(now func() time.Time) *trail { return &trail{now: now} }

// add takes an entry, and the time if it has none.
func (t *trail) add(a Action) {
	if a.At.IsZero() {
		a.At = t.now()
	}
	a.User, a.Address = clean(a.User, 128), clean(a.Address, 64)
	a.Name, a.Target, a.Detail = clean(a.Name, 64), clean(a.Target, 256), clean(a.Detail, 1024)
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.waiting) >= maxWaitingActions {
		t.dropped++
		return
	}
	t.waiting = append(t.waiting, a)
}

func (t *trail) take() []Action {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := t.waiting
	t.waiting = nil
	return all
}

// putBack returns what could not be written, before what came since.
func (t *trail) putBack(all []Action) {
	t.mu.Lock()
	defer t.mu.Unlock()
	all = append(all, t.waiting...)
	if over := len(all) - maxWaitingActions; over > 0 {
		t.dropped += uint64(over)
		all = all[over:]
	}
	t.waiting = all
}

func (t *trail) lost() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.dropped
}

// clean makes a text of somebody else fit to be kept and shown: valid, on one
// line, at most so many bytes.
func clean(text string, most int) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\ufffd"))
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "")
	}
	return strings.TrimSpace(text)
}
