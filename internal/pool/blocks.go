package pool

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/ledger"
	"github.com/poolscope/poolscope/internal/node"
)

// Times of block submission.
const (
	submitTimeout  = 60 * time.Second // one attempt at all nodes
	firstRetry     = 250 * time.Millisecond
	longestRetry   = 30 * time.Second
	saveTimeout    = time.Second // after which a block is sent although the disk hangs
	followInterval = 5 * time.Second
	followTimeout  = 10 * time.Second
	probeEvery     = 6 // looks at the chain for one at the disk
	bookAttempts   = 5 // to enter a block into the books, should that panic
)

// errPanicked is a step's error when it had no chance to return one.
var errPanicked = errors.New("internal error")

// blockKeeper sees found blocks through: on disk first, then to all nodes until
// one gives a definite answer, then six blocks deep.
type blockKeeper struct {
	files    blockFiles
	node     Node
	ledger   *ledger.Ledger
	log      *slog.Logger
	counters *counters
	events   *events

	mu       sync.Mutex
	inFlight map[bitcoin.Hash]struct{}
	answered map[bitcoin.Hash]struct{} // some of those that are done with
	settled  chan struct{}             // an answer came: look at the chain now
	fault    atomic.Pointer[string]    // why blocks cannot be saved, nil while they can
	probing  sync.Mutex                // one probe at a time: they use one file
	wg       sync.WaitGroup
	saving   sync.WaitGroup // blocks that are not on disk yet
}

// Bounds of what the keeper holds. Real networks never come near them: they
// are for regtest, where every other hash is a block.
const (
	maxInFlight = 256
	maxAnswered = 4096
)

// found takes a new block. It returns at once; the work goes on in a goroutine.
// The channel is closed when the block is on disk, or when that was given up,
// after saveTimeout at the latest. It is nil for a block that is in good hands
// already.
func (k *blockKeeper) found(ctx context.Context, b ledger.Block, raw []byte) (saved <-chan struct{}) {
	if !k.claim(b.Hash) {
		return nil
	}
	done := make(chan struct{})
	k.saving.Add(1)
	k.wg.Go(func() {
		defer k.disown(b.Hash)
		log := k.log.With("height", b.Height, "hash", b.Hash.String())
		k.save(b, raw, log)
		// What the log tells of is on disk, if it can be.
		log.Info("block found", "worker", b.Worker, "share_difficulty", b.ShareDifficulty)
		close(done)
		k.saving.Done()
		k.submit(ctx, b.Height, b.Hash, raw, k.book(ctx, b))
	})
	return done
}

// book enters a block into the ledger, which writes to its database: that must
// not delay the block. The channel tells when it is done, and whether it worked.
func (k *blockKeeper) book(ctx context.Context, b ledger.Block) <-chan bool {
	booked := make(chan bool, 1)
	k.wg.Go(func() {
		ok := false
		for attempt, wait := 0, firstRetry; !ok && attempt < bookAttempts; attempt, wait = attempt+1, 2*wait {
			if attempt > 0 && !pause(ctx, wait) {
				break
			}
			ok = k.guard("book", func() { k.ledger.BlockFound(b) })
		}
		booked <- ok
	})
	return booked
}

// guard runs a step of the block keeper's work. A panic in it is logged, counted,
// and does not take the block along: the step's caller tries again. It reports
// whether the step ended well.
func (k *blockKeeper) guard(step string, do func()) (ok bool) {
	defer func() {
		if v := recover(); v != nil {
			k.counters.blockPanics.Add(1)
			k.log.Error("block keeper panicked, trying again", "step", step, "panic", v, "stack", string(debug.Stack()))
			k.events.add(time.Now(), "block", "internal error in the block keeper ("+step+"); it is tried again")
		}
	}()
	do()
	return true
}

// pause waits, and reports whether ctx let it.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// claim marks a block as being worked on. It reports false for one that is
// already, or that has its answer: a miner may send its share again.
func (k *blockKeeper) claim(h bitcoin.Hash) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	_, busy := k.inFlight[h]
	_, done := k.answered[h]
	switch {
	case busy || done:
		return false
	case len(k.inFlight) >= maxInFlight:
		k.counters.surplusBlocks.Add(1)
		return false
	}
	k.inFlight[h] = struct{}{}
	return true
}

