package bitcoin

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/address/v2/bech32"
	"github.com/btcsuite/btcd/txscript/v2"
	"pgregory.net/rapid"
)

// TestSegwitAddressesOfBIP350 holds the vectors of BIP350. Those of witness
// versions without rules are valid there; as payouts they are refused, since
// anybody could take the coins.
func TestSegwitAddressesOfBIP350(t *testing.T) {
	payable := []struct{ address, script string }{
		{"BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", "0014751e76e8199196d454941c45d1b3a323f1433bd6"},
		{"tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7", "00201863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262"},
		{"tb1qqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesrxh6hy", "0020000000c4a5cad46221b2a187905e5266362b99d5e91c6ce24d165dab93e86433"},
		{"tb1pqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesf3hn0c", "5120000000c4a5cad46221b2a187905e5266362b99d5e91c6ce24d165dab93e86433"},
		{"bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0", "512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"},
	}
	for _, v := range payable {
		networks := []Network{Mainnet}
		if strings.HasPrefix(v.address, "tb") {
			networks = []Network{Testnet3, Testnet4, Signet}
		}
		for _, n := range networks {
			script, err := PayoutScript(v.address, n)
			if err != nil || hex.EncodeToString(script) != v.script {
				t.Errorf("PayoutScript(%s, %s) = %x, %v", v.address, n, script, err)
			}
		}
	}

	refused := []struct{ address, why string }{
		{"bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y", "witness version 1 has no rules"},
		{"BC1SW50QGDZ25J", "witness version 16 has no rules"},
		{"bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs", "witness version 2 has no rules"},
		{"tc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq5zuyut", "neither Base58 nor Bech32"},
		{"bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd", "needs a Bech32m checksum"},
		{"tb1z0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqglt7rf", "needs a Bech32m checksum"},
		{"BC1S0XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ54WELL", "needs a Bech32m checksum"},
		{"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh", "needs a Bech32 checksum"},
		{"tb1q0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq24jc47", "needs a Bech32 checksum"},
		{"bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4", "checksum or a character is wrong"},
		{"BC130XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ7ZWS8R", "witness version 17 has no rules"},
		{"bc1pw5dgrnzv", "program of 1 bytes"},
		{"bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v8n0nx0muaewav253zgeav", "program of 41 bytes"},
		{"BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P", "program of 16 bytes"},
		{"tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq47Zagq", "mixes lower and upper case"},
		{"bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v07qwwzcrf", "incomplete group"},
		{"tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vpggkg4j", "incomplete group"},
		{"bc1gmk9yu", "it is empty"},
		// The anchor program, which anybody may spend.
		{"bc1pfeessrawgf", "program of 2 bytes of witness version 1 has no rules"},
	}
	for _, v := range refused {
		for n := range genesisHashes {
			script, err := PayoutScript(v.address, n)
			if !errors.Is(err, ErrInvalidAddress) || !strings.Contains(err.Error(), v.why) {
				t.Errorf("PayoutScript(%s, %s) = %x, %v; want %q", v.address, n, script, err, v.why)
			}
		}
	}
}

// TestVersion1With20Bytes guards against paying a program of 20 bytes of
// witness version 1 as if it were P2WPKH, which is another script.
func TestVersion1With20Bytes(t *testing.T) {
	text, ok := encodeWitness("bc", 1, make([]byte, 20), bech32.EncodeM)
	if !ok {
		t.Fatal("cannot encode")
	}
	if script, err := PayoutScript(text, Mainnet); !errors.Is(err, ErrInvalidAddress) {
		t.Errorf("PayoutScript(%s) = %x, %v", text, script, err)
	}
}

