package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// minElapsed is how much of an hour or a day has to have passed before its
// average means anything.
const minElapsed = time.Minute

// History reads the history of one worker, or of the pool (PoolName): the
// periods that begin in [from, to), oldest first, in UTC. A from before the
// retention of the resolution means: as far back as there is.
//
// Periods without data are left out. The pool has data for every minute in
// which it ran, workers have for those in which they sent shares.
// The minute that is still running is left out. The hour and the day that are
// still running have the average over what has passed of them.
func (l *Ledger) History(ctx context.Context, worker string, res Resolution, from, to time.Time) ([]HistoryPoint, error) {
	length := res.Length()
	if length == 0 {
		return nil, fmt.Errorf("%w: %q", ErrResolution, res)
	}
	if to.Before(from) {
		return nil, ErrRange
	}

	now := l.opts.Now()
	switch res {
	case Minute:
		from = later(from, now.Add(-MinuteRetention))
		to = earlier(to, Minute.Start(now))
	case Hour:
		from = later(from, now.Add(-HourRetention))
	}
	to = earlier(to, now)
	if !from.Before(to) {
		return nil, nil
	}

	points, err := l.store.History(ctx, worker, res, from, to)
	if err != nil {
		return nil, fmt.Errorf("read the history: %w", err)
	}
	complete := points[:0]
	for _, p := range points {
		elapsed := min(length, now.Sub(p.At))
		if elapsed < min(length, minElapsed) {
			continue
		}
		p.Hashrate = p.Work * bitcoin.HashesPerDifficulty / elapsed.Seconds()
		complete = append(complete, p)
	}
	return complete, nil
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
