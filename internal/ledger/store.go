package ledger

import (
	"context"
	"time"
)

// Store keeps the books on disk. Its methods are safe for concurrent use.
//
// An error means that nothing of the call was written, or, where the store
// cannot know (a connection that broke during the commit), that the call may
// be repeated: every writing method is idempotent, and says by which key.
// Methods give up with the context's error when it ends first.
//
// Times are stored with the resolution of a millisecond and come back in UTC;
// the zero time comes back as the zero time.
type Store interface {
	// Load reads what a starting ledger needs: the pool's own record, at most
	// limit workers that were seen at or after since (latest first), the best
	// shares, and blocks. An empty store gives a State of zero values.
	// It changes nothing.
	Load(ctx context.Context, since time.Time, limit int) (*State, error)

	// Workers reads the records of those of the named workers that the books
	// know; it leaves out the others. The order is not defined.
	// It changes nothing.
	Workers(ctx context.Context, names []string) ([]WorkerRecord, error)

	// Apply adds a batch to the books, all of it or nothing.
	//
	// It is idempotent by (Batch.Source, Batch.Seq): a batch whose Seq is not
	// greater than the last one applied for its Source is taken as already
	// written, and gives no error. The batch is only read, and not kept.
	Apply(ctx context.Context, b *Batch) error

	// SaveBlock inserts a found block, or replaces the one with the same
	// hash. When it returns nil, the block survives a power failure.
	SaveBlock(ctx context.Context, b Block) error

	// History reads the periods of one worker (PoolName for the pool) whose
	// beginning lies in [from, to), oldest first, including those that are
	// not complete yet. Periods without data are left out. Hashrate is left
	// zero: only the caller knows how much of a period has passed.
	// It changes nothing.
	History(ctx context.Context, worker string, res Resolution, from, to time.Time) ([]HistoryPoint, error)

	// Maintain rolls complete minutes up into hours and hours into days, and
	// deletes what is past its retention, as of now. One call does a bounded
	// piece of work in short transactions, so that a found block never waits
	// long; more tells that there is some left. Calling it again is harmless.
	Maintain(ctx context.Context, now time.Time) (more bool, err error)
}

// State is what the books hold when the ledger starts.
type State struct {
	Pool       WorkerRecord
	Workers    []WorkerRecord // recently seen, latest first
	BestShares []BestShare    // best first, at most MaxBestShares
	Blocks     []Block        // newest first: the latest MaxBlocks, and every older one that is still open

	// Of all blocks ever found, by the state that they have now.
	BlocksAccepted uint64 // accepted or confirmed
	BlocksRejected uint64 // rejected
}

// Batch is a set of changes that the ledger writes at once.
type Batch struct {
	Source string // names the run of the ledger that made it
	Seq    uint64 // 1, 2, 3, … within a source
	At     time.Time

	Deltas     []Delta
	BestShares []BestShare // candidates for the list of best shares ever
}

// Delta is what happened to one worker since the batch before.
type Delta struct {
	Worker    string // PoolName for the pool
	Address   string
	UserAgent string
	FirstSeen time.Time // used when the books do not know the worker yet
	LastSeen  time.Time
	LastShare time.Time // zero: unchanged
	Best      Best      // replaces the one in the books when it is better
	Pace      Pace      // replaces the one in the books when it is newer

	Totals Totals      // to be added to the worker's totals
	Rows   []MinuteRow // to be added to its history; their sums may be less than Totals
}

// MinuteRow is a piece of one minute of history.
type MinuteRow struct {
	Minute      int64 // Unix time of the minute's beginning, divided by 60
	Accepted    uint64
	Rejected    uint64
	Work        float64
	BestShare   float64
	BlockHeight int64
}

// add merges what happened later in the same minute.
func (r *MinuteRow) add(o MinuteRow) {
	r.Accepted += o.Accepted
	r.Rejected += o.Rejected
	r.Work += o.Work
	r.BestShare = max(r.BestShare, o.BestShare)
	r.BlockHeight = max(r.BlockHeight, o.BlockHeight)
}