// answer notes that a block is done with.
func (k *blockKeeper) answer(h bitcoin.Hash) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.answered) >= maxAnswered {
		clear(k.answered)
	}
	k.answered[h] = struct{}{}
}

// busy says whether a block is being worked on.
func (k *blockKeeper) busy(h bitcoin.Hash) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	_, busy := k.inFlight[h]
	return busy
}

func (k *blockKeeper) disown(h bitcoin.Hash) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.inFlight, h)
}

// save puts the block on disk before it is sent. A disk that is full or hangs
// must not cost the block, so it is sent in any case.
func (k *blockKeeper) save(b ledger.Block, raw []byte, log *slog.Logger) {
	done := make(chan error, 1)
	go func() {
		err := errPanicked
		k.guard("save", func() { err = k.files.save(b, raw) })
		done <- err
	}()
	var problem string
	select {
	case err := <-done:
		if err == nil {
			k.fault.Store(nil)
			return
		}
		log.Error("block not saved, sending it all the same", "err", err)
		problem = withoutPath(err)
	case <-time.After(saveTimeout):
		problem = "the disk did not answer within a second"
		log.Error("block not saved, sending it all the same", "err", problem)
	}
	k.fault.Store(&problem)
	k.events.add(time.Now(), "block", "found block not saved to disk: "+problem)
}

// probe tries the block folder, so that a full disk shows before a block comes.
func (k *blockKeeper) probe() {
	k.probing.Lock()
	defer k.probing.Unlock()
	err := k.files.probe()
	if err == nil {
		k.fault.Store(nil)
		return
	}
	problem := withoutPath(err)
	if last := k.fault.Swap(&problem); last == nil || *last != problem {
		k.log.Error("found blocks could not be saved", "err", err)
		k.events.add(time.Now(), "block", "found blocks could not be saved to disk: "+problem)
	}
}

// withoutPath is an error's text for the public, which file names are not for.
func withoutPath(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	var link *os.LinkError
	if errors.As(err, &link) {
		return link.Err.Error()
	}
	return err.Error()
}

// submit sends a block until a node gives a definite answer. A block without
// one stays on disk and is sent again at the next start. An attempt that has
// begun when the pool stops is not broken off.
func (k *blockKeeper) submit(ctx context.Context, height int64, hash bitcoin.Hash, raw []byte, booked <-chan bool) {
	log := k.log.With("height", height, "hash", hash.String())
	wait := firstRetry
	for {
		var results []node.SubmitResult // none after a panic: no answer yet
		k.guard("submit", func() {
			attempt, cancel := context.WithTimeout(context.WithoutCancel(ctx), submitTimeout)
			defer cancel()
			results = k.node.SubmitBlock(attempt, raw, hash)
		})
		v := verdictOf(results)
		for _, r := range results {
			log.Info("block submitted", "node", r.Node, "verdict", r.Verdict, "reason", r.Reason, "err", r.Err)
		}
		if v.definite || v.answered && k.buried(height) {
			if inBooks := <-booked; !inBooks {
				// Its file stays where the next start looks for it.
				log.Error("block is not in the books, the next start enters it", "state", v.state)
				k.answer(hash)
				return
			}
			for !k.guard("settle", func() { k.settle(height, hash, v.state, v.reason, log) }) {
				if !pause(ctx, longestRetry) {
					return
				}
			}
			return
		}
		log.Warn("block has no definite answer yet", "reason", v.reason)
		k.events.add(time.Now(), "submitblock", "no node took or refused the block yet: "+v.reason)
		if !pause(ctx, wait+rand.N(wait/4)) {
			return
		}
		wait = min(2*wait, longestRetry)
	}
}

// blockVerdict is what several nodes' answers to a block come to.
type blockVerdict struct {
	state    ledger.BlockState
	reason   string
	definite bool // asking again would change nothing
	answered bool // at least one node said why it does not take the block
}

