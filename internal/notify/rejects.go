package notify

import (
	"fmt"
	"slices"
	"time"

	"github.com/poolscope/poolscope/internal/alert"
	"github.com/poolscope/poolscope/internal/format"
)

// rejecting says that many of a worker's shares are rejected.
type rejecting struct {
	Since time.Time `json:"since"`
}

// tally is what a worker had counted at one time.
type tally struct {
	at                 time.Time
	accepted, rejected uint64
}

// tallies are those of a window, oldest first. They are not kept over a restart:
// the window fills again.
type tallies []tally

// sampleEvery is the least distance of tallies, and maxTallies how many of them
// make up a window: people may have many rules about many workers.
const (
	sampleEvery = 30 * time.Second
	maxTallies  = 60
)

// add takes in a count and returns the shares in the window.
func (t *tallies) add(now tally, window time.Duration) (accepted, rejected uint64) {
	all := *t
	if n := len(all); n > 0 && (now.accepted < all[n-1].accepted || now.rejected < all[n-1].rejected || now.at.Before(all[n-1].at)) {
		all = all[:0] // the books began anew, or the clock was set
	}
	if n := len(all); n == 0 || now.at.Sub(all[n-1].at) >= max(sampleEvery, window/maxTallies) {
		all = append(all, now)
	}
	old := 0
	for old+1 < len(all) && now.at.Sub(all[old+1].at) >= window {
		old++
	}
	all = slices.Delete(all, 0, old)
	*t = all
	return now.accepted - all[0].accepted, now.rejected - all[0].rejected
}

// seeRejects looks how many shares are rejected. It begins at the rule's part of
// all shares and is over below the half of it.
func (l *look) seeRejects(r *ruleInForce, names []string) {
	if r.Scope == alert.ScopePool && len(r.Workers) == 0 {
		if s := l.w.Ledger; s != nil {
			l.seeRejectsOf(r, "", "all workers", s.Accepted, s.Rejected)
		}
		return
	}
	for _, name := range names {
		if w, in := l.workers[name]; in {
			l.seeRejectsOf(r, name, Plain(name, maxName), w.accepted, w.rejected)
		}
	}
}

func (l *look) seeRejectsOf(r *ruleInForce, subject, shown string, accepted, rejected uint64) {
	key := about(aboutReject, r.ID, subject)
	window := l.tallies[key]
	inAccepted, inRejected := window.add(tally{l.d.now, accepted, rejected}, r.RejectWindow)
	l.tallies[key] = window
	total := inAccepted + inRejected
	if total < max(1, r.RejectShares) {
		return
	}
	percent := 100 * float64(inRejected) / float64(total)
	state, active := l.m.rejects[key]
	e := alert.Event{
		At: l.d.now, Worker: shown,
		Values: map[string]any{"percent": percent, "rejected": float64(inRejected), "shares": float64(total), "window_seconds": r.RejectWindow.Seconds()},
	}
	figures := fmt.Sprintf("%s of %s in %s (%.1f %%)", format.Count(inRejected), count(int(total), "share"), span(r.RejectWindow), percent)
	switch {
	case !active && percent >= r.RejectPercent:
		l.d.set(key, rejecting{Since: l.d.now})
		if r.wants(alert.RejectRate) {
			e.Kind, e.Severity = alert.RejectRate, alert.Warning
			e.Key = fmt.Sprintf("reject:%s:%s:%d", r.ID, hashOf(subject), l.d.now.UnixMilli())
			e.Text = fmt.Sprintf("Shares of %s are rejected: %s", shown, figures)
			l.d.tell(r, e)
		}
	case active && percent < r.RejectPercent/2:
		l.d.forget(key)
		if r.wants(alert.RejectRateOver) {
			e.Kind, e.Severity = alert.RejectRateOver, alert.Good
			e.Key = fmt.Sprintf("reject_over:%s:%s:%d", r.ID, hashOf(subject), state.Since.UnixMilli())
			e.Text = fmt.Sprintf("Shares of %s are accepted again: rejected %s", shown, figures)
			l.d.tell(r, e)
		}
	}
}
