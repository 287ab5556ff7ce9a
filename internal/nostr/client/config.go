package client

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/poolscope/poolscope/internal/nostr"
)

// Subscription is what every relay is asked for.
type Subscription struct {
	// ID has 1 to 64 characters and does not begin with "~", which is for
	// asking for pages.
	ID string
	// Filters are asked for as they are at first. After a cut each asks from
	// Config.Overlap before it, and without its Limit. When every filter has a
	// Since, what a relay has stored is asked for page by page until nothing
	// more comes; otherwise its first answer has to do.
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
	Seen       int           // ids that are remembered to know doubles; 100 000
	Overlap    time.Duration // how long before the cut subscriptions begin again; 15 min
	MaxAge     time.Duration // events whose created_at is further back are stale; any age
	MaxAhead   time.Duration // events whose created_at is further ahead are of the future; 15 min
	MinBackoff time.Duration // 1 s
	MaxBackoff time.Duration // 60 s
	OKTimeout  time.Duration // a relay that lets an event wait longer is left; 30 s
	// HTTPClient opens connections; http.DefaultClient.
	HTTPClient *http.Client
	// Log is told which relays are connected, and lost or not reached and why;
	// nil: nobody.
	Log *slog.Logger
	Now func() time.Time
}

func (c Config) withDefaults() Config {
	c.Queue = orDefault(c.Queue, 10_000)
	c.Seen = orDefault(c.Seen, 100_000)
	c.Overlap = orDefault(c.Overlap, 15*time.Minute)
	c.MaxAhead = orDefault(c.MaxAhead, 15*time.Minute)
	c.MinBackoff = orDefault(c.MinBackoff, time.Second)
	c.MaxBackoff = orDefault(c.MaxBackoff, time.Minute)
	c.OKTimeout = orDefault(c.OKTimeout, 30*time.Second)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
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

// check says what is wrong with addresses or subscriptions.
func (c *Config) check() error {
	for _, address := range c.Relays {
		u, err := url.Parse(address)
		if err != nil || u.Host == "" || u.Scheme != "ws" && u.Scheme != "wss" {
			return fmt.Errorf("relay %q: not a ws:// or wss:// address", address)
		}
	}
	ids := map[string]bool{}
	for _, s := range c.Subscriptions {
		if n := utf8.RuneCountInString(s.ID); n == 0 || n > nostr.MaxSubscriptionID || strings.HasPrefix(s.ID, pagePrefix) || !utf8.ValidString(s.ID) {
			return fmt.Errorf("subscription %q: its id needs 1 to %d characters, the first not %q", s.ID, nostr.MaxSubscriptionID, pagePrefix)
		}
		if ids[s.ID] || len(s.Filters) == 0 {
			return fmt.Errorf("subscription %q: it is there twice or without filters", s.ID)
		}
		ids[s.ID] = true
	}
	return nil
}
