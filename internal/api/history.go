package api

import (
	"context"
	"fmt"
	"time"

	"github.com/poolscope/poolscope/internal/api/access"
	"github.com/poolscope/poolscope/internal/ledger"
)

// historyTimeout bounds how long the books may take for one chart.
const historyTimeout = 5 * time.Second

// historyRange is one chart that GET /api/history can give. The set is fixed,
// which is what keeps the cache bounded.
type historyRange struct {
	name  string
	span  time.Duration
	step  time.Duration
	every time.Duration // refresh period
}

// historyRanges lists the charts. The shortest comes from memory, the others
// from the books.
func historyRanges() []historyRange {
	return []historyRange{
		{"6m", 6 * time.Minute, 5 * time.Second, 5 * time.Second},
		{"24h", 24 * time.Hour, time.Minute, 15 * time.Second},
		{"30d", 30 * 24 * time.Hour, time.Hour, time.Minute},
	}
}

// historyPage is the response of GET /api/history.
type historyPage struct {
	Range       string         `json:"range"`
	StepSeconds int64          `json:"step_seconds"`
	Points      []historyPoint `json:"points"` // oldest first
}

// historyPoint is what happened in the step that begins at At.
type historyPoint struct {
	At          time.Time `json:"at"`
	Hashrate    float64   `json:"hashrate"` // H/s
	Accepted    uint64    `json:"accepted"`
	Rejected    uint64    `json:"rejected"`
	BestShare   float64   `json:"best_share"` // difficulty; 0 when there was none
	BlockHeight int64     `json:"block_height"`
}

// buildHistory builds the chart of one worker, or of the pool for "", for one
// range. Only the pool has one of less than minutes.
func (s *Server) buildHistory(now time.Time, worker string, hr historyRange) (*historyPage, error) {
	page := &historyPage{Range: hr.name, StepSeconds: int64(hr.step / time.Second), Points: []historyPoint{}}

	var points []ledger.HistoryPoint
	switch {
	case hr.step < time.Minute:
		points = s.read(now).ledger.History6m
	case s.src.Ledger != nil:
		// Many clients wait for this one reading: it ends by its own time
		// limit and not with the request of the one who came first.
		ctx, cancel := context.WithTimeout(context.Background(), historyTimeout)
		defer cancel()
		res := ledger.Minute
		if hr.step >= time.Hour {
			res = ledger.Hour
		}
		var err error
		if points, err = s.src.Ledger.History(ctx, worker, res, now.Add(-hr.span), now); err != nil {
			return nil, fmt.Errorf("%w: %w", errHistory, err)
		}
	}

	for _, p := range points {
		page.Points = append(page.Points, historyPoint{
			At:          access.Stamp(p.At),
			Hashrate:    finite(p.Hashrate),
			Accepted:    p.Accepted,
			Rejected:    p.Rejected,
			BestShare:   finite(p.BestShare),
			BlockHeight: p.BlockHeight,
		})
	}
	return page, nil
}
