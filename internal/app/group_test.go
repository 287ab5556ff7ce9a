package app

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// recorder notes the order in which parts end.
type recorder struct {
	mu    sync.Mutex
	ended []string
}

func (r *recorder) part(name string, lag time.Duration) part {
	return part{name, func(ctx context.Context) error {
		<-ctx.Done()
		time.Sleep(lag)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.ended = append(r.ended, name)
		return nil
	}}
}

func (r *recorder) order() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.ended)
}

func TestStagesEndLastFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r recorder
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			done <- runStages(ctx, slog.New(slog.DiscardHandler),
				stage{r.part("node", 0)}, stage{r.part("ledger", 0)}, stage{r.part("pool", 100*time.Millisecond)})
		}()
		synctest.Wait()
		cancel()
		if err := <-done; err != nil {
			t.Fatalf("a wanted end is no failure: %v", err)
		}
		if got, want := r.order(), []string{"pool", "ledger", "node"}; !slices.Equal(got, want) {
			t.Fatalf("ended in order %v, want %v", got, want)
		}
	})
}

func TestFailureOfOnePartEndsAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r recorder
		broken := errors.New("disk on fire")
		err := runStages(t.Context(), slog.New(slog.DiscardHandler),
			stage{r.part("ledger", 0)},
			stage{r.part("pool", 0), {"HTTP server", func(context.Context) error { return broken }}})
		if !errors.Is(err, broken) || !strings.Contains(err.Error(), "HTTP server") {
			t.Fatalf("err = %v; it should name the part and the reason", err)
		}
		if got := r.order(); !slices.Equal(got, []string{"pool", "ledger"}) {
			t.Fatalf("ended: %v", got)
		}
	})
}

// A part that panics is named, the log has its stack, and the others end in
// order.
func TestPanicOfOnePartEndsAllInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r recorder
		var logged bytes.Buffer
		err := runStages(t.Context(), slog.New(slog.NewTextHandler(&logged, nil)),
			stage{r.part("ledger", 0)},
			stage{r.part("pool", 0), {"sampler", func(context.Context) error { panic("no such file") }}})
		if !errors.Is(err, errPanic) || err.Error() != "sampler ended: panic: no such file" {
			t.Fatalf("err = %v; it should name the part and what it panicked with", err)
		}
		if got := r.order(); !slices.Equal(got, []string{"pool", "ledger"}) {
			t.Fatalf("ended: %v", got)
		}
		if text := logged.String(); !strings.Contains(text, "part=sampler") || !strings.Contains(text, "group_test.go") {
			t.Errorf("the log lacks part or stack: %q", text)
		}
	})
}

// A part that panics or fails while it ends takes nothing from the others.
func TestFailureWhileEnding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r recorder
		var logged bytes.Buffer
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		failing := func(end func() error) func(context.Context) error {
			return func(ctx context.Context) error { <-ctx.Done(); return end() }
		}
		err := runStages(ctx, slog.New(slog.NewTextHandler(&logged, nil)),
			stage{r.part("ledger", 0)},
			stage{{"pool", failing(func() error { panic("boom") })}, {"HTTP server", failing(func() error { return errors.New("hung up") })}})
		if err != nil {
			t.Fatalf("a wanted end is no failure: %v", err)
		}
		if got := r.order(); !slices.Equal(got, []string{"ledger"}) {
			t.Fatalf("ended: %v", got)
		}
		for _, want := range []string{"boom", "hung up"} {
			if !strings.Contains(logged.String(), want) {
				t.Errorf("the log lacks %q: %s", want, logged.String())
			}
		}
	})
}

// The demo's four stages share the time: whatever hangs, every stage is told to
// end and the books have time to be written, all within two seconds.
func TestHangingStagesShareTheTime(t *testing.T) {
	const hangs = time.Minute
	for _, tc := range []struct {
		name                         string
		devnet, ledger, pool, miners time.Duration // that each needs to end
		want                         []string
		atMost                       time.Duration
	}{
		{"nothing hangs", 0, 0, 0, 0, []string{"miners", "pool", "ledger", "devnet"}, 0},
		{"miners hang", 0, 400 * time.Millisecond, 400 * time.Millisecond, hangs, []string{"pool", "ledger", "devnet"}, stopTime},
		{"all but the ledger hang", hangs, 400 * time.Millisecond, hangs, hangs, []string{"ledger"}, stopTime},
		{"everything hangs", hangs, hangs, hangs, hangs, nil, stopTime},
		{"what is left goes to the next", 0, 800 * time.Millisecond, 0, 0, []string{"miners", "pool", "ledger", "devnet"}, stopTime},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var r recorder
				var told sync.WaitGroup
				part := func(name string, lag time.Duration) part {
					told.Add(1)
					p := r.part(name, lag)
					inner := p.run
					p.run = func(ctx context.Context) error {
						context.AfterFunc(ctx, told.Done)
						return inner(ctx)
					}
					return p
				}
				ctx, cancel := context.WithCancel(t.Context())
				cancel()
				start := time.Now()
				err := runStages(ctx, slog.New(slog.DiscardHandler),
					stage{part("devnet", tc.devnet)}, stage{part("ledger", tc.ledger)}, stage{part("pool", tc.pool)}, stage{part("miners", tc.miners)})
				took := time.Since(start)
				if err != nil {
					t.Fatal(err)
				}
				if took > tc.atMost || took >= 2*time.Second {
					t.Errorf("took %v to end, at most %v", took, tc.atMost)
				}
				if got := r.order(); !slices.Equal(got, tc.want) {
					t.Errorf("ended: %v, want %v", got, tc.want)
				}
				told.Wait() // else the bubble is deadlocked: a stage was not told
				time.Sleep(2 * hangs)
			})
		})
	}
}

func TestLatePartsAreNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r recorder
		var logged bytes.Buffer
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := runStages(ctx, slog.New(slog.NewTextHandler(&logged, nil)),
			stage{r.part("slow", time.Minute), r.part("quick", 0), r.part("slower", time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		if text := logged.String(); !strings.Contains(text, `parts="slow, slower"`) {
			t.Errorf("log %q", text)
		}
		time.Sleep(2 * time.Hour)
	})
}
