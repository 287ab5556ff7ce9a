package devnet

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/big"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/wire/v2"
)

// solve searches the nonces of a header, from zero, for one that meets its
// own bits, trying at most maxTries (0 means all 2^32). It returns how many
// it tried.
func solve(ctx context.Context, h *wire.BlockHeader, maxTries uint64) (uint64, error) {
	if maxTries == 0 || maxTries > 1<<32 {
		maxTries = 1 << 32
	}
	h.Nonce = 0
	var buf bytes.Buffer
	if err := h.Serialize(&buf); err != nil {
		return 0, fmt.Errorf("devnet: serialize header: %w", err)
	}
	raw := buf.Bytes()

	// Compared as big-endian bytes; the hash is a little-endian number.
	var target [32]byte
	blockchain.CompactToBig(h.Bits).FillBytes(target[:])
	meets := func(hash *[32]byte) bool {
		for i := range target {
			if b := hash[31-i]; b != target[i] {
				return b < target[i]
			}
		}
		return true
	}

	for tried := uint64(0); tried < maxTries; tried++ {
		if tried&0xffff == 0xffff && ctx.Err() != nil {
			return tried, ctx.Err()
		}
		binary.LittleEndian.PutUint32(raw[76:], uint32(tried))
		first := sha256.Sum256(raw)
		hash := sha256.Sum256(first[:])
		if meets(&hash) {
			h.Nonce = uint32(tried)
			return tried + 1, nil
		}
	}
	return maxTries, errNoSolution
}

// difficultyOf returns the difficulty that compact bits stand for: the ratio
// of the difficulty-1 target to theirs.
func difficultyOf(bits uint32) float64 {
	target := blockchain.CompactToBig(bits)
	if target.Sign() <= 0 {
		return 0
	}
	one := blockchain.CompactToBig(0x1d00ffff)
	d, _ := new(big.Rat).SetFrac(one, target).Float64()
	return d
}
