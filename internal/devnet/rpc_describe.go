package devnet

import (
	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/txscript/v2"
)

// txInput, txOutput and txScript are parts of a verbose transaction.
type (
	txScript struct {
		Asm     string `json:"asm"`
		Hex     string `json:"hex"`
		Address string `json:"address,omitempty"`
		Type    string `json:"type,omitempty"`
	}
	txInput struct {
		Coinbase  string    `json:"coinbase,omitempty"`
		TxID      string    `json:"txid,omitempty"`
		Vout      *uint32   `json:"vout,omitempty"`
		ScriptSig *txScript `json:"scriptSig,omitempty"`
		Witness   []string  `json:"txinwitness,omitempty"`
		Sequence  uint32    `json:"sequence"`
	}
	txOutput struct {
		Value  amount   `json:"value"`
		N      int      `json:"n"`
		Script txScript `json:"scriptPubKey"`
	}
)

// txInfo is a verbose transaction.
type txInfo struct {
	TxID          string     `json:"txid"`
	Hash          string     `json:"hash"`
	Version       int32      `json:"version"`
	Size          int        `json:"size"`
	VSize         int64      `json:"vsize"`
	Weight        int64      `json:"weight"`
	LockTime      uint32     `json:"locktime"`
	Vin           []txInput  `json:"vin"`
	Vout          []txOutput `json:"vout"`
	Hex           string     `json:"hex"`
	BlockHash     string     `json:"blockhash,omitempty"`
	Confirmations *int64     `json:"confirmations,omitempty"`
	Time          int64      `json:"time,omitempty"`
	BlockTime     int64      `json:"blocktime,omitempty"`
}

// describeTx writes a transaction in Core's shape.
func (r *rpcAPI) describeTx(tx *btcutil.Tx) *txInfo {
	msg := tx.MsgTx()
	info := &txInfo{
		TxID:     tx.Hash().String(),
		Hash:     tx.WitnessHash().String(),
		Version:  msg.Version,
		Size:     msg.SerializeSize(),
		VSize:    virtualSize(tx),
		Weight:   blockchain.GetTransactionWeight(tx),
		LockTime: msg.LockTime,
		Hex:      hexOf(txBytes(msg)),
	}
	for _, in := range msg.TxIn {
		v := txInput{Sequence: in.Sequence}
		for _, item := range in.Witness {
			v.Witness = append(v.Witness, hexOf(item))
		}
		if blockchain.IsCoinBaseTx(msg) {
			v.Coinbase = hexOf(in.SignatureScript)
		} else {
			index := in.PreviousOutPoint.Index
			v.TxID, v.Vout = in.PreviousOutPoint.Hash.String(), &index
			asm, _ := txscript.DisasmString(in.SignatureScript)
			v.ScriptSig = &txScript{Asm: asm, Hex: hexOf(in.SignatureScript)}
		}
		info.Vin = append(info.Vin, v)
	}
	for i, out := range msg.TxOut {
		info.Vout = append(info.Vout, txOutput{Value: amount(out.Value), N: i, Script: describeScript(out.PkScript, r.engine.params)})
	}
	return info
}

// describeScript writes an output script in Core's shape.
func describeScript(script []byte, params *chaincfg.Params) txScript {
	asm, _ := txscript.DisasmString(script)
	s := txScript{Asm: asm, Hex: hexOf(script), Type: scriptType(txscript.GetScriptClass(script))}
	_, addrs, _, err := txscript.ExtractPkScriptAddrs(script, params)
	if err == nil && len(addrs) == 1 && s.Type != "pubkey" {
		s.Address = addrs[0].EncodeAddress()
	}
	return s
}

// scriptType returns Core's name of a kind of script.
func scriptType(class txscript.ScriptClass) string {
	switch class {
	case txscript.PubKeyTy:
		return "pubkey"
	case txscript.PubKeyHashTy:
		return "pubkeyhash"
	case txscript.ScriptHashTy:
		return "scripthash"
	case txscript.MultiSigTy:
		return "multisig"
	case txscript.NullDataTy:
		return "nulldata"
	case txscript.WitnessV0PubKeyHashTy:
		return "witness_v0_keyhash"
	case txscript.WitnessV0ScriptHashTy:
		return "witness_v0_scripthash"
	case txscript.WitnessV1TaprootTy:
		return "witness_v1_taproot"
	case txscript.WitnessUnknownTy:
		return "witness_unknown"
	}
	return "nonstandard"
}
