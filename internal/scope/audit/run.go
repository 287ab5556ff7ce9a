package audit

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

const (
	maxQueued  = 64 // blocks and questions that wait for Run
	submitters = 4  // blocks that our node is given at the same time
)

// Run looks for silence once a second, asks the node what it has to be asked,
// and gives it blocks, until ctx ends. None of the three waits for another.
func (a *Auditor) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	wg.Go(func() {
		clock := time.NewTicker(time.Second)
		defer clock.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case now := <-clock.C:
				a.guard(func() { a.tick(now) })
			}
		}
	})
	wg.Go(func() {
		var last reply
		for {
			select {
			case <-ctx.Done():
				return
			case q := <-a.questions:
				a.guard(func() { a.ask(ctx, q, &last) })
			}
		}
	})
	for range submitters {
		wg.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case b := <-a.blocks:
					a.guard(func() { a.submit(ctx, b) })
				}
			}
		})
	}
	wg.Wait()
	return nil
}

// guard survives a mistake of ours: the next second has its own chance.
func (a *Auditor) guard(do func()) {
	defer func() {
		if v := recover(); v != nil {
			a.log.Error("audit failed", "panic", v, "stack", string(debug.Stack()))
			a.mu.Lock()
			a.faults++
			a.mu.Unlock()
		}
	}()
	do()
}

// question asks our node for the block that a session's jobs build on.
type question struct {
	session string
	block   bitcoin.Hash
	job     uint64 // message of a job on it
}

// askTime is how long the node may take for an answer, and how long that counts
// for all sessions.
const askTime = 5 * time.Second

// reply is what the node said of a block.
type reply struct {
	block bitcoin.Hash
	state BlockState
	err   error
	at    time.Time
}

// ask puts a question to the node, unless that was just done, and raises what
// the answer calls for.
func (a *Auditor) ask(ctx context.Context, q question, last *reply) {
	if last.block != q.block || time.Since(last.at) > askTime {
		ctx, cancel := context.WithTimeout(ctx, askTime)
		defer cancel()
		*last = reply{block: q.block}
		last.state, last.err = a.cfg.Chain.Known(ctx, q.block)
		last.at = time.Now()
	}
	state, err := last.state, last.err
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.sessions[q.session]
	if s == nil || s.closed || s.tip != q.block {
		return
	}
	if err != nil {
		s.quiet.old = false // asked again
		return
	}
	tip, ok := s.chainTip()
	switch {
	case !ok || tip.Hash == q.block:
		return
	case !state.Known:
		s.raise(AlarmUnknownTip, SeverityCritical, a.now(), fmt.Sprintf(
			"The pool's jobs build on block %s, which our node does not know.", hashName(q.block)), s.tipN, q.job)
	case !state.InBest:
		s.raise(AlarmUnknownTip, SeverityCritical, a.now(), fmt.Sprintf(
			"The pool's jobs build on block %s, which is not part of our node's best chain.", hashName(q.block)), s.tipN, q.job)
	default:
		text := fmt.Sprintf("The pool's jobs still build on block %s, while our node is at block %d", hashName(q.block), tip.Height)
		if !tip.SeenAt.IsZero() {
			text += fmt.Sprintf(", for %s now", a.now().Sub(tip.SeenAt).Round(time.Second))
		}
		s.raise(AlarmOldTip, SeverityCritical, a.now(), text+".", s.tipN, q.job)
	}
}
