package notify

import (
	"time"

	"github.com/poolscope/poolscope/internal/alert"
	"github.com/poolscope/poolscope/internal/format"
	"github.com/poolscope/poolscope/internal/ledger"
)

// bestEvery is the least time between two best shares of one worker that are
// told: in the beginning, every other share is one. Of those in between the best
// is told afterwards.
const bestEvery = 10 * time.Minute

// bestTold is the best share of a worker that was told.
type bestTold struct {
	Difficulty float64   `json:"difficulty"`
	At         time.Time `json:"at"` // when it was told
}

// seeBest looks for shares that are better than all before them.
func (l *look) seeBest(r *ruleInForce, names []string) {
	if r.Scope == alert.ScopePool && len(r.Workers) == 0 {
		if l.w.Ledger != nil && len(l.w.Ledger.BestShares) > 0 {
			b := l.w.Ledger.BestShares[0]
			l.seeBestOf(r, "", b.Worker, ledger.Best{Difficulty: b.Difficulty, At: b.At, Hash: b.Hash})
		}
		return
	}
	for _, name := range names {
		if w, in := l.workers[name]; in {
			l.seeBestOf(r, name, name, w.best)
		}
	}
}

// seeBestOf looks at the best share of a worker, or of the pool, whose subject is
// "".
func (l *look) seeBestOf(r *ruleInForce, subject, name string, best ledger.Best) {
	key := about(aboutBest, r.ID, subject)
	told, known := l.m.bests[key]
	switch {
	case !known:
		l.d.set(key, bestTold{Difficulty: best.Difficulty})
		return
	case best.Difficulty <= told.Difficulty, best.Difficulty < r.MinDifficulty:
		return
	case l.d.now.Sub(told.At).Abs() < bestEvery:
		return
	}
	l.d.set(key, bestTold{Difficulty: best.Difficulty, At: l.d.now})
	shown, what := Plain(name, maxName), "Best share ever"
	if subject == "" {
		what = "Best share of the pool ever"
	}
	l.d.tell(r, alert.Event{
		Kind:     alert.BestShare,
		Key:      "best:" + best.Hash.String(),
		At:       best.At,
		Severity: alert.Good,
		Worker:   shown,
		Text:     what + ": difficulty " + format.Difficulty(best.Difficulty) + " by " + shown,
		Values:   map[string]any{"difficulty": best.Difficulty, "hash": best.Hash.String(), "previous_difficulty": told.Difficulty},
	})
}
