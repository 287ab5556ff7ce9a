package relay

import "time"

// Config are a relay's limits and rules. A zero means the default.
type Config struct {
	MaxConnections    int           // clients at the same time; 256
	MaxPerAddress     int           // clients of one IP address at the same time; 128
	MaxSubscriptions  int           // of one client; 32
	MaxFilterValues   int           // ids, authors, kinds and tag values in all filters of one client; 5000
	MaxEvents         int           // that the memory keeps; 10 000
	MaxBytes          int           // of JSON of all that the memory keeps; 64 MiB
	MaxEventBytes     int           // of one event as JSON; 64 KiB
	MaxResults        int           // stored events that answer one REQ; 1000
	MaxResultBytes    int           // of their JSON together; 4 MiB
	MaxQueue          int           // messages that wait for one client; 2048, and never fewer than MaxResults needs
	MaxQueueBytes     int           // of these messages; 16 MiB
	WriteTimeout      time.Duration // for one message; 10 s
	PingEvery         time.Duration // how often a client has to show that it is there; 30 s
	PongTimeout       time.Duration // how long its answer may take; 20 s
	FutureLimit       time.Duration // created_at beyond the relay's clock; 15 min
	EventsPerSecond   float64       // taken from one client on average; 200
	EventBurst        int           // taken from one client at once; 1000
	RequestsPerSecond float64       // other messages of one client on average; 20
	RequestBurst      int           // other messages of one client at once; 100

	// Store keeps the events. It belongs to the caller, who closes it after
	// the relay. Nil: memory, within MaxEvents and MaxBytes.
	Store Store
	// Address is the ws:// or wss:// address that clients name in an answer to
	// the relay's challenge (NIP-42). With it, clients are challenged.
	Address string
	// Authors may write, as 64 hexadecimal digits; nobody else. Empty:
	// everybody may.
	Authors []string
	// RequireAuth refuses EVENT and REQ of clients that have not answered the
	// challenge with the key of one of Authors, or with any key when that is
	// empty. It needs Address.
	RequireAuth bool
	// Origins are the origins, such as https://relay.example, of web pages
	// that may connect; "*" for all. Programs, which name no origin, may
	// always. Pages that were loaded from the relay's own host may too when
	// that is an IP address or localhost; a name could be a stranger's that
	// leads here (DNS rebinding).
	Origins []string
	// Name and Description are for the relay's document (NIP-11), as is
	// Version.
	Name, Description, Version string
	// Now is the clock; time.Now.
	Now func() time.Time
}

func (c Config) withDefaults() Config {
	c.MaxConnections = orDefault(c.MaxConnections, 256)
	c.MaxPerAddress = orDefault(c.MaxPerAddress, 128)
	c.MaxSubscriptions = orDefault(c.MaxSubscriptions, 32)
	c.MaxFilterValues = orDefault(c.MaxFilterValues, 5000)
	c.MaxEvents = orDefault(c.MaxEvents, 10_000)
	c.MaxBytes = orDefault(c.MaxBytes, 64<<20)
	c.MaxEventBytes = orDefault(c.MaxEventBytes, 64<<10)
	c.MaxResults = orDefault(c.MaxResults, 1000)
	c.MaxResultBytes = orDefault(c.MaxResultBytes, 4<<20)
	c.MaxQueue = max(orDefault(c.MaxQueue, 2048), c.MaxResults+8)
	c.MaxQueueBytes = max(orDefault(c.MaxQueueBytes, 16<<20), 2*c.MaxResultBytes)
	c.WriteTimeout = orDefault(c.WriteTimeout, 10*time.Second)
	c.PingEvery = orDefault(c.PingEvery, 30*time.Second)
	c.PongTimeout = orDefault(c.PongTimeout, 20*time.Second)
	c.FutureLimit = orDefault(c.FutureLimit, 15*time.Minute)
	c.EventsPerSecond = orDefault(c.EventsPerSecond, 200)
	c.EventBurst = orDefault(c.EventBurst, 1000)
	c.RequestsPerSecond = orDefault(c.RequestsPerSecond, 20)
	c.RequestBurst = orDefault(c.RequestBurst, 100)
	if c.Name == "" {
		c.Name = "poolscope relay"
	}
	if c.Description == "" {
		c.Description = "A relay for the share events and telemetry of a fleet."
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Store == nil {
		c.Store = newMemory(c.MaxEvents, c.MaxBytes)
	}
	return c
}

func orDefault[T int | float64 | time.Duration](v, otherwise T) T {
	if v <= 0 {
		return otherwise
	}
	return v
}
