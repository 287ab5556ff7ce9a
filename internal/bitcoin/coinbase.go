package bitcoin

import (
	"encoding/binary"
	"fmt"
)

// Limits of a coinbase.
const (
	// DefaultMaxCoinbaseSize is the largest stripped coinbase, in bytes, that
	// every known miner can take: the smallest firmware has a buffer of 255.
	DefaultMaxCoinbaseSize = 250
	// maxScriptSig is the consensus limit of a coinbase's scriptSig in bytes.
	maxScriptSig = 100
	// maxHeight is the last height that nLockTime can hold; from 500,000,000
	// on it means a time.
	maxHeight = 499_999_999
	// coinbaseSequence is not final, so that nLockTime counts (BIP54), and
	// does not signal replacement either.
	coinbaseSequence = 0xfffffffe
	// coinbaseVersion is the transaction version, the one Bitcoin Core uses.
	coinbaseVersion = 2
)

// Script opcodes that this package writes and reads.
const (
	opFalse       = 0x00
	opPushData1   = 0x4c
	op1           = 0x51
	opDup         = 0x76
	opHash160     = 0xa9
	opEqual       = 0x87
	opEqualVerify = 0x88
	opCheckSig    = 0xac
	maxDirectPush = 75 // longest push whose opcode is its length
)

// TxOut is an output of a transaction.
type TxOut struct {
	Value  int64  // satoshis
	Script []byte // output script
}

// CoinbaseTemplate is what a coinbase is made of. The package comment shows
// the layout.
type CoinbaseTemplate struct {
	Height int64  // of the block to be mined
	Flags  []byte // coinbaseaux flags of the node's template, mostly empty
	Salt   uint32 // little-endian in the scriptSig; another salt is other work

	// Extranonce1Size and Extranonce2Size are in bytes; together 1 to 75.
	Extranonce1Size, Extranonce2Size int

	Tag               string  // the pool's text in the block; empty for none
	Outputs           []TxOut // in order: payout, fee, donation
	WitnessCommitment []byte  // script of the last output; nil for none
	MaxSize           int     // of the stripped coinbase in bytes; 0 = DefaultMaxCoinbaseSize
}

// CoinbaseParts is a coinbase's stripped serialization with a gap: a miner
// puts extranonce1 and extranonce2 between Prefix and Suffix. The double
// SHA-256 of all four together is the coinbase's transaction id.
type CoinbaseParts struct{ Prefix, Suffix []byte }

// Build serializes the coinbase around its extranonces. It fails with
// ErrHeight, ErrExtranonceSize, ErrInvalidOutput, ErrInvalidCommitment,
// ErrScriptSigTooLong (a shorter tag helps) or ErrCoinbaseTooLarge (a shorter
// tag or fewer outputs help).
func (c *CoinbaseTemplate) Build() (CoinbaseParts, error) {
	if err := c.check(); err != nil {
		return CoinbaseParts{}, err
	}

	extranonces := c.Extranonce1Size + c.Extranonce2Size
	beforeGap := appendScriptInt(nil, c.Height)
	beforeGap = append(beforeGap, c.Flags...)
	beforeGap = append(beforeGap, 4)
	beforeGap = binary.LittleEndian.AppendUint32(beforeGap, c.Salt)
	beforeGap = append(beforeGap, byte(extranonces))
	var afterGap []byte
	if c.Tag != "" {
		afterGap = appendPush(nil, c.Tag)
	}
	scriptSig := len(beforeGap) + extranonces + len(afterGap)
	if scriptSig > maxScriptSig {
		return CoinbaseParts{}, fmt.Errorf("%w: %d bytes, at most %d; the tag has %d",
			ErrScriptSigTooLong, scriptSig, maxScriptSig, len(c.Tag))
	}

	prefix := binary.LittleEndian.AppendUint32(nil, coinbaseVersion)
	prefix = append(prefix, 1)
	prefix = append(prefix, make([]byte, 32)...)
	prefix = append(prefix, 0xff, 0xff, 0xff, 0xff)
	prefix = appendCompactSize(prefix, uint64(scriptSig))
	prefix = append(prefix, beforeGap...)

	outputs := c.Outputs
	if c.WitnessCommitment != nil {
		outputs = append(outputs[:len(outputs):len(outputs)], TxOut{Script: c.WitnessCommitment})
	}
	suffix := binary.LittleEndian.AppendUint32(afterGap, coinbaseSequence)
	suffix = appendCompactSize(suffix, uint64(len(outputs)))
	for _, out := range outputs {
		suffix = binary.LittleEndian.AppendUint64(suffix, uint64(out.Value))
		suffix = appendCompactSize(suffix, uint64(len(out.Script)))
		suffix = append(suffix, out.Script...)
	}
	suffix = binary.LittleEndian.AppendUint32(suffix, uint32(max(c.Height-1, 0)))

	limit := c.MaxSize
	if limit == 0 {
		limit = DefaultMaxCoinbaseSize
	}
	if size := len(prefix) + extranonces + len(suffix); size > limit {
		return CoinbaseParts{}, fmt.Errorf("%w: %d bytes, at most %d; the tag has %d",
			ErrCoinbaseTooLarge, size, limit, len(c.Tag))
	}
	return CoinbaseParts{Prefix: prefix, Suffix: suffix}, nil
}

