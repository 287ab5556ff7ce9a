package miner

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// shareVector is a share recorded from a real pool or miner, with facts about
// it that were computed by other programs.
type shareVector struct {
	Name       string            `json:"name"`
	Extranonce string            `json:"enonce1"`
	Notify     []json.RawMessage `json:"notify"`
	Submit     []string          `json:"submit"` // user, job, extranonce2, ntime, nonce, version bits
	Mask       string            `json:"mask"`
	Header     string            `json:"header"`
	Hash       string            `json:"hash"`
	Difficulty float64           `json:"difficulty"`
}

func shareVectors(t testing.TB) []shareVector {
	t.Helper()
	text, err := os.ReadFile("testdata/shares.json")
	if err != nil {
		t.Fatal(err)
	}
	var v []shareVector
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	if len(v) < 5 {
		t.Fatalf("only %d share vectors", len(v))
	}
	return v
}

// chainHash is the block hash by btcd's code, which shares nothing with ours.
func chainHash(t testing.TB, header [80]byte) chainhash.Hash {
	t.Helper()
	var h wire.BlockHeader
	if err := h.Deserialize(bytes.NewReader(header[:])); err != nil {
		t.Fatal(err)
	}
	return h.BlockHash()
}

func TestHasherMatchesBtcd(t *testing.T) {
	everything := bitcoin.TargetFromDifficulty(0)
	h := NewHasher()
	for i := range uint32(300) {
		header := bitcoin.Header{Version: i * 77777777, Time: i, Bits: ^i, Nonce: i << 20}
		for k := range header.PrevHash {
			header.PrevHash[k], header.MerkleRoot[k] = byte(i)+byte(k), byte(i)*byte(k)
		}
		h.SetHeader(&header)
		nonce, got, tried, ok := h.Scan(header.Nonce, 5, &everything)
		if !ok || tried != 1 || nonce != header.Nonce {
			t.Fatalf("scan = nonce %d, tried %d, %v", nonce, tried, ok)
		}
		if want := chainHash(t, header.Bytes()); chainhash.Hash(got) != want {
			t.Fatalf("header %d: hash %s, btcd says %s", i, got, want)
		}
	}
}

// The last byte of the 8-byte comparison and those below decide here: each
// target is met by exactly one of the hashes scanned.
func TestScanStopsAtTheFirstHashThatMeetsTheTarget(t *testing.T) {
	const n = 2000
	header := bitcoin.Header{Version: 1, Bits: 0x207fffff}
	best, bestNonce := bitcoin.Hash{}, uint32(0)
	for nonce := range uint32(n) {
		header.Nonce = nonce
		got := bitcoin.Hash(chainHash(t, header.Bytes()))
		if nonce == 0 || bitcoin.HashDifficulty(&got) > bitcoin.HashDifficulty(&best) {
			best, bestNonce = got, nonce
		}
	}

	var bigEndian [32]byte
	for i := range best {
		bigEndian[31-i] = best[i]
	}
	h := NewHasher()
	h.SetHeader(&header)
	exact := bitcoin.TargetFromBytes(bigEndian)
	nonce, hash, tried, ok := h.Scan(0, n, &exact)
	if !ok || nonce != bestNonce || hash != best || tried != uint64(bestNonce)+1 {
		t.Errorf("exact target: nonce %d, tried %d, found %v; want nonce %d", nonce, tried, ok, bestNonce)
	}

	bigEndian[31]-- // no borrow in a hash that does not end in zero
	if best[0] == 0 {
		t.Fatal("choose another header")
	}
	below := bitcoin.TargetFromBytes(bigEndian)
	if _, _, tried, ok := h.Scan(0, n, &below); ok || tried != n {
		t.Errorf("a target one below the best hash: found %v after %d", ok, tried)
	}
}

func TestScanWrapsAround(t *testing.T) {
	header := bitcoin.Header{Version: 12}
	h := NewHasher()
	h.SetHeader(&header)
	var bigEndian [32]byte
	want := bitcoin.Hash(chainHash(t, header.Bytes())) // nonce 0
	for i := range want {
		bigEndian[31-i] = want[i]
	}
	target := bitcoin.TargetFromBytes(bigEndian)
	nonce, got, _, ok := h.Scan(0xffffffff, 2, &target)
	if ok && nonce == 0xffffffff {
		t.Fatal("choose another header")
	}
	if !ok || nonce != 0 || got != want {
		t.Errorf("nonce %d, found %v", nonce, ok)
	}
}

func TestScanDoesNotAllocate(t *testing.T) {
	h := NewHasher()
	header := bitcoin.Header{Version: 1}
	target := bitcoin.TargetFromDifficulty(1e9)
	h.SetHeader(&header)
	if n := testing.AllocsPerRun(10, func() { h.Scan(0, 100, &target) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkScan(b *testing.B) {
	h := NewHasher()
	var impossible bitcoin.Target
	for b.Loop() {
		h.Scan(0, 1000, &impossible)
	}
	b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds()/1e6, "MH/s")
}

// BenchmarkPlainDoubleHash is what the midstate saves against.
func BenchmarkPlainDoubleHash(b *testing.B) {
	var header [80]byte
	for b.Loop() {
		for i := range 1000 {
			header[76], header[77] = byte(i), byte(i>>8)
			bitcoin.DoubleSHA256(header[:])
		}
	}
	b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds()/1e6, "MH/s")
}
