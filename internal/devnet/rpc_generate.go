package devnet

import (
	"context"
	"errors"

	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/txscript/v2"
)

// generateToAddress mines with one goroutine, with real proof of work, so it
// is for small difficulties.
func (r *rpcAPI) generateToAddress(ctx context.Context, a *args) (any, error) {
	count, err := a.number(0, 0)
	if err != nil {
		return nil, err
	}
	to, err := a.text(1)
	if err != nil {
		return nil, err
	}
	tries, err := a.number(2, 1_000_000)
	if err != nil {
		return nil, err
	}
	addr, err := r.engine.decodeAddress(to)
	if err != nil {
		return nil, rpcErrorf(codeInvalidAddress, "Error: Invalid address")
	}
	script, err := txscript.PayToAddrScript(addr)
	if err != nil {
		return nil, rpcErrorf(codeInvalidAddress, "Error: Invalid address")
	}

	hashes := []string{}
	for range count {
		if ctx.Err() != nil {
			break
		}
		hash, used, err := r.generate(ctx, script, tries)
		tries -= int64(used)
		if errors.Is(err, errNoSolution) {
			break
		}
		if err != nil {
			return nil, err
		}
		hashes = append(hashes, hash)
	}
	return hashes, nil
}

// generate mines one block from the current template.
func (r *rpcAPI) generate(ctx context.Context, script []byte, tries int64) (hash string, used uint64, err error) {
	t, err := r.templates.current()
	if err != nil {
		return "", 0, err
	}
	at := t.curTime(r.engine.clock.now())
	bits, err := r.engine.nextBits(at)
	if err != nil {
		return "", 0, err
	}
	if want := expectedHashes(bits); want > float64(tries) {
		return "", 0, rpcErrorf(codeMisc, "a block takes about %.0f hashes at difficulty %v, more than maxtries leaves (%d); let a miner find it", want, difficultyOf(bits), tries)
	}
	block, err := t.block(at, bits, script)
	if err != nil {
		return "", 0, err
	}
	used, err = solve(ctx, &block.Header, uint64(tries))
	if err != nil {
		return "", used, err
	}
	main, err := r.engine.process(btcutil.NewBlock(block))
	if err != nil || !main {
		return "", used, rpcErrorf(codeInternal, "ProcessNewBlock, block not accepted")
	}
	return block.BlockHash().String(), used, nil
}
