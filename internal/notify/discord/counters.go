package discord

import (
	"sync"
	"sync/atomic"
)

// Reasons why a message did not arrive, in the metrics.
const (
	reasonUnlinked     = "unlinked"      // the person has no Discord account linked, or switched it off
	reasonNotConnected = "not_connected" // the bot is not connected
	reasonQuiet        = "quiet"         // the bot has just connected
	reasonBusy         = "busy"          // too much waits
	reasonRateLimit    = "rate_limit"
	reasonToken        = "token"
	reasonForbidden    = "forbidden"
	reasonNotFound     = "not_found"
	reasonRefused      = "refused"
	reasonServer       = "server"
	reasonUnreachable  = "unreachable"
)

// Reasons why a connection to the gateway ended.
const (
	endUnreachable = "unreachable"     // it could not be made
	endReconnect   = "reconnect"       // Discord asked for another one
	endInvalid     = "invalid_session" // Discord does not know the session any more
	endNoAck       = "no_heartbeat_ack"
	endClosed      = "closed"  // by Discord, with a code that allows another one
	endRefused     = "refused" // by Discord, with a code that says: change something
	endLost        = "lost"    // without a word
	endOdd         = "odd_message"
	endLimit       = "session_limit" // Discord allows no more sessions today
	endPanic       = "panic"
)

// counters are what a bot counts.
type counters struct {
	mu       sync.Mutex
	dropped  map[string]uint64 // for good, by reason
	deferred map[string]uint64 // to be tried again, by reason
	ended    map[string]uint64 // connections, by reason
	commands map[string]uint64 // slash commands, by result

	delivered, posts, panics atomic.Uint64
}

func newCounters() *counters {
	c := &counters{dropped: map[string]uint64{}, deferred: map[string]uint64{}, ended: map[string]uint64{}, commands: map[string]uint64{}}
	for _, reason := range []string{reasonUnlinked, reasonForbidden, reasonNotFound, reasonRefused} {
		c.dropped[reason] = 0
	}
	for _, reason := range []string{reasonNotConnected, reasonQuiet, reasonBusy, reasonRateLimit, reasonToken, reasonServer, reasonUnreachable} {
		c.deferred[reason] = 0
	}
	for _, reason := range []string{endUnreachable, endReconnect, endInvalid, endNoAck, endClosed, endRefused, endLost, endOdd, endLimit, endPanic} {
		c.ended[reason] = 0
	}
	for _, result := range commandResults {
		c.commands[result] = 0
	}
	return c
}

func (c *counters) add(counts map[string]uint64, reason string, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	counts[reason] += uint64(n)
}

func (c *counters) sent(pieces int) {
	c.posts.Add(1)
	c.delivered.Add(uint64(pieces))
}

// drop counts a message that comes again later.
func (c *counters) drop(reason string) { c.add(c.deferred, reason, 1) }

func (c *counters) failed(reason string, permanent bool, pieces int) {
	if permanent {
		c.add(c.dropped, reason, pieces)
	} else {
		c.add(c.deferred, reason, pieces)
	}
}
