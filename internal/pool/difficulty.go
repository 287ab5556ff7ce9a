package pool

import (
	"math"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// maxAssigned bounds the difficulties that a session remembers.
const maxAssigned = 16

// assigned is a difficulty and the first work id that it holds for.
type assigned struct {
	from       uint32
	difficulty float64
	target     bitcoin.Target // of the difficulty as printed, with the tolerance
}

// timeline is the history of a session's difficulty. Work ids rise within a
// session, so the difficulty of a share is the last one assigned from its work
// or before (requirement R-J5). They wrap around after 2^32, so they are
// compared by their distance.
type timeline []assigned

// reach is the distance at which two work ids still compare. No job lives long
// enough for a quarter of all ids to pass.
const reach = 1 << 30

// assign notes that work from an id on has a difficulty.
func (t *timeline) assign(from uint32, difficulty float64) {
	entry := assigned{from, difficulty, bitcoin.TargetFromDifficulty(difficulty * shareTolerance)}
	if n := len(*t); n >= maxAssigned {
		*t = append((*t)[:0], (*t)[n-maxAssigned/2:]...)
	}
	*t = append(*t, entry)
}

// follow keeps old entries within reach of the newest work id.
func (t timeline) follow(newest uint32) {
	for i := range t {
		if newest-t[i].from <= reach {
			return
		}
		t[i].from = newest - reach
	}
}

// at returns what held for a work id; ok is false when the work is from before
// the first difficulty.
func (t timeline) at(id uint32) (held assigned, ok bool) {
	for i := len(t) - 1; i >= 0; i-- {
		if int32(id-t[i].from) >= 0 {
			return t[i], true
		}
	}
	return assigned{}, false
}

// roundDifficulty makes a difficulty that all firmware prints and parses alike:
// whole numbers from 1 upwards, since some truncate, and three digits below.
func roundDifficulty(d float64) float64 {
	if d >= 1 {
		return math.Round(d)
	}
	scale := math.Pow(10, 2-math.Floor(math.Log10(d)))
	return math.Round(d*scale) / scale
}

// clampDifficulty keeps a difficulty within the limits. A share is never harder
// than a block, or the block would be all that counts.
func clampDifficulty(d, lowest, highest, network float64) float64 {
	d = max(d, lowest)
	if highest > 0 {
		d = min(d, highest)
	}
	d = roundDifficulty(d)
	if network > 0 && d > network {
		return network
	}
	return d
}