// check refuses what can never become a valid coinbase, or would burn or give
// away its coins.
func (c *CoinbaseTemplate) check() error {
	if c.Height < 0 || c.Height > maxHeight {
		return fmt.Errorf("%w: %d", ErrHeight, c.Height)
	}
	total := c.Extranonce1Size + c.Extranonce2Size
	if c.Extranonce1Size < 0 || c.Extranonce2Size < 0 || total < 1 || total > maxDirectPush {
		return fmt.Errorf("%w: %d and %d bytes", ErrExtranonceSize, c.Extranonce1Size, c.Extranonce2Size)
	}
	if c.WitnessCommitment != nil && !isWitnessCommitment(c.WitnessCommitment) {
		return fmt.Errorf("%w: %x", ErrInvalidCommitment, c.WitnessCommitment)
	}

	if len(c.Outputs) == 0 {
		return fmt.Errorf("%w: there is none", ErrInvalidOutput)
	}
	var sum int64
	for i, out := range c.Outputs {
		switch {
		case out.Value < 0 || out.Value > maxMoney:
			return fmt.Errorf("%w: output %d has the value %d", ErrInvalidOutput, i, out.Value)
		case len(out.Script) == 0:
			return fmt.Errorf("%w: output %d has no script, anybody could spend it", ErrInvalidOutput, i)
		}
		if sum += out.Value; sum > maxMoney {
			return fmt.Errorf("%w: the outputs are more than 21 million bitcoins", ErrInvalidOutput)
		}
	}
	return nil
}

// appendScriptInt appends a number >= 0 the way CScript's << operator does,
// which is what BIP34 checks a height against: OP_0, OP_1 to OP_16, or a
// minimal little-endian push whose highest bit is kept free for the sign.
func appendScriptInt(dst []byte, n int64) []byte {
	switch {
	case n == 0:
		return append(dst, opFalse)
	case n <= 16:
		return append(dst, op1+byte(n)-1)
	}
	at := len(dst)
	dst = append(dst, 0)
	for ; n > 0; n >>= 8 {
		dst = append(dst, byte(n))
	}
	if dst[len(dst)-1]&0x80 != 0 {
		dst = append(dst, 0)
	}
	dst[at] = byte(len(dst) - at - 1)
	return dst
}

// appendPush appends a push of 1 to 255 bytes of data.
func appendPush(dst []byte, data string) []byte {
	if len(data) > maxDirectPush {
		dst = append(dst, opPushData1)
	}
	dst = append(dst, byte(len(data)))
	return append(dst, data...)
}
