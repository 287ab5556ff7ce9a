package devnet

import (
	"errors"
	"fmt"
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/mempool"
	"github.com/btcsuite/btcd/mining"
	"github.com/btcsuite/btcd/wire/v2"
)

const (
	// minRelayFee is the lowest fee rate that is relayed and mined, in
	// satoshis per 1000 virtual bytes.
	minRelayFee = 1000
	// maxMempoolTxs bounds the mempool; beyond it transactions are refused.
	maxMempoolTxs = 20_000
	// reservedWeight is what a template leaves to the header and the
	// coinbase, as Core's -blockreservedweight.
	reservedWeight = 8000
)

var errMempoolFull = errors.New("mempool full")

// openMempool builds the mempool and the template generator on the chain.
func (e *engine) openMempool() {
	e.pool = mempool.New(&mempool.Config{
		Policy: mempool.Policy{
			MaxTxVersion:         3,
			DisableRelayPriority: true,
			MaxOrphanTxs:         0,
			MaxSigOpCostPerTx:    blockchain.MaxBlockSigOpsCost / 5,
			MinRelayTxFee:        minRelayFee,
			FreeTxRelayLimit:     0,
		},
		ChainParams:    e.params,
		FetchUtxoView:  e.chain.FetchUtxoView,
		BestHeight:     func() int32 { return e.chain.BestSnapshot().Height },
		MedianTimePast: func() time.Time { return e.chain.BestSnapshot().MedianTime },
		CalcSequenceLock: func(tx *btcutil.Tx, view *blockchain.UtxoViewpoint) (*blockchain.SequenceLock, error) {
			return e.chain.CalcSequenceLock(tx, view, true)
		},
		IsDeploymentActive: e.chain.IsDeploymentActive,
		SigCache:           e.sigCache,
		HashCache:          e.hashCache,
	})
	e.generator = mining.NewBlkTmplGenerator(&mining.Policy{
		BlockMaxWeight: blockchain.MaxBlockWeight - reservedWeight,
		TxMinFreeFee:   minRelayFee,
	}, e.params, e.pool, e.chain, e.clock, e.sigCache, e.hashCache)
}

// acceptTx offers a transaction to the mempool under its policy.
func (e *engine) acceptTx(tx *btcutil.Tx) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.pool.Count() >= maxMempoolTxs {
		return errMempoolFull
	}

	// What it replaces, if anything, has to be announced too.
	var replaced map[chainhash.Hash]*btcutil.Tx
	for _, in := range tx.MsgTx().TxIn {
		if e.pool.CheckSpend(in.PreviousOutPoint) == nil {
			continue
		}
		result, err := e.pool.CheckMempoolAcceptance(tx)
		if err != nil {
			return err
		}
		replaced = result.Conflicts
		break
	}

	if _, err := e.pool.ProcessTransaction(tx, false, false, 0); err != nil {
		return err
	}
	e.txUpdates.Add(1)
	for hash := range replaced {
		e.announceMempoolLocked(&hash, 'R')
	}
	announceTx(e.announcer, tx)
	e.announceMempoolLocked(tx.Hash(), 'A')
	return nil
}

// announceMempoolLocked publishes a change of the mempool on the sequence
// topic.
func (e *engine) announceMempoolLocked(hash *chainhash.Hash, label byte) {
	e.mempoolSeq++
	e.announcer.announce(topicSequence, sequenceBody(hash, label, e.mempoolSeq))
}

// removeConflictsLocked removes what spends the same coins as a transaction
// that was just mined.
func (e *engine) removeConflictsLocked(mined *btcutil.Tx) {
	for _, in := range mined.MsgTx().TxIn {
		if conflict := e.pool.CheckSpend(in.PreviousOutPoint); conflict != nil && *conflict.Hash() != *mined.Hash() {
			e.pool.RemoveTransaction(conflict, true)
			e.announceMempoolLocked(conflict.Hash(), 'R')
		}
	}
}

// revalidateLocked asks of every transaction in the mempool whether it is
// still acceptable on the present tip and forgets those that are not: after
// a reorganisation a coin may be gone, immature or locked again, and one such
// transaction would spoil every template.
func (e *engine) revalidateLocked() {
	descs := e.pool.TxDescs()
	for _, d := range descs {
		e.pool.RemoveTransaction(d.Tx, false)
	}
	// Parents before children, whatever the order: repeat while it helps.
	for progress := true; progress && len(descs) > 0; {
		progress = false
		var refused []*mempool.TxDesc
		for _, d := range descs {
			missing, _, err := e.pool.MaybeAcceptTransaction(d.Tx, false, false)
			if err != nil || len(missing) > 0 {
				refused = append(refused, d)
				continue
			}
			progress = true
		}
		descs = refused
	}
	for _, d := range descs {
		e.announceMempoolLocked(d.Tx.Hash(), 'R')
	}
	e.txUpdates.Add(1)
}

// revalidate is revalidateLocked for callers without the lock.
func (e *engine) revalidate() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.revalidateLocked()
}

// unspent returns the state of an outpoint in the best chain,
// nil when it does not exist or is spent there.
func (e *engine) unspent(point wire.OutPoint) (*blockchain.UtxoEntry, error) {
	entry, err := e.chain.FetchUtxoEntry(point)
	if err != nil {
		return nil, fmt.Errorf("devnet: fetch coin %v: %w", point, err)
	}
	if entry == nil || entry.IsSpent() {
		return nil, nil
	}
	return entry, nil
}

// virtualSize returns a transaction's size for fees, in virtual bytes.
func virtualSize(tx *btcutil.Tx) int64 { return mempool.GetTxVirtualSize(tx) }
