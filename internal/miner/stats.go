package miner

import (
	"maps"
	"sync"
	"time"
)

// Stats is what a miner has done so far. It is a copy.
type Stats struct {
	StartedAt time.Time
	Threads   int
	Hashrate  float64 // measured over the last ten seconds, H/s
	Hashes    uint64  // tried since the start

	Pool          string    // the address in use
	Connected     bool      // subscribed and authorized
	ConnectedAt   time.Time // zero before the first connection
	LastMessageAt time.Time // from the pool
	Reconnects    uint64    // connections after the first
	LastError     string    // why the last connection ended or was not made

	JobID       string  // of the current job
	Height      int64   // of the current job, 0 if its coinbase hides it
	Difficulty  float64 // of the current job
	VersionMask uint32  // bits that the pool lets us roll

	Accepted    uint64            // shares
	Rejected    uint64            // shares
	RejectedBy  map[string]uint64 // by the pool's text; at most 32 texts, the rest is "other"
	Unanswered  uint64            // shares whose connection ended before the reply
	Discarded   uint64            // shares found too late to be sent
	BestShare   float64           // highest difficulty of a hash that was sent
	LastShareAt time.Time         // accepted
	Blocks      uint64            // hashes that met the target in their job's nbits
}

// An Event is something that happened to a miner.
type Event struct {
	At   time.Time
	Kind EventKind
	// Text is, by kind: the pool's address, why the connection ended, the job
	// id, the pool's reason for a reject, the block hash, the message.
	Text string
	// Difficulty is that of the hash of a share or block; that of the job for
	// the others.
	Difficulty float64
	// Height is the block height of the job, 0 if its coinbase hides it.
	Height int64
}

// EventKind names an Event.
type EventKind string

// The events.
const (
	EventConnected     EventKind = "connected"
	EventDisconnected  EventKind = "disconnected"
	EventJob           EventKind = "job"
	EventDifficulty    EventKind = "difficulty"
	EventShareAccepted EventKind = "share_accepted"
	EventShareRejected EventKind = "share_rejected"
	EventBlock         EventKind = "block" // found; the pool's verdict is that of a share
	EventMessage       EventKind = "message"
)

const (
	maxRejectTexts = 32
	otherRejects   = "other"
	rateSamples    = 11 // one a second: a window of ten
)

// counters holds the statistics of a miner.
type counters struct {
	onEvent func(Event)

	mu       sync.Mutex
	s        Stats        // guarded by mu
	sessions uint64       // connections made; guarded by mu
	samples  []rateSample // of the last seconds, oldest first; guarded by mu
}

type rateSample struct {
	at     time.Time
	hashes uint64
}

// event tells the observer, if there is one.
func (c *counters) event(e Event) {
	if c.onEvent != nil {
		e.At = time.Now()
		c.onEvent(e)
	}
}

// update changes the statistics under the lock.
func (c *counters) update(change func(s *Stats)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change(&c.s)
}

func (c *counters) heard() { c.update(func(s *Stats) { s.LastMessageAt = time.Now() }) }

func (c *counters) granted(mask uint32) { c.update(func(s *Stats) { s.VersionMask = mask }) }

func (c *counters) discarded() { c.update(func(s *Stats) { s.Discarded++ }) }

func (c *counters) unanswered(n int) { c.update(func(s *Stats) { s.Unanswered += uint64(n) }) }

func (c *counters) dialling(pool string) { c.update(func(s *Stats) { s.Pool = pool }) }

func (c *counters) connected() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sessions > 0 {
		c.s.Reconnects++
	}
	c.sessions++
	c.s.Connected, c.s.ConnectedAt = true, time.Now()
}

func (c *counters) disconnected(why string) {
	c.update(func(s *Stats) {
		s.Connected, s.LastError = false, why
		s.JobID, s.Height, s.Difficulty, s.VersionMask = "", 0, 0, 0
	})
}

func (c *counters) working(w *work) {
	c.update(func(s *Stats) {
		s.JobID, s.Height, s.Difficulty = clip(w.job.ID), w.job.Height(), w.difficulty
	})
}

func (c *counters) found(difficulty float64, block bool) {
	c.update(func(s *Stats) {
		s.BestShare = max(s.BestShare, difficulty)
		if block {
			s.Blocks++
		}
	})
}

func (c *counters) accepted() {
	c.update(func(s *Stats) {
		s.Accepted++
		s.LastShareAt = time.Now()
	})
}

func (c *counters) rejected(text string) {
	c.update(func(s *Stats) {
		s.Rejected++
		if s.RejectedBy == nil {
			s.RejectedBy = map[string]uint64{}
		}
		if _, known := s.RejectedBy[text]; !known && len(s.RejectedBy) >= maxRejectTexts-1 {
			text = otherRejects
		}
		s.RejectedBy[text]++
	})
}

// sample notes the hashes tried by now.
func (c *counters) sample(at time.Time, hashes uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.samples = append(c.samples, rateSample{at, hashes})
	if len(c.samples) > rateSamples {
		c.samples = c.samples[1:]
	}
}

// view returns a copy; hashes is the count by now.
func (c *counters) view(hashes uint64) Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.s
	s.RejectedBy = maps.Clone(c.s.RejectedBy)
	s.Hashes = hashes
	if n := len(c.samples); n >= 2 {
		first, last := c.samples[0], c.samples[n-1]
		if d := last.at.Sub(first.at).Seconds(); d > 0 {
			s.Hashrate = float64(last.hashes-first.hashes) / d
		}
	}
	return s
}
