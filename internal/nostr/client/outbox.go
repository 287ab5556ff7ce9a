package client

import (
	"slices"
	"sync"
	"time"
)

const (
	// inFlight is how many events may wait for a relay's OK at a time.
	inFlight = 128
	// maxTries is how often an event is sent that a relay has an error with.
	maxTries = 5
	// minPause is how long nothing is sent after a refusal that may pass; each
	// further one without an event taken between them doubles it.
	minPause = time.Second
	maxPause = time.Minute
)

// What a relay's OK means for the event.
const (
	final    = iota // the relay has it, or will never take it
	later           // slower, or after an answer to the challenge: as often as it takes
	tryAgain        // an error of the relay: a few times
)

// outbox are the events that one relay has not said OK to, in order.
type outbox struct {
	limit int
	wake  chan struct{} // gets a value when there may be something to send

	mu      sync.Mutex
	waiting []*letter
	dropped uint64
	paused  time.Time     // nothing is sent before
	pause   time.Duration // the next one
}

type letter struct {
	id    string
	data  []byte // the EVENT message
	sent  time.Time
	tries int
}

func newOutbox(limit int) *outbox {
	return &outbox{limit: limit, wake: make(chan struct{}, 1), pause: minPause}
}

// put queues an event; the oldest goes when there are too many.
func (o *outbox) put(id string, data []byte) {
	o.mu.Lock()
	if len(o.waiting) >= o.limit {
		o.waiting = o.waiting[1:]
		o.dropped++
	}
	o.waiting = append(o.waiting, &letter{id: id, data: data})
	o.mu.Unlock()
	o.ring()
}

func (o *outbox) ring() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// next is the oldest event that is not on its way; nil without one, or when
// too many are.
func (o *outbox) next(now time.Time) []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	if now.Before(o.paused) {
		return nil // who paused it rings when it is over
	}
	for i, l := range o.waiting {
		if i >= inFlight {
			return nil
		}
		if l.sent.IsZero() {
			l.sent = now
			l.tries++
			return l.data
		}
	}
	return nil
}

// answered takes the event off, or keeps it to be sent again after a pause. It
// says whether the event was there, and whether it is off now.
func (o *outbox) answered(id string, verdict int, now time.Time) (known, gone bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	defer o.ring()
	for i, l := range o.waiting {
		if l.id != id {
			continue
		}
		if verdict == later || verdict == tryAgain && l.tries < maxTries {
			l.sent = time.Time{}
			if !now.Before(o.paused) {
				o.paused = now.Add(o.pause)
				time.AfterFunc(o.pause, o.ring)
				o.pause = min(2*o.pause, maxPause)
			}
			return true, false
		}
		o.waiting = slices.Delete(o.waiting, i, i+1)
		o.pause = minPause
		return true, true
	}
	return false, false
}

// unsend makes everything wait to be sent again, at once: the connection is a
// new one, or the relay knows us now.
func (o *outbox) unsend() {
	o.mu.Lock()
	o.paused, o.pause = time.Time{}, minPause
	for _, l := range o.waiting {
		if !l.sent.IsZero() {
			l.sent = time.Time{}
			l.tries--
		}
	}
	o.mu.Unlock()
	o.ring()
}

// overdue says whether an event has waited for its OK since before a time.
func (o *outbox) overdue(before time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, l := range o.waiting[:min(len(o.waiting), inFlight)] {
		if !l.sent.IsZero() && l.sent.Before(before) {
			return true
		}
	}
	return false
}

func (o *outbox) counts() (waiting int, dropped uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.waiting), o.dropped
}
