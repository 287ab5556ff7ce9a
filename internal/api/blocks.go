package api

import (
	"time"

	"github.com/poolscope/poolscope/internal/api/access"
	"github.com/poolscope/poolscope/internal/ledger"
)

// Limits of GET /api/blocks.
const (
	minBlocks, maxBlocks = 1, 100
	defaultBlocks        = 10
)

// Results of a found block, as the contract names them.
const (
	resultPossible = "possible" // in the chain or on its way there, fewer than six deep
	resultWinning  = "winning"  // six deep
	resultStale    = "stale"    // another block won
)

// foundBlock is a FoundBlockView.
type foundBlock struct {
	Height           int64     `json:"height"`
	Hash             string    `json:"hash"`
	DisplayHash      string    `json:"display_hash"`
	Worker           string    `json:"worker"`
	DisplayWorker    string    `json:"display_worker"`
	Timestamp        time.Time `json:"timestamp"`
	ShareDiff        float64   `json:"share_diff"`
	PoolFeeSats      int64     `json:"pool_fee_sats,omitempty"`
	WorkerPayoutSats int64     `json:"worker_payout_sats,omitempty"`
	Confirmations    int64     `json:"confirmations,omitempty"`
	Result           string    `json:"result,omitempty"`
}

// buildBlocks lists the newest found blocks, newest first. Blocks that every
// node refused were never part of a chain and are not listed; they are counted
// in blocks_errored.
func buildBlocks(m moment, limit int) []foundBlock {
	views := make([]foundBlock, 0, min(limit, len(m.ledger.Blocks)))
	for _, b := range m.ledger.Blocks {
		if len(views) == limit {
			break
		}
		if b.State == ledger.BlockRejected {
			continue
		}
		hash, worker := shownHash(b.Hash, m.full), shownName(b.Worker, m.full)
		v := foundBlock{
			Height:           b.Height,
			Hash:             hash,
			DisplayHash:      hash,
			Worker:           worker,
			DisplayWorker:    worker,
			Timestamp:        access.Stamp(b.FoundAt),
			ShareDiff:        finite(b.ShareDifficulty),
			PoolFeeSats:      b.PoolFee + b.Donation, // the donation is taken out of the fee
			WorkerPayoutSats: b.WorkerPayout,
			Confirmations:    max(0, b.Confirmations),
			Result:           resultPossible,
		}
		switch b.State {
		case ledger.BlockConfirmed:
			v.Result = resultWinning
		case ledger.BlockStale:
			v.Result = resultStale
			v.Confirmations = 0
		}
		views = append(views, v)
	}
	return views
}
