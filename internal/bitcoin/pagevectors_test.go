package bitcoin

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"testing"
)

var update = flag.Bool("update", false, "write the vectors of the page's tests anew")

// pageVectors is read by the tests of the page's own verification
// (ui/src/lib/coinbase), which shares no code with this package.
const pageVectors = "testdata/coinbases.json"

// pageVector is a coinbase and what a job says about it, as the API gives it.
type pageVector struct {
	Name            string   `json:"name"`
	Address         string   `json:"address"`
	Network         string   `json:"network"`
	Height          int64    `json:"height"`
	Tx              string   `json:"tx"`
	Extranonce1     string   `json:"extranonce1"`
	Extranonce2Size int      `json:"extranonce2_size"`
	ScriptOffset    int      `json:"script_offset"`
	FeeScript       string   `json:"fee_script,omitempty"`
	FeePercent      float64  `json:"fee_percent"`
	FeeSats         int64    `json:"fee_sats"`
	DonationSats    int64    `json:"donation_sats"`
	ValueSats       int64    `json:"value_sats"`
	Branches        []string `json:"branches"`
	PrevHash        string   `json:"prev_hash"`
	Version         string   `json:"version"`
	Bits            string   `json:"bits"`
	NTime           string   `json:"ntime"`
	Tag             string   `json:"tag"`
	Txid            string   `json:"txid"`
	MerkleRoot      string   `json:"merkle_root"`
	Header          string   `json:"header"`
}

// TestPageVectors makes a coinbase of each kind of address on each network,
// and compares them with the file that the page is tested with.
func TestPageVectors(t *testing.T) {
	tests := []struct {
		network      Network
		address, fee string
		height       int64
		feePPM       int64
		transactions int
		tag          string
	}{
		{Mainnet, "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "", 912_346, 0, 0, "/poolscope/"},
		{Mainnet, "3P14159f73E4gFr7JterCCQh9QjiTjiZrG", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", 912_346, 15_000, 3120, "/poolscope/"},
		{Mainnet, "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", 840_003, 20_000, 1, ""},
		{Mainnet, "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0", "", 1_050_000, 0, 7, "/poolscope/"},
		{Testnet3, "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn", "", 4_600_000, 0, 2, "/poolscope/"},
		{Testnet4, "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7", "", 100_000, 0, 12, "/poolscope/"},
		{Signet, "tb1pqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesf3hn0c", "2MzQwSSnBHWHqSAqtTVQ6v47XtaisrJa1Vc", 270_000, 7_500, 5, "/signet pool/"},
		{Regtest, "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", "", 16, 0, 0, "/poolscope/"},
		{Regtest, "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn", 213, 10_000, 9, "/poolscope/"},
	}
	vectors := make([]pageVector, len(tests))
	for i, tt := range tests {
		script, err := PayoutScript(tt.address, tt.network)
		if err != nil {
			t.Fatal(err)
		}
		value := Subsidy(tt.height, tt.network) + int64(tt.transactions)*1_234
		fee := value / 1e6 * tt.feePPM
		fee += value % 1e6 * tt.feePPM / 1e6
		v := pageVector{
			Name: fmt.Sprintf("%s %s", tt.network, tt.address), Address: tt.address, Network: string(tt.network),
			Height: tt.height, Extranonce1: "a1b2c3d4", Extranonce2Size: 8, Tag: tt.tag,
			FeePercent: float64(tt.feePPM) / 1e4, FeeSats: fee, ValueSats: value,
			Branches: []string{}, PrevHash: DoubleSHA256([]byte(tt.address)).String(),
			Version: "20000000", Bits: "207fffff", NTime: "6878b602",
		}
		outputs := []TxOut{{value - fee, script}}
		if fee > 0 {
			feeScript, err := PayoutScript(tt.fee, tt.network)
			if err != nil {
				t.Fatal(err)
			}
			outputs = append(outputs, TxOut{fee, feeScript})
			v.FeeScript = hex.EncodeToString(feeScript)
		}
		txids := make([]Hash, tt.transactions)
		for n := range txids {
			txids[n] = DoubleSHA256([]byte{byte(n), byte(n >> 8)})
		}
		parts, err := (&CoinbaseTemplate{
			Height: tt.height, Salt: 7, Extranonce1Size: 4, Extranonce2Size: 8, Tag: tt.tag,
			Outputs: outputs, WitnessCommitment: WitnessCommitment(txids),
		}).Build()
		if err != nil {
			t.Fatal(err)
		}
		coinbase := bytes.Join([][]byte{parts.Prefix, unhex(t, v.Extranonce1), make([]byte, 8), parts.Suffix}, nil)
		v.Tx, v.ScriptOffset = hex.EncodeToString(coinbase), len(parts.Prefix)

		branches := MerkleBranches(txids)
		for _, b := range branches {
			v.Branches = append(v.Branches, hex.EncodeToString(b[:]))
		}
		previous, err := ParseHash(v.PrevHash)
		if err != nil {
			t.Fatal(err)
		}
		txid := DoubleSHA256(coinbase)
		root := MerkleRoot(txid, branches)
		header := (&Header{
			Version: 0x20000000, PrevHash: previous, MerkleRoot: root, Time: 0x6878b602, Bits: 0x207fffff,
		}).Bytes()
		v.Txid, v.MerkleRoot, v.Header = txid.String(), root.String(), hex.EncodeToString(header[:])
		vectors[i] = v
	}

	want, err := json.MarshalIndent(vectors, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	want = append(want, '\n')
	if *update {
		if err := os.WriteFile(pageVectors, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(pageVectors)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what the code makes; run: go test ./internal/bitcoin -run PageVectors -update", pageVectors)
	}
}
