package bitcoin

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"math"
	"os"
	"strconv"
	"testing"
)

// shareVector is a share that a pool's software really accepted or recorded:
// what was in notify and submit, and what must come out.
type shareVector struct {
	Name, Source, Extranonce1, Prevhash, Coinb1, Coinb2 string
	Branches                                            []string
	Version, NBits, Extranonce2, NTime, Nonce, Mask     string
	VersionBits                                         string `json:"version_bits"`

	Header, Hash string
	Difficulty   float64
	CoinbaseTxid string `json:"coinbase_txid"`
	CoinbaseSize int    `json:"coinbase_size"`
	IsBlock      bool   `json:"is_block"`
}

func TestRecordedShares(t *testing.T) {
	var vectors []shareVector
	readJSON(t, "testdata/shares.json", &vectors)
	if len(vectors) == 0 {
		t.Fatal("no vectors")
	}
	for _, v := range vectors {
		t.Run(v.Name, func(t *testing.T) {
			coinbase := unhex(t, v.Coinb1+v.Extranonce1+v.Extranonce2+v.Coinb2)
			if len(coinbase) != v.CoinbaseSize {
				t.Errorf("coinbase has %d bytes, want %d", len(coinbase), v.CoinbaseSize)
			}
			txid := DoubleSHA256(coinbase)
			if txid.String() != v.CoinbaseTxid {
				t.Errorf("coinbase id %s, want %s", txid, v.CoinbaseTxid)
			}
			branches := make([]Hash, len(v.Branches))
			for i, b := range v.Branches {
				branches[i] = Hash(unhex(t, b))
			}

			mask, bits := unhex32(t, v.Mask), uint32(0)
			if v.VersionBits != "" {
				bits = unhex32(t, v.VersionBits)
			}
			header := Header{
				Version:    unhex32(t, v.Version)&^mask | bits&mask,
				PrevHash:   stratumPrevHash(unhex(t, v.Prevhash)),
				MerkleRoot: MerkleRoot(txid, branches),
				Time:       unhex32(t, v.NTime),
				Bits:       unhex32(t, v.NBits),
				Nonce:      unhex32(t, v.Nonce),
			}
			checkHeader(t, header, v.Header, v.Hash, v.Difficulty)

			hash := header.Hash()
			target, err := TargetFromBits(header.Bits)
			if err != nil {
				t.Fatal(err)
			}
			if got := hash.Meets(&target); got != v.IsBlock {
				t.Errorf("is a block: %v, want %v", got, v.IsBlock)
			}
			// The share meets the target of its own difficulty, give or take
			// the last bit, and not of a slightly higher one.
			below, above := TargetFromDifficulty(v.Difficulty*(1-1e-15)), TargetFromDifficulty(v.Difficulty*(1+1e-15))
			if !hash.Meets(&below) || hash.Meets(&above) {
				t.Errorf("hash %s is not at difficulty %v", hash, v.Difficulty)
			}
		})
	}
}

func TestKnownHeaders(t *testing.T) {
	var vectors []struct {
		Name, Header, Hash string
		Difficulty         float64
	}
	readJSON(t, "testdata/headers.json", &vectors)
	if len(vectors) == 0 {
		t.Fatal("no vectors")
	}
	for _, v := range vectors {
		t.Run(v.Name, func(t *testing.T) {
			header, err := ParseHeader(unhex(t, v.Header))
			if err != nil {
				t.Fatal(err)
			}
			checkHeader(t, header, v.Header, v.Hash, v.Difficulty)
		})
	}
}

// checkHeader compares a header, its hash and its true difficulty.
func checkHeader(t *testing.T, header Header, wantBytes, wantHash string, wantDifficulty float64) {
	t.Helper()
	b := header.Bytes()
	if got := hex.EncodeToString(b[:]); got != wantBytes {
		t.Errorf("header\n got %s\nwant %s", got, wantBytes)
	}
	hash := header.Hash()
	if hash.String() != wantHash {
		t.Errorf("hash %s, want %s", hash, wantHash)
	}
	if got := HashDifficulty(&hash); !withinUlp(got, wantDifficulty) {
		t.Errorf("difficulty %v, want %v", got, wantDifficulty)
	}
}

// stratumPrevHash undoes Stratum's swapping of the bytes of each word.
func stratumPrevHash(b []byte) Hash {
	var h Hash
	for i := 0; i < len(h); i += 4 {
		binary.LittleEndian.PutUint32(h[i:], binary.BigEndian.Uint32(b[i:]))
	}
	return h
}

// withinUlp reports whether two floats are equal or neighbours.
func withinUlp(a, b float64) bool {
	return a == b || math.Nextafter(a, b) == b
}

func readJSON(t *testing.T, name string, into any) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func unhex32(t testing.TB, s string) uint32 {
	t.Helper()
	n, err := strconv.ParseUint(s, 16, 32)
	if err != nil {
		t.Fatal(err)
	}
	return uint32(n)
}
