package bitcoin

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// ErrSignature means that a text is no signature of a message by the key or keys
// of an address. The detail says why, fit for who has sent it.
var ErrSignature = errors.New("invalid signature")

// maxMessageSignature bounds a decoded signature, in bytes. A multisig of fifteen
// keys has about 1700.
const maxMessageSignature = 8 << 10

// legacySize is the size of a signature of "signmessage".
const legacySize = 65

// bip322Tag is the tag of a message's hash (BIP-322, BIP-340).
var bip322Tag = []byte("BIP0322-signed-message")

// VerifyMessage checks a signature of a message against an output script, as
// PayoutScript makes it: BIP-322, simple or full, in base64 with or without the
// prefixes "smp" and "ful"; and, of a single key, the older signature of 65 bytes
// that wallets call "signmessage", in the variants of BIP-137.
//
// It fails with ErrSignature, also for what BIP-322 calls inconclusive: a proof
// of funds, and a signature that a script accepts only at a later time. Whoever
// may spend one day is not yet the owner.
func VerifyMessage(script []byte, message, signature string) error {
	raw, kind, err := decodeMessageSignature(signature)
	if err != nil {
		return err
	}
	spend := toSpend(script, message)
	var sign *wire.MsgTx
	switch kind {
	case kindLegacy:
		return verifyLegacy(script, message, raw)
	case kindSimple:
		witness, err := parseWitness(raw)
		if err != nil {
			return err
		}
		sign = toSign(spend, witness)
		if sign.TxIn[0].SignatureScript, err = nestedScriptSig(script, witness); err != nil {
			return err
		}
	case kindFull:
		if sign, err = parseFull(raw, spend); err != nil {
			return err
		}
	}
	if isLocked(sign) && !isTimeless(script, sign.TxIn[0]) {
		return fmt.Errorf("%w: it is valid only after some time", ErrSignature)
	}
	return runScripts(script, sign)
}

// The kinds of signatures.
const (
	kindSimple = iota
	kindFull
	kindLegacy
)

// decodeMessageSignature reads the text of a signature and finds out its kind.
func decodeMessageSignature(text string) (raw []byte, kind int, err error) {
	text = strings.TrimSpace(text)
	if len(text) > base64.StdEncoding.EncodedLen(maxMessageSignature) {
		return nil, 0, fmt.Errorf("%w: too long", ErrSignature)
	}
	bare, simple := strings.CutPrefix(text, "smp")
	if !simple {
		var full bool
		if bare, full = strings.CutPrefix(text, "ful"); full {
			kind = kindFull
		}
	}
	raw, err = base64.StdEncoding.DecodeString(bare)
	if err != nil {
		// Some wallets leave the padding out.
		raw, err = base64.RawStdEncoding.DecodeString(bare)
	}
	switch {
	case err != nil:
		return nil, 0, fmt.Errorf("%w: it is not base64", ErrSignature)
	case len(raw) == 0:
		return nil, 0, fmt.Errorf("%w: it is empty", ErrSignature)
	case simple || kind == kindFull:
	case len(raw) == legacySize && raw[0] >= legacyFirst && raw[0] <= legacyLast:
		kind = kindLegacy
	case isTransaction(raw):
		kind = kindFull
	}
	return raw, kind, nil
}

// isTransaction reports whether a signature without a prefix is a full one: a
// transaction of version 0 or 2 begins with four bytes that no witness of a
// signature does.
func isTransaction(raw []byte) bool {
	return len(raw) > 4 && (raw[0] == 0 || raw[0] == 2) && raw[1] == 0 && raw[2] == 0 && raw[3] == 0
}

// toSpend is the virtual transaction whose output can be spent by who can sign.
func toSpend(script []byte, message string) *wire.MsgTx {
	hash := chainhash.TaggedHash(bip322Tag, []byte(message))
	tx := wire.NewMsgTx(0)
	in := wire.NewTxIn(wire.NewOutPoint(&chainhash.Hash{}, wire.MaxPrevOutIndex), append([]byte{txscript.OP_0, txscript.OP_DATA_32}, hash[:]...), nil)
	in.Sequence = 0
	tx.AddTxIn(in)
	tx.AddTxOut(wire.NewTxOut(0, script))
	return tx
}

// toSign is the virtual transaction that spends it.
func toSign(spend *wire.MsgTx, witness wire.TxWitness) *wire.MsgTx {
	spent := spend.TxHash()
	tx := wire.NewMsgTx(0)
	in := wire.NewTxIn(wire.NewOutPoint(&spent, 0), nil, witness)
	in.Sequence = 0
	tx.AddTxIn(in)
	tx.AddTxOut(wire.NewTxOut(0, []byte{txscript.OP_RETURN}))
	return tx
}

// parseWitness reads a witness as it stands in a transaction.
func parseWitness(raw []byte) (witness wire.TxWitness, err error) {
	r := bytes.NewReader(raw)
	bad := func(why string) (wire.TxWitness, error) { return nil, fmt.Errorf("%w: %s", ErrSignature, why) }
	n, err := wire.ReadVarInt(r, 0)
	if err != nil || n == 0 || n > uint64(len(raw)) {
		return bad("it is neither a witness nor a transaction")
	}
	for range n {
		item, err := wire.ReadVarBytes(r, 0, maxMessageSignature, "witness")
		if err != nil {
			return bad("its witness is incomplete")
		}
		witness = append(witness, item)
	}
	if r.Len() > 0 {
		return bad("there is something behind its witness")
	}
	return witness, nil
}

