package bitcoin

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// A commitment to no witnesses but the coinbase's, as an empty block has it.
const emptyCommitment = "6a24aa21a9ede2f61c3f71d1defd3fa999dfa36953755c690689799962b48bebd836974e8cf9"

// exampleTemplate is a coinbase with two payouts and a commitment.
func exampleTemplate(t testing.TB) CoinbaseTemplate {
	return CoinbaseTemplate{
		Height: 840003, Salt: 0x01020304, Extranonce1Size: 4, Extranonce2Size: 8, Tag: "/poolscope/",
		Outputs: []TxOut{
			{306262098, unhex(t, "76a91462e907b15cbf27d5425399ebf6f0fb50ebb88f1888ac")},
			{6250247, unhex(t, "0014751e76e8199196d454941c45d1b3a323f1433bd6")},
		},
		WitnessCommitment: unhex(t, emptyCommitment),
	}
}

// assemble builds a template around given extranonces.
func assemble(t testing.TB, c CoinbaseTemplate, extranonces []byte) []byte {
	t.Helper()
	parts, err := c.Build()
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Join([][]byte{parts.Prefix, extranonces, parts.Suffix}, nil)
}

func TestCoinbaseBytes(t *testing.T) {
	got := hex.EncodeToString(assemble(t, exampleTemplate(t), unhex(t, "aabbccdd0011223344556677")))
	want := "02000000" + "01" + strings.Repeat("00", 32) + "ffffffff" +
		"22" + // scriptSig
		"0343d10c" + // height
		"0404030201" + // salt
		"0caabbccdd0011223344556677" + // extranonces
		"0b2f706f6f6c73636f70652f" + // tag
		"feffffff" +
		"03" +
		"5230411200000000" + "19" + "76a91462e907b15cbf27d5425399ebf6f0fb50ebb88f1888ac" +
		"075f5f0000000000" + "16" + "0014751e76e8199196d454941c45d1b3a323f1433bd6" +
		"0000000000000000" + "26" + emptyCommitment +
		"42d10c00"
	if got != want {
		t.Errorf("coinbase\n got %s\nwant %s", got, want)
	}
}

// TestRecordedCoinbase compares with a coinbase that another pool mined: the
// push of the height and the serialized payouts are ours too.
func TestRecordedCoinbase(t *testing.T) {
	theirs := unhex(t, "01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff28"+
		"0343d10c040815026b0c000000000000000300000000112f676f506f6f6c2f626a726d2d357a627200000000"+
		"03"+"000000000000000026"+emptyCommitment+
		"52304112000000001976a91462e907b15cbf27d5425399ebf6f0fb50ebb88f1888ac"+
		"075f5f0000000000160014751e76e8199196d454941c45d1b3a323f1433bd600000000")
	var tx wire.MsgTx
	if err := tx.DeserializeNoWitness(bytes.NewReader(theirs)); err != nil {
		t.Fatal(err)
	}
	c := exampleTemplate(t)
	ours := assemble(t, c, make([]byte, 12))

	height := tx.TxIn[0].SignatureScript[:4]
	if !bytes.Equal(ours[42:46], height) {
		t.Errorf("height is pushed as %x, theirs as %x", ours[42:46], height)
	}
	var sum int64
	for _, out := range c.Outputs {
		sum += out.Value
	}
	if sum != 312512345 || sum != tx.TxOut[1].Value+tx.TxOut[2].Value {
		t.Errorf("outputs sum to %d", sum)
	}
	payouts := theirs[len(theirs)-4-34-31 : len(theirs)-4]
	if !bytes.Contains(ours, payouts) {
		t.Errorf("payouts %x are not in %x", payouts, ours)
	}
}

func TestHeightPush(t *testing.T) {
	tests := []struct {
		height int64
		want   string
	}{
		{0, "00"}, {1, "51"}, {2, "52"}, {15, "5f"}, {16, "60"}, {17, "0111"}, {127, "017f"}, {128, "028000"},
		{255, "02ff00"}, {256, "020001"}, {32767, "02ff7f"}, {32768, "03008000"}, {65535, "03ffff00"}, {65536, "03000001"},
		{8388607, "03ffff7f"}, {8388608, "0400008000"}, {16777216, "0400000001"}, {maxHeight, "04ff64cd1d"},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.height), func(t *testing.T) {
			c := exampleTemplate(t)
			c.Height = tt.height
			var tx wire.MsgTx
			if err := tx.DeserializeNoWitness(bytes.NewReader(assemble(t, c, make([]byte, 12)))); err != nil {
				t.Fatal(err)
			}
			script := tx.TxIn[0].SignatureScript
			if !strings.HasPrefix(hex.EncodeToString(script), tt.want+"0404030201") {
				t.Errorf("scriptSig %x does not start with %s and the salt", script, tt.want)
			}
			if len(script) < 2 {
				t.Errorf("scriptSig has %d bytes", len(script))
			}
			if got, err := blockchain.ExtractCoinbaseHeight(btcutil.NewTx(&tx)); err != nil || int64(got) != tt.height {
				t.Errorf("btcd reads the height %d, %v", got, err)
			}
			if want := uint32(max(tt.height-1, 0)); tx.LockTime != want || tx.TxIn[0].Sequence != 0xfffffffe {
				t.Errorf("lock time %d, sequence %x", tx.LockTime, tx.TxIn[0].Sequence)
			}
		})
	}
}

