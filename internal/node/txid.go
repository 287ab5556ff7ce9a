package node

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// txHasher computes the ids of transactions; it keeps its hash state between
// them.
type txHasher struct {
	h   hash.Hash
	sum [sha256.Size]byte
}

// identify computes the ids of a transaction, and its weight (BIP141: three
// times the size without witness, plus the full size).
func (x *txHasher) identify(data []byte) (txid, wtxid bitcoin.Hash, weight int64, ok bool) {
	witness, ok := findWitness(data)
	if !ok {
		return txid, wtxid, 0, false
	}
	wtxid = bitcoin.DoubleSHA256(data)
	size := int64(len(data))
	if witness == 0 {
		return wtxid, wtxid, 4 * size, true
	}

	// The id leaves out marker, flag and witnesses (BIP144).
	if x.h == nil {
		x.h = sha256.New()
	}
	x.h.Reset()
	x.h.Write(data[:4])
	x.h.Write(data[6:witness])
	x.h.Write(data[len(data)-4:])
	x.h.Sum(x.sum[:0])
	txid = sha256.Sum256(x.sum[:])

	stripped := int64(4 + witness - 6 + 4)
	return txid, wtxid, 3*stripped + size, true
}

// findWitness walks over a transaction and returns where its witnesses start,
// 0 when it has none. All of data must be one transaction.
func findWitness(data []byte) (offset int, ok bool) {
	r := byteReader{data: data}
	r.skip(4) // version
	segwit := len(data) > 5 && data[4] == 0 && data[5] == 1
	if segwit {
		r.skip(2) // marker and flag
	}
	inputs := r.count(41)
	for range inputs {
		r.skip(36) // outpoint
		r.skip(r.count(1))
		r.skip(4) // sequence
	}
	for range r.count(9) {
		r.skip(8) // value
		r.skip(r.count(1))
	}
	if segwit {
		offset = r.pos
		for range inputs {
			for range r.count(1) {
				r.skip(r.count(1))
			}
		}
	}
	r.skip(4) // lock time
	return offset, !r.bad && r.pos == len(data)
}

// byteReader walks over serialized Bitcoin data. The first overrun sticks.
type byteReader struct {
	data []byte
	pos  int
	bad  bool
}

func (r *byteReader) skip(n int) {
	if r.bad || n > len(r.data)-r.pos {
		r.bad = true
		return
	}
	r.pos += n
}

// next returns the next n bytes, nil when there are fewer.
func (r *byteReader) next(n int) []byte {
	start := r.pos
	r.skip(n)
	if r.bad {
		return nil
	}
	return r.data[start:r.pos]
}

// count reads a compact size that counts things of at least size bytes each.
// A number that cannot be true for the rest of the data is an error.
func (r *byteReader) count(size int) int {
	first := r.next(1)
	if r.bad {
		return 0
	}
	n := uint64(first[0])
	switch n {
	case 0xfd:
		if b := r.next(2); !r.bad {
			n = uint64(binary.LittleEndian.Uint16(b))
		}
	case 0xfe:
		if b := r.next(4); !r.bad {
			n = uint64(binary.LittleEndian.Uint32(b))
		}
	case 0xff:
		if b := r.next(8); !r.bad {
			n = binary.LittleEndian.Uint64(b)
		}
	}
	if r.bad || n > uint64((len(r.data)-r.pos)/size) {
		r.bad = true
		return 0
	}
	return int(n)
}
