package audit

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

const (
	defaultPage = 100
	maxPage     = 1000
)

// LiveFacts is Facts: all that an auditor knows is in memory.
func (a *Auditor) LiveFacts(session string) (Facts, bool) { return a.Facts(session) }

// Facts are those of a session; false when it is not known.
func (a *Auditor) Facts(session string) (Facts, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.sessions[session]
	if s == nil {
		return Facts{}, false
	}
	return s.facts(), true
}

// Sessions lists the ids of all known sessions, in the order in which they began.
func (a *Auditor) Sessions() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	ids := make([]string, len(a.order))
	for i, s := range a.order {
		ids[i] = s.info.ID
	}
	return ids
}

// Difficulty is the timeline of a session's difficulty.
func (a *Auditor) Difficulty(session string) (DifficultyTimeline, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.sessions[session]
	if s == nil {
		return DifficultyTimeline{}, false
	}
	t := DifficultyTimeline{Session: session, Changes: make([]Difficulty, 0, s.timeline.len()), Dropped: s.timeline.dropped}
	for i := range s.timeline.len() {
		t.Changes = append(t.Changes, *s.timeline.at(i))
	}
	return t, true
}

// Jobs lists a session's jobs, newest first: those whose message has a number
// below before (0: all), at most limit (0: 100, at most 1000).
func (a *Auditor) Jobs(session string, before uint64, limit int) (Page[Job], bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.sessions[session]
	if s == nil {
		return Page[Job]{}, false
	}
	return page(&s.jobs, before, limit, func(j **job) uint64 { return (*j).n }, func(j **job) Job { return (*j).view() }), true
}

// Shares lists a session's shares, newest first, as Jobs does.
func (a *Auditor) Shares(session string, before uint64, limit int) (Page[Share], bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.sessions[session]
	if s == nil {
		return Page[Share]{}, false
	}
	return page(&s.shares, before, limit, func(r *shareRecord) uint64 { return r.n }, func(r *shareRecord) Share { return r.view(session) }), true
}

func page[R, V any](list *ring[R], before uint64, limit int, n func(*R) uint64, view func(*R) V) Page[V] {
	switch {
	case limit <= 0:
		limit = defaultPage
	case limit > maxPage:
		limit = maxPage
	}
	p := Page[V]{Items: []V{}, Dropped: list.dropped}
	for i := list.len() - 1; i >= 0; i-- {
		r := list.at(i)
		if before > 0 && n(r) >= before {
			continue
		}
		if len(p.Items) == limit {
			p.Next = n(list.at(i + 1))
			break
		}
		p.Items = append(p.Items, view(r))
	}
	return p
}

func (r *shareRecord) view(session string) Share {
	v := Share{
		Message: capture.MessageID(session, r.n), N: r.n, ReceivedAt: stamp(r.received), Worker: r.worker,
		Job: r.share.Job, Replayed: r.replayed, Audit: r.share.Audit, Pool: r.share.Pool, Reason: r.share.Reason,
		Conflict: r.share.Conflict, Difficulty: r.share.Difficulty, Target: r.share.Target, Hash: r.share.Hash,
		StaleBy: milliseconds(r.share.StaleBy),
	}
	if v.Pool == "" {
		v.Pool = capture.PoolUnanswered
	}
	if r.answered {
		latency := milliseconds(r.latency)
		v.Latency = &latency
	}
	return v
}

// at is the moment that a session's facts are of.
func (s *session) at() time.Time {
	if s.closed {
		return s.info.EndedAt
	}
	return s.a.now()
}

func (s *session) facts() Facts {
	f := Facts{
		Session: s.info.ID, Origin: string(s.info.Origin), Peer: s.info.Miner, Pool: s.info.Pool, PoolPeer: s.info.PoolPeer,
		BeganAt: stamp(s.info.At), EndedAt: stampOrZero(s.info.EndedAt), CloseReason: s.info.Reason,
		Complete:  !s.partial() && s.gaps == 0,
		UserAgent: s.userAgent, ResumeID: s.resume, Workers: make([]string, 0, len(s.workers)),
		Extranonce1: hex.EncodeToString(s.extranonce1), Extranonce2Size: s.extranonce2Size,
		Difficulty: s.difficulty, DifficultyCount: s.difficultyCount, Suggested: s.suggested,
		Network: string(s.payout.network), PayoutAddress: s.payout.address, PayoutFraction: s.payout.latest,
		SubmitLatency: s.submitLatency.quantiles(), RoundTrip: s.roundTrip.quantiles(), NotifyToSubmit: s.notifyToSubmit.quantiles(),
		Shares: s.shareCounts(), Hashrate: s.work.rates(s.at()),
		BestShare: s.best, LastShareAt: stampOrZero(s.lastShareAt), LastNotifyAt: stampOrZero(s.lastNotifyAt),
		Jobs: s.jobCount, EmptyJobs: s.emptyJobs, CleanJobs: s.cleanJobs, Tips: s.tips,
		Messages: s.messages, MinerBytes: s.size[capture.MinerToPool], PoolBytes: s.size[capture.PoolToMiner],
		Gaps: s.gaps, LostBytes: max(s.lost, s.info.LostBytes), ParseErrors: s.parseErrors,
		OddSubscribes: max(s.subscribes, 1) - 1, Alarms: len(s.alarms),
		DroppedRecords: s.jobs.dropped + s.shares.dropped + s.timeline.dropped,
	}
	for _, w := range s.workers {
		f.Workers = append(f.Workers, w.name)
	}
	if s.maskKnown {
		f.VersionMask = fmt.Sprintf("%08x", s.mask)
	}
	if !s.subscribedAt.IsZero() && !s.firstJobAt.IsZero() && !s.firstJobAt.Before(s.subscribedAt) {
		took := milliseconds(s.firstJobAt.Sub(s.subscribedAt))
		f.SubscribeToNotify = &took
	}
	if s.bestN > 0 {
		f.BestShareID = s.id(s.bestN)
	}
	return f
}

func (s *session) shareCounts() ShareCounts {
	c := s.counts
	c.Unanswered = c.Submitted - min(c.Submitted, c.Accepted+c.Rejected)
	c.Reasons = slices.Clone(s.reasons)
	if c.Reasons == nil {
		c.Reasons = []ReasonCount{}
	}
	slices.SortFunc(c.Reasons, func(a, b ReasonCount) int {
		if a.Count != b.Count {
			if a.Count > b.Count {
				return -1
			}
			return 1
		}
		return strings.Compare(a.Reason, b.Reason)
	})
	if n := c.Accepted + c.Rejected; n > 0 {
		rate := float64(c.Accepted) / float64(n)
		c.AcceptRate = &rate
	}
	return c
}
