package pool

import (
	"runtime"
	"sync"
)

// maxClerks bounds the goroutines that do what may wait.
const maxClerks = 2

// firstInRow is how often what comes first is taken before something else is.
const firstInRow = 4

// clerks do what the event loops must not wait for, in a few goroutines that
// are there while there is something to do. The queues are bounded by the
// connections: each has one thing at most to be done, its end included.
//
// The first authorize of a connection comes before ends of connections and
// whatever else those ask for who are in already, so that a new miner waits for
// other new miners; the rest gets one turn in five.
type clerks struct {
	mu          sync.Mutex
	first, rest tasks
	row         int // how often first was preferred to something that waits
	busy        int // goroutines
}

// tasks is a first-in first-out queue.
type tasks struct {
	queue []func()
	head  int // of queue: what comes before is taken
}

func (t *tasks) len() int { return len(t.queue) - t.head }

func (t *tasks) take() func() {
	f := t.queue[t.head]
	t.queue[t.head] = nil
	if t.head++; t.head == len(t.queue) {
		*t = tasks{}
	}
	return f
}

// do has something done soon.
func (c *clerks) do(first bool, f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	into := &c.rest
	if first {
		into = &c.first
	}
	into.queue = append(into.queue, f)
	if c.busy < maxClerks && c.busy < c.first.len()+c.rest.len() {
		c.busy++
		go c.work()
	}
}

func (c *clerks) work() {
	for f := c.take(); f != nil; f = c.take() {
		f()
		// Clerks and loops share the processors. Nobody waits for a clerk longer
		// than for one thing that it does.
		runtime.Gosched()
	}
}

// take returns what is to be done next, or nil when the clerk can go.
func (c *clerks) take() func() {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.first.len() == 0 && c.rest.len() == 0:
		c.busy--
		return nil
	case c.rest.len() == 0:
		c.row = 0
		return c.first.take()
	case c.first.len() == 0 || c.row == firstInRow:
		c.row = 0
		return c.rest.take()
	}
	c.row++
	return c.first.take()
}
