package top

import (
	"cmp"
	"math"
	"net"
	"strconv"
	"strings"

	"github.com/poolscope/poolscope/internal/format"
)

// sessionTable lists the scope's sessions, those that began last first.
func sessionTable() *table[session] {
	t := &table[session]{
		key: func(v *session) string { return string(v.ID) },
		words: func(v *session) string {
			words := []string{string(v.ID), string(v.UserAgent), string(v.Peer), string(v.PoolHost), string(v.PoolPeer), string(v.Close), v.state()}
			for _, w := range v.Workers {
				words = append(words, string(w))
			}
			return strings.Join(words, " ")
		},
		facts: sessionFacts,
		none:  "No miner has connected yet. Point one at the scope instead of at its pool, or switch the tap on.",
		columns: []column[session]{
			{
				title: "Miner", width: 26, flex: true, rank: 0,
				compare: func(a, b *session) int { return natural(a.name(), b.name()) },
				cell: func(v *session, width int, _ *screen) cell {
					look := plain
					if !v.Live {
						look = faint
					}
					return cell{fitWorker(v.name(), width), look}
				},
			},
			{
				title: "State", width: 14, rank: 1,
				compare: func(a, b *session) int { return cmp.Compare(a.state(), b.state()) },
				cell: func(v *session, _ int, _ *screen) cell {
					if v.Live {
						return cell{"live", good}
					}
					return cell{v.state(), faint}
				},
			},
			{
				title: "Pool", width: 21, rank: 6,
				compare: func(a, b *session) int { return natural(a.pool(), b.pool()) },
				cell:    func(v *session, _ int, _ *screen) cell { return cell{text: v.pool()} },
			},
			{
				title: "Difficulty", width: 10, right: true, rank: 5, falling: true,
				compare: func(a, b *session) int { return cmp.Compare(a.Difficulty, b.Difficulty) },
				cell:    func(v *session, _ int, _ *screen) cell { return cell{text: positive(v.Difficulty)} },
			},
			{
				title: "Shares", width: 9, right: true, rank: 3, falling: true,
				compare: func(a, b *session) int { return cmp.Compare(a.brief().Accepted, b.brief().Accepted) },
				cell: func(v *session, _ int, _ *screen) cell {
					if v.Brief == nil {
						return cell{text: format.None}
					}
					return cell{text: format.Count(v.Brief.Accepted)}
				},
			},
			{
				title: "Rejected", width: 8, right: true, rank: 7, falling: true,
				compare: func(a, b *session) int {
					x, y := a.brief(), b.brief()
					return cmp.Compare(part(x.Rejected, x.Accepted), part(y.Rejected, y.Accepted))
				},
				cell: func(v *session, _ int, _ *screen) cell { b := v.brief(); return rejectCell(b.Accepted, b.Rejected) },
			},
			{
				title: "Hashrate", width: 11, right: true, rank: 2, falling: true,
				compare: func(a, b *session) int { return cmp.Compare(known(a.brief().Hashrate), known(b.brief().Hashrate)) },
				cell:    func(v *session, _ int, _ *screen) cell { return cell{text: hashrateOrNone(v.brief().Hashrate)} },
			},
			{
				title: "Latency", width: 8, right: true, rank: 8,
				compare: func(a, b *session) int { return cmp.Compare(known(a.brief().Latency), known(b.brief().Latency)) },
				cell:    func(v *session, _ int, _ *screen) cell { return cell{text: format.Latency(known(v.brief().Latency))} },
			},
			{
				title: "Messages", width: 9, right: true, rank: 9, falling: true,
				compare: func(a, b *session) int { return cmp.Compare(a.Messages, b.Messages) },
				cell:    func(v *session, _ int, _ *screen) cell { return cell{text: format.Count(v.Messages)} },
			},
			{
				title: "Alarms", width: 7, right: true, rank: 4, falling: true,
				compare: func(a, b *session) int { return cmp.Compare(a.brief().Alarms, b.brief().Alarms) },
				cell: func(v *session, _ int, _ *screen) cell {
					n := v.brief().Alarms
					if n == 0 {
						return cell{text: format.None}
					}
					return cell{format.Count(n), warn}
				},
			},
			{
				title: "Began", width: 13, right: true, rank: 10, falling: true,
				compare: func(a, b *session) int { return a.FirstSeen.Compare(b.FirstSeen) },
				cell:    func(v *session, _ int, s *screen) cell { return cell{text: s.time(v.FirstSeen)} },
			},
		},
	}
	t.by, t.fall = len(t.columns)-1, true
	return t
}

// name is what a session's miner is known by.
func (v *session) name() string {
	if len(v.Workers) > 0 {
		return string(v.Workers[0])
	}
	return string(v.Peer)
}

// state is whether it is open, or why it ended.
func (v *session) state() string {
	if v.Live {
		return "live"
	}
	return strings.ReplaceAll(cmp.Or(string(v.Close), "ended"), "_", " ")
}

// pool is where the miner is connected to.
func (v *session) pool() string {
	switch {
	case v.Origin == "tap":
		return "our own pool"
	case v.PoolHost == "":
		return orNone(string(v.PoolPeer))
	case v.PoolPort == 0:
		return string(v.PoolHost)
	}
	return net.JoinHostPort(string(v.PoolHost), strconv.Itoa(v.PoolPort))
}

// brief are the session's facts, none of them known when the audit has none.
func (v *session) brief() *brief {
	if v.Brief == nil {
		return &brief{}
	}
	return v.Brief
}

func hashrateOrNone(v *float64) string {
	if h := known(v); !math.IsNaN(h) {
		return format.Hashrate(h)
	}
	return format.None
}

// sessionFacts are all that the list knows of a session.
func sessionFacts(v *session, s *screen) []fact {
	b := v.brief()
	names := make([]string, 0, len(v.Workers))
	for _, w := range v.Workers {
		names = append(names, string(w))
	}
	facts := []fact{
		{"Session", cell{string(v.ID), bold}},
		{"State", cell{v.state(), toneOf(v.state())}},
		{"Workers", cell{text: orNone(strings.Join(names, ", "))}},
		{"Miner", cell{text: orNone(string(v.UserAgent)) + " at " + string(v.Peer)}},
		{"Pool", cell{text: v.pool()}},
		{"Difficulty", cell{text: positive(v.Difficulty)}},
		{"Hashrate", cell{text: hashrateOrNone(b.Hashrate)}},
		{"Accepted", cell{text: format.Count(b.Accepted)}},
		{"Rejected", cell{text: format.Count(b.Rejected) + " (" + rejectCell(b.Accepted, b.Rejected).text + ")"}},
		{"Unanswered", cell{text: format.Count(b.Unanswered)}},
		{"Conflicts", cell{text: format.Count(b.Conflicts)}},
		{"Latency", cell{text: format.Latency(known(b.Latency))}},
		{"Alarms", cell{text: format.Count(b.Alarms)}},
		{"Messages", cell{text: format.Count(v.Messages) + ", " + plural(int(v.Gaps), "gap")}},
		{"Began", cell{text: s.timeAgo(v.FirstSeen)}},
		{"Last message", cell{text: s.timeAgo(v.LastSeen)}},
	}
	if !v.Live {
		facts = append(facts, fact{"Ended", cell{text: s.timeAgo(v.EndedAt)}})
	}
	return facts
}
