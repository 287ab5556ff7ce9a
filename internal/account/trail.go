package account

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// maxWaitingActions bounds the entries that wait to be written, and
	// operatorsShare is the room among them that is for operators' alone.
	maxWaitingActions = 1024
	operatorsShare    = 256
	// What strangers fail at, such as wrong passwords, and what one person does who
	// is no operator, is noted one by one as long as it is not much: whoever makes
	// up a million of them must not push out what operators did.
	personBurst = 60
	personEvery = 5 * time.Second
)

// trail holds entries of the audit trail until they are written, so that nobody
// waits for the disk.
type trail struct {
	now func() time.Time

	mu      sync.Mutex
	waiting []Action // guarded by mu
	dropped uint64   // guarded by mu

	persons buckets              // by user ID, strangers' is ""; guarded by mu
	unnoted map[string]summation // those who did too much lately; guarded by mu
	summed  uint64               // entries that were not noted one by one, ever; guarded by mu
}

// summation stands for entries that are not noted one by one.
type summation struct {
	n    uint64
	last Action
}

func newTrail(now func() time.Time) *trail {
	return &trail{now: now, persons: newBuckets(personBurst, personEvery), unnoted: make(map[string]summation)}
}

// add takes an entry, and the time if it has none.
func (t *trail) add(a Action) {
	if a.At.IsZero() {
		a.At = t.now()
	}
	a.User, a.Address = clean(a.User, 128), clean(a.Address, 64)
	a.Name, a.Target, a.Detail = clean(a.Name, 64), clean(a.Target, 256), clean(a.Detail, 1024)
	if a.UserID == "" && a.User != "" {
		a.Operator = true // this machine, or who has the token
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if a.Operator {
		t.addLocked(a)
		return
	}
	now, before := t.now(), t.unnoted[a.UserID]
	if t.persons.wait(a.UserID, now) > 0 {
		t.summed++
		if _, there := t.unnoted[a.UserID]; there || len(t.unnoted) < maxWaitingActions {
			t.unnoted[a.UserID] = summation{before.n + 1, a}
		}
		return
	}
	t.noteLocked(a, before.n, now)
}

// noteLocked takes an entry of somebody who is no operator, and tells of so many
// before it that were not noted.
func (t *trail) noteLocked(a Action, before uint64, now time.Time) {
	t.persons.take(a.UserID, now)
	delete(t.unnoted, a.UserID)
	if before > 0 {
		whose := "actions of this person"
		if a.UserID == "" {
			whose = "failures of strangers"
		}
		a.Detail = strings.TrimSpace(a.Detail + fmt.Sprintf(" (and %d %s before it that were not noted one by one)", before, whose))
	}
	t.addLocked(a)
}

func (t *trail) addLocked(a Action) {
	room := maxWaitingActions
	if !a.Operator {
		room -= operatorsShare
	}
	if len(t.waiting) >= room {
		t.dropped++
		return
	}
	t.waiting = append(t.waiting, a)
}

// take removes what is to be written: what waits, and of everybody who did too
// much and has stopped the last thing, with how many there were.
func (t *trail) take() []Action {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	for id, s := range t.unnoted {
		if t.persons.wait(id, now) == 0 {
			t.noteLocked(s.last, s.n-1, now)
		}
	}
	all := t.waiting
	t.waiting = nil
	return all
}

// putBack returns what could not be written, before what came since. What there is
// no room for is the oldest that no operator did, then the oldest.
func (t *trail) putBack(all []Action) {
	t.mu.Lock()
	defer t.mu.Unlock()
	all = append(all, t.waiting...)
	over := max(0, len(all)-maxWaitingActions)
	t.dropped += uint64(over)
	all = slices.DeleteFunc(all, func(a Action) bool {
		leave := over > 0 && !a.Operator
		if leave {
			over--
		}
		return leave
	})
	t.waiting = all[over:]
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
