package audit

import (
	"fmt"
	"slices"
	"time"
)

// quietness says which silences and lasting states of a session were told
// already. Each flag is taken back by what ends it.
type quietness struct {
	pool, answer, miner, empty, old bool
}

// tickBatch is how many sessions are looked at before messages get their turn.
const tickBatch = 128

// tick looks at what did not happen.
func (a *Auditor) tick(now time.Time) {
	a.mu.Lock()
	sessions := slices.Clone(a.order)
	a.mu.Unlock()
	for batch := range slices.Chunk(sessions, tickBatch) {
		a.tickSome(batch, now)
	}
}

func (a *Auditor) tickSome(sessions []*session, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, s := range sessions {
		if !s.closed {
			s.tick(now)
		}
	}
}

func (s *session) tick(now time.Time) {
	rules := &s.a.cfg.Rules
	if !s.quiet.pool && !s.lastNotifyAt.IsZero() && now.Sub(s.lastNotifyAt) > rules.PoolSilent {
		s.quiet.pool = true
		s.raise(AlarmPoolSilent, SeverityWarning, now, fmt.Sprintf(
			"The pool has sent no job for %s.", now.Sub(s.lastNotifyAt).Round(time.Second)), s.newestJob())
	}
	if w := &s.waiting; !s.quiet.answer && w.count > 0 && now.Sub(w.since) > rules.Unanswered {
		s.quiet.answer = true
		s.raise(AlarmSubmitUnanswered, SeverityWarning, now, fmt.Sprintf(
			"The pool has answered none of %d shares for %s.", w.count, now.Sub(w.since).Round(time.Second)), w.n)
	}
	s.tickMiner(now)
	s.tickTip(now)
}

func (s *session) newestJob() uint64 {
	if j := s.jobs.last(); j != nil {
		return (*j).n
	}
	return 0
}

// tickMiner looks for a miner that has stopped to send shares.
func (s *session) tickMiner(now time.Time) {
	const enough = 3 // shares that show an interval
	if s.quiet.miner || s.counts.Submitted < enough || s.firstJobAt.IsZero() {
		return
	}
	mean := s.lastShareAt.Sub(s.firstJobAt) / time.Duration(s.counts.Submitted)
	if silent := now.Sub(s.lastShareAt); silent > max(s.a.cfg.Rules.MinerSilent, 10*mean) {
		s.quiet.miner = true
		var n uint64
		if r := s.shares.last(); r != nil {
			n = r.n
		}
		s.raise(AlarmMinerSilent, SeverityWarning, now, fmt.Sprintf(
			"The miner has sent no share for %s; before, it sent one every %s.", silent.Round(time.Second), mean.Round(time.Millisecond)), n)
	}
}

// tickTip looks at what the newest job builds on.
func (s *session) tickTip(now time.Time) {
	last := s.jobs.last()
	if last == nil {
		return
	}
	j := *last
	rules := &s.a.cfg.Rules
	tip, ok := s.chainTip()
	nothingToMine := ok && tip.Hash == s.tip && tip.Transactions == 0
	if j.shown.Empty && !s.quiet.empty && !nothingToMine && now.Sub(s.tipAt) > rules.EmptyJobs {
		s.quiet.empty = true
		s.raise(AlarmEmptyBlocks, SeverityWarning, now, fmt.Sprintf(
			"%s after the new block the pool's newest job holds no transactions: a block of it would earn no fees.",
			now.Sub(s.tipAt).Round(time.Second)), s.tipN, j.n)
	}
	if !ok {
		return
	}
	if tip.Hash == s.tip {
		if j.tip == s.tips && j.behind == nil && j.n == s.tipN && !tip.SeenAt.IsZero() && tip.SeenAt.After(s.tipAt) {
			ahead := milliseconds(s.tipAt.Sub(tip.SeenAt))
			j.behind = &ahead
		}
		return
	}
	// The pool may be ahead of our node, or our node of the pool, for a moment.
	since := s.tipAt
	if tip.SeenAt.After(since) {
		since = tip.SeenAt
	}
	if !s.quiet.old && now.Sub(since) > rules.OldTip {
		s.quiet.old = true
		select {
		case s.a.questions <- question{s.info.ID, s.tip, j.n}:
		default:
			s.a.overflow++
		}
	}
}