func TestPayoutScriptErrors(t *testing.T) {
	const (
		p2pkh   = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"
		p2sh    = "3P14159f73E4gFr7JterCCQh9QjiTjiZrG"
		testnet = "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn"
		regtest = "bcrt1q6rz28mcfaxtmd6v789l9rrlrusdprr9pz3cppk"
		signet  = "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx"
	)
	tests := []struct {
		address string
		n       Network
		err     error
		says    string
	}{
		{address: p2pkh, n: Mainnet},
		{address: p2sh, n: Mainnet},
		{address: testnet, n: Regtest},
		{address: regtest, n: Regtest},
		{address: strings.ToUpper(regtest), n: Regtest},
		{address: signet, n: Signet},
		{p2pkh, Testnet4, ErrWrongNetwork, "is for mainnet, the chain here is \"testnet4\""},
		{p2sh, Regtest, ErrWrongNetwork, "is for mainnet"},
		{testnet, Mainnet, ErrWrongNetwork, "is for testnet, signet or regtest"},
		{regtest, Signet, ErrWrongNetwork, "is for regtest"},
		{signet, Mainnet, ErrWrongNetwork, "is for testnet or signet"},
		{signet, Regtest, ErrWrongNetwork, "is for testnet or signet"},
		{"BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", Regtest, ErrWrongNetwork, "is for mainnet"},
		{"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb", Mainnet, ErrInvalidAddress, "checksum is wrong"},
		{strings.ToLower(p2pkh), Mainnet, ErrInvalidAddress, ""},
		{"", Mainnet, ErrInvalidAddress, ""},
		{" " + p2pkh, Mainnet, ErrInvalidAddress, ""},
		{p2pkh + ".rig", Mainnet, ErrInvalidAddress, ""},
		{"bc1", Mainnet, ErrInvalidAddress, ""},
		{strings.Repeat("1", 100000), Mainnet, ErrInvalidAddress, "too long"},
		// Litecoin, a private key, and a bare public key.
		{"LM2WMpR1Rp6j3Sa59cMXMs1SPzj9eXpGc1", Mainnet, ErrInvalidAddress, "no Bitcoin network"},
		{"5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ", Mainnet, ErrInvalidAddress, "neither"},
		{"0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798", Mainnet, ErrInvalidAddress, ""},
		{p2pkh, Network("bch"), ErrUnknownNetwork, "bch"},
	}
	for _, tt := range tests {
		script, err := PayoutScript(tt.address, tt.n)
		if !errors.Is(err, tt.err) || (tt.err != nil && !strings.Contains(err.Error(), tt.says)) {
			t.Errorf("PayoutScript(%.80q, %s) = %x, %v; want %v %q", tt.address, tt.n, script, err, tt.err, tt.says)
		}
	}
}

// TestPayoutScriptsAgreeWithBtcd tries all kinds on all networks, both ways.
func TestPayoutScriptsAgreeWithBtcd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := drawNetwork(t)
		want := drawAddress(t, n)
		wantScript, err := txscript.PayToAddrScript(want)
		if err != nil {
			t.Fatal(err)
		}

		script, err := PayoutScript(want.EncodeAddress(), n)
		if err != nil || !bytes.Equal(script, wantScript) {
			t.Errorf("PayoutScript(%s, %s) = %x, %v; btcd has %x", want, n, script, err, wantScript)
		}
		if text, ok := AddressOf(script, n); !ok || text != want.EncodeAddress() {
			t.Errorf("AddressOf(%x, %s) = %s, %v; btcd has %s", script, n, text, ok, want)
		}

		other := drawNetwork(t)
		script, err = PayoutScript(want.EncodeAddress(), other)
		switch {
		case want.IsForNet(other.params()) && !bytes.Equal(script, wantScript):
			t.Errorf("PayoutScript(%s, %s) = %x, %v", want, other, script, err)
		case !want.IsForNet(other.params()) && !errors.Is(err, ErrWrongNetwork):
			t.Errorf("PayoutScript(%s, %s) = %x, %v", want, other, script, err)
		}
	})
}

// TestWitnessProgramsAreJudgedByKind makes addresses with good checksums of
// all versions, sizes and variants: three kinds are payable, no other.
func TestWitnessProgramsAreJudgedByKind(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		version := rapid.SampledFrom([]byte{0, 0, 1, 1, 2, 16, 17, 31}).Draw(t, "version")
		size := rapid.OneOf(rapid.SampledFrom([]int{20, 32}), rapid.IntRange(0, 40)).Draw(t, "size")
		program := rapid.SliceOfN(rapid.Byte(), size, size).Draw(t, "program")
		variant, encode := "bech32", bech32.Encode
		if rapid.Bool().Draw(t, "bech32m") {
			variant, encode = "bech32m", bech32.EncodeM
		}
		text, ok := encodeWitness("bc", version, program, encode)
		if !ok {
			t.Fatal("cannot encode")
		}

		payable := version == 0 && variant == "bech32" && (size == 20 || size == 32) ||
			version == 1 && variant == "bech32m" && size == 32
		script, err := PayoutScript(text, Mainnet)
		switch {
		case !payable && !errors.Is(err, ErrInvalidAddress):
			t.Errorf("%s of version %d and %d bytes became %x, %v", variant, version, size, script, err)
		case payable:
			want, btcdErr := decodeWithBtcd(text, Mainnet)
			if err != nil || btcdErr != nil || !bytes.Equal(script, want) {
				t.Errorf("%s became %x, %v; btcd has %x, %v", text, script, err, want, btcdErr)
			}
		}
	})
}

