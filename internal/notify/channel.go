package notify

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/poolscope/poolscope/internal/alert"
)

// Channel delivers messages to one place.
type Channel interface {
	// Send delivers a message, or says why not. An error for which [IsPermanent]
	// holds ends the message; any other one has it tried again later, not before
	// what [RetryAfter] asks for; after one for which [IsUnsure] holds, with the
	// remark that it may be a repetition. Send returns soon after ctx ends. The error's
	// text is shown to the person whose channel it is: no secrets in it.
	//
	// A message with the same ID may come a second time, when nobody knows whether
	// the first arrived. A service that can tell shows it once.
	Send(ctx context.Context, m Message) error
}

// Message is what goes to a channel at once: one event, or several that came
// together.
type Message struct {
	ID     string        // at most 25 characters; the same at every attempt
	At     time.Time     // of the newest event
	Title  string        // a few words
	Lines  []string      // one for each event, or for several like one; never empty
	Events []alert.Event // what it is made of, oldest first
	Digest bool          // it was held back in quiet hours
}

// Text is the message without its title.
func (m *Message) Text() string {
	text := ""
	for i, line := range m.Lines {
		if i > 0 {
			text += "\n"
		}
		text += line
	}
	return text
}

// Severity is that of its worst event.
func (m *Message) Severity() string {
	order := map[string]int{alert.Good: 0, alert.Info: 1, alert.Warning: 2, alert.Critical: 3}
	worst := alert.Good
	for _, e := range m.Events {
		if order[e.Severity] > order[worst] {
			worst = e.Severity
		}
	}
	return worst
}

// Service is a kind of channels.
type Service struct {
	ID     string // "ntfy"
	Name   string // "ntfy"
	Fields []Field
	// Operator says that only operators may have such channels.
	Operator bool
	// Idempotent says that the service shows a message with the same ID once.
	Idempotent bool
	// Managed channels are not made in the form, but by the part that the service
	// belongs to.
	Managed bool
	// Shared says that all people's messages of the service go to one place, each
	// calling whom it is for. There they take turns, and must not call a crowd at once.
	Shared bool
	// Mailbox says that the channel must be confirmed by a code that is sent
	// through it.
	Mailbox bool
	// Open makes a channel of its settings. It connects to nothing. The error is
	// shown to whoever gave the settings.
	Open func(o Opening) (Channel, error)
}

// Field is one setting of a service.
type Field struct {
	Key      string `json:"key"`
	Label    string `json:"label"`
	Type     string `json:"type"` // text, url, email, password or bool
	Required bool   `json:"required"`
	Secret   bool   `json:"secret"` // is never shown again
	Place    bool   `json:"place"`  // says whose server gets the messages, and the secrets with them
	Help     string `json:"help,omitempty"`
}

// Opening is what a channel is made of.
type Opening struct {
	UserID   string // whose channel it is; "" for the operator without an account
	Operator bool   // who owns it is an operator
	Settings map[string]string
}

// permanentError ends a message.
type permanentError struct{ error }

func (e permanentError) Unwrap() error { return e.error }

// Permanent marks an error as one that trying again cannot mend.
func Permanent(err error) error { return permanentError{err} }

// IsPermanent reports whether an error was marked by [Permanent].
func IsPermanent(err error) bool {
	var p permanentError
	return errors.As(err, &p)
}

// unsureError says that a message may have arrived.
type unsureError struct{ error }

func (e unsureError) Unwrap() error { return e.error }

// Unsure marks an error after which nobody knows whether the message arrived: it
// left, and no answer came.
func Unsure(err error) error { return unsureError{err} }

// IsUnsure reports whether an error was marked by [Unsure].
func IsUnsure(err error) bool {
	var u unsureError
	return errors.As(err, &u)
}

// laterError asks for a pause.
type laterError struct {
	error
	after time.Duration
}

func (e laterError) Unwrap() error { return e.error }

// Later marks an error as one after which the service wants to be left alone for
// a while.
func Later(err error, after time.Duration) error { return laterError{err, after} }

// RetryAfter is the pause that a service asked for; 0 when it did not.
func RetryAfter(err error) time.Duration {
	var l laterError
	if errors.As(err, &l) {
		return l.after
	}
	return 0
}

// ErrSettings says that a channel cannot be made of its settings.
var ErrSettings = errors.New("settings")

func badSetting(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrSettings, fmt.Sprintf(format, args...))
}
