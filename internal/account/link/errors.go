package link

import (
	"errors"
	"fmt"
	"time"
)

// Errors of a Service.
var (
	ErrCode      = errors.New("the code is wrong, was used, or has expired")
	ErrOtherPool = errors.New("the code is another pool's")
	ErrNotLinked = errors.New("not linked")
	ErrNoAccount = errors.New("no such account")
)

// TooManyError says that something was tried too often.
type TooManyError struct {
	Wait time.Duration // until it may be tried again
}

func (e *TooManyError) Error() string {
	return fmt.Sprintf("tried too often; again in %s", e.Wait.Round(time.Second))
}
