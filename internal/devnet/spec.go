package devnet

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/big"
	"os"
	"time"

	"github.com/btcsuite/btcd/blockchain"
)

// specVersion is the layout of devnet.json.
const specVersion = 1

// chainSpec is what makes one chain different from another. It is chosen when
// the chain is created, kept in devnet.json, and never changes afterwards: a
// chain keeps its difficulty whatever the flags of later starts say.
type chainSpec struct {
	Version int  `json:"version"`
	Regtest bool `json:"regtest"`
	// Bits is the compact target of every block that miners find.
	Bits uint32 `json:"bits"`
	// CreatedAt is the time of the last block mined in advance, Unix seconds;
	// the genesis block and the others lie before it.
	CreatedAt int64 `json:"created_at"`
	// Premine is how many blocks are mined in advance to the devnet wallet.
	Premine int32 `json:"premine"`
}

// newSpec chooses the parameters of a new chain.
func newSpec(cfg Config) chainSpec {
	s := chainSpec{
		Version:   specVersion,
		Regtest:   cfg.Regtest,
		Bits:      demoBits(cfg.Hashrate, cfg.BlockInterval),
		CreatedAt: cfg.Now().Add(-premineAge).Unix(),
		Premine:   premineBlocks,
	}
	if cfg.Regtest {
		s.Bits = powLimitBits
		if cfg.TxRate == 0 {
			s.Premine = 0
		}
	}
	return s
}

// demoBits returns the compact target at which miners of the given rate
// (hashes per second) find a block once per interval on average.
func demoBits(hashrate float64, interval time.Duration) uint32 {
	hashes := hashrate * interval.Seconds()
	if hashes < 2 {
		return powLimitBits
	}
	space := new(big.Float).SetMantExp(big.NewFloat(1), 256)
	target, _ := space.Quo(space, big.NewFloat(hashes)).Int(nil)
	if target.Cmp(powLimit()) > 0 {
		return powLimitBits
	}
	bits := blockchain.BigToCompact(target)
	if blockchain.CompactToBig(bits).Sign() <= 0 {
		return blockchain.BigToCompact(big.NewInt(1))
	}
	return bits
}

// expectedHashes returns how many hashes a block with these bits takes on
// average.
func expectedHashes(bits uint32) float64 {
	work, _ := new(big.Float).SetInt(blockchain.CalcWork(bits)).Float64()
	return math.Max(work, 1)
}

// loadSpec reads devnet.json, or creates it for a new chain.
func loadSpec(path string, cfg Config) (s chainSpec, created bool, err error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		s = newSpec(cfg)
		data, err = json.MarshalIndent(s, "", "  ")
		if err != nil {
			return s, false, fmt.Errorf("devnet: encode %s: %w", path, err)
		}
		return s, true, writeFile(path, append(data, '\n'), 0o644)
	}
	if err != nil {
		return s, false, fmt.Errorf("devnet: read %s: %w", path, err)
	}

	err = json.Unmarshal(data, &s)
	switch {
	case err != nil:
		return s, false, fmt.Errorf("%w: %s: %w; the file was left as it is, move the data directory away to start over", ErrCorrupt, path, err)
	case s.Version != specVersion:
		return s, false, fmt.Errorf("%w: %s has version %d, this program reads %d; move the data directory away to start over", ErrCorrupt, path, s.Version, specVersion)
	case s.Premine < 0 || s.Premine > premineBlocks || blockchain.CompactToBig(s.Bits).Sign() <= 0:
		return s, false, fmt.Errorf("%w: %s holds impossible values; the file was left as it is, move the data directory away to start over", ErrCorrupt, path)
	}
	return s, false, nil
}
