package bitcoin

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/wire/v2"
	"pgregory.net/rapid"
)

// exampleAudit is what exampleTemplate must pass.
func exampleAudit(t testing.TB) CoinbaseAudit {
	return CoinbaseAudit{
		Network: Mainnet, Height: 840003, Value: 312512345,
		Payouts: []AuditPayout{
			{"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", 306262098},
			{"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", 6250247},
		},
		WitnessCommitment: unhex(t, emptyCommitment),
	}
}

var exampleExtranonces = []byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}

func TestAuditPasses(t *testing.T) {
	coinbase := assemble(t, exampleTemplate(t), exampleExtranonces)
	want := exampleAudit(t)
	if err := AuditCoinbase(coinbase, want); err != nil {
		t.Error(err)
	}
	want.Payouts[1].Address = strings.ToUpper(want.Payouts[1].Address)
	if err := AuditCoinbase(coinbase, want); err != nil {
		t.Errorf("address in upper case: %v", err)
	}
	want.MaxSize = len(coinbase)
	if err := AuditCoinbase(coinbase, want); err != nil {
		t.Errorf("size at the limit: %v", err)
	}

	bare := exampleTemplate(t)
	bare.WitnessCommitment = nil
	want.WitnessCommitment = nil
	if err := AuditCoinbase(assemble(t, bare, exampleExtranonces), want); err != nil {
		t.Errorf("without commitment: %v", err)
	}
}

// TestAuditCatchesEveryBit flips each bit of a good coinbase. Only the bits
// that are free to differ may pass: salt, extranonces and tag.
func TestAuditCatchesEveryBit(t *testing.T) {
	coinbase := assemble(t, exampleTemplate(t), exampleExtranonces)
	want := exampleAudit(t)
	// After version, input count, outpoint, script length and height, until
	// the end of the script of 34 bytes.
	const freeFrom, freeTo = 4 + 1 + 36 + 1 + 4, 4 + 1 + 36 + 1 + 34
	for i := range coinbase {
		for bit := range 8 {
			coinbase[i] ^= 1 << bit
			err := AuditCoinbase(coinbase, want)
			coinbase[i] ^= 1 << bit
			if free := i >= freeFrom && i < freeTo; free != (err == nil) {
				t.Errorf("byte %d bit %d: %v", i, bit, err)
			}
			if err != nil && !errors.Is(err, ErrAudit) {
				t.Errorf("byte %d bit %d: %v is not ErrAudit", i, bit, err)
			}
		}
	}
	for n := range coinbase {
		if err := AuditCoinbase(coinbase[:n], want); !errors.Is(err, ErrAudit) {
			t.Errorf("cut to %d bytes: %v", n, err)
		}
	}
	if err := AuditCoinbase(append(coinbase, 0), want); !errors.Is(err, ErrAudit) {
		t.Errorf("one byte more: %v", err)
	}
}

