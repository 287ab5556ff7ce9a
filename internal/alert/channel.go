package alert

import (
	"maps"
	"slices"
	"time"
)

// Channel is a place that messages go to: a chat, a mailbox, a program.
type Channel struct {
	ID       string // 16 hex digits
	UserID   string // whose it is; "" for the operator without an account
	Kind     string // id of a service of the catalog
	Name     string // for people
	Enabled  bool
	Settings map[string]string // values of the service's fields, secrets included
	Quiet    Quiet

	// Confirmed says that the channel may be used. One that leads to somebody's
	// mailbox is not until a code from there was given back.
	Confirmed bool
	Code      []byte    // SHA-256 of that code; nil when there is none
	CodeUntil time.Time // when the code ends
	CodeTries int       // wrong codes given so far

	Created   time.Time
	LastSent  time.Time // zero: never
	LastError string    // why the last message did not arrive; "" when it did
	ErrorAt   time.Time // of LastError
}

// Quiet are hours in which a channel holds messages back.
type Quiet struct {
	From, To string // "22:00" of local time; both "" for none
	Zone     string // IANA name, such as "Europe/Berlin"
	Blocks   bool   // found blocks are told nevertheless
}

// IsSet says whether there are quiet hours.
func (q Quiet) IsSet() bool { return q.From != "" }

// Clone is a copy that shares nothing.
func (c Channel) Clone() Channel {
	c.Settings, c.Code = maps.Clone(c.Settings), slices.Clone(c.Code)
	return c
}
