package app

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"
)

// TestAside lets a part fail, panic and end: it is started again each time, and
// never ends the others.
func TestAside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		starts := 0
		p := aside(part{"odd", func(ctx context.Context) error {
			starts++
			switch starts {
			case 1:
				return errors.New("no such host")
			case 2:
				panic("odd")
			case 3:
				return nil
			}
			<-ctx.Done()
			return ctx.Err()
		}}, slog.New(slog.DiscardHandler))
		ended := make(chan error, 1)
		go func() { ended <- p.run(ctx) }()
		time.Sleep(time.Minute)
		synctest.Wait()
		if starts != 4 {
			t.Errorf("started %d times", starts)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("ended by %v", err)
		}
	})
}
