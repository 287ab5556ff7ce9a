package notify

import (
	"maps"
	"slices"
	"sync"
)

// Reasons for which an event is not told.
const (
	dropPosted    = "post_queue_full" // posted while the store fails, beyond what fits in memory
	dropFlood     = "alarm_flood"     // more alarms of the scope than anybody reads
	dropUnwatched = "worker_limit"    // a worker beyond those that one rule follows
	dropQueue     = "queue_full"      // too much waits for the channel
	dropOld       = "too_old"         // it waited for too long
	dropGone      = "channel_gone"    // the channel was removed or switched off
	dropCrowd     = "mass_ping"       // too many people would be called at once: all are told together
)

// Results of attempts to send.
const (
	sentOK        = "sent"
	sentRetry     = "retry"     // failed, to be tried again
	sentPermanent = "permanent" // failed for good
	sentGivenUp   = "given_up"  // failed for too long
	sentHeld      = "held"      // a limit per hour was reached: it waits
)

// Parts whose panics are counted, and faults of the store.
const (
	partWatcher = "watcher"
	partCourier = "courier"
	partSender  = "sender"
	faultWatch  = "notice"
	faultOutbox = "outbox"
	faultResult = "result"
	faultPost   = "post"
)

// counters count what happens. The names are fixed, so that each is there from
// the beginning.
type counters struct {
	mu                     sync.Mutex // guards all of it
	drops, results, panics map[string]uint64
	faults, entries        map[string]uint64
}

func newCounters() *counters {
	zero := func(names ...string) map[string]uint64 {
		m := make(map[string]uint64, len(names))
		for _, n := range names {
			m[n] = 0
		}
		return m
	}
	return &counters{
		drops:   zero(dropPosted, dropFlood, dropUnwatched, dropQueue, dropOld, dropGone, dropCrowd),
		results: zero(sentOK, sentRetry, sentPermanent, sentGivenUp, sentHeld),
		panics:  zero(partWatcher, partCourier, partSender),
		faults:  zero(faultWatch, faultOutbox, faultResult, faultPost),
		entries: make(map[string]uint64),
	}
}

func (c *counters) add(m map[string]uint64, name string, n uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	m[name] += n
}

func (c *counters) dropped(reason string, n uint64) {
	if n > 0 {
		c.add(c.drops, reason, n)
	}
}
func (c *counters) result(name string)   { c.add(c.results, name, 1) }
func (c *counters) panicked(part string) { c.add(c.panics, part, 1) }
func (c *counters) failure(name string)  { c.add(c.faults, name, 1) }
func (c *counters) event(kind string)    { c.add(c.entries, kind, 1) }

// Count is a named counter's value.
type Count struct {
	Name  string
	Count uint64
}

// Counts are what alerts have counted since the start.
type Counts struct {
	Events  []Count // entries put into the outbox, by kind of event
	Results []Count // attempts to send a message, by what came of them
	Drops   []Count // events that are not told, by reason
	Panics  []Count // faults that were survived, by part
	Faults  []Count // times that the store failed, by what for
	Waiting int     // entries of the outbox that are to be sent
}

// Counts are the figures of alerts.
func (c *Center) Counts() Counts {
	c.count.mu.Lock()
	defer c.count.mu.Unlock()
	list := func(m map[string]uint64) []Count {
		out := make([]Count, 0, len(m))
		for _, name := range slices.Sorted(maps.Keys(m)) {
			out = append(out, Count{name, m[name]})
		}
		return out
	}
	return Counts{
		Events: list(c.count.entries), Results: list(c.count.results), Drops: list(c.count.drops),
		Panics: list(c.count.panics), Faults: list(c.count.faults), Waiting: int(c.waiting.Load()),
	}
}
