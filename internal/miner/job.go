package miner

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/stratum"
)

// Limits of what a job may be.
const (
	maxBranches  = 32
	maxJobID     = 128
	notifyParams = 9
)

// Job is what mining.notify says.
type Job struct {
	ID        string
	PrevHash  bitcoin.Hash
	Coinbase1 []byte // before the extranonces
	Coinbase2 []byte // behind them
	Branches  []bitcoin.Hash
	Version   uint32
	Bits      uint32 // compact network target
	Time      uint32 // seconds since 1970
	Clean     bool   // older jobs are worthless
}

// ParseJob reads the parameters of mining.notify. It fails with ErrBadJob.
func ParseJob(params []json.RawMessage) (*Job, error) {
	if len(params) < notifyParams {
		return nil, fmt.Errorf("%w: %d parameters instead of %d", ErrBadJob, len(params), notifyParams)
	}
	j := &Job{}
	if json.Unmarshal(params[0], &j.ID) != nil || j.ID == "" || len(j.ID) > maxJobID {
		return nil, fmt.Errorf("%w: the id is not a string of 1 to %d bytes", ErrBadJob, maxJobID)
	}

	var prev bitcoin.Hash
	if !stratum.DecodeHex(prev[:], []byte(parseText(params[1]))) {
		return nil, fmt.Errorf("%w: prevhash is not 64 hex digits", ErrBadJob)
	}
	j.PrevHash = stratum.SwapWords(prev)

	var ok bool
	if j.Coinbase1, ok = parseBytes(params[2]); !ok {
		return nil, fmt.Errorf("%w: coinb1 is not hex", ErrBadJob)
	}
	if j.Coinbase2, ok = parseBytes(params[3]); !ok {
		return nil, fmt.Errorf("%w: coinb2 is not hex", ErrBadJob)
	}

	var branches []json.RawMessage
	if json.Unmarshal(params[4], &branches) != nil || len(branches) > maxBranches {
		return nil, fmt.Errorf("%w: the merkle branches are not a list of at most %d", ErrBadJob, maxBranches)
	}
	j.Branches = make([]bitcoin.Hash, len(branches))
	for i, raw := range branches {
		if !stratum.DecodeHex(j.Branches[i][:], []byte(parseText(raw))) {
			return nil, fmt.Errorf("%w: merkle branch %d is not 64 hex digits", ErrBadJob, i)
		}
	}

	for i, field := range []*uint32{&j.Version, &j.Bits, &j.Time} {
		if *field, ok = parseHex32(params[5+i]); !ok {
			return nil, fmt.Errorf("%w: parameter %d is not 8 hex digits", ErrBadJob, 5+i)
		}
	}
	if json.Unmarshal(params[8], &j.Clean) != nil {
		return nil, fmt.Errorf("%w: clean_jobs is neither true nor false", ErrBadJob)
	}
	return j, nil
}

// parseBytes reads a JSON string of hex.
func parseBytes(raw json.RawMessage) ([]byte, bool) {
	digits := parseText(raw)
	b := make([]byte, len(digits)/2)
	return b, stratum.DecodeHex(b, []byte(digits))
}

// Header returns the block header for one pair of extranonces, with the job's
// own version and time and a nonce of zero.
func (j *Job) Header(extranonce1, extranonce2 []byte) bitcoin.Header {
	coinbase := make([]byte, 0, len(j.Coinbase1)+len(extranonce1)+len(extranonce2)+len(j.Coinbase2))
	coinbase = append(coinbase, j.Coinbase1...)
	coinbase = append(coinbase, extranonce1...)
	coinbase = append(coinbase, extranonce2...)
	coinbase = append(coinbase, j.Coinbase2...)
	return bitcoin.Header{
		Version:    j.Version,
		PrevHash:   j.PrevHash,
		MerkleRoot: bitcoin.MerkleRoot(bitcoin.DoubleSHA256(coinbase), j.Branches),
		Time:       j.Time,
		Bits:       j.Bits,
	}
}

// scriptSigAt is where the script of a coinbase input starts: after version,
// input count, the empty previous output and a length of one byte.
const scriptSigAt = 4 + 1 + 36 + 1

// Height returns the height of the block, which its coinbase starts with
// (BIP34), or 0 if it cannot be read.
func (j *Job) Height() int64 {
	if len(j.Coinbase1) <= scriptSigAt {
		return 0
	}
	op, rest := j.Coinbase1[scriptSigAt], j.Coinbase1[scriptSigAt+1:]
	switch {
	case op >= 0x51 && op <= 0x60: // OP_1 to OP_16
		return int64(op) - 0x50
	case op == 0 || op > 5 || len(rest) < int(op) || rest[op-1]&0x80 != 0:
		return 0
	}
	var le [8]byte
	copy(le[:], rest[:op])
	return int64(binary.LittleEndian.Uint64(le[:]))
}

// RollVersion puts version bits into a job's version, inside the mask only
// (BIP310).
func RollVersion(version, bits, mask uint32) uint32 {
	return version&^mask | bits&mask
}

// spreadBits returns the n-th value that a mask can hold: the bits of n, lowest
// first, moved to where the mask has ones.
func spreadBits(n uint64, mask uint32) (bits uint32) {
	for ; mask != 0 && n != 0; n >>= 1 {
		lowest := mask & -mask
		if n&1 != 0 {
			bits |= lowest
		}
		mask &^= lowest
	}
	return bits
}

// AppendSubmit appends the line of a mining.submit. The version bits are left
// out unless rolled.
func AppendSubmit(dst []byte, id int64, user, jobID string, extranonce2 []byte, ntime, nonce uint32, rolled bool, versionBits uint32) []byte {
	dst = append(dst, `{"id":`...)
	dst = strconv.AppendInt(dst, id, 10)
	dst = append(dst, `,"method":"mining.submit","params":[`...)
	dst = stratum.AppendString(dst, user)
	dst = append(dst, ',')
	dst = stratum.AppendString(dst, jobID)
	dst = append(dst, `,"`...)
	dst = hex.AppendEncode(dst, extranonce2)
	dst = append(dst, `","`...)
	dst = stratum.AppendHex32(dst, ntime)
	dst = append(dst, `","`...)
	dst = stratum.AppendHex32(dst, nonce)
	if rolled {
		dst = append(dst, `","`...)
		dst = stratum.AppendHex32(dst, versionBits)
	}
	return append(dst, "\"]}\n"...)
}
