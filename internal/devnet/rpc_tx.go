package devnet

import (
	"bytes"
	"context"
	"errors"
	"sort"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/mempool"
	"github.com/btcsuite/btcd/wire/v2"
)

// maxMempoolBytes is what getmempoolinfo tells as the limit: Core's default.
const maxMempoolBytes = 300_000_000

// txMethods are about transactions.
func (r *rpcAPI) txMethods() []*method {
	return []*method{
		{name: "getmempoolinfo", about: "The state of the mempool.", run: r.getMempoolInfo},
		{name: "getrawmempool", params: []string{"verbose?", "mempool_sequence?"}, about: "The transactions in the mempool.", run: r.getRawMempool},
		{name: "sendrawtransaction", params: []string{"hexstring", "maxfeerate?", "maxburnamount?"}, about: "Offers a transaction to the network.", run: r.sendRawTransaction},
		{name: "getrawtransaction", params: []string{"txid", "verbosity?", "blockhash?"}, about: "A transaction from the mempool, or from the block named.", run: r.getRawTransaction},
		{name: "gettxout", params: []string{"txid", "n", "include_mempool?"}, about: "An unspent output.", run: r.getTxOut},
	}
}

// mempoolInfo is the answer of getmempoolinfo.
type mempoolInfo struct {
	Loaded              bool   `json:"loaded"`
	Size                int    `json:"size"`
	Bytes               int64  `json:"bytes"`
	Usage               int64  `json:"usage"`
	TotalFee            amount `json:"total_fee"`
	MaxMempool          int64  `json:"maxmempool"`
	MempoolMinFee       amount `json:"mempoolminfee"`
	MinRelayTxFee       amount `json:"minrelaytxfee"`
	IncrementalRelayFee amount `json:"incrementalrelayfee"`
	UnbroadcastCount    int    `json:"unbroadcastcount"`
	FullRBF             bool   `json:"fullrbf"`
}

func (r *rpcAPI) getMempoolInfo(context.Context, *args) (any, error) {
	info := &mempoolInfo{
		Loaded:              true,
		MaxMempool:          maxMempoolBytes,
		MempoolMinFee:       minRelayFee,
		MinRelayTxFee:       minRelayFee,
		IncrementalRelayFee: minRelayFee,
	}
	for _, d := range r.engine.pool.TxDescs() {
		info.Size++
		info.Bytes += virtualSize(d.Tx)
		info.Usage += int64(d.Tx.MsgTx().SerializeSize())
		info.TotalFee += amount(d.Fee)
	}
	return info, nil
}

// mempoolFees are the fees of a mempool entry.
type mempoolFees struct {
	Base     amount `json:"base"`
	Modified amount `json:"modified"`
}

// mempoolEntry is a row of the verbose getrawmempool.
type mempoolEntry struct {
	VSize   int64       `json:"vsize"`
	Weight  int64       `json:"weight"`
	Time    int64       `json:"time"`
	Height  int64       `json:"height"`
	WTxID   string      `json:"wtxid"`
	Fees    mempoolFees `json:"fees"`
	Depends []string    `json:"depends"`
}

// mempoolSequenced is getrawmempool's answer with mempool_sequence.
type mempoolSequenced struct {
	TxIDs    []string `json:"txids"`
	Sequence uint64   `json:"mempool_sequence"`
}

func (r *rpcAPI) getRawMempool(_ context.Context, a *args) (any, error) {
	verbose, err := a.flag(0, false)
	if err != nil {
		return nil, err
	}
	sequenced, err := a.flag(1, false)
	if err != nil {
		return nil, err
	}
	switch {
	case verbose && sequenced:
		return nil, rpcErrorf(codeInvalidParameter, "Verbose results cannot contain mempool sequence values.")
	case verbose:
		entries := map[string]mempoolEntry{}
		for _, d := range r.engine.pool.TxDescs() {
			entries[d.Tx.Hash().String()] = r.mempoolEntry(d)
		}
		return entries, nil
	}

	r.engine.mu.Lock()
	sequence, hashes := r.engine.mempoolSeq+1, r.engine.pool.TxHashes()
	r.engine.mu.Unlock()
	ids := make([]string, 0, len(hashes))
	for _, h := range hashes {
		ids = append(ids, h.String())
	}
	sort.Strings(ids)
	if sequenced {
		return &mempoolSequenced{TxIDs: ids, Sequence: sequence}, nil
	}
	return ids, nil
}

func (r *rpcAPI) mempoolEntry(d *mempool.TxDesc) mempoolEntry {
	e := mempoolEntry{
		VSize:   virtualSize(d.Tx),
		Weight:  blockchain.GetTransactionWeight(d.Tx),
		Time:    d.Added.Unix(),
		Height:  int64(d.Height),
		WTxID:   d.Tx.WitnessHash().String(),
		Fees:    mempoolFees{Base: amount(d.Fee), Modified: amount(d.Fee)},
		Depends: []string{},
	}
	seen := map[chainhash.Hash]bool{}
	for _, in := range d.Tx.MsgTx().TxIn {
		parent := in.PreviousOutPoint.Hash
		if !seen[parent] && r.engine.pool.IsTransactionInPool(&parent) {
			seen[parent] = true
			e.Depends = append(e.Depends, parent.String())
		}
	}
	return e
}

