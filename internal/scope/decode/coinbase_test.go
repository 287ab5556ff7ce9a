package decode

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
	"pgregory.net/rapid"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// notify is the params of a mining.notify around a coinbase.
func notify(coinbase1, coinbase2 []byte) json.RawMessage {
	return fmt.Appendf(nil, `["j","%064x","%x","%x",[],"20000000","1d00ffff","65000001",false]`, 1, coinbase1, coinbase2)
}

// Any coinbase that btcd's code writes is read as btcd's code reads it.
func TestCoinbaseAgainstBtcd(t *testing.T) {
	networks := map[bitcoin.Network]*chaincfg.Params{
		bitcoin.Mainnet: &chaincfg.MainNetParams, bitcoin.Testnet3: &chaincfg.TestNet3Params, bitcoin.Testnet4: &chaincfg.TestNet4Params,
		bitcoin.Signet: &chaincfg.SigNetParams, bitcoin.Regtest: &chaincfg.RegressionNetParams,
	}
	names := []bitcoin.Network{bitcoin.Mainnet, bitcoin.Testnet3, bitcoin.Testnet4, bitcoin.Signet, bitcoin.Regtest}
	rapid.Check(t, func(t *rapid.T) {
		network := rapid.SampledFrom(names).Draw(t, "network")
		params := networks[network]
		height := rapid.Int64Range(0, 2_000_000).Draw(t, "height")
		extra1 := rapid.SliceOfN(rapid.Byte(), 0, 8).Draw(t, "extranonce1")
		extra2 := rapid.SliceOfN(rapid.Byte(), 1, 8).Draw(t, "extranonce2")
		push, err := txscript.NewScriptBuilder().AddInt64(height).Script()
		if err != nil {
			t.Fatal(err)
		}
		after := rapid.SliceOfN(rapid.Byte(), 1, 40).Draw(t, "after")
		tx := wire.NewMsgTx(rapid.Int32().Draw(t, "version"))
		tx.LockTime = rapid.Uint32().Draw(t, "lock time")
		tx.AddTxIn(&wire.TxIn{
			PreviousOutPoint: wire.OutPoint{Index: wire.MaxPrevOutIndex},
			SignatureScript:  slices.Concat(push, extra1, extra2, after), Sequence: rapid.Uint32().Draw(t, "sequence"),
		})
		var total int64
		for range rapid.IntRange(0, 5).Draw(t, "outputs") {
			value := rapid.Int64Range(0, 4e8).Draw(t, "value")
			total += value
			tx.AddTxOut(wire.NewTxOut(value, drawScript(t, params)))
		}
		var raw bytes.Buffer
		if err := tx.SerializeNoWitness(&raw); err != nil {
			t.Fatal(err)
		}
		cut := 4 + 1 + 36 + 1 + len(push)
		size := len(extra1) + len(extra2)
		j := ParseJob(notify(raw.Bytes()[:cut], raw.Bytes()[cut+size:]), Context{
			Network: network, Extranonce1: append([]byte{}, extra1...), Extranonce2: extra2, Extranonce2Size: len(extra2),
		})
		c := j.Coinbase
		if overpaid := network != bitcoin.Regtest && c.Total > bitcoin.Subsidy(height, network); c.Guessed || len(j.Problems) > 0 != overpaid {
			t.Fatalf("problems %v, guessed %t", j.Problems, c.Guessed)
		}
		hash := chainhash.DoubleHashH(raw.Bytes())
		if c.TxID != hash.String() || c.TxID != tx.TxHash().String() || j.MerkleRoot != hash.String() {
			t.Fatalf("id %s, root %s, want %s", c.TxID, j.MerkleRoot, hash)
		}
		if c.Height != height || c.Total != total || c.OutputCount != len(tx.TxOut) || c.LockTime != tx.LockTime ||
			c.Sequence != tx.TxIn[0].Sequence || int32(c.Version) != tx.Version || c.ScriptSig != hex.EncodeToString(tx.TxIn[0].SignatureScript) {
			t.Fatalf("read %+v", c)
		}
		for i, out := range tx.TxOut {
			class, addresses, _, err := txscript.ExtractPkScriptAddrs(out.PkScript, params)
			if err != nil {
				t.Fatal(err)
			}
			got := c.Outputs[i]
			if want, ok := classes[class]; ok && got.Type != want {
				t.Fatalf("script %x is %s, want %s", out.PkScript, got.Type, want)
			}
			if len(addresses) == 1 && class != txscript.PubKeyTy && got.Address != addresses[0].EncodeAddress() {
				t.Fatalf("script %x pays %s, want %s", out.PkScript, got.Address, addresses[0])
			}
			if got.Value != out.Value || got.Script != hex.EncodeToString(out.PkScript) {
				t.Fatalf("output %+v", got)
			}
		}
	})
}