// nestedScriptSig is what the input of an address of BIP-16 has to reveal besides
// its witness: the program of its segwit script. A simple signature has no place
// for it, but it follows from the witness.
func nestedScriptSig(script []byte, witness wire.TxWitness) ([]byte, error) {
	if !txscript.IsPayToScriptHash(script) {
		return nil, nil
	}
	last := witness[len(witness)-1]
	candidates := [][]byte{append([]byte{opFalse, 20}, address.Hash160(last)...)}
	sum := chainhash.HashB(last)
	candidates = append(candidates, append([]byte{opFalse, 32}, sum...))
	for _, program := range candidates {
		if bytes.Equal(address.Hash160(program), script[2:22]) {
			return append([]byte{byte(len(program))}, program...), nil
		}
	}
	return nil, fmt.Errorf("%w: it is by another key", ErrSignature)
}

// parseFull reads to_sign and checks that it is for spend.
func parseFull(raw []byte, spend *wire.MsgTx) (*wire.MsgTx, error) {
	bad := func(why string) (*wire.MsgTx, error) { return nil, fmt.Errorf("%w: %s", ErrSignature, why) }
	r := bytes.NewReader(raw)
	tx := new(wire.MsgTx)
	if tx.Deserialize(r) != nil || r.Len() > 0 {
		return bad("it is no transaction")
	}
	spent := spend.TxHash()
	switch {
	case len(tx.TxIn) != 1:
		return bad("it proves other coins, too, which is more than was asked for")
	case tx.Version != 0 && tx.Version != 2:
		return bad("its transaction has another version than 0 and 2")
	case tx.TxIn[0].PreviousOutPoint != *wire.NewOutPoint(&spent, 0):
		return bad("it is for another message or another address")
	case len(tx.TxOut) != 1 || tx.TxOut[0].Value != 0 || !bytes.Equal(tx.TxOut[0].PkScript, []byte{txscript.OP_RETURN}):
		return bad("its transaction has another output than BIP-322 wants")
	}
	return tx, nil
}

// isLocked reports whether a transaction says that some time has passed.
func isLocked(tx *wire.MsgTx) bool {
	return tx.LockTime != 0 || tx.Version >= 2 && tx.TxIn[0].Sequence&wire.SequenceLockTimeDisabled == 0 && tx.TxIn[0].Sequence != 0
}

// isTimeless reports whether an output can be spent by its key alone, in this way
// at least, so that no script looks at the time.
func isTimeless(script []byte, in *wire.TxIn) bool {
	switch {
	case txscript.IsPayToPubKeyHash(script), txscript.IsPayToWitnessPubKeyHash(script):
		return true
	case txscript.IsPayToScriptHash(script):
		return len(in.SignatureScript) == 23 && txscript.IsPayToWitnessPubKeyHash(in.SignatureScript[1:])
	case txscript.IsPayToTaproot(script):
		return len(in.Witness) == 1
	}
	return false
}

// runScripts has btcd's engine judge the signature, by the rules of policy that
// BIP-322 asks for.
func runScripts(script []byte, sign *wire.MsgTx) error {
	prev := txscript.NewCannedPrevOutputFetcher(script, 0)
	engine, err := txscript.NewEngine(script, sign, 0, txscript.StandardVerifyFlags, nil, txscript.NewTxSigHashes(sign, prev), 0, prev)
	if err == nil {
		err = engine.Execute()
	}
	if err != nil {
		return fmt.Errorf("%w: the key, the message or the address is another one", ErrSignature)
	}
	return nil
}

// The first byte of a legacy signature tells which of the keys that fit it is, and
// how the key is written (BIP-137).
const (
	legacyFirst      = 27 // uncompressed key
	legacyCompressed = 31 // and those of segwit, which some wallets mark from here on
	legacyLast       = 42
)

// verifyLegacy checks a signature of "signmessage".
func verifyLegacy(script []byte, message string, raw []byte) error {
	var text bytes.Buffer
	for _, part := range []string{"Bitcoin Signed Message:\n", message} {
		if err := wire.WriteVarString(&text, 0, part); err != nil {
			return fmt.Errorf("%w: %w", ErrSignature, err)
		}
	}
	compact := bytes.Clone(raw)
	if compact[0] >= legacyCompressed {
		compact[0] = legacyCompressed + (compact[0]-legacyFirst)%4
	}
	hash := chainhash.DoubleHashB(text.Bytes())
	key, compressed, err := ecdsa.RecoverCompact(compact, hash)
	if err != nil {
		return fmt.Errorf("%w: it is by no key", ErrSignature)
	}
	serialized := key.SerializeCompressed()
	if !compressed {
		serialized = key.SerializeUncompressed()
	}
	keyHash := address.Hash160(serialized)
	right := bytes.Equal(script, p2pkhScript(keyHash))
	if compressed {
		program := append([]byte{opFalse, 20}, keyHash...)
		right = right || bytes.Equal(script, program) || bytes.Equal(script, p2shScript(address.Hash160(program)))
	}
	if !right {
		return fmt.Errorf("%w: the key, the message or the address is another one", ErrSignature)
	}
	return nil
}
