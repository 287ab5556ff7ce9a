package audit

import (
	"math"
	"slices"
	"time"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

// Comparison sets two sessions side by side, such as two pools that are mined
// at the same time. Differences are those of B less those of A.
type Comparison struct {
	A Facts `json:"a"`
	B Facts `json:"b"`

	SameTip bool       `json:"same_tip"` // the newest jobs of both build on the same block
	Tips    []TipRace  `json:"tips"`     // blocks that both had jobs on, newest first, at most 50
	Race    RaceResult `json:"race"`

	HeightDifference  int64    `json:"height_difference"`             // of the newest jobs
	ValueDifference   int64    `json:"coinbase_value_difference_sat"` // of the newest jobs: fees
	PayoutA           int64    `json:"a_coinbase_value_sat"`
	PayoutB           int64    `json:"b_coinbase_value_sat"`
	DifficultyRatio   *float64 `json:"difficulty_ratio"`           // B / A; null when one is not known
	LatencyDifference *float64 `json:"submit_latency_p50_diff_ms"` // null before both have answered shares
	AcceptDifference  *float64 `json:"accept_rate_difference"`     // null before both have
	HashrateRatio     *float64 `json:"hashrate_ratio"`             // of the sessions, B / A; null when one is not known or 0
}

// TipRace is when two sessions had their first job on a block.
type TipRace struct {
	PrevHash   string    `json:"prev_hash"` // display order
	Height     int64     `json:"height"`    // of the block that is mined on it; -1 when not known
	A          time.Time `json:"a"`
	B          time.Time `json:"b"`
	Difference float64   `json:"difference_ms"` // above 0: B was later
	AMessage   string    `json:"a_message_id"`
	BMessage   string    `json:"b_message_id"`
}

// RaceResult sums up the races of blocks that came while both sessions were
// there: the first one of each session is not one of them.
type RaceResult struct {
	Blocks int     `json:"blocks"`
	AFirst int     `json:"a_first"`
	BFirst int     `json:"b_first"`
	Mean   float64 `json:"mean_difference_ms"` // above 0: B was later
	Max    float64 `json:"max_difference_ms"`  // largest lead of either
}

const maxRaces = 50

// Compare sets two sessions side by side; false when one is not known.
func (a *Auditor) Compare(first, second string) (Comparison, bool) {
	x, ok1 := a.side(first)
	y, ok2 := a.side(second)
	if !ok1 || !ok2 {
		return Comparison{}, false
	}
	return compare(&x, &y), true
}

// side is what is compared of a session.
type side struct {
	facts      Facts
	firsts     []firstJob // oldest first
	firstJobAt time.Time
	newest     *Job // nil before the first
}

func (a *Auditor) side(session string) (side, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.sessions[session]
	if s == nil {
		return side{}, false
	}
	v := side{facts: s.facts(), firstJobAt: s.firstJobAt}
	for i := range s.firsts.len() {
		v.firsts = append(v.firsts, *s.firsts.at(i))
	}
	if last := s.jobs.last(); last != nil {
		job := (*last).view()
		v.newest = &job
	}
	return v, true
}

func compare(x, y *side) Comparison {
	c := Comparison{A: x.facts, B: y.facts, Tips: []TipRace{}}
	c.races(x, y)
	if i, j := x.newest, y.newest; i != nil && j != nil {
		c.SameTip = i.PrevHash == j.PrevHash
		c.PayoutA, c.PayoutB = i.Value, j.Value
		c.ValueDifference = c.PayoutB - c.PayoutA
		c.HeightDifference = j.Height - i.Height
	}
	c.DifficultyRatio = ratio(c.B.Difficulty, c.A.Difficulty)
	if c.A.SubmitLatency.Count > 0 && c.B.SubmitLatency.Count > 0 {
		c.LatencyDifference = difference(c.B.SubmitLatency.P50, c.A.SubmitLatency.P50)
	}
	if p, q := c.A.Shares.AcceptRate, c.B.Shares.AcceptRate; p != nil && q != nil {
		c.AcceptDifference = difference(*q, *p)
	}
	if p, q := c.A.Hashrate.Session.Hashes, c.B.Hashrate.Session.Hashes; p != nil && q != nil {
		c.HashrateRatio = ratio(*q, *p)
	}
	return c
}

// races finds the blocks that both sessions had jobs on.
func (c *Comparison) races(x, y *side) {
	theirs := make(map[string]int)
	for i := range y.firsts {
		theirs[y.firsts[i].prevHash] = i
	}
	var sum float64
	for _, i := range slices.Backward(x.firsts) {
		at, both := theirs[i.prevHash]
		if !both {
			continue
		}
		j := y.firsts[at]
		race := TipRace{
			PrevHash: i.prevHash, Height: max(i.height, j.height), A: stamp(i.at), B: stamp(j.at), Difference: milliseconds(j.at.Sub(i.at)),
			AMessage: capture.MessageID(c.A.Session, i.n), BMessage: capture.MessageID(c.B.Session, j.n),
		}
		if len(c.Tips) < maxRaces {
			c.Tips = append(c.Tips, race)
		}
		if i.at.Equal(x.firstJobAt) || j.at.Equal(y.firstJobAt) {
			continue // it was there before the session
		}
		c.Race.Blocks++
		if race.Difference > 0 {
			c.Race.AFirst++
		} else if race.Difference < 0 {
			c.Race.BFirst++
		}
		sum += race.Difference
		c.Race.Max = max(c.Race.Max, math.Abs(race.Difference))
	}
	if c.Race.Blocks > 0 {
		c.Race.Mean = sum / float64(c.Race.Blocks)
	}
}

func ratio(a, b float64) *float64 {
	if a <= 0 || b <= 0 {
		return nil
	}
	r := a / b
	if math.IsInf(r, 0) {
		return nil
	}
	return &r
}

func difference(a, b float64) *float64 {
	d := a - b
	return &d
}
