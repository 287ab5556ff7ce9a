package miner

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"math/bits"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"
	"pgregory.net/rapid"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/stratum"
)

// Recorded shares are found again: the header that a job gives is the recorded
// one, and a scan of the nonces around stops at the recorded nonce.
func TestRecordedSharesAreFoundAgain(t *testing.T) {
	for _, v := range shareVectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			job, err := ParseJob(v.Notify)
			if err != nil {
				t.Fatal(err)
			}
			header := job.Header(unhex(t, v.Extranonce), unhex(t, v.Submit[2]))
			header.Time = hex32(t, v.Submit[3])
			nonce := hex32(t, v.Submit[4])
			if len(v.Submit) > 5 {
				header.Version = RollVersion(job.Version, hex32(t, v.Submit[5]), hex32(t, v.Mask))
			}

			header.Nonce = nonce
			got := header.Bytes()
			if hex.EncodeToString(got[:]) != v.Header {
				t.Fatalf("header\n got %x\nwant %s", got, v.Header)
			}

			h := NewHasher()
			h.SetHeader(&header)
			target := bitcoin.TargetFromDifficulty(v.Difficulty * 0.999999)
			found, hash, _, ok := h.Scan(nonce-5000, 10000, &target)
			if !ok || found != nonce || hash.String() != v.Hash {
				t.Errorf("found %v: nonce %08x, hash %s; want %08x, %s", ok, found, hash, nonce, v.Hash)
			}
		})
	}
}

func TestJobHeight(t *testing.T) {
	prefix := strings.Repeat("00", scriptSigAt)
	for script, want := range map[string]int64{
		"5104abcd":         1,
		"600000":           16,
		"0111":             17,
		"028000":           128,
		"02ff7f":           32767,
		"03a0860c":         820896,
		"0400000001":       1 << 24,
		"03ffff80":         0, // negative
		"0380":             0, // cut off
		"00":               0,
		"0900000000000000": 0,
		"":                 0,
	} {
		j := Job{Coinbase1: unhex(t, prefix+script)}
		if got := j.Height(); got != want {
			t.Errorf("height of %s = %d, want %d", script, got, want)
		}
	}
}

// The heights of coinbases that the pool's own builder makes are read back.
func TestJobHeightOfOurOwnCoinbases(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		height := rapid.OneOf(rapid.Int64Range(1, 300), rapid.Int64Range(0x7000, 0x9000), rapid.Int64Range(1, 5_000_000)).Draw(t, "height")
		c := bitcoin.CoinbaseTemplate{Height: height, Extranonce1Size: 4, Extranonce2Size: 8, Outputs: []bitcoin.TxOut{{Value: 1, Script: []byte{0x51}}}}
		parts, err := c.Build()
		if err != nil {
			t.Fatal(err)
		}
		if got := (&Job{Coinbase1: parts.Prefix}).Height(); got != height {
			t.Fatalf("height %d read as %d", height, got)
		}
	})
}

// BIP310: bits outside the mask come from the job, bits inside from the miner.
func TestRollVersion(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		version, vb, mask := rapid.Uint32().Draw(t, "version"), rapid.Uint32().Draw(t, "bits"), rapid.Uint32().Draw(t, "mask")
		got := RollVersion(version, vb, mask)
		for i := range 32 {
			from := version
			if mask>>i&1 == 1 {
				from = vb
			}
			if got>>i&1 != from>>i&1 {
				t.Fatalf("bit %d of %08x from %08x, %08x, mask %08x", i, got, version, vb, mask)
			}
		}
	})
}

func TestSpreadBitsCountsThroughTheMask(t *testing.T) {
	for _, mask := range []uint32{0, 1, 0x1fffe000, 0x00a00000, 0x80000001, 0x00ff} {
		n := min(uint64(1)<<bits.OnesCount32(mask), 1<<16)
		seen := map[uint32]bool{}
		for i := range n {
			v := spreadBits(i, mask)
			if v&^mask != 0 || seen[v] {
				t.Fatalf("mask %08x: value %d is %08x, seen before %v", mask, i, v, seen[v])
			}
			seen[v] = true
		}
		if spreadBits(n, mask) != 0 && mask != 0x1fffe000 {
			t.Errorf("mask %08x: value %d does not start again", mask, n)
		}
	}
	if got := spreadBits(0xffff, 0x1fffe000); got != 0x1fffe000 {
		t.Errorf("last value of the mask = %08x", got)
	}
}

