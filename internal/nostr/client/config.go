package client

import (
	"time"

	"github.com/poolscope/poolscope/internal/nostr"
)

// Subscription is what every relay is asked for.
type Subscription struct {
	ID      string // 1 to 64 characters
	Filters []nostr.Filter
}

// Config are the relays and what is done with them. A zero means the default.
type Config struct {
	Relays        []string // ws:// or wss:// addresses
	Subscriptions []Subscription
	// Received is called with every event that is verified, fits its
	// subscription and is new. Calls come one at a time, and hold up the
	// relay that sent it: it must not wait for anything.
	Received func(subscription string, e *nostr.Event)
	// Key answers challenges (NIP-42). Zero: challenges stay unanswered.
	Key nostr.SecretKey

	Queue      int           // events that wait for one relay; 10 000
	Seen       int           // ids that are remembered to know doubles; 50 000
	Overlap    time.Duration // how long before the cut subscriptions begin again; 15 min
	MinBackoff time.Duration // 1 s
	MaxBackoff time.Duration // 60 s
	OKTimeout  time.Duration // a relay that lets an event wait longer is left; 30 s
	Now        func() time.Time
}

func (c Config) withDefaults() Config {
	c.Queue = orDefault(c.Queue, 10_000)
	c.Seen = orDefault(c.Seen, 50_000)
	c.Overlap = orDefault(c.Overlap, 15*time.Minute)
	c.MinBackoff = orDefault(c.MinBackoff, time.Second)
	c.MaxBackoff = orDefault(c.MaxBackoff, time.Minute)
	c.OKTimeout = orDefault(c.OKTimeout, 30*time.Second)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Received == nil {
		c.Received = func(string, *nostr.Event) {}
	}
	return c
}

func orDefault[T int | time.Duration](v, otherwise T) T {
	if v <= 0 {
		return otherwise
	}
	return v
}