func (r *rpcAPI) sendRawTransaction(_ context.Context, a *args) (any, error) {
	const failure = "TX decode failed. Make sure the tx has at least one input."
	raw, err := a.bytes(0, failure)
	if err != nil {
		return nil, err
	}
	var msg wire.MsgTx
	in := bytes.NewReader(raw)
	if err := msg.Deserialize(in); err != nil || in.Len() > 0 || len(msg.TxIn) == 0 {
		return nil, rpcErrorf(codeDeserialization, failure)
	}

	tx := btcutil.NewTx(&msg)
	id := tx.Hash().String()
	if r.engine.pool.IsTransactionInPool(tx.Hash()) {
		return id, nil // Core sends it again, which nobody would hear here
	}
	for i := range msg.TxOut {
		entry, err := r.engine.unspent(wire.OutPoint{Hash: *tx.Hash(), Index: uint32(i)})
		if err != nil {
			return nil, err
		}
		if entry != nil {
			return nil, rpcErrorf(codeAlreadyInChain, "Transaction outputs already in utxo set")
		}
	}
	if err := r.engine.acceptTx(tx); err != nil {
		reason, missing := txReject(err)
		if missing {
			return nil, rpcErrorf(codeTransaction, "%s", reason)
		}
		return nil, rpcErrorf(codeRejected, "%s", reason)
	}
	return id, nil
}

func (r *rpcAPI) getRawTransaction(_ context.Context, a *args) (any, error) {
	id, err := a.hash(0)
	if err != nil {
		return nil, err
	}
	verbosity, err := a.verbosity(1, 0)
	if err != nil {
		return nil, err
	}
	if !a.has(2) {
		tx, err := r.engine.pool.FetchTransaction(id)
		if err != nil {
			return nil, rpcErrorf(codeInvalidAddress, "No such mempool transaction. Use -txindex or provide a block hash to enable blockchain transaction queries. Use gettransaction for wallet transactions.")
		}
		if verbosity <= 0 {
			return hexOf(txBytes(tx.MsgTx())), nil
		}
		return r.describeTx(tx), nil
	}

	hash, err := a.hash(2)
	if err != nil {
		return nil, err
	}
	block, err := r.engine.block(hash)
	if errors.Is(err, errNotFound) {
		return nil, rpcErrorf(codeInvalidAddress, "Block hash not found")
	}
	if err != nil {
		return nil, err
	}
	for _, tx := range block.Transactions() {
		if *tx.Hash() != *id {
			continue
		}
		if verbosity <= 0 {
			return hexOf(txBytes(tx.MsgTx())), nil
		}
		info := r.describeTx(tx)
		p, err := r.engine.locate(hash)
		if err != nil {
			return nil, err
		}
		confirmations := max(p.confirmations, 0)
		info.BlockHash, info.Confirmations = hash.String(), &confirmations
		info.Time, info.BlockTime = p.header.Timestamp.Unix(), p.header.Timestamp.Unix()
		return info, nil
	}
	return nil, rpcErrorf(codeInvalidAddress, "No such transaction found in the provided block. Use gettransaction for wallet transactions.")
}

// txOut is the answer of gettxout.
type txOut struct {
	BestBlock     string   `json:"bestblock"`
	Confirmations int64    `json:"confirmations"`
	Value         amount   `json:"value"`
	Script        txScript `json:"scriptPubKey"`
	Coinbase      bool     `json:"coinbase"`
}

func (r *rpcAPI) getTxOut(_ context.Context, a *args) (any, error) {
	id, err := a.hash(0)
	if err != nil {
		return nil, err
	}
	n, err := a.number(1, 0)
	if err != nil {
		return nil, err
	}
	mempool, err := a.flag(2, true)
	if err != nil {
		return nil, err
	}
	if n < 0 || n > 1<<31 {
		return nil, nil
	}

	best := r.engine.chain.BestSnapshot()
	point := wire.OutPoint{Hash: *id, Index: uint32(n)}
	if mempool {
		if r.engine.pool.CheckSpend(point) != nil {
			return nil, nil
		}
		if tx, err := r.engine.pool.FetchTransaction(id); err == nil {
			if int(n) >= len(tx.MsgTx().TxOut) {
				return nil, nil
			}
			out := tx.MsgTx().TxOut[n]
			return &txOut{
				BestBlock: best.Hash.String(),
				Value:     amount(out.Value),
				Script:    describeScript(out.PkScript, r.engine.params),
			}, nil
		}
	}
	entry, err := r.engine.unspent(point)
	if err != nil || entry == nil {
		return nil, err
	}
	return &txOut{
		BestBlock:     best.Hash.String(),
		Confirmations: int64(best.Height-entry.BlockHeight()) + 1,
		Value:         amount(entry.Amount()),
		Script:        describeScript(entry.PkScript(), r.engine.params),
		Coinbase:      entry.IsCoinBase(),
	}, nil
}
