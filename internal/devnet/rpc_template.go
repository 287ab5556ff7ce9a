package devnet

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/chainhash/v2"
)

// templateRequest is the argument of getblocktemplate.
type templateRequest struct {
	Mode       string          `json:"mode"`
	Rules      []string        `json:"rules"`
	LongPollID json.RawMessage `json:"longpollid"`
	Data       json.RawMessage `json:"data"`
}

// gbtTx is a transaction of a template.
type gbtTx struct {
	Data    string `json:"data"`
	TxID    string `json:"txid"`
	Hash    string `json:"hash"`
	Depends []int  `json:"depends"`
	Fee     int64  `json:"fee"`
	SigOps  int64  `json:"sigops"`
	Weight  int64  `json:"weight"`
}

// gbtResult is the answer of getblocktemplate, in Core's order.
type gbtResult struct {
	Capabilities      []string       `json:"capabilities"`
	Version           int32          `json:"version"`
	Rules             []string       `json:"rules"`
	VBAvailable       map[string]int `json:"vbavailable"`
	VBRequired        int            `json:"vbrequired"`
	PreviousBlockHash string         `json:"previousblockhash"`
	Transactions      []gbtTx        `json:"transactions"`
	CoinbaseAux       struct{}       `json:"coinbaseaux"`
	CoinbaseValue     int64          `json:"coinbasevalue"`
	LongPollID        string         `json:"longpollid"`
	Target            string         `json:"target"`
	MinTime           int64          `json:"mintime"`
	Mutable           []string       `json:"mutable"`
	NonceRange        string         `json:"noncerange"`
	SigOpLimit        int64          `json:"sigoplimit"`
	SizeLimit         int64          `json:"sizelimit"`
	WeightLimit       int64          `json:"weightlimit"`
	CurTime           int64          `json:"curtime"`
	Bits              string         `json:"bits"`
	Height            int64          `json:"height"`
	WitnessCommitment string         `json:"default_witness_commitment"`
}

func (r *rpcAPI) getBlockTemplate(ctx context.Context, a *args) (any, error) {
	var q templateRequest
	if a.has(0) {
		if err := a.decode(0, &q, "object"); err != nil {
			return nil, err
		}
	}
	switch q.Mode {
	case "", "template":
	case "proposal":
		return r.proposal(q)
	default:
		return nil, rpcErrorf(codeInvalidParameter, "Invalid mode")
	}

	// A solo network has nobody to be connected to and nothing to catch up
	// with, and Core asks for neither on regtest.
	if present(q.LongPollID) {
		if err := r.longPoll(ctx, q.LongPollID); err != nil {
			return nil, err
		}
	}
	if !slices.Contains(q.Rules, "segwit") {
		return nil, rpcErrorf(codeInvalidParameter, `getblocktemplate must be called with the segwit rule set (call with {"rules": ["segwit"]})`)
	}

	t, err := r.templates.current()
	if err != nil {
		return nil, err
	}
	return r.encodeTemplate(t)
}

// encodeTemplate writes a template in Core's shape, with the time of now and
// the bits that go with it.
func (r *rpcAPI) encodeTemplate(t *template) (*gbtResult, error) {
	at := t.curTime(r.engine.clock.now())
	bits, err := r.engine.nextBits(at)
	if err != nil {
		return nil, err
	}
	rules, voting, err := r.engine.forkState()
	if err != nil {
		return nil, err
	}

	out := &gbtResult{
		Capabilities:      []string{"proposal"},
		Version:           t.version,
		Rules:             rules,
		VBAvailable:       voting,
		PreviousBlockHash: t.prev.String(),
		Transactions:      make([]gbtTx, 0, len(t.txs)),
		CoinbaseValue:     int64(t.value),
		LongPollID:        longPollID(t.prev, t.txUpdates),
		Target:            targetHex(bits),
		MinTime:           t.minTime.Unix(),
		Mutable:           []string{"time", "transactions", "prevblock"},
		NonceRange:        "00000000ffffffff",
		SigOpLimit:        blockchain.MaxBlockSigOpsCost,
		SizeLimit:         blockchain.MaxBlockWeight, // Core's "sizelimit" is 4,000,000 with segwit
		WeightLimit:       blockchain.MaxBlockWeight,
		CurTime:           at.Unix(),
		Bits:              bitsHex(bits),
		Height:            int64(t.height),
		WitnessCommitment: hexOf(t.commitment),
	}
	for _, tx := range t.txs {
		depends := tx.depends
		if depends == nil {
			depends = []int{}
		}
		out.Transactions = append(out.Transactions, gbtTx{
			Data:    hexOf(txBytes(tx.tx.MsgTx())),
			TxID:    tx.tx.Hash().String(),
			Hash:    tx.tx.WitnessHash().String(),
			Depends: depends,
			Fee:     tx.fee,
			SigOps:  tx.sigOps,
			Weight:  blockchain.GetTransactionWeight(tx.tx),
		})
	}
	return out, nil
}

// longPollID names the state that a template was made of: the tip and the
// number of mempool changes.
func longPollID(tip chainhash.Hash, updates uint64) string {
	return tip.String() + strconv.FormatUint(updates, 10)
}

// longPoll waits until the tip differs from the one in id or, after a while,
// the mempool does. As in Core, an id that is no string means now.
func (r *rpcAPI) longPoll(ctx context.Context, raw json.RawMessage) error {
	watched, updates := r.engine.chain.BestSnapshot().Hash, r.engine.txUpdates.Load()
	var id string
	if json.Unmarshal(raw, &id) == nil {
		const digits = 2 * chainhash.HashSize
		if len(id) < digits {
			return rpcErrorf(codeInvalidParameter, "longpollid must be of length %d or more (not %d)", digits, len(id))
		}
		h, err := chainhash.NewHashFromStr(id[:digits])
		if err != nil {
			return rpcErrorf(codeInvalidParameter, "longpollid must start with a block hash (not '%s')", id)
		}
		watched = *h
		updates, _ = strconv.ParseUint(id[digits:], 10, 64)
	}

	timer := time.NewTimer(r.poll.first)
	defer timer.Stop()
	for {
		changed := r.engine.tip.changed()
		if r.engine.chain.BestSnapshot().Hash != watched {
			return nil
		}
		select {
		case <-changed:
		case <-timer.C:
			if r.engine.txUpdates.Load() != updates {
				return nil
			}
			timer.Reset(r.poll.again)
		case <-ctx.Done():
			return rpcErrorf(codeNotConnected, "Shutting down")
		}
	}
}

// proposal checks a block without its proof of work.
func (r *rpcAPI) proposal(q templateRequest) (any, error) {
	var data string
	if !present(q.Data) || json.Unmarshal(q.Data, &data) != nil {
		return nil, rpcErrorf(codeType, "Missing data String key for proposal")
	}
	block, err := decodeBlock(data)
	if err != nil {
		return nil, err
	}
	verdict, err := r.engine.propose(block)
	return bip22(verdict), err
}
