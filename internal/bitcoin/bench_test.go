package bitcoin

import (
	"math/rand/v2"
	"testing"
)

// share is everything that a share needs, with a coinbase of 230 bytes and 11
// branches, as a full mainnet block has them.
type share struct {
	coinbase []byte // extranonces at 50
	branches []Hash
	header   Header
	target   Target
}

func newShare() *share {
	rng := rand.New(rand.NewPCG(3, 4))
	s := &share{coinbase: make([]byte, 230), branches: randomHashes(rng, 11), target: TargetFromDifficulty(1024)}
	s.header = Header{Version: 0x20000000, PrevHash: randomHashes(rng, 1)[0], Time: 1_700_000_000, Bits: 0x17034219}
	return s
}

// check does the work of one share: coinbase, merkle root, header, verdict.
func (s *share) check() (float64, bool) {
	s.coinbase[55]++
	s.header.MerkleRoot = MerkleRoot(DoubleSHA256(s.coinbase), s.branches)
	hash := s.header.Hash()
	return HashDifficulty(&hash), hash.Meets(&s.target)
}

// TestHotPathDoesNotAllocate covers what runs for every share.
func TestHotPathDoesNotAllocate(t *testing.T) {
	s := newShare()
	hash := s.header.Hash()
	buf := make([]byte, 0, 400)
	var sinkFloat float64
	var sinkBool bool
	var sinkHash Hash
	var sinkTarget Target
	for name, f := range map[string]func(){
		"Meets":                func() { sinkBool = hash.Meets(&s.target) },
		"HashDifficulty":       func() { sinkFloat = HashDifficulty(&hash) },
		"DoubleSHA256":         func() { sinkHash = DoubleSHA256(s.coinbase) },
		"MerkleRoot":           func() { sinkHash = MerkleRoot(hash, s.branches) },
		"Header.Hash":          func() { sinkHash = s.header.Hash() },
		"TargetFromDifficulty": func() { sinkTarget = TargetFromDifficulty(1024.5) },
		"Target.Difficulty":    func() { sinkFloat = sinkTarget.Difficulty() },
		"AppendDifficulty":     func() { buf = AppendDifficulty(buf[:0], 0.00012345) },
		"whole share":          func() { sinkFloat, sinkBool = s.check() },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
	_, _, _ = sinkFloat, sinkBool, sinkHash
}

func BenchmarkMeets(b *testing.B) {
	s := newShare()
	hash := s.header.Hash()
	b.ReportAllocs()
	for b.Loop() {
		hash.Meets(&s.target)
	}
}

func BenchmarkHashDifficulty(b *testing.B) {
	s := newShare()
	hash := s.header.Hash()
	b.ReportAllocs()
	for b.Loop() {
		HashDifficulty(&hash)
	}
}

func BenchmarkMerkleRoot11(b *testing.B) {
	s := newShare()
	hash := s.header.Hash()
	b.ReportAllocs()
	for b.Loop() {
		MerkleRoot(hash, s.branches)
	}
}

func BenchmarkHeaderHash(b *testing.B) {
	s := newShare()
	b.ReportAllocs()
	for b.Loop() {
		s.header.Hash()
	}
}

func BenchmarkShare(b *testing.B) {
	s := newShare()
	b.ReportAllocs()
	for b.Loop() {
		s.check()
	}
}

func BenchmarkTargetFromDifficulty(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		TargetFromDifficulty(1024.5)
	}
}

func BenchmarkAppendDifficulty(b *testing.B) {
	buf := make([]byte, 0, 32)
	b.ReportAllocs()
	for b.Loop() {
		buf = AppendDifficulty(buf[:0], 0.00012345)
	}
}

func BenchmarkBuild(b *testing.B) {
	c := exampleTemplate(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Build(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAuditCoinbase(b *testing.B) {
	coinbase, want := assemble(b, exampleTemplate(b), exampleExtranonces), exampleAudit(b)
	b.ReportAllocs()
	for b.Loop() {
		if err := AuditCoinbase(coinbase, want); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMerkleBranches(b *testing.B) {
	txids := randomHashes(rand.New(rand.NewPCG(5, 6)), 1560)
	b.ReportAllocs()
	for b.Loop() {
		MerkleBranches(txids)
	}
}
