package miner

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// maxRoll is how far a block time may run ahead of the job's, in seconds. Pools
// and nodes allow two hours; a job is rarely older than a minute.
const maxRoll = 600

// unitAge is how long a thread stays on one unit before it takes a fresh one,
// so that block times keep up and shares spread over extranonces and versions
// as those of hardware do.
const unitAge = 10 * time.Second

// work is a job with everything about its session that was in force when it
// came. It does not change, apart from the counter that hands out its units.
type work struct {
	session     *session
	job         *Job
	extranonce  Subscription
	mask        uint32 // granted version bits
	rolling     bool   // the pool agreed to version rolling
	difficulty  float64
	target      bitcoin.Target // of a share
	network     bitcoin.Target // of a block
	generation  uint64         // work of an older generation is worthless
	at          time.Time      // when the job came
	extranonce0 uint64         // extranonce2 of the first unit
	taken       atomic.Uint64  // units handed out
}

// unit is a piece of work for one thread: a header with all nonces to try.
type unit struct {
	header      bitcoin.Header
	extranonce2 []byte
	versionBits uint32
}

// take hands out the next unit; ok is false when all extranonces are used up.
func (w *work) take(now time.Time) (u unit, ok bool) {
	n := w.taken.Add(1) - 1
	if size := w.extranonce.Extranonce2Size; size < 8 && n >= 1<<(8*size) {
		return unit{}, false
	}
	u.extranonce2 = putExtranonce2(w.extranonce0+n, w.extranonce.Extranonce2Size)
	u.header = w.job.Header(w.extranonce.Extranonce1, u.extranonce2)
	u.versionBits = spreadBits(n, w.mask)
	u.header.Version = RollVersion(w.job.Version, u.versionBits, w.mask)
	u.header.Time += uint32(min(max(now.Sub(w.at)/time.Second, 0), maxRoll))
	return u, true
}

// putExtranonce2 returns the last size bytes of n, big-endian, with zeros in
// front where there are more than eight.
func putExtranonce2(n uint64, size int) []byte {
	b := make([]byte, size)
	for i := size - 1; i >= 0; i-- {
		b[i] = byte(n)
		n >>= 8
	}
	return b
}

// board shows the current work to the threads.
type board struct {
	current atomic.Pointer[work]

	mu      sync.Mutex
	changed chan struct{} // closed when current changes; guarded by mu
}

// set shows other work, or none with nil, and wakes who waits for it.
func (b *board) set(w *work) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.current.Store(w)
	if b.changed != nil {
		close(b.changed)
	}
	b.changed = make(chan struct{})
}

// get returns the current work and a channel that is closed when it changes.
func (b *board) get() (*work, <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.changed == nil {
		b.changed = make(chan struct{})
	}
	return b.current.Load(), b.changed
}

// clear takes away the work of a session that ended, unless another session's
// work is there already.
func (b *board) clear(s *session) {
	if w := b.current.Load(); w != nil && w.session == s {
		b.set(nil)
	}
}
