package stratum

import (
	"encoding/hex"
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// vector is a share from a recorded session, with the header that it makes.
type vector struct {
	Name     string
	Enonce1  string
	Notify   []any
	Submit   []string
	Mask     string
	Expected struct {
		Header, Hash string
		Diff         float64
		CoinbaseTxid string `json:"coinbase_txid"`
	}
}

func loadVectors(t testing.TB) []vector {
	t.Helper()
	text, err := os.ReadFile("testdata/sv1_shares.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []vector
	if err := json.Unmarshal(text, &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors) < 5 {
		t.Fatalf("only %d vectors", len(vectors))
	}
	return vectors
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func hex32(t testing.TB, s string) uint32 {
	t.Helper()
	v, ok := ParseHex32([]byte(s))
	if !ok {
		t.Fatalf("%q is no 32-bit number", s)
	}
	return v
}

// notifyOf reads the parameters of a recorded mining.notify.
func (v *vector) notifyOf(t testing.TB) (n Notify, tail string) {
	text := func(i int) string { return v.Notify[i].(string) }
	n = Notify{
		JobID:    text(0),
		PrevHash: SwapWords(bitcoin.Hash(unhex(t, text(1)))),
		Coinbase: bitcoin.CoinbaseParts{Prefix: unhex(t, text(2)), Suffix: unhex(t, text(3))},
		Version:  hex32(t, text(5)), Bits: hex32(t, text(6)), Time: hex32(t, text(7)),
	}
	for _, branch := range v.Notify[4].([]any) {
		n.Branches = append(n.Branches, bitcoin.Hash(unhex(t, branch.(string))))
	}
	if v.Notify[8].(bool) {
		return n, CleanTail
	}
	return n, DirtyTail
}

// Encoding what a recorded notify says gives the recorded notify.
func TestNotifyVectors(t *testing.T) {
	for _, v := range loadVectors(t) {
		n, tail := v.notifyOf(t)
		m := decode(t, append(AppendNotifyHead(nil, &n), tail...), "id", "method", "params")
		if diff := cmp.Diff(v.Notify, m["params"]); diff != "" {
			t.Errorf("%s: %s", v.Name, diff)
		}
	}
}

// What the scanner reads of a recorded submit makes the recorded header.
func TestSubmitVectors(t *testing.T) {
	for _, v := range loadVectors(t) {
		n, _ := v.notifyOf(t)
		params, err := json.Marshal(v.Submit)
		if err != nil {
			t.Fatal(err)
		}
		var s Submit
		if !ScanSubmit(params, &s) {
			t.Fatalf("%s: submit does not scan", v.Name)
		}
		coinbase := slices.Concat(n.Coinbase.Prefix, unhex(t, v.Enonce1), unhex(t, string(s.Extranonce2)), n.Coinbase.Suffix)
		txid := bitcoin.DoubleSHA256(coinbase)
		if v.Expected.CoinbaseTxid != txid.String() {
			t.Errorf("%s: coinbase %s, want %s", v.Name, txid, v.Expected.CoinbaseTxid)
		}
		version := n.Version
		if s.Version != nil {
			mask := hex32(t, v.Mask)
			version = version&^mask | hex32(t, string(s.Version))&mask
		}
		header := bitcoin.Header{Version: version, PrevHash: n.PrevHash, MerkleRoot: bitcoin.MerkleRoot(txid, n.Branches),
			Time: hex32(t, string(s.NTime)), Bits: n.Bits, Nonce: hex32(t, string(s.Nonce))}
		raw := header.Bytes()
		if got := hex.EncodeToString(raw[:]); got != v.Expected.Header {
			t.Errorf("%s: header %s, want %s", v.Name, got, v.Expected.Header)
		}
		hash := header.Hash()
		if hash.String() != v.Expected.Hash {
			t.Errorf("%s: hash %s, want %s", v.Name, hash, v.Expected.Hash)
		}
		if got := bitcoin.HashDifficulty(&hash); math.Abs(got/v.Expected.Diff-1) > 1e-9 {
			t.Errorf("%s: difficulty %v, want %v", v.Name, got, v.Expected.Diff)
		}
	}
}
