package account

import (
	"errors"
	"fmt"
	"time"
)

// What a request about accounts can meet. Their texts are for people.
var (
	ErrUnknown      = errors.New("no such account")
	ErrNoSession    = errors.New("no such session")
	ErrCredentials  = errors.New("wrong name or password") // says not which
	ErrTaken        = errors.New("this name is taken")
	ErrLastOperator = errors.New("this is the last operator who can sign in")
	ErrClosed       = errors.New("registration is closed")
	ErrNoPassword   = errors.New("this account has no password here: it signs in through its provider")
	ErrFull         = errors.New("no more accounts can be kept")
	ErrDisabled     = errors.New("this account is disabled")
	ErrName         = errors.New("a name has 1 to 64 letters, digits or any of . _ - @ +")
	ErrEmail        = errors.New("this is no e-mail address")
	ErrRole         = errors.New("the role must be viewer or operator")
)

// WeakPasswordError says why a password is not accepted.
type WeakPasswordError struct{ Reason string }

// Error is the reason.
func (e *WeakPasswordError) Error() string { return e.Reason }

// BusyError says that an attempt was not made, and when the next one may be.
type BusyError struct {
	Reason string        // in snake_case, as in the metrics
	Wait   time.Duration // at least
}

// Error says when to try again.
func (e *BusyError) Error() string {
	return fmt.Sprintf("too many attempts; try again in %d seconds", e.Seconds())
}

// Seconds is Wait, rounded up: the value of Retry-After (RFC 9110 section 10.2.3).
func (e *BusyError) Seconds() int { return max(1, int((e.Wait+time.Second-1)/time.Second)) }
