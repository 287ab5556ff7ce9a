package sharehash

import (
	"encoding/binary"
	"math/bits"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

const (
	maxLanes   = 16
	maxBlocks  = 8 // of a coinbase that the kernels take
	stride     = maxBlocks * blockSize
	headerSize = 2 * blockSize // padded
)

// Lanes are a word of each of the messages that a wide kernel hashes side by
// side, vectors eight words of each.
type (
	lanes16   [16]uint32
	lanes8    [8]uint32
	vectors16 [8]lanes16
	vectors8  [8]lanes8
	rolled16  [3]lanes16 // version, time and nonce as words of the header
	rolled8   [3]lanes8
)

// Scratch is memory for hashing. The zero value is ready; it serves one
// goroutine at a time.
type Scratch struct {
	messages [maxLanes][stride]byte
	headers  [2][headerSize]byte
	coinbase []byte

	wide wide[lanes16]
	half wide[lanes8]
}

// wide is what a wide kernel reads and writes.
type wide[L lanes16 | lanes8] struct {
	active  [maxBlocks]L // all ones where a message reaches a block
	digests [8]L         // coinbases' ids, then merkle roots
	hashes  [8]L
	rolled  [3]L
}

// Hash completes the headers of shares of one job and hashes them. It does not
// allocate.
func (e *Engine) Hash(job *Job, shares []*Share, m *Scratch) {
	available := kernels(e.used.Load())
	for len(shares) > 0 {
		kernel, n := available.next(len(shares))
		if !allFit(shares[:n]) {
			kernel = 0
		}
		switch {
		case kernel == avx512Lanes:
			m.sixteen(job, shares[:n])
		case kernel == avx2Lanes:
			m.eight(job, shares[:n])
		case kernel == shaExtensions && n == 2:
			m.two(job, shares[0], shares[1])
		case kernel == shaExtensions:
			m.one(job, shares[0])
		default:
			for _, s := range shares[:n] {
				m.coinbase = s.Reference(job, m.coinbase)
			}
		}
		shares = shares[n:]
	}
}

func allFit(shares []*Share) bool {
	for _, s := range shares {
		if len(s.Coinbase.message) > stride {
			return false
		}
	}
	return true
}

// one hashes a share with the SHA extensions.
func (m *Scratch) one(job *Job, s *Share) {
	s.Coinbase.put(m.messages[0][:], s.Extranonces)
	root := &s.Header.MerkleRoot
	hashNI(root, &m.messages[0][0], s.Coinbase.blocks())
	if len(job.branches) > 0 {
		foldNI(root, &job.branches[0], len(job.branches))
	}
	putHeader(&m.headers[0], job, s)
	hashNI(&s.Hash, &m.headers[0][0], 2)
}

// two hashes two shares side by side with the SHA extensions.
func (m *Scratch) two(job *Job, s, t *Share) {
	s.Coinbase.put(m.messages[0][:], s.Extranonces)
	t.Coinbase.put(m.messages[1][:], t.Extranonces)
	rootS, rootT := &s.Header.MerkleRoot, &t.Header.MerkleRoot
	if n := s.Coinbase.blocks(); n == t.Coinbase.blocks() {
		hashNI2(rootS, rootT, &m.messages[0][0], &m.messages[1][0], n)
	} else {
		hashNI(rootS, &m.messages[0][0], n)
		hashNI(rootT, &m.messages[1][0], t.Coinbase.blocks())
	}
	if len(job.branches) > 0 {
		foldNI2(rootS, rootT, &job.branches[0], len(job.branches))
	}
	putHeader(&m.headers[0], job, s)
	putHeader(&m.headers[1], job, t)
	hashNI2(&s.Hash, &t.Hash, &m.headers[0][0], &m.headers[1][0], 2)
}

// putHeader completes the header and writes it with its padding.
func putHeader(dst *[headerSize]byte, job *Job, s *Share) {
	s.Header.PrevHash, s.Header.Bits = job.prevHash, job.bits
	header := s.Header.Bytes()
	copy(dst[:], header[:])
	dst[bitcoin.HeaderSize] = 0x80
	binary.BigEndian.PutUint16(dst[headerSize-2:], bitcoin.HeaderSize*8)
}

// sixteen hashes up to 16 shares side by side. Lanes without a share hash what
// was there before.
func (m *Scratch) sixteen(job *Job, shares []*Share) {
	w := &m.wide
	blocks := w.load(shares, &m.messages)
	hash16((*vectors16)(&w.digests), &m.messages[0][0], stride, &w.active[0], blocks)
	if len(job.branches) > 0 {
		fold16((*vectors16)(&w.digests), &job.branches[0], len(job.branches))
	}
	headers16((*vectors16)(&w.hashes), (*vectors16)(&w.digests), (*rolled16)(&w.rolled), &job.fixed)
	w.store(job, shares)
}

// eight hashes up to 8 shares side by side.
func (m *Scratch) eight(job *Job, shares []*Share) {
	w := &m.half
	blocks := w.load(shares, &m.messages)
	hash8((*vectors8)(&w.digests), &m.messages[0][0], stride, &w.active[0], blocks)
	if len(job.branches) > 0 {
		fold8((*vectors8)(&w.digests), &job.branches[0], len(job.branches))
	}
	headers8((*vectors8)(&w.hashes), (*vectors8)(&w.digests), (*rolled8)(&w.rolled), &job.fixed)
	w.store(job, shares)
}

// load puts shares into the lanes, one into each, and returns the number of
// blocks of the longest coinbase.
func (w *wide[L]) load(shares []*Share, messages *[maxLanes][stride]byte) int {
	longest := 0
	for i, s := range shares {
		s.Coinbase.put(messages[i][:], s.Extranonces)
		blocks := s.Coinbase.blocks()
		longest = max(longest, blocks)
		for b := range w.active {
			w.active[b][i] = mask(b < blocks)
		}
		w.rolled[0][i] = bits.ReverseBytes32(s.Header.Version)
		w.rolled[1][i] = bits.ReverseBytes32(s.Header.Time)
		w.rolled[2][i] = bits.ReverseBytes32(s.Header.Nonce)
	}
	return longest
}

// store completes the shares.
func (w *wide[L]) store(job *Job, shares []*Share) {
	for i, s := range shares {
		s.Header.PrevHash, s.Header.Bits = job.prevHash, job.bits
		for j := range 8 {
			binary.BigEndian.PutUint32(s.Header.MerkleRoot[4*j:], w.digests[j][i])
			binary.BigEndian.PutUint32(s.Hash[4*j:], w.hashes[j][i])
		}
	}
}

func mask(on bool) uint32 {
	if on {
		return 0xffffffff
	}
	return 0
}

// The numbers of shares from which a wide kernel is faster than what else the
// CPU has, as measured (docs/decisions/0007-hashing-shares.md).
const (
	avx512From      = 7 // beside the SHA extensions
	avx512FromAlone = 2
	avx2FromAlone   = 3
)

// next is the kernel for the next of the waiting shares, and how many it takes.
// No kernel is crypto/sha256.
func (k kernels) next(waiting int) (kernels, int) {
	narrow := k&shaExtensions != 0
	switch {
	case k&avx512Lanes != 0 && (waiting >= avx512From || !narrow && waiting >= avx512FromAlone):
		return avx512Lanes, min(waiting, len(lanes16{}))
	case narrow:
		return shaExtensions, min(waiting, 2)
	case k&avx2Lanes != 0 && waiting >= avx2FromAlone:
		return avx2Lanes, min(waiting, len(lanes8{}))
	}
	return 0, waiting
}