// verdictOf makes one verdict of several nodes' answers: one that takes the
// block decides, and that it came second or was refused is believed only when
// nobody is still to answer.
func verdictOf(results []node.SubmitResult) blockVerdict {
	v := blockVerdict{state: ledger.BlockRejected}
	refused, stale, open := false, false, len(results) == 0
	for _, r := range results {
		switch r.Verdict {
		case node.Accepted, node.Duplicate:
			return blockVerdict{state: ledger.BlockAccepted, definite: true, answered: true}
		case node.Inconclusive:
			stale, v.answered = true, true
		case node.Rejected:
			refused, v.answered = true, true
			v.reason = r.Reason
		default:
			open = true
			v.answered = v.answered || r.Reason != ""
			switch {
			case refused:
			case r.Reason != "":
				v.reason = r.Reason
			case r.Err != nil:
				v.reason = r.Err.Error()
			}
		}
	}
	if stale {
		// A node that could not be asked may still take it for the best: nodes do
		// not pass side branches on to each other.
		v.state, v.definite = ledger.BlockStale, !open
		return v
	}
	v.definite = refused && !open
	return v
}

// buried says whether the chain has gone on so far that nobody will take a
// block of a height any more.
func (k *blockKeeper) buried(height int64) bool {
	return k.ledger.Snapshot().Height >= height+ledger.ConfirmedDepth
}

// settle books a definite answer.
func (k *blockKeeper) settle(height int64, hash bitcoin.Hash, state ledger.BlockState, reason string, log *slog.Logger) {
	k.answer(hash)
	switch state {
	case ledger.BlockAccepted:
		k.counters.blocksAccepted.Add(1)
		log.Info("block accepted")
	case ledger.BlockStale:
		log.Warn("block came second")
	default:
		k.counters.blocksErrored.Add(1)
		log.Error("block rejected", "reason", reason)
		k.events.add(time.Now(), "submitblock", "block refused by the node: "+reason)
	}
	k.ledger.BlockUpdated(hash, state, 0, reason)
	if err := k.files.settle(height, hash, state != ledger.BlockRejected); err != nil {
		log.Warn("block file not moved", "err", err)
	}
	k.node.Refresh()
	select {
	case k.settled <- struct{}{}:
	default: // a look is due already
	}
}

// replay sends again what the last run left without an answer.
func (k *blockKeeper) replay(ctx context.Context) {
	var saved []savedBlock
	err := errPanicked
	k.guard("replay", func() { saved, err = k.files.pending() })
	if err != nil {
		k.log.Error("block folder not readable", "err", err)
		k.events.add(time.Now(), "block", "block folder not readable: "+err.Error())
	}
	for _, b := range saved {
		if !k.claim(b.Hash) {
			continue
		}
		k.wg.Go(func() {
			defer k.disown(b.Hash)
			k.log.Info("block replayed", "height", b.Height, "hash", b.Hash.String())
			// The process may have ended before the ledger knew.
			k.submit(ctx, b.Height, b.Hash, b.raw, k.book(ctx, b.Block))
		})
	}
}

// follow keeps the confirmations of young blocks up to date.
func (k *blockKeeper) follow(ctx context.Context) {
	tick := time.NewTicker(followInterval)
	defer tick.Stop()
	k.guard("probe", k.probe)
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if n%probeEvery == 0 {
				k.guard("probe", k.probe)
			}
		case <-k.settled:
		}
		k.guard("follow", func() { k.followOnce(ctx) })
	}
}

func (k *blockKeeper) followOnce(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, followTimeout)
	defer cancel()
	for _, b := range k.young() {
		if b.State == ledger.BlockPending && k.busy(b.Hash) {
			continue
		}
		at, err := k.node.BlockStatus(ctx, b.Hash)
		if err != nil {
			return
		}
		if !at.Known {
			continue
		}
		state := ledger.BlockAccepted
		switch {
		case at.Confirmations < 0:
			state = ledger.BlockStale
		case at.Confirmations >= ledger.ConfirmedDepth:
			state = ledger.BlockConfirmed
		}
		if state != b.State || at.Confirmations != b.Confirmations {
			k.ledger.BlockUpdated(b.Hash, state, at.Confirmations, "")
		}
		if state == ledger.BlockConfirmed {
			k.files.forget(b.Height, b.Hash)
		}
	}
}

// young lists the blocks whose fate may still change. A stale block counts for
// a while: when the next block is found on top of it, it is stale no more.
func (k *blockKeeper) young() []ledger.Block {
	list := k.ledger.OpenBlocks()
	books := k.ledger.Snapshot()
	for _, b := range books.Blocks {
		if b.State == ledger.BlockStale && books.Height-b.Height < 2*ledger.ConfirmedDepth {
			list = append(list, b)
		}
	}
	return list
}
