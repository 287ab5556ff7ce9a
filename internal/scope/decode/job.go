package decode

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// maxBranches is how many merkle branches are read: a block has room for 15.
const maxBranches = 32

// Job is a mining.notify: what the pool wants the miner to work on.
type Job struct {
	ID       string `json:"job_id"`
	PrevHash string `json:"prev_hash"` // of the block that is built on, display order

	Version     string `json:"version"`      // 8 hex digits
	VersionBits []int  `json:"version_bits"` // the bits that are set, lowest first
	Signals     []int  `json:"signals"`      // those of them that signal for something (BIP9), outside of the bits that miners roll

	Bits       string  `json:"nbits"`              // 8 hex digits
	Difficulty float64 `json:"network_difficulty"` // of nbits
	Target     string  `json:"network_target"`     // of nbits, 64 hex digits

	NTime string   `json:"ntime"`          // 8 hex digits
	Time  string   `json:"time"`           // of ntime, RFC 3339
	Skew  *float64 `json:"skew_s"`         // seconds that ntime is ahead of the time of reception; null when that is unknown
	Clean bool     `json:"clean_jobs"`     // older jobs are worthless
	Empty bool     `json:"empty_block"`    // there is no transaction but the coinbase
	Share float64  `json:"set_difficulty"` // that the pool asks shares of; 0 when unknown

	Branches   []Branch `json:"merkle_branches"`
	MerkleRoot string   `json:"merkle_root"` // with the extranonces of Coinbase, display order

	Coinbase *Coinbase `json:"coinbase"` // null when it could not be read at all

	Problems []Problem `json:"-"` // they stand in the message

	// Work is the same as bytes. It is nil when a field that it needs could
	// not be read.
	Work *Work `json:"-"`
}

// Branch is a merkle branch: the hash over 2^i transactions for the ith.
type Branch struct {
	Hash string `json:"hash"` // hex of the bytes, as on the wire
	// Hue is a colour by the hash, 0 to 359 degrees: the first two bytes as a
	// big-endian number, modulo 360. Jobs of different pools over the same
	// transactions show the same colours.
	Hue int `json:"hue"`
}

// ParseJob reads the params of mining.notify. It always returns a job; Problems
// name the fields that could not be read.
func ParseJob(params json.RawMessage, ctx Context) *Job {
	j := &Job{VersionBits: []int{}, Signals: []int{}, Branches: []Branch{}, Share: ctx.Difficulty}
	found := (*problems)(&j.Problems)
	values := list(params)
	if values == nil {
		found.add("params", "is not a list")
		return j
	}
	if len(values) < 9 {
		found.add("params", fmt.Sprintf("has %d elements instead of 9", len(values)))
	}

	w := &Work{}
	good := true
	id, ok := stringOf(element(values, 0))
	if !ok {
		found.add("job_id", missingOr(values, 0, "is not a string"))
		id = string(element(values, 0))
	}
	j.ID, w.ID = printable(id), id

	if prev, ok := hexOf(element(values, 1)); ok && len(prev) == len(w.PrevHash) {
		w.PrevHash = unswap([32]byte(prev))
		j.PrevHash = w.PrevHash.String()
	} else {
		good = false
		found.add("prevhash", missingOr(values, 1, "is not 64 hex digits"))
	}

	var ok1, ok2 bool
	if w.Coinbase1, ok1 = hexOf(element(values, 2)); !ok1 {
		found.add("coinbase1", missingOr(values, 2, "is not hex"))
	}
	if w.Coinbase2, ok2 = hexOf(element(values, 3)); !ok2 {
		found.add("coinbase2", missingOr(values, 3, "is not hex"))
	}
	branchesGood := j.branches(element(values, 4), w, found)
	good = good && ok1 && ok2 && branchesGood

	j.numbers(values, w, ctx, found, &good)
	clean := element(values, 8)
	j.Clean = string(clean) == "true"
	w.Clean = j.Clean
	if string(clean) != "true" && string(clean) != "false" {
		found.add("clean_jobs", missingOr(values, 8, "is neither true nor false"))
	}

	if ok1 && ok2 {
		j.Coinbase = parseCoinbase(w, ctx, found)
		if branchesGood {
			j.MerkleRoot = w.MerkleRoot(j.Coinbase.extranonces, nil).String()
		}
		if c := j.Coinbase; j.Empty && c.Height >= 0 && c.Fees > 0 {
			found.add("coinbase", "pays out "+btc(c.Fees)+" BTC of fees, but the block has no transaction that pays them")
		}
	}
	if good {
		j.Work = w
	}
	return j
}