// TestAuditNamesWhatIsWrong changes one thing of a transaction at a time.
func TestAuditNamesWhatIsWrong(t *testing.T) {
	thief := p2pkhScript(make([]byte, 20))

	tests := []struct {
		says   string
		change func(*wire.MsgTx)
	}{
		{"version is 1", func(tx *wire.MsgTx) { tx.Version = 1 }},
		{"number of inputs is 2", func(tx *wire.MsgTx) { tx.TxIn = append(tx.TxIn, tx.TxIn[0]) }},
		{"it is no coinbase", func(tx *wire.MsgTx) { tx.TxIn[0].PreviousOutPoint.Hash[31] = 1 }},
		{"it is no coinbase", func(tx *wire.MsgTx) { tx.TxIn[0].PreviousOutPoint.Index = 0 }},
		{"scriptSig has 1 bytes", func(tx *wire.MsgTx) { tx.TxIn[0].SignatureScript = []byte{0x51} }},
		{"scriptSig has 101 bytes", func(tx *wire.MsgTx) {
			in := tx.TxIn[0]
			in.SignatureScript = append(in.SignatureScript, make([]byte, 101-len(in.SignatureScript))...)
		}},
		{"height: scriptSig", func(tx *wire.MsgTx) { tx.TxIn[0].SignatureScript[1]++ }},
		{"height: scriptSig", func(tx *wire.MsgTx) { // not minimal
			tx.TxIn[0].SignatureScript = append(unhex(t, "0443d10c00"), tx.TxIn[0].SignatureScript[4:]...)
		}},
		{"sequence is ffffffff", func(tx *wire.MsgTx) { tx.TxIn[0].Sequence = 0xffffffff }},
		{"sequence is 00000000", func(tx *wire.MsgTx) { tx.TxIn[0].Sequence = 0 }},
		{"lock time is 0, not 840002", func(tx *wire.MsgTx) { tx.LockTime = 0 }},
		{"lock time is 840003, not 840002", func(tx *wire.MsgTx) { tx.LockTime++ }},
		{"output 0: value is 306262097, not 306262098", func(tx *wire.MsgTx) { tx.TxOut[0].Value-- }},
		{"output 0: value is 306262099, not 306262098", func(tx *wire.MsgTx) { tx.TxOut[0].Value++ }},
		{"output 1: value is 6250246", func(tx *wire.MsgTx) { tx.TxOut[1].Value-- }},
		{"output 0: value is", func(tx *wire.MsgTx) { // same sum, other shares
			tx.TxOut[0].Value--
			tx.TxOut[1].Value++
		}},
		{"script pays 1111111111111111111114oLvT2", func(tx *wire.MsgTx) { tx.TxOut[0].PkScript = thief }},
		{"script pays 1111111111111111111114oLvT2", func(tx *wire.MsgTx) { tx.TxOut[1].PkScript = thief }},
		{"pays no address", func(tx *wire.MsgTx) { tx.TxOut[0].PkScript = nil }},
		{"pays no address", func(tx *wire.MsgTx) { tx.TxOut[0].PkScript = []byte{0x51} }},
		{"pays no address", func(tx *wire.MsgTx) { tx.TxOut[0].PkScript = []byte{0x6a, 1, 2} }},
		{"output 1: script pays 1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH", func(tx *wire.MsgTx) { // same key, other kind
			tx.TxOut[1].PkScript = p2pkhScript(tx.TxOut[1].PkScript[2:])
		}},
		{"script is of the kind anchor", func(tx *wire.MsgTx) { tx.TxOut[1].PkScript = []byte{0x51, 2, 0x4e, 0x73} }},
		{"output 0: script pays bc1q", func(tx *wire.MsgTx) { tx.TxOut[0], tx.TxOut[1] = tx.TxOut[1], tx.TxOut[0] }},
		{"number of outputs is 2", func(tx *wire.MsgTx) { tx.TxOut = tx.TxOut[:2] }},
		{"number of outputs is 2", func(tx *wire.MsgTx) { tx.TxOut = tx.TxOut[1:] }},
		{"number of outputs is 4", func(tx *wire.MsgTx) { tx.AddTxOut(wire.NewTxOut(0, []byte{0x6a})) }},
		{"number of outputs is 0", func(tx *wire.MsgTx) { tx.TxOut = nil }},
		{"witness commitment: value is 1", func(tx *wire.MsgTx) { tx.TxOut[2].Value = 1 }},
		{"witness commitment: script is", func(tx *wire.MsgTx) { tx.TxOut[2].PkScript[37]++ }},
		{"witness commitment: script is", func(tx *wire.MsgTx) { tx.TxOut[2].PkScript = thief }},
		{"pays no address", func(tx *wire.MsgTx) { tx.TxOut[0], tx.TxOut[2] = tx.TxOut[2], tx.TxOut[0] }},
		{"size is 251 bytes, at most 250", func(tx *wire.MsgTx) {
			tx.TxOut[2].PkScript = append(tx.TxOut[2].PkScript, make([]byte, 251-tx.SerializeSizeStripped())...)
		}},
	}
	good := assemble(t, exampleTemplate(t), exampleExtranonces)
	for _, tt := range tests {
		t.Run(tt.says, func(t *testing.T) {
			var tx wire.MsgTx
			if err := tx.DeserializeNoWitness(bytes.NewReader(good)); err != nil {
				t.Fatal(err)
			}
			tt.change(&tx)
			var b bytes.Buffer
			if err := tx.SerializeNoWitness(&b); err != nil {
				t.Fatal(err)
			}
			want := exampleAudit(t)
			if !strings.HasPrefix(tt.says, "size") {
				want.MaxSize = 400 // let the others show themselves
			}
			err := AuditCoinbase(b.Bytes(), want)
			if !errors.Is(err, ErrAudit) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %v, want %q", err, tt.says)
			}
		})
	}
}

