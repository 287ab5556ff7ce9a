package alert

import (
	"context"
	"errors"
	"time"
)

// State of an entry of the outbox.
type State string

// The life of an entry.
const (
	Queued  State = "queued"  // to be sent
	Sending State = "sending" // may have left; nobody knows until it is told
	Sent    State = "sent"
	Failed  State = "failed"  // for good; see Error
	Dropped State = "dropped" // never tried to the end: too many, or too old; see Error
)

// Entry is one event for one channel.
type Entry struct {
	ID       int64 // rises; given by the store
	Key      string
	Channel  string // id
	UserID   string
	Event    Event
	State    State
	Batch    string // id of the message that it is part of; "" before the first attempt
	Attempts int
	NextTry  time.Time
	Error    string
	Created  time.Time
	Updated  time.Time
}

// Change is what was noticed at one moment. It is written whole or not at all.
type Change struct {
	Put     map[string][]byte // what was noticed, by name
	Forget  []string          // names that are of no use any more
	Entries []Entry           // what to send because of it; one whose Key is there already is left out
}

// Outcome is what became of an attempt.
type Outcome struct {
	State   State
	NextTry time.Time // when State is Queued
	Error   string
	At      time.Time
}

// ErrNotFound says that there is no channel or rule of that id.
var ErrNotFound = errors.New("not found")

// Store keeps channels, rules, what was noticed, and the outbox. It may be used
// by several goroutines.
type Store interface {
	// Channels and Rules are all there are, oldest first.
	Channels(ctx context.Context) ([]Channel, error)
	Rules(ctx context.Context) ([]Rule, error)
	// SaveChannel and SaveRule make one or replace the one with the same id.
	SaveChannel(ctx context.Context, c Channel) error
	SaveRule(ctx context.Context, r Rule) error
	// DeleteChannel removes a channel with what is in the outbox for it, and from
	// all rules; ErrNotFound when there is none.
	DeleteChannel(ctx context.Context, id string) error
	// DeleteRule removes a rule; ErrNotFound when there is none.
	DeleteRule(ctx context.Context, id string) error
	// NoteChannel writes when a channel was last used with success, or why it
	// failed.
	NoteChannel(ctx context.Context, id string, o Outcome) error

	// Noticed is what Commit wrote, by name.
	Noticed(ctx context.Context) (map[string][]byte, error)
	// Commit writes a change in one transaction and returns how many of its
	// entries were new.
	Commit(ctx context.Context, c Change) (added int, err error)

	// Open are the entries that are queued or being sent, oldest first, at most
	// limit.
	Open(ctx context.Context, limit int) ([]Entry, error)
	// Begin marks entries as being sent as parts of the message batch, one more
	// attempt.
	Begin(ctx context.Context, ids []int64, batch string, at time.Time) error
	// Finish writes what became of entries.
	Finish(ctx context.Context, ids []int64, o Outcome) error
	// Recent are a person's latest entries, newest first.
	Recent(ctx context.Context, users []string, limit int) ([]Entry, error)
	// Trim deletes entries that have ended: those that ended before, and the
	// oldest beyond keep.
	Trim(ctx context.Context, before time.Time, keep int) error
}
