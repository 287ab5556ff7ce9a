package miner

import (
	"crypto/sha256"
	"encoding"
	"encoding/binary"
	"hash"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// Hasher searches nonces of one header. It is for one goroutine.
//
// The first 64 of the 80 header bytes are hashed once per header. For each
// nonce the state of crypto/sha256 behind them is restored from its
// serialization, in which the nonce is patched where it waits for the end of
// its block; so a try costs two SHA-256 blocks instead of three, and still uses
// the SHA instructions of the processor where it has them.
type Hasher struct {
	digest hash.Hash
	state  encoding.BinaryUnmarshaler // the same digest
	mid    []byte                     // serialized state after 80 bytes
	header [bitcoin.HeaderSize]byte
	first  [sha256.Size]byte
}

// nonceInState is where the nonce is in the serialized state of crypto/sha256:
// 4 bytes magic, 8 words of state, then the buffered bytes 64 to 79 of the
// header, of which the last four are the nonce.
const nonceInState = 4 + 32 + 12

// NewHasher returns a hasher without a header.
func NewHasher() *Hasher {
	h := &Hasher{digest: sha256.New()}
	h.state = h.digest.(encoding.BinaryUnmarshaler)
	h.SetHeader(&bitcoin.Header{})
	return h
}

// SetHeader sets the header to search. Its nonce is ignored.
func (h *Hasher) SetHeader(header *bitcoin.Header) {
	h.header = header.Bytes()
	h.digest.Reset()
	h.digest.Write(h.header[:])
	mid, err := h.digest.(encoding.BinaryAppender).AppendBinary(h.mid[:0])
	if err != nil {
		// crypto/sha256 serializes every state.
		panic("miner: sha256 state: " + err.Error())
	}
	h.mid = mid
}

// Scan tries up to count nonces from start on and stops at the first whose hash
// meets the target. tried counts the hashes, including the one found. The nonce
// wraps around.
func (h *Hasher) Scan(start uint32, count uint64, target *bitcoin.Target) (nonce uint32, found bitcoin.Hash, tried uint64, ok bool) {
	// Nearly every hash is dismissed by its most significant 64 bits.
	b := target.Bytes()
	top := binary.BigEndian.Uint64(b[:8])

	nonce = start
	for tried = 1; tried <= count; tried++ {
		binary.LittleEndian.PutUint32(h.mid[nonceInState:], nonce)
		if h.state.UnmarshalBinary(h.mid) != nil {
			panic("miner: sha256 state does not restore")
		}
		found = sha256.Sum256(h.digest.Sum(h.first[:0]))
		if binary.LittleEndian.Uint64(found[24:]) <= top && found.Meets(target) {
			return nonce, found, tried, true
		}
		nonce++
	}
	return 0, bitcoin.Hash{}, count, false
}

// benchmarkChunk is the number of hashes between two looks at the clock.
const benchmarkChunk = 4096

// Benchmark hashes on the calling goroutine for about d and returns hashes per
// second of one thread.
func Benchmark(d time.Duration) float64 {
	h := NewHasher()
	var impossible bitcoin.Target
	var total, nonce uint64
	for start := time.Now(); ; {
		_, _, tried, _ := h.Scan(uint32(nonce), benchmarkChunk, &impossible)
		total += tried
		nonce += tried
		if elapsed := time.Since(start); elapsed >= d {
			return float64(total) / elapsed.Seconds()
		}
	}
}
