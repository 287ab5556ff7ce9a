package sharehash

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// fullShares are shares as a full block has them: a coinbase of 230 bytes and
// 11 branches.
func fullShares(n int) (*Job, []*Share) {
	rng := rand.New(rand.NewPCG(3, 4))
	job, shares := randomShares(rng, n, 11)
	for _, s := range shares {
		s.Coinbase = NewCoinbase(bitcoin.CoinbaseParts{Prefix: randomBytes(rng, 52), Suffix: randomBytes(rng, 166)}, 12)
	}
	return job, shares
}

// BenchmarkHash is the time of one share, for each set of kernels and number of
// shares at once.
func BenchmarkHash(b *testing.B) {
	for _, k := range sets() {
		for _, n := range []int{1, 2, 3, 4, 5, 6, 7, 8, 12, 16} {
			name := k.String()
			if k == 0 {
				name = "crypto"
			}
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				job, shares := fullShares(n)
				e, scratch := newEngine(k), new(Scratch)
				b.ReportAllocs()
				for b.Loop() {
					e.Hash(job, shares, scratch)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/share")
			})
		}
	}
}
