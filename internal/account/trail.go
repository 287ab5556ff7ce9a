package account

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

const (
	// maxWaitingActions bounds the entries that wait to be written.
	maxWaitingActions = 1024
	// Failures of strangers, such as wrong passwords, are noted one by one as long
	// as there are not many: whoever makes up a million of them must not push out
	// what operators did.
	strangersBurst = 60
	strangersEvery = 5 * time.Second
)

// trail holds entries of the audit trail until they are written, so that nobody
// waits for the disk.
type trail struct {
	now func() time.Time

	mu      sync.Mutex
	waiting []Action // guarded by mu
	dropped uint64   // guarded by mu

	strangers buckets // guarded by mu
	unnoted   uint64  // failures of strangers since the last one that was noted; guarded by mu
	summed    uint64  // all of these ever; guarded by mu
}

func newTrail(now func() time.Time) *trail {
	return &trail{now: now, strangers: newBuckets(strangersBurst, strangersEvery)}
}

// add takes an entry, and the time if it has none.
func (t *trail) add(a Action) {
	if a.At.IsZero() {
		a.At = t.now()
	}
	a.User, a.Address = clean(a.User, 128), clean(a.Address, 64)
	a.Name, a.Target, a.Detail = clean(a.Name, 64), clean(a.Target, 256), clean(a.Detail, 1024)
	t.mu.Lock()
	defer t.mu.Unlock()
	if a.Failed && a.User == "" {
		now := t.now()
		if t.strangers.wait("", now) > 0 {
			t.unnoted++
			t.summed++
			return
		}
		t.strangers.take("", now)
		if t.unnoted > 0 {
			a.Detail += fmt.Sprintf(" (and %d failures of strangers before it that were not noted one by one)", t.unnoted)
			t.unnoted = 0
		}
	}
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

// lost are the entries that were dropped, and those that were only summed up.
func (t *trail) lost() (dropped, summed uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.dropped, t.summed
}

// clean makes a text of somebody else fit to be kept and shown: valid, on one
// line, in one direction, at most so many bytes.
func clean(text string, most int) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case r < ' ', r >= 0x7f && r < 0xa0, r == '\u2028', r == '\u2029':
			return ' '
		case r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069', r == '\u200e', r == '\u200f':
			return -1 // what would turn the text around it
		}
		return r
	}, strings.ToValidUTF8(text, "\ufffd"))
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "")
	}
	return strings.TrimSpace(text)
}
