package client

import (
	"net/url"
	"time"
)

// complainEvery bounds how often one relay is complained about for one thing.
const complainEvery = 10 * time.Minute

// complaints are what the log was told of one relay. They belong to the
// goroutine that reads.
type complaints struct {
	relay string // without a password
	last  map[string]time.Time
}

func newComplaints(address string) complaints {
	if u, err := url.Parse(address); err == nil {
		address = u.Redacted()
	}
	return complaints{relay: address, last: make(map[string]time.Time)}
}

// complain logs what is wrong with the relay, unless it did so lately.
func (l *link) complain(what, why string) {
	now := time.Now()
	if last, ok := l.complaints.last[what]; ok && now.Sub(last) < complainEvery {
		return
	}
	l.complaints.last[what] = now
	l.pool.config.Log.Warn(what, "relay", l.complaints.relay, "reason", clip(why))
}

// What is complained of.
const (
	notReached   = "relay not reached"
	notSubscribe = "relay refuses a subscription"
	notPublished = "relay refuses an event"
)

// connected logs that the relay is there; the next failure is news again.
func (l *link) connected() {
	delete(l.complaints.last, notReached)
	l.pool.config.Log.Info("relay connected", "relay", l.complaints.relay)
}

// lost logs the end of a connection. The back-off bounds how often one is made.
func (l *link) lost(err error) {
	l.pool.config.Log.Warn("relay lost", "relay", l.complaints.relay, "reason", clip(err.Error()))
}
