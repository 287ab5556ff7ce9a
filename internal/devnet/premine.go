package devnet

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// blockVersion is the version of blocks mined here: BIP9, no votes.
const blockVersion = 0x20000000

// premine mines the blocks that a new chain starts with, up to the height in
// the spec. They follow from the spec and the wallet's key alone, so doing it
// again after a crash gives the same chain.
func (e *engine) premine(ctx context.Context, s chainSpec, w *wallet) error {
	for height := e.chain.BestSnapshot().Height + 1; height <= s.Premine; height++ {
		script := w.scripts[scriptKind(height)%numKinds]
		err := e.mineEmpty(ctx, s.premineTime(height), script)
		var rule blockchain.RuleError
		if errors.As(err, &rule) && rule.ErrorCode == blockchain.ErrDuplicateBlock {
			return nil // known and off the chain: somebody invalidated it
		}
		if err != nil {
			return fmt.Errorf("devnet: mine block %d in advance: %w", height, err)
		}
	}
	return nil
}

// catchUp mines one block of minimum difficulty when the tip is so old that
// the rules ask for one. Without it, miners that come back after months would
// be served a template of difficulty 0.0000000005.
func (e *engine) catchUp(ctx context.Context, s chainSpec, w *wallet, now time.Time) error {
	due, err := e.catchUpDue(s, now)
	if err != nil || !due {
		return err
	}
	e.log.Info("mining one block of minimum difficulty, the chain was asleep for long")
	if err := e.mineEmpty(ctx, now, w.scripts[kindP2WPKH]); err != nil {
		return fmt.Errorf("devnet: mine block after a long pause: %w", err)
	}
	return nil
}

// catchUpDue tells whether catchUp has anything to do.
func (e *engine) catchUpDue(s chainSpec, now time.Time) (bool, error) {
	if s.Regtest || s.Bits == powLimitBits {
		return false, nil
	}
	bits, err := e.nextBits(now)
	return bits == powLimitBits, err
}

// mineEmpty mines a block without transactions on the tip, paying script.
func (e *engine) mineEmpty(ctx context.Context, at time.Time, script []byte) error {
	best := e.chain.BestSnapshot()
	at = time.Unix(at.Unix(), 0)
	bits, err := e.nextBits(at)
	if err != nil {
		return err
	}
	height := best.Height + 1
	coinbase, err := newCoinbase(height, subsidy(height, e.params), script, nil)
	if err != nil {
		return err
	}
	block := wire.NewMsgBlock(&wire.BlockHeader{
		Version:    blockVersion,
		PrevBlock:  best.Hash,
		MerkleRoot: coinbase.TxHash(),
		Timestamp:  at,
		Bits:       bits,
	})
	if err := block.AddTransaction(coinbase); err != nil {
		return fmt.Errorf("devnet: build block: %w", err)
	}
	if _, err := solve(ctx, &block.Header, 0); err != nil {
		return err
	}
	_, err = e.process(btcutil.NewBlock(block))
	return err
}

// newCoinbase builds a coinbase transaction: BIP34 height, BIP54 lock time
// and sequence, and the witness commitment when there is one.
func newCoinbase(height int32, value btcutil.Amount, script, commitment []byte) (*wire.MsgTx, error) {
	scriptSig, err := txscript.NewScriptBuilder().AddInt64(int64(height)).AddData([]byte("/devnet/")).Script()
	if err != nil {
		return nil, fmt.Errorf("devnet: build coinbase: %w", err)
	}
	tx := wire.NewMsgTx(2)
	tx.LockTime = uint32(height - 1)
	tx.AddTxIn(&wire.TxIn{
		PreviousOutPoint: *wire.NewOutPoint(&chainhash.Hash{}, wire.MaxPrevOutIndex),
		SignatureScript:  scriptSig,
		Sequence:         wire.MaxTxInSequenceNum - 1,
	})
	tx.AddTxOut(wire.NewTxOut(int64(value), script))
	if commitment != nil {
		tx.TxIn[0].Witness = wire.TxWitness{make([]byte, blockchain.CoinbaseWitnessDataLen)}
		tx.AddTxOut(wire.NewTxOut(0, commitment))
	}
	return tx, nil
}

// isSpendable tells whether a wallet coin may be spent in the block after
// tip.
func (c coin) isSpendable(tip int32, p *chaincfg.Params) bool {
	return !c.coinbase || tip+1-c.height >= int32(p.CoinbaseMaturity)
}
