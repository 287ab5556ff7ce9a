package devnet

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/schnorr"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// scriptKind is one of the ways in which the wallet's key locks a coin.
type scriptKind uint8

// The kinds of script that the wallet owns and spends.
const (
	kindP2WPKH scriptKind = iota
	kindP2TR              // key path only, BIP86
	kindP2PKH
	numKinds
)

// wallet owns the coins mined in advance. It has one key, made when the data
// directory is, so it can never touch what a miner earned.
type wallet struct {
	key     *btcec.PrivateKey
	params  *chaincfg.Params
	scripts [numKinds][]byte
}

// loadWallet reads the key from path, or makes one.
func loadWallet(path string, params *chaincfg.Params) (*wallet, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		key, kerr := btcec.NewPrivateKey()
		if kerr != nil {
			return nil, fmt.Errorf("devnet: make wallet key: %w", kerr)
		}
		text := hex.EncodeToString(key.Serialize()) + "\n"
		if err := writeFile(path, []byte(text), 0o600); err != nil {
			return nil, err
		}
		return newWallet(key, params)
	}
	if err != nil {
		return nil, fmt.Errorf("devnet: read wallet key: %w", err)
	}

	raw, err := hex.DecodeString(strings.TrimSpace(string(data)))
	if err != nil || len(raw) != btcec.PrivKeyBytesLen {
		return nil, fmt.Errorf("%w: %s is not a key of 64 hex digits; the file was left as it is, move the data directory away to start over", ErrCorrupt, path)
	}
	key, _ := btcec.PrivKeyFromBytes(raw)
	return newWallet(key, params)
}

// newWallet derives the scripts of a key.
func newWallet(key *btcec.PrivateKey, params *chaincfg.Params) (*wallet, error) {
	w := &wallet{key: key, params: params}
	hash := address.Hash160(key.PubKey().SerializeCompressed())
	taproot := txscript.ComputeTaprootKeyNoScript(key.PubKey())

	p2wpkh, err := address.NewAddressWitnessPubKeyHash(hash, params)
	if err != nil {
		return nil, fmt.Errorf("devnet: derive wallet address: %w", err)
	}
	p2tr, err := address.NewAddressTaproot(schnorr.SerializePubKey(taproot), params)
	if err != nil {
		return nil, fmt.Errorf("devnet: derive wallet address: %w", err)
	}
	p2pkh, err := address.NewAddressPubKeyHash(hash, params)
	if err != nil {
		return nil, fmt.Errorf("devnet: derive wallet address: %w", err)
	}
	for kind, addr := range map[scriptKind]address.Address{kindP2WPKH: p2wpkh, kindP2TR: p2tr, kindP2PKH: p2pkh} {
		if w.scripts[kind], err = txscript.PayToAddrScript(addr); err != nil {
			return nil, fmt.Errorf("devnet: derive wallet script: %w", err)
		}
	}
	return w, nil
}

// owns tells whether a script is the wallet's, and of what kind.
func (w *wallet) owns(script []byte) (scriptKind, bool) {
	for kind, own := range w.scripts {
		if string(own) == string(script) {
			return scriptKind(kind), true
		}
	}
	return 0, false
}

// sign completes the inputs of tx, which spend the given coins in order.
func (w *wallet) sign(tx *wire.MsgTx, coins []coin) error {
	prevs := txscript.NewMultiPrevOutFetcher(nil)
	for i, c := range coins {
		prevs.AddPrevOut(tx.TxIn[i].PreviousOutPoint, &wire.TxOut{Value: c.value, PkScript: w.scripts[c.kind]})
	}
	hashes := txscript.NewTxSigHashes(tx, prevs)

	for i, c := range coins {
		var err error
		in, script := tx.TxIn[i], w.scripts[c.kind]
		switch c.kind {
		case kindP2WPKH:
			in.Witness, err = txscript.WitnessSignature(tx, hashes, i, c.value, script, txscript.SigHashAll, w.key, true)
		case kindP2TR:
			in.Witness, err = txscript.TaprootWitnessSignature(tx, hashes, i, c.value, script, txscript.SigHashDefault, w.key)
		case kindP2PKH:
			in.SignatureScript, err = txscript.SignatureScript(tx, i, script, txscript.SigHashAll, w.key, true)
		}
		if err != nil {
			return fmt.Errorf("devnet: sign input %d: %w", i, err)
		}
	}
	return nil
}
