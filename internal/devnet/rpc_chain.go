package devnet

import (
	"context"
	"errors"
	"fmt"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
)

// chainName is what the node calls itself to pools: addresses and rules are
// regtest's.
const chainName = "regtest"

// chainMethods are about blocks.
func (r *rpcAPI) chainMethods() []*method {
	return []*method{
		{name: "getblockchaininfo", about: "The state of the chain.", run: r.getBlockchainInfo},
		{name: "getbestblockhash", about: "The hash of the best chain's tip.", run: r.getBestBlockHash},
		{name: "getblockcount", about: "The height of the best chain's tip.", run: r.getBlockCount},
		{name: "getdifficulty", about: "The difficulty of the best chain's tip.", run: r.getDifficulty},
		{name: "getblockhash", params: []string{"height"}, about: "The hash of a block by its height.", run: r.getBlockHash},
		{name: "getblockheader", params: []string{"blockhash", "verbose?"}, about: "A block's header.", run: r.getBlockHeader},
		{name: "getblock", params: []string{"blockhash", "verbosity?"}, about: "A block: 0 hex, 1 with txids, 2 with transactions.", run: r.getBlock},
		{name: "getchaintips", about: "All known tips, the best one and others.", run: r.getChainTips},
		{name: "invalidateblock", params: []string{"blockhash"}, about: "Marks a block as invalid for ever.", run: r.invalidateBlock},
		{name: "reconsiderblock", params: []string{"blockhash"}, about: "Takes an invalidateblock back.", run: r.reconsiderBlock},
	}
}

// chainInfo is the answer of getblockchaininfo.
type chainInfo struct {
	Chain                string   `json:"chain"`
	Blocks               int64    `json:"blocks"`
	Headers              int64    `json:"headers"`
	BestBlockHash        string   `json:"bestblockhash"`
	Bits                 string   `json:"bits"`
	Target               string   `json:"target"`
	Difficulty           float64  `json:"difficulty"`
	Time                 int64    `json:"time"`
	MedianTime           int64    `json:"mediantime"`
	VerificationProgress float64  `json:"verificationprogress"`
	InitialBlockDownload bool     `json:"initialblockdownload"`
	ChainWork            string   `json:"chainwork"`
	SizeOnDisk           int64    `json:"size_on_disk"`
	Pruned               bool     `json:"pruned"`
	Warnings             []string `json:"warnings"`
}

func (r *rpcAPI) getBlockchainInfo(context.Context, *args) (any, error) {
	best := r.engine.chain.BestSnapshot()
	header, err := r.engine.chain.HeaderByHash(&best.Hash)
	if err != nil {
		return nil, fmt.Errorf("devnet: header of the tip: %w", err)
	}
	work, err := r.engine.chainWork(best.Hash, best.Height)
	if err != nil {
		return nil, err
	}
	return &chainInfo{
		Chain:                chainName,
		Blocks:               int64(best.Height),
		Headers:              int64(best.Height),
		BestBlockHash:        best.Hash.String(),
		Bits:                 bitsHex(best.Bits),
		Target:               targetHex(best.Bits),
		Difficulty:           difficultyOf(best.Bits),
		Time:                 header.Timestamp.Unix(),
		MedianTime:           best.MedianTime.Unix(),
		VerificationProgress: 1,
		// There is no other node that could know more, however old the tip.
		InitialBlockDownload: false,
		ChainWork:            hex256(work),
		SizeOnDisk:           treeSize(r.engine.dir),
		Warnings:             []string{},
	}, nil
}

func (r *rpcAPI) getBestBlockHash(context.Context, *args) (any, error) {
	return r.engine.chain.BestSnapshot().Hash.String(), nil
}

func (r *rpcAPI) getBlockCount(context.Context, *args) (any, error) {
	return r.engine.chain.BestSnapshot().Height, nil
}

func (r *rpcAPI) getDifficulty(context.Context, *args) (any, error) {
	return difficultyOf(r.engine.chain.BestSnapshot().Bits), nil
}

func (r *rpcAPI) getBlockHash(_ context.Context, a *args) (any, error) {
	height, err := a.number(0, 0)
	if err != nil {
		return nil, err
	}
	if height < 0 || height > int64(r.engine.chain.BestSnapshot().Height) {
		return nil, rpcErrorf(codeInvalidParameter, "Block height out of range")
	}
	hash, err := r.engine.chain.BlockHashByHeight(int32(height))
	if err != nil {
		return nil, rpcErrorf(codeInvalidParameter, "Block height out of range")
	}
	return hash.String(), nil
}

// blockHeader is the verbose answer of getblockheader, and the beginning of
// getblock's.
type blockHeader struct {
	Hash          string  `json:"hash"`
	Confirmations int64   `json:"confirmations"`
	Height        int64   `json:"height"`
	Version       int32   `json:"version"`
	VersionHex    string  `json:"versionHex"`
	MerkleRoot    string  `json:"merkleroot"`
	Time          int64   `json:"time"`
	MedianTime    int64   `json:"mediantime"`
	Nonce         uint32  `json:"nonce"`
	Bits          string  `json:"bits"`
	Target        string  `json:"target"`
	Difficulty    float64 `json:"difficulty"`
	ChainWork     string  `json:"chainwork"`
	NTx           int     `json:"nTx"`
	PreviousHash  string  `json:"previousblockhash,omitempty"`
	NextHash      string  `json:"nextblockhash,omitempty"`
}

