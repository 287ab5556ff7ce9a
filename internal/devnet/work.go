package devnet

import (
	"fmt"
	"math/big"
	"sync"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/chainhash/v2"
)

// workCache remembers the total work of some blocks, so that the work of any
// block is found without walking to the genesis.
type workCache struct {
	mu   sync.Mutex
	sums map[chainhash.Hash]*big.Int // every workStride-th height
}

const workStride = 64

// chainWork returns the total work up to and including a block.
func (e *engine) chainWork(hash chainhash.Hash, height int32) (*big.Int, error) {
	e.work.mu.Lock()
	defer e.work.mu.Unlock()
	if e.work.sums == nil {
		e.work.sums = make(map[chainhash.Hash]*big.Int)
	}

	// Back to a block whose sum is known, collecting work on the way.
	type step struct {
		hash   chainhash.Hash
		height int32
		work   *big.Int
	}
	var steps []step
	sum := new(big.Int)
	for {
		if known, ok := e.work.sums[hash]; ok {
			sum.Set(known)
			break
		}
		header, err := e.chain.HeaderByHash(&hash)
		if err != nil {
			return nil, fmt.Errorf("devnet: header of %s: %w", hash, err)
		}
		steps = append(steps, step{hash, height, blockchain.CalcWork(header.Bits)})
		if height == 0 {
			break
		}
		hash, height = header.PrevBlock, height-1
	}

	for i := len(steps) - 1; i >= 0; i-- {
		sum.Add(sum, steps[i].work)
		if steps[i].height%workStride == 0 {
			e.work.sums[steps[i].hash] = new(big.Int).Set(sum)
		}
	}
	return sum, nil
}