func TestAddressOfOtherScripts(t *testing.T) {
	for _, script := range []string{
		"", "6a", "51", "6a24aa21a9ed" + strings.Repeat("00", 32), "51024e73",
		"21" + "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798" + "ac",
		"5220" + strings.Repeat("00", 32), "5114" + strings.Repeat("00", 20),
		"76a914" + strings.Repeat("00", 20) + "88ad",
	} {
		if text, ok := AddressOf(unhex(t, script), Mainnet); ok || text != "" {
			t.Errorf("AddressOf(%s) = %s", script, text)
		}
	}
	if text, ok := AddressOf(p2pkhScript(make([]byte, 20)), "bch"); ok {
		t.Errorf("unknown network has the address %s", text)
	}
}

// FuzzPayoutScript compares with btcd's reading of the same text.
func FuzzPayoutScript(f *testing.F) {
	for _, s := range []string{
		"BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", "bcrt1q6rz28mcfaxtmd6v789l9rrlrusdprr9pz3cppk",
		"bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0", "bc1pfeessrawgf",
		"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "3P14159f73E4gFr7JterCCQh9QjiTjiZrG", "tb1", "1", "",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for n := range genesisHashes {
			script, err := PayoutScript(text, n)
			decoded, btcdErr := decodeWithBtcd(text, n)
			switch {
			case err == nil && btcdErr != nil:
				t.Fatalf("PayoutScript(%q, %s) = %x, btcd: %v", text, n, script, btcdErr)
			case err == nil && !bytes.Equal(script, decoded):
				t.Fatalf("PayoutScript(%q, %s) = %x, btcd has %x", text, n, script, decoded)
			case err == nil:
				back, ok := AddressOf(script, n)
				if !ok || !strings.EqualFold(back, text) {
					t.Fatalf("PayoutScript(%q, %s) = %x, which is %s", text, n, script, back)
				}
			case btcdErr == nil && len(decoded) != 4 && len(text) <= maxAddressLength && !isVersion1With20Bytes(text):
				t.Fatalf("PayoutScript(%q, %s) = %v, btcd has %x", text, n, err, decoded)
			}
		}
	})
}

// decodeWithBtcd returns btcd's script of an address of a network, and no
// script for what is not an address but a public key.
func decodeWithBtcd(text string, n Network) ([]byte, error) {
	decoded, err := address.DecodeAddress(text, n.params())
	if err != nil {
		return nil, err
	}
	if _, key := decoded.(*address.AddressPubKey); key || !decoded.IsForNet(n.params()) {
		return nil, errors.New("not for this network")
	}
	return txscript.PayToAddrScript(decoded)
}

// isVersion1With20Bytes recognizes what btcd takes for P2WPKH by mistake.
func isVersion1With20Bytes(text string) bool {
	sep := strings.LastIndexByte(text, '1')
	return len(text)-sep == 40 && strings.EqualFold(text[sep+1:sep+2], "p")
}

// drawAddress draws an address of any payable kind, made by btcd.
func drawAddress(t *rapid.T, n Network) address.Address {
	var (
		hash  = rapid.SliceOfN(rapid.Byte(), 20, 20).Draw(t, "hash")
		key   = rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "key")
		addr  address.Address
		err   error
		param = n.params()
	)
	switch rapid.SampledFrom([]string{"p2pkh", "p2sh", "p2wpkh", "p2wsh", "p2tr"}).Draw(t, "kind") {
	case "p2pkh":
		addr, err = address.NewAddressPubKeyHash(hash, param)
	case "p2sh":
		addr, err = address.NewAddressScriptHashFromHash(hash, param)
	case "p2wpkh":
		addr, err = address.NewAddressWitnessPubKeyHash(hash, param)
	case "p2wsh":
		addr, err = address.NewAddressWitnessScriptHash(key, param)
	default:
		addr, err = address.NewAddressTaproot(key, param)
	}
	if err != nil {
		t.Fatal(err)
	}
	return addr
}
