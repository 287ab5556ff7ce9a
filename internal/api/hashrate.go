package api

import (
	"fmt"
	"math"
	"time"

	"github.com/poolscope/poolscope/internal/api/access"
	"github.com/poolscope/poolscope/internal/bitcoin"
)

const (
	// blockInterval is the time between blocks that Bitcoin aims for.
	blockInterval = 10 * time.Minute
	// retargetBlocks is the number of blocks between difficulty changes.
	retargetBlocks = 2016
	// timerNotStarted is block_time_left_sec while no block is known.
	timerNotStarted = -1
	// maxBlockTimes bounds recent_block_times.
	maxBlockTimes = 4
)

// hashratePage is the response of GET /api/pool-hashrate.
type hashratePage struct {
	APIVersion string  `json:"api_version"`
	Hashrate   float64 `json:"pool_hashrate"` // H/s
	// History covers the last six minutes, oldest first. It is nil, and left
	// out, unless the client asked for it; asked for, it may be empty.
	History          []hashratePoint `json:"pool_hashrate_history,omitzero"`
	BlockHeight      int64           `json:"block_height"` // of the chain's tip
	BlockDifficulty  float64         `json:"block_difficulty"`
	BlockTimeLeftSec int64           `json:"block_time_left_sec"`
	RecentBlockTimes []time.Time     `json:"recent_block_times"` // oldest first
	NextRetarget     *retarget       `json:"next_difficulty_retarget,omitempty"`
	// TemplateFees is the sum of the fees of the template's transactions. 0 is
	// a fact (an empty mempool); nil, while there is no template, is left out.
	TemplateFees      *int64    `json:"template_tx_fees_sats,omitempty"`
	TemplateUpdatedAt time.Time `json:"template_updated_at,omitzero"`
	UpdatedAt         time.Time `json:"updated_at"`
}

// hashratePoint is a PoolHashrateHistoryPoint.
type hashratePoint struct {
	At          time.Time `json:"at"`
	Hashrate    float64   `json:"hashrate"`
	BlockHeight int64     `json:"block_height,omitempty"`
}

// retarget says when the difficulty changes next.
type retarget struct {
	Height           int64  `json:"height"`
	BlocksAway       int64  `json:"blocks_away"`
	DurationEstimate string `json:"duration_estimate,omitempty"`
}

func buildHashrate(m moment, history bool) *hashratePage {
	page := &hashratePage{
		APIVersion:       apiVersion,
		Hashrate:         finite(m.ledger.Hashrate),
		BlockTimeLeftSec: timerNotStarted,
		RecentBlockTimes: make([]time.Time, 0, maxBlockTimes),
		UpdatedAt:        access.Stamp(m.now),
	}
	if history {
		page.History = make([]hashratePoint, 0, len(m.ledger.History6m))
		for _, p := range m.ledger.History6m {
			page.History = append(page.History, hashratePoint{At: access.Stamp(p.At), Hashrate: finite(p.Hashrate), BlockHeight: p.BlockHeight})
		}
	}

	if tip := m.tip(); tip != nil {
		page.BlockHeight = tip.Height
		page.BlockDifficulty = finite(bitcoin.DifficultyFromBits(tip.Bits))
		page.BlockTimeLeftSec = timeLeft(tip.Time, m.now)
		// On regtest the difficulty never changes.
		if m.node.Network != bitcoin.Regtest {
			page.NextRetarget = nextRetarget(tip.Height)
		}
	} else if job := m.pool.Job; job != nil {
		page.BlockHeight = max(0, job.Height-1)
		page.BlockDifficulty = finite(job.NetworkDifficulty)
	}
	times := m.node.RecentBlockTimes
	for _, t := range times[max(0, len(times)-maxBlockTimes):] {
		page.RecentBlockTimes = append(page.RecentBlockTimes, access.Stamp(t))
	}

	if job := m.pool.Job; job != nil {
		fees := job.Fees
		page.TemplateFees = &fees
		page.TemplateUpdatedAt = access.Stamp(job.TemplateAt)
	}
	if t := m.node.LastTemplateAt; t.After(page.TemplateUpdatedAt) {
		page.TemplateUpdatedAt = access.Stamp(t)
	}
	return page
}

// timeLeft returns the seconds until the block after the one with header time
// tip is due, rounded away from zero; negative when it is overdue. The first
// overdue second says -2 because -1 means that no timer runs.
func timeLeft(tip, now time.Time) int64 {
	left := tip.Add(blockInterval).Sub(now).Seconds()
	if left >= 0 {
		return int64(math.Ceil(left))
	}
	return min(int64(math.Floor(left)), timerNotStarted-1)
}

// nextRetarget computes the next difficulty change after tip height h.
func nextRetarget(h int64) *retarget {
	r := &retarget{Height: (h/retargetBlocks + 1) * retargetBlocks}
	r.BlocksAway = r.Height - h
	r.DurationEstimate = humanDuration(time.Duration(r.BlocksAway) * blockInterval)
	return r
}

// humanDuration says d in its two largest units of days, hours and minutes:
// "4 days 15 hours".
func humanDuration(d time.Duration) string {
	units := []struct {
		name string
		size time.Duration
	}{{"day", 24 * time.Hour}, {"hour", time.Hour}, {"minute", time.Minute}}

	text, parts := "", 0
	for _, u := range units {
		n := d / u.size
		d -= n * u.size
		if n == 0 && parts == 0 {
			continue
		}
		if parts++; parts > 2 {
			break
		}
		if n == 0 {
			continue
		}
		if text != "" {
			text += " "
		}
		text += fmt.Sprintf("%d %s", n, u.name)
		if n != 1 {
			text += "s"
		}
	}
	return text
}
