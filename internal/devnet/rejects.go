package devnet

import (
	"errors"
	"fmt"
	"strings"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/mempool"
	"github.com/btcsuite/btcd/wire/v2"
)

// BIP22 verdicts that are not about a broken rule.
const (
	verdictDuplicate        = "duplicate"
	verdictDuplicateInvalid = "duplicate-invalid"
	verdictDuplicateUnsure  = "duplicate-inconclusive"
	verdictInconclusive     = "inconclusive"
	verdictNotBest          = "inconclusive-not-best-prevblk"
)

// blockReject returns what Bitcoin Core calls the rule that a block broke.
// sanity tells that the rule needs no context: there, bits outside the limit
// are "high-hash" to Core.
func blockReject(err error, block *wire.MsgBlock, sanity bool) string {
	var rule blockchain.RuleError
	if !errors.As(err, &rule) {
		return "rejected: " + err.Error()
	}
	switch rule.ErrorCode {
	case blockchain.ErrDifficultyTooLow, blockchain.ErrUnexpectedDifficulty:
		if sanity {
			return "high-hash"
		}
		return "bad-diffbits"
	case blockchain.ErrBlockVersionTooOld:
		return fmt.Sprintf("bad-version(0x%08x)", uint32(block.Header.Version))
	}
	return ruleReject(rule)
}

// ruleReject maps btcd's codes to Core's words (validation.cpp,
// consensus/tx_check.cpp, consensus/tx_verify.cpp).
func ruleReject(rule blockchain.RuleError) string {
	switch rule.ErrorCode {
	case blockchain.ErrDuplicateBlock:
		return verdictDuplicate
	case blockchain.ErrKnownInvalidBlock:
		return verdictDuplicateInvalid
	case blockchain.ErrPrevBlockNotBest:
		return verdictNotBest

	// The header and its place in the chain.
	case blockchain.ErrHighHash:
		return "high-hash"
	case blockchain.ErrInvalidTime, blockchain.ErrTimeTooOld, blockchain.ErrCheckpointTimeTooOld:
		return "time-too-old"
	case blockchain.ErrTimeTooNew:
		return "time-too-new"
	case blockchain.ErrTimewarpAttack:
		return "time-timewarp-attack"
	case blockchain.ErrPreviousBlockUnknown:
		return "prev-blk-not-found"
	case blockchain.ErrInvalidAncestorBlock:
		return "bad-prevblk"
	case blockchain.ErrBadCheckpoint, blockchain.ErrForkTooOld:
		return "bad-fork-prior-to-checkpoint"

	// The block as a whole.
	case blockchain.ErrNoTransactions, blockchain.ErrBlockTooBig:
		return "bad-blk-length"
	case blockchain.ErrBlockWeightTooHigh:
		return "bad-blk-weight"
	case blockchain.ErrBadMerkleRoot:
		return "bad-txnmrklroot"
	case blockchain.ErrDuplicateTx:
		return "bad-txns-duplicate"
	case blockchain.ErrTooManySigOps:
		return "bad-blk-sigops"
	case blockchain.ErrUnexpectedWitness:
		return "unexpected-witness"
	case blockchain.ErrInvalidWitnessCommitment:
		return "bad-witness-nonce-size"
	case blockchain.ErrWitnessCommitmentMismatch:
		return "bad-witness-merkle-match"

	// The coinbase.
	case blockchain.ErrFirstTxNotCoinbase:
		return "bad-cb-missing"
	case blockchain.ErrMultipleCoinbases:
		return "bad-cb-multiple"
	case blockchain.ErrBadCoinbaseScriptLen:
		return "bad-cb-length"
	case blockchain.ErrBadCoinbaseValue:
		return "bad-cb-amount"
	case blockchain.ErrMissingCoinbaseHeight, blockchain.ErrBadCoinbaseHeight:
		return "bad-cb-height"

	// Its transactions.
	case blockchain.ErrNoTxInputs:
		return "bad-txns-vin-empty"
	case blockchain.ErrNoTxOutputs:
		return "bad-txns-vout-empty"
	case blockchain.ErrTxTooBig:
		return "bad-txns-oversize"
	case blockchain.ErrBadTxOutValue:
		return outValueReject(rule.Description)
	case blockchain.ErrDuplicateTxInputs:
		return "bad-txns-inputs-duplicate"
	case blockchain.ErrBadTxInput:
		return "bad-txns-prevout-null"
	case blockchain.ErrMissingTxOut:
		return "bad-txns-inputs-missingorspent"
	case blockchain.ErrUnfinalizedTx:
		return "bad-txns-nonfinal"
	case blockchain.ErrOverwriteTx:
		return "bad-txns-BIP30"
	case blockchain.ErrImmatureSpend:
		return "bad-txns-premature-spend-of-coinbase"
	case blockchain.ErrSpendTooHigh:
		return "bad-txns-in-belowout"
	case blockchain.ErrBadFees:
		return "bad-txns-accumulated-fee-outofrange"
	case blockchain.ErrScriptMalformed, blockchain.ErrScriptValidation:
		return "mandatory-script-verify-flag-failed (" + rule.Description + ")"
	}
	return "rejected: " + rule.Description
}