// classes are btcd's names of kinds of scripts, as far as it tells them apart.
var classes = map[txscript.ScriptClass]string{
	txscript.PubKeyTy: "p2pk", txscript.PubKeyHashTy: "p2pkh", txscript.ScriptHashTy: "p2sh",
	txscript.WitnessV0PubKeyHashTy: "p2wpkh", txscript.WitnessV0ScriptHashTy: "p2wsh", txscript.WitnessV1TaprootTy: "p2tr",
	txscript.NullDataTy: "op_return", txscript.MultiSigTy: "multisig",
}

// drawScript is an output script of any kind.
func drawScript(t *rapid.T, params *chaincfg.Params) []byte {
	hash := rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "hash")
	var to address.Address
	var err error
	switch rapid.IntRange(0, 7).Draw(t, "kind") {
	case 0:
		to, err = address.NewAddressPubKeyHash(hash[:20], params)
	case 1:
		to, err = address.NewAddressScriptHashFromHash(hash[:20], params)
	case 2:
		to, err = address.NewAddressWitnessPubKeyHash(hash[:20], params)
	case 3:
		to, err = address.NewAddressWitnessScriptHash(hash, params)
	case 4:
		to, err = address.NewAddressTaproot(hash, params)
	case 5:
		script, err := txscript.NullDataScript(hash)
		if err != nil {
			t.Fatal(err)
		}
		return script
	case 6:
		return slices.Concat([]byte{33, 2}, hash, []byte{opCheckSig})
	default:
		return rapid.SliceOfN(rapid.Byte(), 0, 60).Draw(t, "script")
	}
	if err != nil {
		t.Fatal(err)
	}
	script, err := txscript.PayToAddrScript(to)
	if err != nil {
		t.Fatal(err)
	}
	return script
}

// The job that skot/pool_checkr shows in its README, of solo.ckpool.org, with
// the height, hash, time and address that it gives.
func TestRealJobOfCkpool(t *testing.T) {
	j := ParseJob(json.RawMessage(`["6920bab400003e78","2054771533c6373887fb44c6081b230c58336592000189f80000000000000000","01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff3503a61e0e000489b4276904a9b1a0040c","0a636b706f6f6c112f736f6c6f2e636b706f6f6c2e6f72672fffffffff039987611200000000220020984a77c289084ff2d434c316bdada021c6c183d507c8a20d3b159b09ac02fe28fd0760000000000016001451ed61d2f6aa260cc72cdf743e4e436a82c010270000000000000000266a24aa21a9edb0a313a2d4aa37add593e7b0c6bff97083472d58501b3cc1b97ed24fb453444900000000",[],"20000000","1701e2a0","6927b489",true]`), Context{})
	c := j.Coinbase
	// Its README leaves out the branches, so it pays out fees of nobody.
	if len(j.Problems) != 1 || j.Problems[0].Field != "coinbase" || c.Height != 925350 || j.Time != "2025-11-27T02:16:41Z" ||
		j.PrevHash != "0000000000000000000189f858336592081b230c87fb44c633c6373820547715" ||
		c.Outputs[0].Address != "bc1qnp980s5fpp8l94p5cvttmtdqy8rvrq74qly2yrfmzkdsntqzlc5qkc4rkq" {
		t.Errorf("job %+v, coinbase %+v", j, c)
	}
	if !slices.Equal(c.Tags, []string{"ckpool", "/solo.ckpool.org/"}) || !c.Guessed || len(c.Extranonce1+c.Extranonce2) != 24 {
		t.Errorf("tags %q, extranonces %q %q", c.Tags, c.Extranonce1, c.Extranonce2)
	}
	if !j.Empty || !j.Clean || c.Subsidy != 312500000 || c.Fees != 2175094 {
		t.Errorf("total %d, subsidy %d, fees %d", c.Total, c.Subsidy, c.Fees)
	}
}