// TestAuditRefusesBarePublicKeys: btcd names the P2PKH address of the key for
// a script that pays the bare key, but it is another script.
func TestAuditRefusesBarePublicKeys(t *testing.T) {
	const key, address = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798", "1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH"
	for _, script := range []string{"21" + key + "ac", "5121" + key + "51ae"} {
		c, want := exampleTemplate(t), exampleAudit(t)
		c.Outputs[1].Script = unhex(t, script)
		want.Payouts[1].Address = address
		err := AuditCoinbase(assemble(t, c, exampleExtranonces), want)
		if !errors.Is(err, ErrAudit) || !strings.Contains(err.Error(), "script is of the kind") {
			t.Errorf("script %s: %v", script, err)
		}
	}
}

// TestAuditNoticesOtherWishes keeps the coinbase and changes what is wanted.
func TestAuditNoticesOtherWishes(t *testing.T) {
	tests := []struct {
		says   string
		change func(*CoinbaseAudit)
	}{
		{"network \"bch\" is unknown", func(a *CoinbaseAudit) { a.Network = "bch" }},
		{"script pays mp", func(a *CoinbaseAudit) { a.Network = Testnet4 }},
		{"height: scriptSig", func(a *CoinbaseAudit) { a.Height++ }},
		{"height: scriptSig", func(a *CoinbaseAudit) { a.Height = -840003 }},
		{"total is 312512345, the block allows 312512346", func(a *CoinbaseAudit) { a.Value++ }},
		{"total is 312512345, the block allows 312512344", func(a *CoinbaseAudit) { a.Value-- }},
		{"none is wanted", func(a *CoinbaseAudit) { a.Payouts = nil }},
		{"number of outputs is 3, not 2", func(a *CoinbaseAudit) { a.Payouts = a.Payouts[:1] }},
		{"number of outputs is 3, not 2", func(a *CoinbaseAudit) { a.WitnessCommitment = nil }},
		{"output 1: script pays", func(a *CoinbaseAudit) { a.Payouts[1].Address = "" }},
		{"output 1: script pays", func(a *CoinbaseAudit) { a.Payouts[1].Address = "bc1qw508D6qejxtdg4y5r3zarvary0c5xw7kv8f3t4" }},
		{"output 0: script pays", func(a *CoinbaseAudit) { a.Payouts[0].Address = strings.ToUpper(a.Payouts[0].Address) }},
		{"output 0: value is", func(a *CoinbaseAudit) { a.Payouts[0].Value++ }},
		{"size is", func(a *CoinbaseAudit) { a.MaxSize = 196 }},
		{"size is", func(a *CoinbaseAudit) { a.MaxSize = -1 }},
	}
	coinbase := assemble(t, exampleTemplate(t), exampleExtranonces)
	for _, tt := range tests {
		t.Run(tt.says, func(t *testing.T) {
			want := exampleAudit(t)
			tt.change(&want)
			err := AuditCoinbase(coinbase, want)
			if !errors.Is(err, ErrAudit) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %v, want %q", err, tt.says)
			}
		})
	}
}

// TestAuditRefusesImpossibleValues, even wanted ones.
func TestAuditRefusesImpossibleValues(t *testing.T) {
	var tx wire.MsgTx
	if err := tx.DeserializeNoWitness(bytes.NewReader(assemble(t, exampleTemplate(t), exampleExtranonces))); err != nil {
		t.Fatal(err)
	}
	for _, value := range []int64{-1, maxMoney + 1} {
		want := exampleAudit(t)
		want.Value += value - want.Payouts[0].Value
		tx.TxOut[0].Value, want.Payouts[0].Value = value, value
		var b bytes.Buffer
		if err := tx.SerializeNoWitness(&b); err != nil {
			t.Fatal(err)
		}
		if err := AuditCoinbase(b.Bytes(), want); !errors.Is(err, ErrAudit) || !strings.Contains(err.Error(), "impossible") {
			t.Errorf("value %d: %v", value, err)
		}
	}
}

