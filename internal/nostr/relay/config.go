package relay

import "time"

// Config are a relay's limits. A zero means the default.
type Config struct {
	MaxConnections   int           // clients at the same time; 256
	MaxSubscriptions int           // of one client; 32
	MaxEvents        int           // that are kept; 10 000
	MaxEventBytes    int           // of one event as JSON; 64 KiB
	MaxBytes         int           // of JSON of all that is kept; 64 MiB
	MaxResults       int           // stored events that answer one REQ; 1000
	Queue            int           // messages that wait for one client; 2048
	WriteTimeout     time.Duration // for one message; 10 s
	FutureLimit      time.Duration // created_at beyond the relay's clock; 15 min
	EventsPerSecond  float64       // accepted from one client on average; 200
	EventBurst       int           // accepted from one client at once; 1000
	// Address is the address that clients name in an answer to the relay's
	// challenge. With it, clients are challenged.
	Address string
	// Authors may write; nobody else. Empty: everybody may.
	Authors []string
	// RequireAuth refuses EVENT and REQ of clients that have not answered the
	// challenge with the key of one of Authors, or with any key when that is
	// empty. It needs Address.
	RequireAuth bool
	// Now is the clock; time.Now.
	Now func() time.Time
}

func (c Config) withDefaults() Config {
	c.MaxConnections = orDefault(c.MaxConnections, 256)
	c.MaxSubscriptions = orDefault(c.MaxSubscriptions, 32)
	c.MaxEvents = orDefault(c.MaxEvents, 10_000)
	c.MaxEventBytes = orDefault(c.MaxEventBytes, 64<<10)
	c.MaxBytes = orDefault(c.MaxBytes, 64<<20)
	c.MaxResults = orDefault(c.MaxResults, 1000)
	c.Queue = max(orDefault(c.Queue, 2048), c.MaxResults+8)
	c.WriteTimeout = orDefault(c.WriteTimeout, 10*time.Second)
	c.FutureLimit = orDefault(c.FutureLimit, 15*time.Minute)
	c.EventsPerSecond = orDefault(c.EventsPerSecond, 200)
	c.EventBurst = orDefault(c.EventBurst, 1000)
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

func orDefault[T int | float64 | time.Duration](v, otherwise T) T {
	if v <= 0 {
		return otherwise
	}
	return v
}
