package hub

import (
	"cmp"
	"slices"
	"time"

	"github.com/poolscope/poolscope/internal/fleet"
)

const (
	// maxTips is how many blocks are compared.
	maxTips = 32
	// maxSightings bounds the agents of one block.
	maxSightings = 1000
)

// tipBook is who saw the newest blocks when. The zero value is empty.
type tipBook struct {
	blocks map[string]*block
	order  []string // the one that was heard of first, first
}

type block struct {
	height int64
	seen   map[string]time.Time // by agent
}

// saw notes a sighting, and says whether it is a new one.
func (b *tipBook) saw(agent string, tip fleet.Tip, at time.Time) bool {
	t := b.blocks[tip.PrevHash]
	if t == nil {
		if b.blocks == nil {
			b.blocks = make(map[string]*block)
		}
		if len(b.order) >= maxTips {
			delete(b.blocks, b.order[0])
			b.order = b.order[1:]
		}
		t = &block{height: tip.Height, seen: make(map[string]time.Time)}
		b.blocks[tip.PrevHash] = t
		b.order = append(b.order, tip.PrevHash)
	}
	if _, known := t.seen[agent]; known || len(t.seen) >= maxSightings {
		return false
	}
	t.seen[agent] = at
	return true
}

// first is the earliest sighting.
func (t *block) first() (at time.Time) {
	for _, seen := range t.seen {
		if at.IsZero() || seen.Before(at) {
			at = seen
		}
	}
	return at
}

func milliseconds(d time.Duration) float64 {
	return fleet.Round(float64(d) / float64(time.Millisecond))
}

// delays compares the agents.
func (b *tipBook) delays() map[string]Delay {
	all := make(map[string][]float64)
	firsts := make(map[string]int)
	for _, hash := range b.order {
		t := b.blocks[hash]
		if len(t.seen) < 2 {
			continue
		}
		first := t.first()
		for agent, at := range t.seen {
			all[agent] = append(all[agent], milliseconds(at.Sub(first)))
			if at.Equal(first) {
				firsts[agent]++
			}
		}
	}
	out := make(map[string]Delay, len(all))
	for agent, list := range all {
		d := Delay{Last: list[len(list)-1], Blocks: len(list), First: firsts[agent]}
		slices.Sort(list)
		d.Median = list[(len(list)-1)/2]
		out[agent] = d
	}
	return out
}

// list is the blocks that more than one agent saw, the newest first.
func (b *tipBook) list(regionOf func(agent string) string) []Tip {
	list := []Tip{}
	for _, hash := range slices.Backward(b.order) {
		t := b.blocks[hash]
		if len(t.seen) < 2 {
			continue
		}
		first := t.first()
		tip := Tip{PrevHash: hash, Height: t.height, FirstSeen: fleet.FormatTime(first)}
		for agent, at := range t.seen {
			tip.Seen = append(tip.Seen, Sighting{agent, regionOf(agent), milliseconds(at.Sub(first))})
		}
		slices.SortFunc(tip.Seen, func(a, b Sighting) int {
			return cmp.Or(cmp.Compare(a.Delay, b.Delay), cmp.Compare(a.AgentID, b.AgentID))
		})
		list = append(list, tip)
	}
	return list
}