// scriptSigs of real blocks, and what stands in them.
func TestTags(t *testing.T) {
	for script, want := range map[string]string{
		"0378120c182f5669614254432f4d696e6564206279203236303738362f103b6fa20ff3648a69acc31ed9b4946c00":                                                                         "/ViaBTC/Mined by 260786/",
		"0381120c04498b5a6408fabe6d6d2824fdd18ac6fdbf7196476428cc714e3841f1ff289127197ca59466b3ae739a0001000000000000000000115bba02001401112f4d696e696e672d44757463682f2d3231": "/Mining-Dutch/-21 merged_mining",
		"04ffff001d0104455468652054696d65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e206272696e6b206f66207365636f6e64206261696c6f757420666f722062616e6b73":           "The Times 03/Jan/2009 Chancellor on brink of second bailout for banks",
		"03a0bb0d10e4b883e5bda9e7a59ee4bb99e9b1bc" + strings.Repeat("00", 10):                                                                                                  "七彩神仙鱼",
		"0101" + "2f" + hex.EncodeToString([]byte("a push of 47 characters, whose opcode: a slash/")):                                                                          "a push of 47 characters, whose opcode: a slash/",
		"0101" + "0102030405060708": "",
		"0101" + hex.EncodeToString([]byte("\x03Hath")) + strings.Repeat("ab", 32) + hex.EncodeToString([]byte("\x07/pool/x")): "/pool/x hathor",
	} {
		raw := slices.Concat([]byte{1, 0, 0, 0, 1}, make([]byte, 32), []byte{255, 255, 255, 255, byte(len(script) / 2)}, unhex(t, script),
			[]byte{255, 255, 255, 255, 0, 0, 0, 0, 0})
		c := &Coinbase{}
		tx, err := parseTransaction(raw)
		if err != nil {
			t.Fatal(err)
		}
		c.tagsAndMarks(tx, len(raw))
		got := strings.Join(c.Tags, " ")
		for _, mark := range c.Marks {
			got += " " + mark.Name
		}
		if got != want {
			t.Errorf("%s\nhas  %q\nwant %q", script, got, want)
		}
	}
}

// The largest line that is captured, all of it outputs, is decoded within a
// small multiple of its size.
func TestHostileCoinbase(t *testing.T) {
	var raw []byte
	raw = append(raw, 1, 0, 0, 0, 1)
	raw = append(append(raw, make([]byte, 32)...), 255, 255, 255, 255, 4, 1, 1, 1, 1, 255, 255, 255, 255, 0xfe, 0, 64, 0, 0)
	for i := range 1 << 14 {
		raw = append(raw, 1, 0, 0, 0, 0, 0, 0, 0, 4, opReturn, 2, byte(i), byte(i>>8))
		if i%2 == 0 {
			raw[len(raw)-4] = op1
		}
	}
	raw = append(raw, 0, 0, 0, 0)
	j := ParseJob(notify(raw[:45], raw[46:]), Context{Extranonce1: []byte{}, Extranonce2Size: 1})
	text, err := json.Marshal(j)
	if err != nil || len(text) > 4*len(raw) || j.Coinbase.OutputCount != 1<<14 {
		t.Errorf("%d outputs of %d bytes become %d bytes of JSON, %v", j.Coinbase.OutputCount, len(raw), len(text), err)
	}
}
