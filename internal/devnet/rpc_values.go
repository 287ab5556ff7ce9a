package devnet

import (
	"encoding/json"
	"fmt"
	"math/big"

	"github.com/btcsuite/btcd/blockchain"
)

// amount is a number of satoshis that encodes as Core does: bitcoins with
// eight decimals.
type amount int64

// MarshalJSON implements json.Marshaler.
func (a amount) MarshalJSON() ([]byte, error) {
	sign, v := "", int64(a)
	if v < 0 {
		sign, v = "-", -v
	}
	return fmt.Appendf(nil, "%s%d.%08d", sign, v/1e8, v%1e8), nil
}

var _ json.Marshaler = amount(0)

// hex256 writes a number as 64 hex digits.
func hex256(n *big.Int) string { return fmt.Sprintf("%064x", n) }

// bitsHex writes compact bits as eight hex digits.
func bitsHex(bits uint32) string { return fmt.Sprintf("%08x", bits) }

// targetHex writes the target of compact bits.
func targetHex(bits uint32) string { return hex256(blockchain.CompactToBig(bits)) }
