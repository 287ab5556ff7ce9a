package sharehash

import (
	"math/rand/v2"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// selfTest compares a kernel with crypto/sha256, for every number of shares
// that it takes and for coinbases of every number of blocks. It takes about a
// millisecond.
func selfTest(k kernels) bool {
	e := new(Engine)
	e.used.Store(uint32(k))
	rng := rand.New(rand.NewPCG(1, 2))
	scratch := new(Scratch)
	for n := 1; n <= maxLanes; n++ {
		job, shares := randomShares(rng, n, n%13)
		e.Hash(job, shares, scratch)
		for _, s := range shares {
			want := *s
			want.Reference(job, nil)
			if s.Hash != want.Hash || s.Header != want.Header {
				return false
			}
		}
	}
	return true
}

// randomShares makes shares of one job with coinbases of all sizes.
func randomShares(rng *rand.Rand, n, branches int) (*Job, []*Share) {
	job := NewJob(randomHash(rng), rng.Uint32(), make([]bitcoin.Hash, branches))
	for i := range job.branches {
		job.branches[i] = randomHash(rng)
	}
	shares := make([]*Share, n)
	for i := range shares {
		const extranonces = 12
		prefix, suffix := rng.IntN(130), rng.IntN(stride-9-130-extranonces)
		shares[i] = &Share{
			Coinbase: NewCoinbase(bitcoin.CoinbaseParts{
				Prefix: randomBytes(rng, prefix),
				Suffix: randomBytes(rng, suffix),
			}, extranonces),
			Extranonces: randomBytes(rng, extranonces),
			Header:      bitcoin.Header{Version: rng.Uint32(), Time: rng.Uint32(), Nonce: rng.Uint32()},
		}
	}
	return job, shares
}

func randomHash(rng *rand.Rand) bitcoin.Hash { return bitcoin.Hash(randomBytes(rng, 32)) }

func randomBytes(rng *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}
