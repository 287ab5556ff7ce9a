package app

import (
	"context"
	"log/slog"
	"time"
)

// Pauses before a part that failed is started again.
const (
	asideFirstPause = 5 * time.Second
	asideMaxPause   = 5 * time.Minute
)

// aside makes a part that mining does not need: alerts, backups, prices. When it
// fails or panics, that is logged and it is started again after a pause; the
// others go on.
func aside(p part, log *slog.Logger) part {
	run := func(ctx context.Context) error {
		for pause := asideFirstPause; ; pause = min(2*pause, asideMaxPause) {
			began := time.Now()
			err := p.guarded(ctx, log)
			if ctx.Err() != nil {
				return nil
			}
			log.Error("part ended; it is started again", "part", p.name, "err", err, "pause", pause)
			if time.Since(began) > asideMaxPause {
				pause = asideFirstPause // it was well for a while
			}
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(pause):
			}
		}
	}
	return part{p.name, run}
}
