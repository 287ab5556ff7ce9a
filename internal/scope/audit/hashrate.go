package audit

import (
	"math"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// evidenceTime is how long a miner must have had work before its hashrate is
// more than a guess.
const evidenceTime = 30 * time.Second

// maxWork is a difficulty above all that there can be.
const maxWork = 1e60

// work is the difficulty of accepted shares, in windows.
type work struct {
	begun   time.Time // when the miner was given its first job; zero before
	shares  uint64
	total   float64
	minutes *windows // nil before the first share
}

type windows struct {
	five [30]slot // of fiveWidth
	hour [60]slot // of hourWidth
}

type slot struct {
	number int64 // of the slot since 1970
	shares uint64
	work   float64
}

const (
	fiveWidth = 10 * time.Second
	hourWidth = time.Minute
)

// add counts an accepted share.
func (w *work) add(at time.Time, difficulty float64) {
	// A pool may ask for anything, but no sum may become infinite.
	difficulty = min(difficulty, maxWork)
	w.shares++
	w.total += difficulty
	if w.minutes == nil {
		w.minutes = new(windows)
	}
	put(w.minutes.five[:], fiveWidth, at, difficulty)
	put(w.minutes.hour[:], hourWidth, at, difficulty)
}

func put(slots []slot, width time.Duration, at time.Time, difficulty float64) {
	number := at.UnixNano() / int64(width)
	s := &slots[uint64(number)%uint64(len(slots))]
	if s.number != number {
		*s = slot{number: number}
	}
	s.shares++
	s.work += difficulty
}

// rates are the hashrates at a moment.
func (w *work) rates(now time.Time) Hashrates {
	r := Hashrates{Session: Hashrate{Shares: w.shares, Work: w.total}}
	if w.begun.IsZero() {
		return r
	}
	had := now.Sub(w.begun)
	r.Session.conclude(w, had, had)
	if w.minutes != nil {
		r.FiveMinutes = sum(w.minutes.five[:], fiveWidth, now)
		r.OneHour = sum(w.minutes.hour[:], hourWidth, now)
	}
	r.FiveMinutes.conclude(w, had, covered(30, fiveWidth, now))
	r.OneHour.conclude(w, had, covered(60, hourWidth, now))
	return r
}

// covered is how far the slots reach back: all of them but the rest of the
// current one.
func covered(slots int, width time.Duration, now time.Time) time.Duration {
	return time.Duration(slots-1)*width + time.Duration(now.UnixNano()%int64(width))
}

func sum(slots []slot, width time.Duration, now time.Time) (r Hashrate) {
	current := now.UnixNano() / int64(width)
	for i := range slots {
		if age := current - slots[i].number; age >= 0 && age < int64(len(slots)) {
			r.Shares += slots[i].shares
			r.Work += slots[i].work
		}
	}
	return r
}

// conclude divides by the part of the window in which there was work.
func (r *Hashrate) conclude(w *work, had, window time.Duration) {
	window = min(window, had)
	r.Seconds = max(window.Round(time.Millisecond).Seconds(), 0)
	if w.shares == 0 || had < evidenceTime || r.Seconds <= 0 {
		return
	}
	if hashes := r.Work * bitcoin.HashesPerDifficulty / r.Seconds; !math.IsInf(hashes, 0) {
		r.Hashes = &hashes
	}
}
