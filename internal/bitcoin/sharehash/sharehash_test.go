package sharehash

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"
	"pgregory.net/rapid"

	"github.com/poolscope/poolscope/internal/bitcoin"
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

// A kernel that is wrong is not used, and neither is one that goes wrong later.
func TestDistrust(t *testing.T) {
	e := New()
	had := e.used.Load() != 0
	if e.Distrust() != had || e.Distrust() {
		t.Error("distrust is not news once")
	}
	if e.Names() != "crypto/sha256" || (e.Failed() != "") != had {
		t.Errorf("uses %q, failed %q", e.Names(), e.Failed())
	}
	rng := rand.New(rand.NewPCG(5, 6))
	job, shares := randomShares(rng, 17, 11)
	e.Hash(job, shares, new(Scratch))
	for _, s := range shares {
		if s.Hash != independent(job, s) {
			t.Fatal("wrong hash")
		}
	}
}

// A coinbase that is larger than the kernels take is hashed all the same.
func TestHugeCoinbase(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	job, shares := randomShares(rng, 16, 3)
	shares[5].Coinbase = NewCoinbase(bitcoin.CoinbaseParts{Prefix: randomBytes(rng, 52), Suffix: randomBytes(rng, 2*stride)}, 12)
	New().Hash(job, shares, new(Scratch))
	for i, s := range shares {
		if s.Hash != independent(job, s) {
			t.Errorf("share %d is wrong", i)
		}
	}
}

func TestHashAllocatesNothing(t *testing.T) {
	for _, k := range sets() {
		e, scratch := newEngine(k), new(Scratch)
		job, shares := fullShares(23)
		if n := testing.AllocsPerRun(20, func() { e.Hash(job, shares, scratch) }); n >= 1 {
			t.Errorf("%q allocates %v times", k, n)
		}
	}
}

// FuzzHash lets the fuzzer choose the contents of the shares and the work.
func FuzzHash(f *testing.F) {
	f.Add([]byte("coinbase"), uint8(16), uint8(11), uint8(52))
	f.Add([]byte{0x80, 0xff, 0x00}, uint8(1), uint8(0), uint8(0))
	f.Add(make([]byte, 600), uint8(9), uint8(1), uint8(255))
	var engines []*Engine
	for _, k := range sets() {
		engines = append(engines, newEngine(k))
	}
	f.Fuzz(func(t *testing.T, content []byte, n, branches, gap uint8) {
		at := 0
		take := func(n int) []byte { // content again and again, shifted by one
			b := make([]byte, n)
			for i := range b {
				if len(content) > 0 {
					b[i] = content[at%len(content)] + byte(at/max(1, len(content)))
				}
				at++
			}
			return b
		}
		list := make([]bitcoin.Hash, branches%16)
		for i := range list {
			list[i] = bitcoin.Hash(take(32))
		}
		job := NewJob(bitcoin.Hash(take(32)), binary.LittleEndian.Uint32(take(4)), list)
		shares := make([]*Share, n%40)
		for i := range shares {
			parts := bitcoin.CoinbaseParts{Prefix: take(int(gap)), Suffix: take((len(content) + 37*i) % 600)}
			words := take(12)
			shares[i] = &Share{
				Coinbase:    NewCoinbase(parts, 12),
				Extranonces: take(12),
				Header: bitcoin.Header{
					Version: binary.LittleEndian.Uint32(words),
					Time:    binary.LittleEndian.Uint32(words[4:]),
					Nonce:   binary.LittleEndian.Uint32(words[8:]),
				},
			}
		}
		for _, e := range engines {
			e.Hash(job, shares, new(Scratch))
			for i, s := range shares {
				if want := independent(job, s); s.Hash != want {
					t.Fatalf("%s: share %d of %d is %s, want %s", e.Names(), i, len(shares), s.Hash, want)
				}
			}
		}
	})
}