// branches reads the merkle branches.
func (j *Job) branches(raw json.RawMessage, w *Work, found *problems) (good bool) {
	if len(raw) == 0 || raw[0] != '[' {
		found.add("merkle_branch", "is not a list")
		return false
	}
	values := list(raw)
	if len(values) > maxBranches {
		found.add("merkle_branch", fmt.Sprintf("has %d elements, no block has more than 15", len(values)))
		return false
	}
	good = true
	j.Empty = len(values) == 0
	j.Branches = make([]Branch, 0, len(values))
	w.Branches = make([]bitcoin.Hash, 0, len(values))
	for i, value := range values {
		b, ok := hexOf(value)
		if !ok || len(b) != len(bitcoin.Hash{}) {
			found.add("merkle_branch["+strconv.Itoa(i)+"]", "is not 64 hex digits")
			good = false
			continue
		}
		w.Branches = append(w.Branches, bitcoin.Hash(b))
		text, _ := stringOf(value)
		j.Branches = append(j.Branches, Branch{Hash: text, Hue: int(binary.BigEndian.Uint16(b)) % 360})
	}
	return good
}

// numbers reads version, nbits and ntime.
func (j *Job) numbers(values []json.RawMessage, w *Work, ctx Context, found *problems, good *bool) {
	read := func(i int, field string, into *uint32) bool {
		b, ok := hexOf(element(values, i))
		if !ok || len(b) != 4 {
			found.add(field, missingOr(values, i, "is not 8 hex digits"))
			*good = false
			return false
		}
		*into = binary.BigEndian.Uint32(b)
		return true
	}
	if read(5, "version", &w.Version) {
		j.Version = hex32(w.Version)
		j.VersionBits = bitsOf(w.Version)
		if w.Version>>29 == 1 {
			j.Signals = bitsOf(w.Version &^ (7<<29 | DefaultVersionMask))
		}
	}
	if read(6, "nbits", &w.Bits) {
		j.Bits = hex32(w.Bits)
		target, err := bitcoin.TargetFromBits(w.Bits)
		if err != nil {
			found.add("nbits", "is no target: "+err.Error())
			*good = false
		} else {
			w.Target = target
			j.Difficulty, j.Target = target.Difficulty(), target.String()
		}
	}
	if read(7, "ntime", &w.Time) {
		j.NTime = hex32(w.Time)
		at := time.Unix(int64(w.Time), 0).UTC()
		j.Time = at.Format(time.RFC3339)
		if !ctx.Received.IsZero() {
			skew := float64(at.Sub(ctx.Received).Milliseconds()) / 1000
			j.Skew = &skew
		}
	}
}

// missingOr says that an element is missing, or else what is wrong with it.
func missingOr(values []json.RawMessage, i int, problem string) string {
	if i >= len(values) {
		return "is missing"
	}
	return problem
}

// unswap turns Stratum's form of the previous hash, which has the bytes of
// each 32-bit word reversed, into that of the header.
func unswap(wire [32]byte) (h bitcoin.Hash) {
	for i := range h {
		h[i] = wire[i^3]
	}
	return h
}

// bitsOf lists the bits that are set.
func bitsOf(n uint32) []int {
	out := []int{}
	for i := range 32 {
		if n>>i&1 != 0 {
			out = append(out, i)
		}
	}
	return out
}

// hex32 writes a number as 8 hex digits.
func hex32(n uint32) string {
	const digits = "0123456789abcdef"
	var b [8]byte
	for i := range b {
		b[i] = digits[n>>(28-4*i)&15]
	}
	return string(b[:])
}
