package bitcoin

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
	"github.com/btcsuite/btcd/btcec/v2/schnorr"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

type bip322Vector struct{ Type, Message, Address, Signature string }

type bip322Vectors struct {
	Hashes []struct {
		Message string
		ToSpend string `json:"to_spend"`
		ToSign  string `json:"to_sign"`
	}
	Valid, Later, Invalid []bip322Vector
}

func readBIP322(t testing.TB) (v bip322Vectors) {
	t.Helper()
	text, err := os.ReadFile("testdata/bip322.json")
	if err == nil {
		err = json.Unmarshal(text, &v)
	}
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func mustScript(t testing.TB, address string, n Network) []byte {
	t.Helper()
	script, err := PayoutScript(address, n)
	if err != nil {
		t.Fatal(err)
	}
	return script
}

// The published vectors of the BIP.
func TestVerifyMessageVectors(t *testing.T) {
	v := readBIP322(t)
	script := mustScript(t, "bc1q9vza2e8x573nczrlzms0wvx3gsqjx7vavgkx0l", Mainnet)
	for _, c := range v.Hashes {
		spend := toSpend(script, c.Message)
		if got := spend.TxHash().String(); got != c.ToSpend {
			t.Errorf("to_spend of %q is %s, want %s", c.Message, got, c.ToSpend)
		}
		if got := toSign(spend, nil).TxHash().String(); got != c.ToSign {
			t.Errorf("to_sign of %q is %s, want %s", c.Message, got, c.ToSign)
		}
	}
	for _, c := range v.Valid {
		script := mustScript(t, c.Address, Mainnet)
		if err := VerifyMessage(script, c.Message, c.Signature); err != nil {
			t.Errorf("%s: %v", c.Type, err)
		}
		if err := VerifyMessage(script, c.Message+"!", c.Signature); !errors.Is(err, ErrSignature) {
			t.Errorf("%s of another message: %v", c.Type, err)
		}
		if err := VerifyMessage(p2pkhScript(make([]byte, 20)), c.Message, c.Signature); !errors.Is(err, ErrSignature) {
			t.Errorf("%s of another address: %v", c.Type, err)
		}
	}
	for _, c := range v.Later {
		// Right by the BIP, but only some time from now.
		if err := VerifyMessage(mustScript(t, c.Address, Mainnet), c.Message, c.Signature); !errors.Is(err, ErrSignature) || !strings.Contains(err.Error(), "time") {
			t.Errorf("%s: %v", c.Type, err)
		}
	}
	for _, c := range v.Invalid {
		if err := VerifyMessage(mustScript(t, c.Address, Mainnet), c.Message, c.Signature); !errors.Is(err, ErrSignature) {
			t.Errorf("%s: %v", c.Type, err)
		}
	}
}

// signer signs as a wallet would, with btcd alone.
type signer struct {
	t   *testing.T
	key *btcec.PrivateKey
}

func (s signer) hash160() []byte { return address.Hash160(s.key.PubKey().SerializeCompressed()) }

// transactions builds both virtual transactions by the words of the BIP.
func (s signer) transactions(script []byte, message string) (sign *wire.MsgTx, fetcher txscript.PrevOutputFetcher) {
	hash := chainhash.TaggedHash([]byte("BIP0322-signed-message"), []byte(message))
	scriptSig, err := txscript.NewScriptBuilder().AddOp(txscript.OP_0).AddData(hash[:]).Script()
	if err != nil {
		s.t.Fatal(err)
	}
	spend := &wire.MsgTx{TxIn: []*wire.TxIn{{PreviousOutPoint: wire.OutPoint{Index: 0xffffffff}, SignatureScript: scriptSig}}, TxOut: []*wire.TxOut{{PkScript: script}}}
	sign = &wire.MsgTx{TxIn: []*wire.TxIn{{PreviousOutPoint: wire.OutPoint{Hash: spend.TxHash()}}}, TxOut: []*wire.TxOut{{PkScript: []byte{0x6a}}}}
	return sign, txscript.NewCannedPrevOutputFetcher(script, 0)
}

func (s signer) simple(tx *wire.MsgTx) string {
	var b bytes.Buffer
	if err := wire.WriteVarInt(&b, 0, uint64(len(tx.TxIn[0].Witness))); err != nil {
		s.t.Fatal(err)
	}
	for _, item := range tx.TxIn[0].Witness {
		if err := wire.WriteVarBytes(&b, 0, item); err != nil {
			s.t.Fatal(err)
		}
	}
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

func (s signer) full(tx *wire.MsgTx) string {
	var b bytes.Buffer
	if err := tx.Serialize(&b); err != nil {
		s.t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

func (s signer) legacy(message string, compressed bool, shift byte) string {
	var b bytes.Buffer
	_ = wire.WriteVarString(&b, 0, "Bitcoin Signed Message:\n")
	_ = wire.WriteVarString(&b, 0, message)
	sig := ecdsa.SignCompact(s.key, chainhash.DoubleHashB(b.Bytes()), compressed)
	sig[0] += shift
	return base64.StdEncoding.EncodeToString(sig)
}

// Signatures of every kind of address that the pool pays, made by btcd.
func TestVerifyMessageOfOwnSignatures(t *testing.T) {
	key, _ := btcec.PrivKeyFromBytes(bytes.Repeat([]byte{7}, 32))
	s := signer{t, key}
	const message = "poolscope: bcrt1q.rig is mine, says alice, own-abcd-efgh-0123"
	signatures := map[string][]string{}
	scripts := map[string][]byte{}
	add := func(kind string, script []byte, texts ...string) { scripts[kind], signatures[kind] = script, texts }
	sigHash := txscript.SigHashAll

	{ // P2PKH
		script := p2pkhScript(s.hash160())
		tx, _ := s.transactions(script, message)
		scriptSig, err := txscript.SignatureScript(tx, 0, script, sigHash, key, true)
		if err != nil {
			t.Fatal(err)
		}
		tx.TxIn[0].SignatureScript = scriptSig
		add("p2pkh", script, s.full(tx), "ful"+s.full(tx), s.legacy(message, true, 0))
	}
	add("p2pkh of an uncompressed key", p2pkhScript(address.Hash160(key.PubKey().SerializeUncompressed())), s.legacy(message, false, 0))
	program := append([]byte{0, 20}, s.hash160()...)
	{ // P2WPKH
		tx, fetcher := s.transactions(program, message)
		witness, err := txscript.WitnessSignature(tx, txscript.NewTxSigHashes(tx, fetcher), 0, 0, program, sigHash, key, true)
		if err != nil {
			t.Fatal(err)
		}
		tx.TxIn[0].Witness = witness
		add("p2wpkh", program, s.simple(tx), "smp"+s.simple(tx), strings.TrimRight(s.simple(tx), "="), s.full(tx), s.legacy(message, true, 0), s.legacy(message, true, 8))
	}
	{ // P2SH-P2WPKH
		script := p2shScript(address.Hash160(program))
		tx, fetcher := s.transactions(script, message)
		witness, err := txscript.WitnessSignature(tx, txscript.NewTxSigHashes(tx, fetcher), 0, 0, program, sigHash, key, true)
		if err != nil {
			t.Fatal(err)
		}
		tx.TxIn[0].Witness = witness
		simple := s.simple(tx)
		tx.TxIn[0].SignatureScript = append([]byte{22}, program...)
		add("p2sh-p2wpkh", script, simple, s.full(tx), s.legacy(message, true, 4))
	}
	{ // P2WSH of one key
		inner := append(append([]byte{33}, key.PubKey().SerializeCompressed()...), txscript.OP_CHECKSIG)
		script := append([]byte{0, 32}, chainhash.HashB(inner)...)
		tx, fetcher := s.transactions(script, message)
		sig, err := txscript.RawTxInWitnessSignature(tx, txscript.NewTxSigHashes(tx, fetcher), 0, 0, inner, sigHash, key)
		if err != nil {
			t.Fatal(err)
		}
		tx.TxIn[0].Witness = wire.TxWitness{sig, inner}
		add("p2wsh", script, s.simple(tx), s.full(tx))
		nested := p2shScript(address.Hash160(script))
		tx, fetcher = s.transactions(nested, message)
		if sig, err = txscript.RawTxInWitnessSignature(tx, txscript.NewTxSigHashes(tx, fetcher), 0, 0, inner, sigHash, key); err != nil {
			t.Fatal(err)
		}
		tx.TxIn[0].Witness = wire.TxWitness{sig, inner}
		add("p2sh-p2wsh", nested, s.simple(tx))
	}
	{ // P2TR by its key
		script := append([]byte{txscript.OP_1, 32}, schnorr.SerializePubKey(txscript.ComputeTaprootKeyNoScript(key.PubKey()))...)
		tx, fetcher := s.transactions(script, message)
		witness, err := txscript.TaprootWitnessSignature(tx, txscript.NewTxSigHashes(tx, fetcher), 0, 0, script, txscript.SigHashDefault, key)
		if err != nil {
			t.Fatal(err)
		}
		tx.TxIn[0].Witness = witness
		add("p2tr", script, s.simple(tx), s.full(tx))
	}
	for kind, script := range scripts {
		for i, text := range signatures[kind] {
			if err := VerifyMessage(script, message, text); err != nil {
				t.Errorf("%s, %d: %v", kind, i, err)
			}
			if VerifyMessage(script, message+" ", text) == nil {
				t.Errorf("%s, %d: another message is signed", kind, i)
			}
			for other, foreign := range scripts {
				if other == kind || VerifyMessage(foreign, message, text) != nil {
					continue
				}
				// A legacy signature is by a key, whatever address the key has.
				if raw, _ := base64.StdEncoding.DecodeString(text); len(raw) != legacySize {
					t.Errorf("%s, %d: proves %s", kind, i, other)
				}
			}
		}
	}
}

// What a full signature may not say.
func TestVerifyMessageFullIsStrict(t *testing.T) {
	key, _ := btcec.PrivKeyFromBytes(bytes.Repeat([]byte{9}, 32))
	s := signer{t, key}
	program := append([]byte{0, 20}, s.hash160()...)
	for name, change := range map[string]func(tx *wire.MsgTx){
		"another version": func(tx *wire.MsgTx) { tx.Version = 1 },
		"other coins, too": func(tx *wire.MsgTx) {
			tx.AddTxIn(wire.NewTxIn(&wire.OutPoint{Index: 1}, nil, nil))
		},
		"another output": func(tx *wire.MsgTx) { tx.TxOut[0].PkScript = []byte{0x51} },
		"a value":        func(tx *wire.MsgTx) { tx.TxOut[0].Value = 1 },
		"two outputs":    func(tx *wire.MsgTx) { tx.AddTxOut(wire.NewTxOut(0, []byte{0x6a})) },
		"no output":      func(tx *wire.MsgTx) { tx.TxOut = nil },
		"another spend":  func(tx *wire.MsgTx) { tx.TxIn[0].PreviousOutPoint.Index = 1 },
	} {
		tx, fetcher := s.transactions(program, "m")
		change(tx)
		witness, err := txscript.WitnessSignature(tx, txscript.NewTxSigHashes(tx, fetcher), 0, 0, program, txscript.SigHashAll, key, true)
		if err != nil {
			t.Fatal(err)
		}
		tx.TxIn[0].Witness = witness
		if err := VerifyMessage(program, "m", "ful"+s.full(tx)); !errors.Is(err, ErrSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := VerifyMessage(program, "m", strings.Repeat("A", 1<<20)); !errors.Is(err, ErrSignature) {
		t.Errorf("too long: %v", err)
	}
}

// One signature has one form: what others could make of it without the key is none
// (BIP-62, BIP-146).
func TestVerifyMessageTakesOneForm(t *testing.T) {
	key, _ := btcec.PrivKeyFromBytes(bytes.Repeat([]byte{9}, 32))
	s := signer{t, key}
	program := append([]byte{0, 20}, s.hash160()...)
	tx, fetcher := s.transactions(program, "m")
	witness, err := txscript.WitnessSignature(tx, txscript.NewTxSigHashes(tx, fetcher), 0, 0, program, txscript.SigHashAll, key, true)
	if err != nil {
		t.Fatal(err)
	}
	as := func(witness ...[]byte) string {
		tx.TxIn[0].Witness = witness
		return s.simple(tx)
	}
	right := as(witness...)
	if err := VerifyMessage(program, "m", right); err != nil {
		t.Fatal(err)
	}
	raw, err := base64.StdEncoding.DecodeString(right)
	if err != nil {
		t.Fatal(err)
	}
	der := witness[0][:len(witness[0])-1]
	parsed, err := ecdsa.ParseDERSignature(der)
	if err != nil {
		t.Fatal(err)
	}
	high := parsed.S()
	high.Negate()
	for name, text := range map[string]string{
		"something behind it":        base64.StdEncoding.EncodeToString(append(raw, 0)),
		"the other of its two forms": as(append(derOf(parsed.R(), high), byte(txscript.SigHashAll)), witness[1]),
		"of a part of it":            as(append(bytes.Clone(der), byte(txscript.SigHashNone)), witness[1]),
		"more in its witness":        as([]byte{1}, witness[0], witness[1]),
		"without the key":            as(witness[0]),
	} {
		if err := VerifyMessage(program, "m", text); !errors.Is(err, ErrSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// derOf writes a signature (ITU-T X.690), whatever its numbers are.
func derOf(r, s btcec.ModNScalar) []byte {
	number := func(n btcec.ModNScalar) []byte {
		b := n.Bytes()
		text := bytes.TrimLeft(b[:], "\x00")
		if text[0] >= 0x80 {
			text = append([]byte{0}, text...)
		}
		return append([]byte{2, byte(len(text))}, text...)
	}
	body := append(number(r), number(s)...)
	return append([]byte{0x30, byte(len(body))}, body...)
}

// Whatever is sent as a signature neither panics nor proves a key that nobody
// signed with.
func FuzzVerifyMessage(f *testing.F) {
	v := readBIP322(f)
	for _, c := range append(append(v.Valid, v.Later...), v.Invalid...) {
		f.Add(c.Signature, c.Message)
	}
	key, _ := btcec.PrivKeyFromBytes(bytes.Repeat([]byte{3}, 32))
	hash := address.Hash160(key.PubKey().SerializeCompressed())
	program := append([]byte{0, 20}, hash...)
	scripts := [][]byte{
		p2pkhScript(hash), program, p2shScript(address.Hash160(program)), append([]byte{0, 32}, chainhash.HashB(hash)...),
		append([]byte{txscript.OP_1, 32}, schnorr.SerializePubKey(key.PubKey())...),
	}
	f.Fuzz(func(t *testing.T, signature, message string) {
		for _, script := range scripts {
			if err := VerifyMessage(script, message, signature); !errors.Is(err, ErrSignature) {
				t.Errorf("%x: %v", script, err)
			}
		}
	})
}
