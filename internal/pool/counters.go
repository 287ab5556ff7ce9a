package pool

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/poolscope/poolscope/internal/stratum"
)

// maxEvents bounds the events that the pool remembers.
const maxEvents = 50

// counters are the pool's plain atomics. Readers take them as they are.
type counters struct {
	messages         atomic.Uint64 // lines received
	shareErrors      atomic.Uint64 // submits refused
	otherNames       atomic.Uint64 // submits in another name than authorized
	replacedNotifies atomic.Uint64 // notifies replaced unsent by a newer one
	skippedWork      atomic.Uint64 // work not sent since it could not be made
	tipFirst         atomic.Uint64 // tips that were worked on before their template
	blocksAccepted   atomic.Uint64
	blocksErrored    atomic.Uint64
	surplusBlocks    atomic.Uint64 // solutions beyond what anybody can need
	panics           atomic.Uint64 // sessions closed by a fault of ours
	blockPanics      atomic.Uint64 // of the block keeper, which tried again

	rejects [64]atomic.Uint64 // by stratum.Reject
	closes  [64]atomic.Uint64 // by stratum.CloseReason
}

func (c *counters) reject(r stratum.Reject) { c.rejects[r].Add(1) }

func (c *counters) close(r stratum.CloseReason) { c.closes[r].Add(1) }

func (c *counters) rejectCounts() []Count {
	var out []Count
	for _, r := range stratum.Rejects() {
		out = append(out, Count{r.Name(), c.rejects[r].Load()})
	}
	return out
}

func (c *counters) closeCounts() []Count {
	var out []Count
	for _, r := range stratum.CloseReasons() {
		out = append(out, Count{r.String(), c.closes[r].Load()})
	}
	return out
}

// dropCounts lists what the pool did not deliver. Submits in another name are
// delivered, but flagged here, since they hint at a wrong configuration.
func (c *counters) dropCounts() []Count {
	return []Count{
		{"notify_replaced", c.replacedNotifies.Load()},
		{"work_not_made", c.skippedWork.Load()},
		{"submit_in_other_name", c.otherNames.Load()},
		{"block_surplus", c.surplusBlocks.Load()},
	}
}

// panicCounts lists the panics that were survived, by part.
func (c *counters) panicCounts() []Count {
	return []Count{{"session", c.panics.Load()}, {"block", c.blockPanics.Load()}}
}

// events is a bounded list of things that went wrong.
type events struct {
	mu   sync.Mutex
	list []Event
}

// add puts an event in, unless it repeats the last one of its type, which only
// gets a new time.
func (e *events) add(now time.Time, kind, message string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range e.list {
		if e.list[i].Type == kind && e.list[i].Message == message {
			e.list = slices.Delete(e.list, i, i+1)
			break
		}
	}
	e.list = append(e.list, Event{At: now, Type: kind, Message: message})
	if len(e.list) > maxEvents {
		e.list = slices.Delete(e.list, 0, len(e.list)-maxEvents)
	}
}

// newestFirst copies the list.
func (e *events) newestFirst() []Event {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := slices.Clone(e.list)
	slices.Reverse(out)
	return out
}
