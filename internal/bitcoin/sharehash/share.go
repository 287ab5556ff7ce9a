package sharehash

import (
	"encoding/binary"
	"math/bits"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// blockSize is SHA-256's, in bytes.
const blockSize = 64

// Job is what all shares of a job have in common. It never changes.
type Job struct {
	prevHash bitcoin.Hash
	bits     uint32
	branches []bitcoin.Hash
	// fixed are the words of the header that are the same for all shares: the
	// previous hash and the bits, as the kernels read them.
	fixed [9]uint32
}

// NewJob prepares a job. It keeps the branches, which must not change.
func NewJob(prevHash bitcoin.Hash, compactTarget uint32, branches []bitcoin.Hash) *Job {
	j := &Job{prevHash: prevHash, bits: compactTarget, branches: branches}
	for i := range 8 {
		j.fixed[i] = binary.BigEndian.Uint32(prevHash[4*i:])
	}
	j.fixed[8] = bits.ReverseBytes32(compactTarget)
	return j
}

// Coinbase is a coinbase prepared for hashing: everything but the extranonces
// is in its place, SHA-256's padding included. It never changes.
type Coinbase struct {
	message []byte // whole blocks
	size    int    // bytes of the coinbase
	gap     int    // where the extranonces start
	gapSize int    // in bytes, both extranonces together
}

// NewCoinbase prepares a stripped coinbase with room for extranonces bytes
// between its parts.
func NewCoinbase(parts bitcoin.CoinbaseParts, extranonces int) *Coinbase {
	c := &Coinbase{
		size:    len(parts.Prefix) + extranonces + len(parts.Suffix),
		gap:     len(parts.Prefix),
		gapSize: extranonces,
	}
	const end = 1 + 8 // a bit that is set, and the length
	c.message = make([]byte, (c.size+end+blockSize-1)/blockSize*blockSize)
	copy(c.message, parts.Prefix)
	copy(c.message[c.gap+extranonces:], parts.Suffix)
	c.message[c.size] = 0x80
	binary.BigEndian.PutUint64(c.message[len(c.message)-8:], uint64(c.size)*8)
	return c
}

// blocks is the number of blocks of the padded message.
func (c *Coinbase) blocks() int { return len(c.message) / blockSize }

// put writes the padded message with its extranonces.
func (c *Coinbase) put(dst, extranonces []byte) {
	copy(dst, c.message)
	copy(dst[c.gap:c.gap+c.gapSize], extranonces)
}

// Share is a share to be hashed.
type Share struct {
	Coinbase    *Coinbase
	Extranonces []byte // extranonce1 and extranonce2, as many bytes as Coinbase has room for

	// Header needs its version, time and nonce; the rest is filled in.
	Header bitcoin.Header
	Hash   bitcoin.Hash // of the header
}

// Reference hashes the share with crypto/sha256 and nothing else of this
// package. buf is memory for the coinbase and may be nil.
func (s *Share) Reference(job *Job, buf []byte) []byte {
	c := s.Coinbase
	buf = append(buf[:0], c.message[:c.size]...)
	copy(buf[c.gap:c.gap+c.gapSize], s.Extranonces)
	s.Header.PrevHash, s.Header.Bits = job.prevHash, job.bits
	s.Header.MerkleRoot = bitcoin.MerkleRoot(bitcoin.DoubleSHA256(buf), job.branches)
	s.Hash = s.Header.Hash()
	return buf
}
