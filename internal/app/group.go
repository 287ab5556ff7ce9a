package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"time"
)

// stopTime is how long all stages together may take to end. With closing the
// store it stays below the two seconds in which a program should end.
const stopTime = 1800 * time.Millisecond

// part is something that runs until its context ends.
type part struct {
	name string
	run  func(context.Context) error
}

// guarded runs the part and turns a panic of its goroutine into an error, so
// that the others still end in order and the books are written. Goroutines that
// a part starts are its own concern.
func (p part) guarded(ctx context.Context, log *slog.Logger) (err error) {
	defer func() {
		if v := recover(); v != nil {
			log.Error("part panicked", "part", p.name, "panic", v, "stack", string(debug.Stack()))
			err = fmt.Errorf("%w: %v", errPanic, v)
		}
	}()
	return p.run(ctx)
}

// stage is a set of parts that end together.
type stage []part

// runningPart is a part that was started; done is closed when it ended.
type runningPart struct {
	name string
	done chan struct{}
}

// runningStage is a stage that was started.
type runningStage struct {
	parts  []runningPart
	cancel context.CancelFunc
}

// runStages starts all parts of all stages. When ctx ends or a part fails, it
// ends the stages one after the other, the last one first, so that what earlier
// stages offer is there until nobody needs it. It returns the first failure.
//
// All stages share stopTime: each may use an equal part of what is left, and
// what it does not use is left to those after it. So even when parts hang,
// every stage is told to end and has time to do so.
func runStages(ctx context.Context, log *slog.Logger, stages ...stage) error {
	type ended struct {
		name string
		err  error
	}
	total := 0
	for _, s := range stages {
		total += len(s)
	}
	ends := make(chan ended, total)
	running := make([]runningStage, len(stages))
	for i, s := range stages {
		stageCtx, cancel := context.WithCancel(context.WithoutCancel(ctx))
		running[i].cancel = cancel // all of them are called below
		for _, p := range s {
			r := runningPart{p.name, make(chan struct{})}
			running[i].parts = append(running[i].parts, r)
			go func() {
				defer close(r.done)
				ends <- ended{p.name, p.guarded(stageCtx, log)}
			}()
		}
	}

	var failure error
	select {
	case <-ctx.Done():
	case e := <-ends:
		failure = fmt.Errorf("%s ended unexpectedly", e.name)
		if e.err != nil {
			failure = fmt.Errorf("%s ended: %w", e.name, e.err)
		}
	}

	deadline := time.Now().Add(stopTime)
	for i := len(running) - 1; i >= 0; i-- {
		turn := time.Until(deadline) / time.Duration(i+1)
		if late := running[i].end(turn); len(late) > 0 {
			log.Warn("parts did not end in time", "parts", strings.Join(late, ", "), "after", turn)
		}
	}
	for {
		select {
		case e := <-ends:
			// Not the reason for the end, but not to be lost either.
			if e.err != nil && !errors.Is(e.err, context.Canceled) {
				log.Error("part failed while ending", "part", e.name, "err", e.err)
			}
		default:
			return failure
		}
	}
}

// end tells the parts to end and waits for them. It returns the names of those
// that still run after d.
func (s runningStage) end(d time.Duration) (late []string) {
	s.cancel()
	over := time.NewTimer(d)
	defer over.Stop()
	for i, p := range s.parts {
		select {
		case <-p.done:
			continue
		case <-over.C:
		}
		for _, p := range s.parts[i:] {
			select {
			case <-p.done:
			default:
				late = append(late, p.name)
			}
		}
		return late
	}
	return nil
}