// blockInfo is the answer of getblock with verbosity 1 and 2.
type blockInfo struct {
	blockHeader
	StrippedSize int   `json:"strippedsize"`
	Size         int   `json:"size"`
	Weight       int64 `json:"weight"`
	Tx           []any `json:"tx"`
}

// find locates the block that an argument names.
func (r *rpcAPI) find(a *args) (*place, *btcutil.Block, error) {
	hash, err := a.hash(0)
	if err != nil {
		return nil, nil, err
	}
	p, err := r.engine.locate(hash)
	if err == nil {
		var block *btcutil.Block
		if block, err = r.engine.block(hash); err == nil {
			return p, block, nil
		}
	}
	if errors.Is(err, errNotFound) {
		err = rpcErrorf(codeInvalidAddress, "Block not found")
	}
	return nil, nil, err
}

// describe writes a header in Core's shape.
func (r *rpcAPI) describe(p *place, block *btcutil.Block) (blockHeader, error) {
	median, err := r.engine.medianTime(&p.header)
	if err != nil {
		return blockHeader{}, err
	}
	work, err := r.engine.chainWork(p.hash, p.height)
	if err != nil {
		return blockHeader{}, err
	}
	h := blockHeader{
		Hash:          p.hash.String(),
		Confirmations: p.confirmations,
		Height:        int64(p.height),
		Version:       p.header.Version,
		VersionHex:    fmt.Sprintf("%08x", uint32(p.header.Version)),
		MerkleRoot:    p.header.MerkleRoot.String(),
		Time:          p.header.Timestamp.Unix(),
		MedianTime:    median.Unix(),
		Nonce:         p.header.Nonce,
		Bits:          bitsHex(p.header.Bits),
		Target:        targetHex(p.header.Bits),
		Difficulty:    difficultyOf(p.header.Bits),
		ChainWork:     hex256(work),
		NTx:           len(block.Transactions()),
	}
	if p.header.PrevBlock != (chainhash.Hash{}) {
		h.PreviousHash = p.header.PrevBlock.String()
	}
	if p.next != nil {
		h.NextHash = p.next.String()
	}
	return h, nil
}

func (r *rpcAPI) getBlockHeader(_ context.Context, a *args) (any, error) {
	verbose, err := a.flag(1, true)
	if err != nil {
		return nil, err
	}
	p, block, err := r.find(a)
	if err != nil {
		return nil, err
	}
	if !verbose {
		return hexOf(headerBytes(&p.header)), nil
	}
	return r.describe(p, block)
}

func (r *rpcAPI) getBlock(_ context.Context, a *args) (any, error) {
	verbosity, err := a.verbosity(1, 1)
	if err != nil {
		return nil, err
	}
	p, block, err := r.find(a)
	if err != nil {
		return nil, err
	}
	raw := blockBytes(block.MsgBlock())
	if verbosity <= 0 {
		return hexOf(raw), nil
	}

	header, err := r.describe(p, block)
	if err != nil {
		return nil, err
	}
	info := &blockInfo{
		blockHeader:  header,
		StrippedSize: block.MsgBlock().SerializeSizeStripped(),
		Size:         len(raw),
		Weight:       blockchain.GetBlockWeight(block),
	}
	for _, tx := range block.Transactions() {
		if verbosity == 1 {
			info.Tx = append(info.Tx, tx.Hash().String())
		} else {
			info.Tx = append(info.Tx, r.describeTx(tx))
		}
	}
	return info, nil
}

// chainTip is a row of getchaintips.
type chainTip struct {
	Height    int64  `json:"height"`
	Hash      string `json:"hash"`
	BranchLen int64  `json:"branchlen"`
	Status    string `json:"status"`
}

func (r *rpcAPI) getChainTips(context.Context, *args) (any, error) {
	rows := []chainTip{}
	for _, t := range r.engine.chain.ChainTips() {
		rows = append(rows, chainTip{
			Height:    int64(t.Height),
			Hash:      t.BlockHash.String(),
			BranchLen: int64(t.BranchLen),
			Status:    t.Status.String(),
		})
	}
	return rows, nil
}

func (r *rpcAPI) invalidateBlock(_ context.Context, a *args) (any, error) {
	p, _, err := r.find(a)
	if err != nil {
		return nil, err
	}
	if p.height == 0 {
		return nil, rpcErrorf(codeInvalidParameter, "The genesis block cannot be invalidated")
	}
	if err := r.engine.invalidate(&p.hash); err != nil {
		return nil, rpcErrorf(codeDatabase, "%v", err)
	}
	return nil, nil
}

func (r *rpcAPI) reconsiderBlock(_ context.Context, a *args) (any, error) {
	p, _, err := r.find(a)
	if err != nil {
		return nil, err
	}
	if err := r.engine.reconsider(&p.hash); err != nil {
		return nil, rpcErrorf(codeDatabase, "%v", err)
	}
	return nil, nil
}
