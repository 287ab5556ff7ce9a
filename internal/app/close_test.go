package app

import (
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"
)

// A database that hangs does not keep the program from ending.
func TestCloseInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		defer close(hang)
		begin := time.Now()
		if err := closeInTime(func() error { <-hang; return nil }); !errors.Is(err, errHung) {
			t.Errorf("a hanging close: %v", err)
		}
		if took := time.Since(begin); took != closeTime {
			t.Errorf("it took %s", took)
		}
		if err := closeInTime(func() error { return io.ErrClosedPipe }); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("a failing close: %v", err)
		}
	})
}
