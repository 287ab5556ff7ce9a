package devnet

import (
	"fmt"
	"math/big"
	"time"

	"github.com/btcsuite/btcd/blockchain"
)

// hashrateBlocks is the span of the estimate, as Core's default.
const hashrateBlocks = 120

// hashrate estimates the network's hashes per second from the work in the
// last blocks up to a height and the time they took, as getnetworkhashps
// does. Blocks mined in advance do not count: their times are made up.
func (e *engine) hashrate(blocks, height int32) (float64, error) {
	hash, err := e.chain.BlockHashByHeight(height)
	if err != nil {
		return 0, fmt.Errorf("devnet: block at height %d: %w", height, err)
	}
	work := new(big.Int)
	var oldest, newest time.Time
	at := *hash
	for i := int32(0); i <= blocks; i++ {
		header, err := e.chain.HeaderByHash(&at)
		if err != nil {
			return 0, fmt.Errorf("devnet: header of %s: %w", at, err)
		}
		if i == 0 {
			oldest, newest = header.Timestamp, header.Timestamp
		}
		if oldest.Sub(header.Timestamp) > minDifficultyAfter {
			break
		}
		if header.Timestamp.Before(oldest) {
			oldest = header.Timestamp
		}
		if header.Timestamp.After(newest) {
			newest = header.Timestamp
		}
		// The first block of the span starts the clock; its own work was
		// done before.
		if i == blocks || height-i == 0 {
			break
		}
		work.Add(work, blockchain.CalcWork(header.Bits))
		at = header.PrevBlock
	}
	if !newest.After(oldest) {
		return 0, nil
	}
	sum, _ := new(big.Float).SetInt(work).Float64()
	return sum / newest.Sub(oldest).Seconds(), nil
}