func TestTagPush(t *testing.T) {
	// 22 bytes of the scriptSig are taken: height, salt, extranonces.
	for _, n := range []int{0, 1, 75, 76} {
		c := exampleTemplate(t)
		c.Tag = strings.Repeat("t", n)
		c.MaxSize = 1000
		parts, err := c.Build()
		if err != nil {
			t.Fatalf("tag of %d bytes: %v", n, err)
		}
		want := append([]byte{byte(n)}, c.Tag...)
		switch {
		case n == 0:
			want = nil
		case n > 75:
			want = append([]byte{0x4c}, want...)
		}
		got, _, found := bytes.Cut(parts.Suffix, []byte{0xfe, 0xff, 0xff, 0xff}) // the sequence
		if !found || !bytes.Equal(got, want) {
			t.Errorf("tag of %d bytes is pushed as %x, want %x", n, got, want)
		}
	}
}

func TestExtranonceSizes(t *testing.T) {
	for _, sizes := range [][2]int{{4, 8}, {0, 8}, {4, 0}, {1, 0}, {8, 16}, {4, 65}} {
		c := exampleTemplate(t)
		c.Tag, c.Extranonce1Size, c.Extranonce2Size, c.MaxSize = "", sizes[0], sizes[1], 1000
		n := sizes[0] + sizes[1]
		parts, err := c.Build()
		if err != nil {
			t.Errorf("sizes %v: %v", sizes, err)
			continue
		}
		if got := parts.Prefix[len(parts.Prefix)-1]; int(got) != n {
			t.Errorf("sizes %v are pushed with the opcode %x", sizes, got)
		}
	}
}

func TestBuildRefuses(t *testing.T) {
	tests := []struct {
		name   string
		change func(*CoinbaseTemplate)
		want   error
	}{
		{"negative height", func(c *CoinbaseTemplate) { c.Height = -1 }, ErrHeight},
		{"height that is a time", func(c *CoinbaseTemplate) { c.Height = maxHeight + 1 }, ErrHeight},
		{"no extranonces", func(c *CoinbaseTemplate) { c.Extranonce1Size, c.Extranonce2Size = 0, 0 }, ErrExtranonceSize},
		{"negative extranonce1", func(c *CoinbaseTemplate) { c.Extranonce1Size = -1 }, ErrExtranonceSize},
		{"negative extranonce2", func(c *CoinbaseTemplate) { c.Extranonce2Size = -1 }, ErrExtranonceSize},
		{"long extranonces", func(c *CoinbaseTemplate) { c.Extranonce2Size = 72 }, ErrExtranonceSize},
		{"long tag", func(c *CoinbaseTemplate) { c.Tag = strings.Repeat("t", 77) }, ErrScriptSigTooLong},
		{"very long tag", func(c *CoinbaseTemplate) { c.Tag = strings.Repeat("t", 1000) }, ErrScriptSigTooLong},
		{"long flags", func(c *CoinbaseTemplate) { c.Flags = make([]byte, 70) }, ErrScriptSigTooLong},
		{"over 250 bytes", func(c *CoinbaseTemplate) { c.Tag = strings.Repeat("t", 71) }, ErrCoinbaseTooLarge},
		{"over its limit", func(c *CoinbaseTemplate) { c.MaxSize = 190 }, ErrCoinbaseTooLarge},
		{"no outputs", func(c *CoinbaseTemplate) { c.Outputs = nil }, ErrInvalidOutput},
		{"negative value", func(c *CoinbaseTemplate) { c.Outputs[1].Value = -1 }, ErrInvalidOutput},
		{"too much money", func(c *CoinbaseTemplate) { c.Outputs[1].Value = maxMoney + 1 }, ErrInvalidOutput},
		{"too much together", func(c *CoinbaseTemplate) { c.Outputs[1].Value = maxMoney }, ErrInvalidOutput},
		{"no script", func(c *CoinbaseTemplate) { c.Outputs[0].Script = nil }, ErrInvalidOutput},
		{"empty commitment", func(c *CoinbaseTemplate) { c.WitnessCommitment = []byte{} }, ErrInvalidCommitment},
		{"short commitment", func(c *CoinbaseTemplate) { c.WitnessCommitment = c.WitnessCommitment[:37] }, ErrInvalidCommitment},
		{"other commitment", func(c *CoinbaseTemplate) { c.WitnessCommitment[5]++ }, ErrInvalidCommitment},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := exampleTemplate(t)
			tt.change(&c)
			if parts, err := c.Build(); !errors.Is(err, tt.want) || parts.Prefix != nil || parts.Suffix != nil {
				t.Errorf("Build() = %x, %v; want %v", parts, err, tt.want)
			}
		})
	}
}

func TestSizeLimitIsExact(t *testing.T) {
	c := exampleTemplate(t)
	size := len(assemble(t, c, make([]byte, 12)))
	c.MaxSize = size
	if _, err := c.Build(); err != nil {
		t.Errorf("at the limit: %v", err)
	}
	c.MaxSize = size - 1
	if _, err := c.Build(); !errors.Is(err, ErrCoinbaseTooLarge) {
		t.Errorf("one byte over: %v", err)
	}
}

// TestBuildKeepsItsOutputs guards against the commitment landing in the spare
// capacity of the caller's slice.
func TestBuildKeepsItsOutputs(t *testing.T) {
	c := exampleTemplate(t)
	outputs := append(make([]TxOut, 0, 8), c.Outputs...)
	c.Outputs = outputs
	assemble(t, c, make([]byte, 12))
	if spare := outputs[:3][2]; spare.Script != nil {
		t.Errorf("Build wrote %x behind the outputs", spare.Script)
	}
}
