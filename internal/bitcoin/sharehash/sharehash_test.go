package sharehash

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"
	"pgregory.net/rapid"
)

// sets are all the sets of kernels that some CPU may have and this one has too,
// crypto/sha256 alone included.
func sets() []kernels {
	var all []kernels
	here := detect()
	for k := kernels(0); k <= here; k++ {
		if k&^here == 0 {
			all = append(all, k)
		}
	}
	return all
}

func TestSelfTestPasses(t *testing.T) {
	e := New()
	if e.Failed() != "" {
		t.Errorf("%s failed", e.Failed())
	}
	t.Logf("this CPU: %s", e.Names())
}

// Every set of kernels gives what btcd's double SHA-256 gives, for any number
// of shares.
func TestHash(t *testing.T) {
	for _, k := range sets() {
		t.Run(fmt.Sprintf("%q", k), func(t *testing.T) {
			e, scratch := newEngine(k), new(Scratch)
			if got := kernels(e.used.Load()); got != k {
				t.Fatalf("uses %q", got)
			}
			rapid.Check(t, func(t *rapid.T) {
				rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
				n := rapid.IntRange(0, 40).Draw(t, "shares")
				job, shares := randomShares(rng, n, rapid.IntRange(0, 14).Draw(t, "branches"))
				e.Hash(job, shares, scratch)
				for i, s := range shares {
					if want := independent(job, s); s.Hash != want {
						t.Fatalf("share %d of %d is %s, want %s", i, n, s.Hash, want)
					}
				}
			})
		})
	}
}

// independent hashes a share with btcd's code and plain concatenation.
func independent(job *Job, s *Share) [32]byte {
	c := s.Coinbase
	coinbase := append([]byte(nil), c.message[:c.gap]...)
	coinbase = append(coinbase, s.Extranonces...)
	coinbase = append(coinbase, c.message[c.gap+c.gapSize:c.size]...)
	root := chainhash.DoubleHashH(coinbase)
	for _, b := range job.branches {
		root = chainhash.DoubleHashH(append(root[:], b[:]...))
	}
	header := s.Header
	header.PrevHash, header.Bits, header.MerkleRoot = job.prevHash, job.bits, [32]byte(root)
	raw := header.Bytes()
	return chainhash.DoubleHashH(raw[:])
}

// A CPU is never given a kernel that it does not have.
func TestNextKernelIsAvailable(t *testing.T) {
	for k := range kernels(1 << len(kernelNames)) {
		for waiting := 1; waiting <= 40; waiting++ {
			kernel, n := k.next(waiting)
			if kernel&^k != 0 || n < 1 || n > waiting {
				t.Errorf("%q gives %q %d of %d shares", k, kernel, n, waiting)
			}
		}
	}
}