// TestAuditRefusesWitness: the full serialization is not the one that is
// hashed.
func TestAuditRefusesWitness(t *testing.T) {
	full := AppendWitness(nil, assemble(t, exampleTemplate(t), exampleExtranonces))
	want := exampleAudit(t)
	want.MaxSize = len(full)
	if err := AuditCoinbase(full, want); !errors.Is(err, ErrAudit) {
		t.Errorf("got %v", err)
	}
}

// TestAuditAgreesWithBuild builds coinbases of all kinds for addresses that
// btcd made, and audits them; then it robs the miner of a satoshi.
func TestAuditAgreesWithBuild(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, want := drawCoinbase(t)
		parts, err := c.Build()
		if err != nil {
			t.Fatal(err)
		}
		extranonces := rapid.SliceOfN(rapid.Byte(), c.Extranonce1Size+c.Extranonce2Size, c.Extranonce1Size+c.Extranonce2Size).Draw(t, "extranonces")
		coinbase := bytes.Join([][]byte{parts.Prefix, extranonces, parts.Suffix}, nil)
		if err := AuditCoinbase(coinbase, want); err != nil {
			t.Errorf("good coinbase: %v", err)
		}
		i := rapid.IntRange(0, len(want.Payouts)-1).Draw(t, "robbed")
		want.Payouts[i].Value++
		want.Value++
		if err := AuditCoinbase(coinbase, want); !errors.Is(err, ErrAudit) {
			t.Errorf("robbed coinbase: %v", err)
		}
	})
}

// drawCoinbase draws a coinbase with one to three payouts, and its audit.
func drawCoinbase(t *rapid.T) (CoinbaseTemplate, CoinbaseAudit) {
	n := drawNetwork(t)
	c := CoinbaseTemplate{
		Height:          rapid.OneOf(rapid.Int64Range(0, 300), rapid.Int64Range(0, 20_000_000)).Draw(t, "height"),
		Flags:           rapid.SliceOfN(rapid.Byte(), 0, 10).Draw(t, "flags"),
		Salt:            rapid.Uint32().Draw(t, "salt"),
		Extranonce1Size: rapid.IntRange(1, 8).Draw(t, "extranonce1 size"),
		Extranonce2Size: rapid.IntRange(2, 8).Draw(t, "extranonce2 size"),
		Tag:             rapid.StringMatching(`[ -~]{0,50}`).Draw(t, "tag"),
		MaxSize:         400,
	}
	want := CoinbaseAudit{Network: n, Height: c.Height, MaxSize: 400}
	for range rapid.IntRange(1, 3).Draw(t, "payouts") {
		pay := AuditPayout{drawAddress(t, n).EncodeAddress(), rapid.Int64Range(0, 20_0000_0000).Draw(t, "value")}
		script, err := PayoutScript(pay.Address, n)
		if err != nil {
			t.Fatal(err)
		}
		c.Outputs = append(c.Outputs, TxOut{pay.Value, script})
		want.Payouts = append(want.Payouts, pay)
		want.Value += pay.Value
	}
	if rapid.Bool().Draw(t, "segwit") {
		c.WitnessCommitment = WitnessCommitment(nil)
		want.WitnessCommitment = c.WitnessCommitment
	}
	return c, want
}

// FuzzAuditCoinbase checks that what passes is a good coinbase, but for what
// may differ: everything after the scriptSig is equal byte for byte.
func FuzzAuditCoinbase(f *testing.F) {
	good := assemble(f, exampleTemplate(f), exampleExtranonces)
	const scriptStart, scriptEnd = 42, 42 + 34
	f.Add(good)
	f.Add(good[:100])
	f.Add(AppendWitness(nil, good))
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := AuditCoinbase(b, exampleAudit(t)); err != nil {
			if !errors.Is(err, ErrAudit) {
				t.Fatalf("%v is not ErrAudit", err)
			}
			return
		}
		if !bytes.Equal(b[:41], good[:41]) || !bytes.HasSuffix(b, good[scriptEnd:]) ||
			!bytes.HasPrefix(b[scriptStart:], good[scriptStart:scriptStart+4]) ||
			len(b) != scriptStart+int(b[41])+len(good[scriptEnd:]) {
			t.Errorf("passed: %x", b)
		}
	})
}
