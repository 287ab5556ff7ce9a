package devnet

import (
	"bytes"
	"context"
	"encoding/hex"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/wire/v2"
)

// miningMethods are what a pool lives on.
func (r *rpcAPI) miningMethods() []*method {
	return []*method{
		{name: "getblocktemplate", params: []string{"template_request?"},
			about: "Data for a block to work on (BIP22, BIP23, BIP9, BIP145).", run: r.getBlockTemplate},
		{name: "submitblock", params: []string{"hexdata", "dummy?"},
			about: "Offers a new block to the network (BIP22).", run: r.submitBlock},
		{name: "getmininginfo", about: "Mining-related information.", run: r.getMiningInfo},
		{name: "getnetworkhashps", params: []string{"nblocks?", "height?"},
			about: "The estimated hashes per second of the network.", run: r.getNetworkHashPS},
		{name: "generatetoaddress", params: []string{"nblocks", "address", "maxtries?"},
			about: "Mines blocks at once to an address.", run: r.generateToAddress},
	}
}

func (r *rpcAPI) submitBlock(_ context.Context, a *args) (any, error) {
	data, err := a.text(0)
	if err != nil {
		return nil, err
	}
	block, err := decodeBlock(data)
	if err != nil {
		return nil, err
	}
	verdict, err := r.engine.submit(block)
	return bip22(verdict), err
}

// bip22 is null for a good block, its verdict otherwise.
func bip22(verdict string) any {
	if verdict == "" {
		return nil
	}
	return verdict
}

// decodeBlock reads a block from hex.
func decodeBlock(data string) (*wire.MsgBlock, error) {
	failed := rpcErrorf(codeDeserialization, "Block decode failed")
	raw, err := hex.DecodeString(data)
	if err != nil {
		return nil, failed
	}
	var block wire.MsgBlock
	if err := block.Deserialize(bytes.NewReader(raw)); err != nil {
		return nil, failed
	}
	if len(block.Transactions) == 0 || !blockchain.IsCoinBaseTx(block.Transactions[0]) {
		return nil, rpcErrorf(codeDeserialization, "Block does not start with a coinbase")
	}
	return &block, nil
}

// miningNext describes the next block in getmininginfo.
type miningNext struct {
	Height     int64   `json:"height"`
	Bits       string  `json:"bits"`
	Difficulty float64 `json:"difficulty"`
	Target     string  `json:"target"`
}

// miningInfo is the answer of getmininginfo.
type miningInfo struct {
	Blocks        int64      `json:"blocks"`
	BlockWeight   uint64     `json:"currentblockweight,omitempty"`
	BlockTx       int        `json:"currentblocktx"`
	Bits          string     `json:"bits"`
	Difficulty    float64    `json:"difficulty"`
	Target        string     `json:"target"`
	NetworkHashPS float64    `json:"networkhashps"`
	PooledTx      int        `json:"pooledtx"`
	BlockMinTxFee amount     `json:"blockmintxfee"`
	Chain         string     `json:"chain"`
	Next          miningNext `json:"next"`
	Warnings      []string   `json:"warnings"`
}

func (r *rpcAPI) getMiningInfo(context.Context, *args) (any, error) {
	best := r.engine.chain.BestSnapshot()
	rate, err := r.engine.hashrate(hashrateBlocks, best.Height)
	if err != nil {
		return nil, err
	}
	bits, err := r.engine.nextBits(r.engine.clock.AdjustedTime())
	if err != nil {
		return nil, err
	}
	return &miningInfo{
		Blocks:        int64(best.Height),
		BlockWeight:   best.BlockWeight,
		BlockTx:       int(best.NumTxns) - 1,
		Bits:          bitsHex(best.Bits),
		Difficulty:    difficultyOf(best.Bits),
		Target:        targetHex(best.Bits),
		NetworkHashPS: rate,
		PooledTx:      r.engine.pool.Count(),
		BlockMinTxFee: minRelayFee,
		Chain:         chainName,
		Next: miningNext{
			Height:     int64(best.Height) + 1,
			Bits:       bitsHex(bits),
			Difficulty: difficultyOf(bits),
			Target:     targetHex(bits),
		},
		Warnings: []string{},
	}, nil
}

func (r *rpcAPI) getNetworkHashPS(_ context.Context, a *args) (any, error) {
	blocks, err := a.number(0, hashrateBlocks)
	if err != nil {
		return nil, err
	}
	height, err := a.number(1, -1)
	if err != nil {
		return nil, err
	}
	tip := r.engine.chain.BestSnapshot().Height
	switch {
	case blocks < -1 || blocks == 0:
		return nil, rpcErrorf(codeInvalidParameter, "Invalid nblocks. Must be a positive number or -1.")
	case height < -1 || height > int64(tip):
		return nil, rpcErrorf(codeInvalidParameter, "Block does not exist at specified height")
	}
	if height == -1 {
		height = int64(tip)
	}
	if blocks == -1 || blocks > height {
		blocks = height
	}
	return r.engine.hashrate(int32(blocks), int32(height))
}