func TestParseJobRefuses(t *testing.T) {
	good := paramsOf(t, notifyLine(jobLine{id: "1", branches: 2}))
	if _, err := ParseJob(good); err != nil {
		t.Fatal(err)
	}
	for i, bad := range [][]string{
		{`7`, `""`, `null`, `"` + strings.Repeat("x", maxJobID+1) + `"`},
		{`"00"`, `7`, `"` + strings.Repeat("zz", 32) + `"`, `"` + strings.Repeat("00", 33) + `"`},
		{`"0"`, `"0g"`},
		{`"0"`, `"xy"`},
		{`{}`, `["00"]`, `[7]`, `[` + strings.Repeat(`"`+strings.Repeat("00", 32)+`",`, maxBranches) + `"` + strings.Repeat("00", 32) + `"]`},
		{`"123456789"`, `""`, `536870912`},
		{`"123456789"`, `"x"`, `null`},
		{`"123456789"`, `"x"`, `[]`},
		{`"true"`, `1`},
	} {
		for _, value := range bad {
			params := append([]json.RawMessage(nil), good...)
			params[i] = json.RawMessage(value)
			if j, err := ParseJob(params); !errors.Is(err, ErrBadJob) {
				t.Errorf("parameter %d = %.80s: %+v, %v", i, value, j, err)
			}
		}
	}
	if _, err := ParseJob(good[:8]); !errors.Is(err, ErrBadJob) {
		t.Errorf("eight parameters: %v", err)
	}
}

// The pool's encoder and this parser agree about every field.
func TestParseJobReadsWhatThePoolWrites(t *testing.T) {
	n := stratum.Notify{
		JobID: "3f1", PrevHash: bitcoin.Hash{1, 2, 3, 4, 5}, Branches: []bitcoin.Hash{{7}, {8, 9}},
		Coinbase: bitcoin.CoinbaseParts{Prefix: []byte{1, 2}, Suffix: []byte{3}},
		Version:  0x20000000, Bits: 0x1705ae3a, Time: 0x647025b5,
	}
	line := append(stratum.AppendNotifyHead(nil, &n), stratum.CleanTail...)
	j, err := ParseJob(paramsOf(t, string(line)))
	if err != nil {
		t.Fatal(err)
	}
	if j.ID != n.JobID || j.PrevHash != n.PrevHash || len(j.Branches) != 2 || j.Branches[1] != n.Branches[1] ||
		string(j.Coinbase1) != "\x01\x02" || string(j.Coinbase2) != "\x03" ||
		j.Version != n.Version || j.Bits != n.Bits || j.Time != n.Time || !j.Clean {
		t.Errorf("%+v from %s", j, line)
	}
}

// The merkle root, by btcd's hash functions.
func TestJobHeaderMerkleRoot(t *testing.T) {
	j := Job{Coinbase1: []byte("one"), Coinbase2: []byte("two"), Branches: []bitcoin.Hash{{1}, {2}, {3}}}
	want := chainhash.DoubleHashH([]byte("oneABCDtwo"))
	for _, b := range j.Branches {
		want = chainhash.DoubleHashH(append(want[:], b[:]...))
	}
	if got := j.Header([]byte("AB"), []byte("CD")).MerkleRoot; chainhash.Hash(got) != want {
		t.Errorf("merkle root %s, want %s", got, want)
	}
}

func TestAppendSubmit(t *testing.T) {
	for _, c := range []struct {
		rolled bool
		want   string
	}{
		{false, `{"id":12,"method":"mining.submit","params":["a\"b.rig","3f1","00000000000000ff","647025b5","0000000a"]}` + "\n"},
		{true, `{"id":12,"method":"mining.submit","params":["a\"b.rig","3f1","00000000000000ff","647025b5","0000000a","00002000"]}` + "\n"},
	} {
		got := string(AppendSubmit(nil, 12, `a"b.rig`, "3f1", putExtranonce2(255, 8), 0x647025b5, 10, c.rolled, 0x2000))
		if got != c.want {
			t.Errorf("got  %swant %s", got, c.want)
		}
	}
}
