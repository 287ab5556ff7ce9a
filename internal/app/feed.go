package app

import (
	"context"
	"log/slog"
	"runtime/debug"
	"sync/atomic"

	"github.com/poolscope/poolscope/internal/node"
	"github.com/poolscope/poolscope/internal/pool"
)

// workTaker makes jobs for miners. *pool.Pool is one.
type workTaker interface {
	SetTemplate(t *node.Template)
	SetTip(t node.Tip)
}

var _ workTaker = (*pool.Pool)(nil)

// feed hands the node's templates and tips to the pool, from one goroutine.
//
// What a node sends is not in our hands. If making a job of it panics, miners
// stay on the job that they have, and the next template has its own chance.
type feed struct {
	templates <-chan *node.Template
	tips      <-chan node.Tip
	pool      workTaker
	log       *slog.Logger
	panics    atomic.Uint64
}

// run hands on until ctx ends.
func (f *feed) run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case t := <-f.templates:
			f.guarded("template", t.Height, func() { f.pool.SetTemplate(t) })
		case t := <-f.tips:
			f.guarded("tip", t.Height, func() { f.pool.SetTip(t) })
		}
	}
}

// guarded counts and logs a panic of hand and goes on.
func (f *feed) guarded(what string, height int64, hand func()) {
	defer func() {
		if v := recover(); v != nil {
			f.panics.Add(1)
			f.log.Error("making work panicked", "of", what, "height", height, "panic", v, "stack", string(debug.Stack()))
		}
	}()
	hand()
}
