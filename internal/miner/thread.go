package miner

import (
	"context"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// The number of hashes between two looks at the board starts small and is
// doubled or halved so that it takes about 1 to 4 ms.
const (
	minChunk   = 256
	startChunk = 2048
	maxChunk   = 32768
)

// thread searches for shares. Its counter has a cache line of its own.
type thread struct {
	_      [64]byte
	hashes atomic.Uint64
	_      [64]byte

	board   *board
	hasher  *Hasher
	pacer   pacer
	chunk   uint64
	discard func()
}

// share is a header that meets the share target of its work.
type share struct {
	unit  unit
	nonce uint32
	hash  bitcoin.Hash
	block bool // it meets the network target as well
}

// run works until ctx ends.
func (t *thread) run(ctx context.Context) {
	t.chunk = startChunk
	for ctx.Err() == nil {
		w, changed := t.board.get()
		if w != nil {
			if u, ok := w.take(time.Now()); ok {
				t.search(ctx, w, u, changed)
				continue
			}
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}

// search tries the nonces of a unit until they are used up, the unit is old, or
// there is other work.
func (t *thread) search(ctx context.Context, w *work, u unit, changed <-chan struct{}) {
	t.hasher.SetHeader(&u.header)
	start := time.Now()
	for nonce := uint64(0); nonce < 1<<32; {
		from := time.Now()
		count := min(t.pacer.chunk(t.chunk), 1<<32-nonce)
		found, hash, tried, ok := t.hasher.Scan(uint32(nonce), count, &w.target)
		nonce += tried
		t.hashes.Add(tried)
		if ok {
			t.submit(ctx, w, share{unit: u, nonce: found, hash: hash, block: hash.Meets(&w.network)})
		}

		now := time.Now()
		if tried == t.chunk {
			t.adapt(now.Sub(from))
		}
		if !t.rest(ctx, t.pacer.wait(tried, now), changed) {
			return
		}
		if t.board.current.Load() != w || now.Sub(start) >= unitAge {
			return
		}
		// The pool may live in this process and wait for the processor.
		runtime.Gosched()
	}
}

// adapt keeps a chunk between about 1 and 4 ms.
func (t *thread) adapt(took time.Duration) {
	switch {
	case took > 4*time.Millisecond && t.chunk > minChunk:
		t.chunk /= 2
	case took < time.Millisecond && t.chunk < maxChunk:
		t.chunk *= 2
	}
}

// rest pauses for d, less if there is other work. It returns false when ctx
// ended.
func (t *thread) rest(ctx context.Context, d time.Duration, changed <-chan struct{}) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-changed:
	case <-ctx.Done():
		return false
	}
	return true
}

// submit hands a share to its session. Shares of work that became worthless
// while they were found are dropped, but never one that is a block.
func (t *thread) submit(ctx context.Context, w *work, s share) {
	if w.generation != w.session.generation.Load() && !s.block {
		t.discard()
		return
	}
	if !w.session.submit(ctx, w, s) {
		t.discard()
	}
}
