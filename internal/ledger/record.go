package ledger

import (
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/stratum"
)

// PoolName is the name under which the pool as a whole is booked: it is the
// worker with the empty name. No miner can have it, since a worker's name
// starts with its payout address.
const PoolName = ""

// Best is a share that was better than all before it. The zero value means
// that there was none.
type Best struct {
	Difficulty float64 // true difficulty of the hash, not the assigned one
	At         time.Time
	Hash       bitcoin.Hash
}

// beats reports whether b replaces old: only a strictly better share does.
func (b Best) beats(old Best) bool { return b.Difficulty > old.Difficulty }

// BestShare is one row of the pool's list of best shares ever.
type BestShare struct {
	Worker     string
	Difficulty float64 // true difficulty of the hash
	At         time.Time
	Hash       bitcoin.Hash
}

// RejectCount says how often shares were refused for one reason, and how much
// work (the sum of their assigned difficulties) the miner lost by it.
type RejectCount struct {
	Reason stratum.Reject
	Count  uint64
	Work   float64
}

// Totals are sums over the whole life of a worker, or of the pool.
type Totals struct {
	Accepted     uint64
	Rejected     uint64
	Work         float64       // sum of the assigned difficulties of accepted shares; times 2^32 = expected hashes
	RejectedWork float64       // the same for rejected shares
	Rejects      []RejectCount // by reason, in the order of stratum.Rejects; reasons that never occurred are left out
}

// WorkerRecord is what the books hold about one worker.
type WorkerRecord struct {
	Name      string // PoolName for the pool
	Address   string // payout address
	UserAgent string // of the latest connection
	FirstSeen time.Time
	LastSeen  time.Time // last time that it was seen connected
	LastShare time.Time // last accepted share; zero when there was none
	Totals    Totals
	Best      Best
	Pace      Pace
}

// Resolution is the length of one period of history.
type Resolution string

// The three resolutions. Periods are aligned to UTC.
const (
	Minute Resolution = "minute" // kept for 48 hours
	Hour   Resolution = "hour"   // kept for 90 days
	Day    Resolution = "day"    // kept for ever
)

// How long periods are kept. Days are never deleted.
const (
	MinuteRetention = 48 * time.Hour
	HourRetention   = 90 * 24 * time.Hour
)

// Length is the length of one period, or zero for an unknown resolution.
func (r Resolution) Length() time.Duration {
	switch r {
	case Minute:
		return time.Minute
	case Hour:
		return time.Hour
	case Day:
		return 24 * time.Hour
	}
	return 0
}

// Start is the beginning of the period that t falls in, in UTC.
func (r Resolution) Start(t time.Time) time.Time {
	// Truncate counts from the zero time, which is a midnight of UTC.
	return t.UTC().Truncate(r.Length())
}

// HistoryPoint sums up one period.
type HistoryPoint struct {
	At          time.Time // beginning of the period, UTC
	Hashrate    float64   // average over the period in H/s
	Accepted    uint64    // shares
	Rejected    uint64    // shares
	Work        float64   // sum of assigned difficulties
	BestShare   float64   // highest true difficulty of a share in the period
	BlockHeight int64     // height of the chain tip at its end; 0 when unknown
}
