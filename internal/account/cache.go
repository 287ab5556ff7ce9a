package account

import (
	"sync"
	"time"
)

// maxCached bounds the sessions in memory.
const maxCached = 4096

// cache remembers sessions that were read from the store. A change of any
// account empties it: that is rare, and reading one costs a tenth of a
// millisecond.
type cache struct {
	mu         sync.Mutex
	sessions   map[Token]*Session  // guarded by mu
	seen       map[Token]time.Time // not written yet; guarded by mu
	generation uint64              // of sessions, new whenever it was emptied; guarded by mu
	edition    int64               // of the store, when it was last looked at; guarded by mu
	looked     time.Time           // then; guarded by mu
}

func newCache() *cache {
	return &cache{sessions: make(map[Token]*Session), seen: make(map[Token]time.Time)}
}

// get returns a copy of a session, nil when it is not known, and what add is to
// be called with.
func (c *cache) get(token Token) (s *Session, generation uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if known := c.sessions[token]; known != nil {
		copied := *known
		s = &copied
	}
	return s, c.generation
}

// add remembers a session that was read, unless it may have been revoked since.
func (c *cache) add(token Token, s Session, generation uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.generation != generation {
		return
	}
	if len(c.sessions) >= maxCached {
		for other := range c.sessions { // any will do
			delete(c.sessions, other)
			break
		}
	}
	c.sessions[token] = &s
}

// see notes that a session is in use.
func (c *cache) see(token Token, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if known := c.sessions[token]; known != nil {
		known.LastSeen = now
	}
	if _, noted := c.seen[token]; noted || len(c.seen) < maxCached {
		c.seen[token] = now
	}
}

func (c *cache) takeSeen() map[Token]time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	seen := c.seen
	c.seen = make(map[Token]time.Time)
	return seen
}

// putBackSeen returns what could not be written, but for what is newer since.
func (c *cache) putBackSeen(seen map[Token]time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for token, at := range seen {
		if _, newer := c.seen[token]; !newer && len(c.seen) < maxCached {
			c.seen[token] = at
		}
	}
}

// clear forgets all sessions.
func (c *cache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.clearLocked()
}

func (c *cache) clearLocked() {
	clear(c.sessions)
	c.generation++
}

// due reports whether the store's edition is to be looked at, and if so notes
// that somebody does.
func (c *cache) due(now time.Time, every time.Duration) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if since := now.Sub(c.looked); since >= 0 && since < every {
		return false
	}
	c.looked = now
	return true
}

// atEdition forgets all sessions when the store has changed.
func (c *cache) atEdition(edition int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.edition != edition {
		c.edition = edition
		c.clearLocked()
	}
}

// age is the number of times that all was forgotten.
func (c *cache) age() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.generation
}

func (c *cache) size() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.sessions)
}
