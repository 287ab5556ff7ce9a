package top

import (
	"cmp"
	"fmt"
	"strconv"

	"github.com/poolscope/poolscope/internal/format"
)

// workerTable lists the pool's workers, those with the most hashrate first.
func workerTable() *table[worker] {
	t := &table[worker]{
		key:   func(w *worker) string { return string(w.ID) },
		words: func(w *worker) string { return string(w.Name) + " " + string(w.UserAgent) },
		facts: workerFacts,
		none:  "No worker yet. Miners appear here as soon as they sign in.",
		columns: []column[worker]{
			{
				title: "Worker", width: 26, flex: true, rank: 0,
				compare: func(a, b *worker) int { return natural(string(a.Name), string(b.Name)) },
				cell: func(w *worker, width int, _ *screen) cell {
					if !w.Online {
						return cell{fitWorker(string(w.Name), width), faint}
					}
					return cell{text: fitWorker(string(w.Name), width)}
				},
			},
			{
				title: "Hashrate", width: 12, right: true, rank: 1, falling: true,
				compare: func(a, b *worker) int { return cmp.Compare(a.Hashrate, b.Hashrate) },
				cell:    func(w *worker, _ int, _ *screen) cell { return workerRate(w) },
			},
			{
				title: "Shares/min", width: 10, right: true, rank: 5, falling: true,
				compare: func(a, b *worker) int { return cmp.Compare(a.ShareRate, b.ShareRate) },
				cell: func(w *worker, _ int, _ *screen) cell {
					if !w.Online {
						return cell{text: format.None}
					}
					return cell{text: format.Rate(w.ShareRate)}
				},
			},
			{
				title: "Difficulty", width: 10, right: true, rank: 4, falling: true,
				compare: func(a, b *worker) int { return cmp.Compare(a.Difficulty, b.Difficulty) },
				cell:    func(w *worker, _ int, _ *screen) cell { return cell{text: positive(w.Difficulty)} },
			},
			{
				title: "Accepted", width: 11, right: true, rank: 3, falling: true,
				compare: func(a, b *worker) int { return cmp.Compare(a.Accepted, b.Accepted) },
				cell:    func(w *worker, _ int, _ *screen) cell { return cell{text: format.Count(w.Accepted)} },
			},
			{
				title: "Rejected", width: 8, right: true, rank: 2, falling: true,
				compare: func(a, b *worker) int {
					return cmp.Compare(part(a.Rejected, a.Accepted), part(b.Rejected, b.Accepted))
				},
				cell: func(w *worker, _ int, _ *screen) cell { return rejectCell(w.Accepted, w.Rejected) },
			},
			{
				title: "Best", width: 9, right: true, rank: 6, falling: true,
				compare: func(a, b *worker) int { return cmp.Compare(a.BestShare, b.BestShare) },
				cell:    func(w *worker, _ int, _ *screen) cell { return cell{text: positive(w.BestShare)} },
			},
			{
				title: "Ping", width: 8, right: true, rank: 8,
				compare: func(a, b *worker) int { return cmp.Compare(a.Ping, b.Ping) },
				cell:    func(w *worker, _ int, _ *screen) cell { return cell{text: format.Latency(w.Ping)} },
			},
			{
				title: "Last share", width: 16, right: true, rank: 7, falling: true,
				compare: func(a, b *worker) int { return a.LastShare.Compare(b.LastShare) },
				cell:    func(w *worker, _ int, s *screen) cell { return cell{text: s.ago(w.LastShare)} },
			},
			{
				title: "Miner", width: 20, rank: 9,
				compare: func(a, b *worker) int { return natural(string(a.UserAgent), string(b.UserAgent)) },
				cell:    func(w *worker, _ int, _ *screen) cell { return cell{orNone(string(w.UserAgent)), faint} },
			},
		},
	}
	t.by, t.fall = 1, true
	return t
}

func workerRate(w *worker) cell {
	if !w.Online {
		return cell{"offline", faint}
	}
	return cell{text: string(w.Accuracy) + format.Hashrate(w.Hashrate)}
}

// workerFacts are all that the list knows of a worker.
func workerFacts(w *worker, s *screen) []fact {
	transport := "TCP"
	if w.TLS {
		transport = "TLS"
	}
	state := cell{"offline", faint}
	if w.Online {
		state = cell{"online, " + plural(w.Connections, "connection") + " over " + transport, good}
	}
	return []fact{
		{"Worker", cell{string(w.Name), bold}},
		{"State", state},
		{"Miner", cell{text: orNone(string(w.UserAgent))}},
		{"Hashrate", cell{text: workerRate(w).text + ", " + format.Rate(w.ShareRate) + " shares/min"}},
		{"Shares", cell{text: fmt.Sprintf("%s accepted, %s rejected (%s)", format.Count(w.Accepted), format.Count(w.Rejected), rejectCell(w.Accepted, w.Rejected).text)}},
		{"Difficulty", cell{text: positive(w.Difficulty) + ", would be given " + positive(w.Vardiff)}},
		{"Best share", cell{positive(w.BestShare) + ", of this session " + positive(w.BestSession), gold}},
		{"Ping", cell{text: format.Latency(w.Ping)}},
		{"Last share", cell{text: s.timeAgo(w.LastShare)}},
		{"Seen", cell{text: "first " + s.timeAgo(w.FirstSeen) + ", last " + s.timeAgo(w.LastSeen)}},
	}
}

// facts are why shares were refused, with what to do about it, and the
// connections.
func (d *workerDetail) facts(s *screen) []fact {
	var facts []fact
	name := "Refused"
	for _, r := range d.Rejects {
		facts = append(facts, fact{name, cell{format.Count(r.Count) + " × " + string(r.Text) + ". " + string(r.Advice), warn}})
		name = ""
	}
	name = "Connections"
	for _, c := range d.Connections {
		words := string(c.ID) + "  difficulty " + positive(c.Difficulty) + "  since " + s.timeAgo(c.ConnectedAt)
		if c.Remote != "" {
			words += "  from " + string(c.Remote)
		}
		facts = append(facts, fact{name, cell{text: words}})
		name = ""
	}
	return facts
}

// rejectCell is the part of the shares that was refused.
func rejectCell(accepted, rejected uint64) cell {
	if accepted+rejected == 0 {
		return cell{text: format.None}
	}
	p := part(rejected, accepted)
	look := plain
	switch {
	case p >= 0.05:
		look = bad
	case p >= 0.01:
		look = warn
	}
	return cell{format.Percent(p), look}
}

// part is what a is of a and b together; 0 of nothing.
func part(a, b uint64) float64 {
	if a+b == 0 {
		return 0
	}
	return float64(a) / float64(a+b)
}

// positive is a difficulty, or None when it is not known.
func positive(difficulty float64) string {
	if difficulty <= 0 {
		return format.None
	}
	return format.Difficulty(difficulty)
}

func orNone(s string) string { return cmp.Or(s, format.None) }

func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return format.Count(n) + " " + thing + "s"
}

func number(n uint64) string { return strconv.FormatUint(n, 10) }
