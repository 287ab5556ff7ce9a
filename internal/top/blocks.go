package top

import (
	"cmp"

	"github.com/poolscope/poolscope/internal/format"
)

// blockTable lists the blocks that the pool found, newest first.
func blockTable() *table[block] {
	t := &table[block]{
		key: func(b *block) string { return string(b.Hash) },
		words: func(b *block) string {
			return number(uint64(b.Height)) + " " + string(b.Worker) + " " + string(b.Result) + " " + string(b.Hash)
		},
		facts: blockFacts,
		none:  "No block found yet. It is listed here the moment it is found.",
		columns: []column[block]{
			{
				title: "Block", width: 11, right: true, rank: 0, falling: true,
				compare: func(a, b *block) int { return cmp.Compare(a.Height, b.Height) },
				cell:    func(b *block, _ int, _ *screen) cell { return cell{"#" + format.Count(b.Height), gold} },
			},
			{
				title: "Result", width: 9, rank: 1,
				compare: func(a, b *block) int { return cmp.Compare(a.Result, b.Result) },
				cell:    func(b *block, _ int, _ *screen) cell { return cell{string(b.Result), toneOf(string(b.Result))} },
			},
			{
				title: "Worker", width: 16, flex: true, rank: 2,
				compare: func(a, b *block) int { return natural(string(a.Worker), string(b.Worker)) },
				cell:    func(b *block, w int, _ *screen) cell { return cell{text: fitWorker(string(b.Worker), w)} },
			},
			{
				title: "Confirmed", width: 9, right: true, rank: 6, falling: true,
				compare: func(a, b *block) int { return cmp.Compare(a.Confirmations, b.Confirmations) },
				cell:    func(b *block, _ int, _ *screen) cell { return cell{text: format.Count(b.Confirmations)} },
			},
			{
				title: "Share", width: 9, right: true, rank: 5, falling: true,
				compare: func(a, b *block) int { return cmp.Compare(a.Difficulty, b.Difficulty) },
				cell:    func(b *block, _ int, _ *screen) cell { return cell{text: positive(b.Difficulty)} },
			},
			{
				title: "Payout", width: 17, right: true, rank: 4, falling: true,
				compare: func(a, b *block) int { return cmp.Compare(a.Payout, b.Payout) },
				cell:    func(b *block, _ int, _ *screen) cell { return cell{text: payout(b)} },
			},
			{
				title: "Found", width: 13, right: true, rank: 3, falling: true,
				compare: func(a, b *block) int { return a.At.Compare(b.At) },
				cell:    func(b *block, _ int, s *screen) cell { return cell{text: s.time(b.At)} },
			},
		},
	}
	t.fall = true
	return t
}

func payout(b *block) string {
	if b.Payout == 0 {
		return format.None
	}
	return format.BTC(b.Payout)
}

// blockFacts are all that the list knows of a block.
func blockFacts(b *block, s *screen) []fact {
	return []fact{
		{"Block", cell{"#" + format.Count(b.Height), gold}},
		{"Result", cell{string(b.Result), toneOf(string(b.Result))}},
		{"Hash", cell{text: string(b.Hash)}},
		{"Worker", cell{text: string(b.Worker)}},
		{"Payout", cell{text: payout(b)}},
		{"Share", cell{text: positive(b.Difficulty)}},
		{"Confirmed", cell{text: format.Count(b.Confirmations)}},
		{"Found", cell{text: s.timeAgo(b.At)}},
	}
}
