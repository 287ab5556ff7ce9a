package app

import (
	"fmt"
	"time"
)

// closeTime is how long a database may take to close. The stages have ended by
// then, what was to be written is written, and both databases are made to
// survive the end of the process at any moment.
const closeTime = time.Second

// closeInTime closes something whose disk may hang. What is not done in time
// ends with the process.
func closeInTime(closing func() error) error {
	done := make(chan error, 1)
	go func() {
		defer func() {
			if v := recover(); v != nil {
				done <- fmt.Errorf("%w: %v", errPanic, v)
			}
		}()
		done <- closing()
	}()
	timer := time.NewTimer(closeTime)
	defer timer.Stop()
	select {
	case err := <-done:
		return err
	case <-timer.C:
		return fmt.Errorf("%w: not closed within %s", errHung, closeTime)
	}
}