// outValueReject tells apart what btcd has one code for.
func outValueReject(description string) string {
	switch {
	case strings.Contains(description, "negative"):
		return "bad-txns-vout-negative"
	case strings.Contains(description, "inputs"):
		return "bad-txns-inputvalues-outofrange"
	case strings.Contains(description, "total"):
		return "bad-txns-txouttotal-toolarge"
	}
	return "bad-txns-vout-toolarge"
}

// known looks up what the node thinks of a block it has already: a verdict,
// or "" when the block is new.
func (e *engine) known(header *wire.BlockHeader, unsure string) (string, error) {
	hash := header.BlockHash()
	if e.chain.MainChainHasBlock(&hash) {
		return verdictDuplicate, nil
	}
	have, err := e.chain.HaveBlock(&hash)
	if err != nil {
		return "", fmt.Errorf("devnet: look up block: %w", err)
	}
	if !have {
		return "", nil
	}
	if e.knownInvalid(header) {
		return verdictDuplicateInvalid, nil
	}
	return unsure, nil
}

// knownInvalid tells whether a block that the node has was found invalid, or
// descends from one that was.
func (e *engine) knownInvalid(header *wire.BlockHeader) bool {
	_, err := e.chain.ProcessBlockHeader(header, blockchain.BFNone, false)
	var rule blockchain.RuleError
	return errors.As(err, &rule) &&
		(rule.ErrorCode == blockchain.ErrKnownInvalidBlock || rule.ErrorCode == blockchain.ErrInvalidAncestorBlock)
}

// submit offers a block as submitblock does and returns the BIP22 verdict, ""
// for accepted on the best chain.
func (e *engine) submit(msg *wire.MsgBlock) (verdict string, err error) {
	if verdict, err := e.known(&msg.Header, verdictDuplicate); verdict != "" || err != nil {
		return verdict, err
	}
	fillWitness(msg)
	block := btcutil.NewBlock(msg)

	err = blockchain.CheckBlockSanity(block, e.params.PowLimit, e.clock)
	if err != nil {
		return blockReject(err, msg, true), nil
	}
	parent, err := e.chain.HaveBlock(&msg.Header.PrevBlock)
	if err != nil {
		return "", fmt.Errorf("devnet: look up parent: %w", err)
	}
	if !parent {
		return "prev-blk-not-found", nil
	}

	main, err := e.process(block)
	var rule blockchain.RuleError
	switch {
	case errors.As(err, &rule):
		return blockReject(err, msg, false), nil
	case err != nil:
		return "", fmt.Errorf("devnet: process block: %w", err)
	case !main:
		return verdictInconclusive, nil
	}
	return "", nil
}

// propose checks a block as getblocktemplate's proposal mode does (BIP23):
// everything but the proof of work.
func (e *engine) propose(msg *wire.MsgBlock) (verdict string, err error) {
	if verdict, err := e.known(&msg.Header, verdictDuplicateUnsure); verdict != "" || err != nil {
		return verdict, err
	}
	if msg.Header.PrevBlock != e.chain.BestSnapshot().Hash {
		return verdictNotBest, nil
	}
	err = e.chain.CheckConnectBlockTemplate(btcutil.NewBlock(msg))
	var rule blockchain.RuleError
	switch {
	case errors.As(err, &rule):
		return blockReject(err, msg, false), nil
	case err != nil:
		return "", fmt.Errorf("devnet: check proposal: %w", err)
	}
	return "", nil
}

// fillWitness adds the coinbase's reserved value where a block commits to
// witnesses without having one, as Core's submitblock does.
func fillWitness(msg *wire.MsgBlock) {
	if len(msg.Transactions) == 0 || len(msg.Transactions[0].TxIn) == 0 || msg.Transactions[0].HasWitness() {
		return
	}
	if _, found := blockchain.ExtractWitnessCommitment(btcutil.NewTx(msg.Transactions[0])); found {
		msg.Transactions[0].TxIn[0].Witness = wire.TxWitness{make([]byte, blockchain.CoinbaseWitnessDataLen)}
	}
}

// txReject returns what Core's sendrawtransaction calls the reason for which
// the mempool refused a transaction, and whether it is that an input is
// missing or spent.
func txReject(err error) (reason string, missing bool) {
	var chainRule blockchain.RuleError
	var wrapped mempool.RuleError
	var txRule mempool.TxRuleError
	switch {
	case errors.Is(err, errMempoolFull):
		return errMempoolFull.Error(), false
	case !errors.As(err, &wrapped):
		return err.Error(), false
	case errors.As(wrapped.Err, &chainRule):
		return ruleReject(chainRule), chainRule.ErrorCode == blockchain.ErrMissingTxOut
	case !errors.As(wrapped.Err, &txRule):
		return err.Error(), false
	}

	text := txRule.Description
	switch {
	case strings.Contains(text, "orphan transaction"):
		return "bad-txns-inputs-missingorspent", true
	case strings.Contains(text, "individual coinbase"):
		return "coinbase", false
	case strings.Contains(text, "already spent in mempool"):
		return "txn-mempool-conflict", false
	case strings.Contains(text, "sequence locks"):
		return "non-BIP68-final", false
	case strings.Contains(text, "not finalized"):
		return "non-final", false
	case strings.Contains(text, "dust"):
		return "dust", false
	case strings.Contains(text, "is too small"):
		return "tx-size-small", false
	}
	switch txRule.RejectCode {
	case wire.RejectInsufficientFee:
		return "min relay fee not met", false
	case wire.RejectNonstandard:
		return "non-standard (" + text + ")", false
	}
	return text, false
}
