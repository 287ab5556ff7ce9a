package bitcoin

import (
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// TestMerkleRoot compares with the whole tree, computed level by level.
func TestMerkleRoot(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		row := randomHashes(rng, 1+rapid.IntRange(0, 300).Draw(t, "txs"))
		branches := MerkleBranches(row[1:])
		got := MerkleRoot(row[0], branches)

		levels := 0
		for want := row; ; levels++ {
			if len(want) == 1 {
				if got != want[0] {
					t.Errorf("root %s, want %s", got, want[0])
				}
				break
			}
			if len(want)%2 == 1 {
				want = append(want, want[len(want)-1])
			}
			var next []Hash
			for i := 0; i < len(want); i += 2 {
				next = append(next, DoubleSHA256(append(append([]byte(nil), want[i][:]...), want[i+1][:]...)))
			}
			want = next
		}
		if len(branches) != levels {
			t.Errorf("%d branches for %d levels", len(branches), levels)
		}
	})
}

func TestMerkleBranchesKeepTheirInput(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	txids := randomHashes(rng, 9)
	before := append([]Hash(nil), txids...)
	MerkleBranches(txids)
	for i := range txids {
		if txids[i] != before[i] {
			t.Fatalf("txid %d changed", i)
		}
	}
}

func TestNoBranchesIsNotNil(t *testing.T) {
	// A notify without transactions must hold [], never null.
	if b := MerkleBranches(nil); b == nil || len(b) != 0 {
		t.Errorf("got %v", b)
	}
}

func randomHashes(rng *rand.Rand, n int) []Hash {
	hashes := make([]Hash, n)
	for i := range hashes {
		for j := range hashes[i] {
			hashes[i][j] = byte(rng.Uint32())
		}
	}
	return hashes
}
