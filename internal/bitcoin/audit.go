package bitcoin

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// CoinbaseAudit is what a coinbase must be.
type CoinbaseAudit struct {
	Network           Network
	Height            int64         // of the block
	Value             int64         // coinbasevalue of the template, satoshis
	Payouts           []AuditPayout // in order
	WitnessCommitment []byte        // script of the last output; nil for none
	MaxSize           int           // stripped bytes; 0 = DefaultMaxCoinbaseSize
}

// AuditPayout is an address that must be paid.
type AuditPayout struct {
	Address string
	Value   int64 // satoshis
}

// AuditCoinbase checks a complete stripped coinbase, extranonces included,
// against what it must be: the payouts and nothing else, in their order, to
// the satoshi, claiming the whole value; the witness commitment last; height,
// lock time and sequence (BIP34, BIP54); and the size. A job whose coinbase
// fails must not be mined.
//
// It is independent of the code that builds coinbases and payout scripts: the
// transaction is parsed by btcd's wire package, and each output script is
// turned back into an address by its txscript package. All failures wrap
// ErrAudit and name what is wrong.
func AuditCoinbase(stripped []byte, want CoinbaseAudit) error {
	params := want.Network.params()
	if params == nil {
		return auditError("network %q is unknown", string(want.Network))
	}
	limit := want.MaxSize
	if limit == 0 {
		limit = DefaultMaxCoinbaseSize
	}
	if len(stripped) > limit {
		return auditError("size is %d bytes, at most %d", len(stripped), limit)
	}
	tx, err := parseStripped(stripped)
	if err != nil {
		return err
	}
	if err := auditInput(tx, want.Height); err != nil {
		return err
	}
	return auditOutputs(tx, &want, params)
}

// parseStripped reads a transaction without witness that fills its bytes.
func parseStripped(stripped []byte) (*wire.MsgTx, error) {
	var tx wire.MsgTx
	r := bytes.NewReader(stripped)
	if err := tx.DeserializeNoWitness(r); err != nil {
		return nil, auditError("transaction does not parse: %w", err)
	}
	if r.Len() != 0 {
		return nil, auditError("transaction is followed by %d bytes", r.Len())
	}
	return &tx, nil
}

// auditInput checks version, input and lock time.
func auditInput(tx *wire.MsgTx, height int64) error {
	if tx.Version != 2 {
		return auditError("version is %d, not 2", tx.Version)
	}
	if len(tx.TxIn) != 1 {
		return auditError("number of inputs is %d, not 1", len(tx.TxIn))
	}
	in := tx.TxIn[0]
	if prev := in.PreviousOutPoint; prev.Index != wire.MaxPrevOutIndex || prev.Hash != [32]byte{} {
		return auditError("input spends %v, it is no coinbase", prev)
	}
	if n := len(in.SignatureScript); n < 2 || n > 100 {
		return auditError("scriptSig has %d bytes, not 2 to 100", n)
	}
	push, err := txscript.NewScriptBuilder().AddInt64(height).Script()
	if err != nil {
		return auditError("height %d has no script: %w", height, err)
	}
	if !bytes.HasPrefix(in.SignatureScript, push) {
		return auditError("height: scriptSig %x does not start with the push %x of %d", in.SignatureScript, push, height)
	}
	if in.Sequence != wire.MaxTxInSequenceNum-1 {
		return auditError("sequence is %08x, not fffffffe", in.Sequence)
	}
	if lock := max(height-1, 0); int64(tx.LockTime) != lock {
		return auditError("lock time is %d, not %d", tx.LockTime, lock)
	}
	return nil
}

// auditOutputs checks who is paid how much, and the commitment.
func auditOutputs(tx *wire.MsgTx, want *CoinbaseAudit, params *chaincfg.Params) error {
	number := len(want.Payouts)
	if want.WitnessCommitment != nil {
		number++
	}
	switch {
	case len(want.Payouts) == 0:
		return auditError("payouts: none is wanted")
	case len(tx.TxOut) != number:
		return auditError("number of outputs is %d, not %d", len(tx.TxOut), number)
	}

	var total int64
	for i, pay := range want.Payouts {
		out := tx.TxOut[i]
		if err := auditPayee(out.PkScript, pay.Address, params); err != nil {
			return auditError("output %d: %w", i, err)
		}
		if out.Value != pay.Value {
			return auditError("output %d: value is %d, not %d", i, out.Value, pay.Value)
		}
		if out.Value < 0 || out.Value > maxMoney {
			return auditError("output %d: value %d is impossible", i, out.Value)
		}
		total += out.Value
	}
	if total != want.Value {
		return auditError("total is %d, the block allows %d", total, want.Value)
	}

	if want.WitnessCommitment != nil {
		last := tx.TxOut[number-1]
		if last.Value != 0 {
			return auditError("witness commitment: value is %d, not 0", last.Value)
		}
		if !bytes.Equal(last.PkScript, want.WitnessCommitment) {
			return auditError("witness commitment: script is %x, not %x", last.PkScript, want.WitnessCommitment)
		}
	}
	return nil
}

// auditPayee derives the address of a script and compares it with the one
// wanted. Only kinds that PayoutScript makes count: btcd also derives an
// address for a bare public key.
func auditPayee(script []byte, address string, params *chaincfg.Params) error {
	class, addresses, _, err := txscript.ExtractPkScriptAddrs(script, params)
	if err != nil || len(addresses) != 1 {
		return fmt.Errorf("script %x pays no address, not %s", script, address)
	}
	got := addresses[0].EncodeAddress()
	switch class {
	case txscript.PubKeyHashTy, txscript.ScriptHashTy:
		if got == address {
			return nil
		}
	case txscript.WitnessV0PubKeyHashTy, txscript.WitnessV0ScriptHashTy, txscript.WitnessV1TaprootTy:
		// Bech32 may be written in upper case as a whole.
		if got == address || strings.ToUpper(got) == address {
			return nil
		}
	default:
		return fmt.Errorf("script is of the kind %v, not one that pays %s", class, address)
	}
	return fmt.Errorf("script pays %s, not %s", got, address)
}

// auditError wraps ErrAudit with what was found.
func auditError(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrAudit, fmt.Errorf(format, args...))
}
